"""What SageMaker is asked for: the name of a training job, and its request."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hpoctl.core.canonical import content_hash
from hpoctl.core.errors import UsageError
from hpoctl.plugins.loading import SELECTION
from hpoctl.stores.job_files import Manifest, job_folder_of
from hpoctl_sagemaker.options import SagemakerOptions, TrainingJobOptions, listed
from hpoctl_sagemaker.service_model import check_request

TAG_LENGTH, REST_LENGTH, HASH_LENGTH = 24, 25, 12
"""Letters of the parts of a name; with two dashes, 63: what SageMaker allows."""

MARK = 6
"""Letters of the hash in a part that is not what it stands for."""

CHANNEL = "hpoctl"
ENTRY = "entry.py"
"""The script of the bundle that a container runs."""

CHECKPOINTS = "checkpoints"
"""The folder of a job that SageMaker copies its log to, and back after an interruption."""

MACHINE = "/opt/ml"
IMAGES = {11: ("2.5.1", "py311"), 12: ("2.9.0", "py312"), 13: ("2.10.0", "py313")}
"""Versions of PyTorch's images by the minor version of their Python."""

NO_ROLE = UsageError(
    "Training jobs of SageMaker need a role.",
    "Give role=arn:aws:iam::ACCOUNT:role/NAME with --launcher-option for jobs, --backend-option for trials.",
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all training jobs of a launch have in common.

    Attributes:
        region: The region.
        image: The image.
        bundle: The address of the bundle.
        plugins: What `HPOCTL_PLUGINS` says; None: nothing.
        runner: How a Python with hpoctl runs a job; see `Job`.
    """

    region: str
    image: str
    bundle: str
    plugins: str | None
    runner: tuple[str, ...]


def name_of(manifest: Manifest) -> str:
    """The name of a job's training job: no other job of any study has it, and the same job has it always."""
    job = manifest.job
    rest = job.name.removeprefix(f"{job.tag}-")
    return f"{part_of(job.tag, TAG_LENGTH)}-{part_of(rest, REST_LENGTH)}-{manifest.digest[:HASH_LENGTH]}"


def beginning_of(tag: str) -> str:
    """How the names of a tag's training jobs begin."""
    return f"{part_of(tag, TAG_LENGTH)}-"


def part_of(text: str, length: int) -> str:
    """A text as a part of a name: itself if it can be, else as much as fits and a hash of all of it."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")
    if plain == text and len(text) <= length:
        return text
    mark = content_hash(text.encode(errors="surrogatepass"))[:MARK]
    return f"{plain[: length - MARK - 1].strip('-')}-{mark}".lstrip("-")


@dataclass(frozen=True, slots=True)
class Work:
    """What a training job runs, whatever its options.

    Attributes:
        name: Its name.
        image: Its image.
        machine: The type and the number of its machines.
        entry: The script of the bundle that it runs.
        bundle: The address of the bundle.
        output: The address of what SageMaker itself writes.
        checkpoints: The address of its checkpoints.
        settings: What the script is told.
        environment: Environment variables.
        tags: Tags besides those of the options.
    """

    name: str
    image: str
    machine: tuple[str, int]
    entry: str
    bundle: str
    output: str
    checkpoints: str
    settings: Mapping[str, str]
    environment: Mapping[str, str]
    tags: Mapping[str, str]


def request_of(work: Work, options: TrainingJobOptions) -> dict[str, Any]:
    """The request for a training job."""
    kind, count = work.machine
    request: dict[str, Any] = {
        "TrainingJobName": work.name,
        "RoleArn": options.role,
        "AlgorithmSpecification": {
            "TrainingImage": work.image,
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["python3", f"{MACHINE}/input/data/{CHANNEL}/{work.entry}"],
        },
        "HyperParameters": dict(work.settings),
        "InputDataConfig": [_channel(work.bundle)],
        "OutputDataConfig": {"S3OutputPath": work.output, **_key_of("KmsKeyId", options.output_kms_key)},
        "CheckpointConfig": {"S3Uri": work.checkpoints, "LocalPath": f"{MACHINE}/checkpoints"},
        "ResourceConfig": {
            "InstanceType": kind,
            "InstanceCount": count,
            "VolumeSizeInGB": options.volume_size,
            **_key_of("VolumeKmsKeyId", options.volume_kms_key),
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": options.max_run},
        "Environment": dict(work.environment),
        "Tags": [{"Key": key, "Value": value} for key, value in {**options.tag_values, **work.tags}.items()],
    }
    if options.use_spot:
        request["EnableManagedSpotTraining"] = True
        request["StoppingCondition"]["MaxWaitTimeInSeconds"] = options.longest_wait
    if options.subnets is not None:
        request["VpcConfig"] = {"Subnets": listed(options.subnets), "SecurityGroupIds": listed(options.security_groups)}
    return request


def training_job(manifest: Manifest, options: SagemakerOptions, around: Surroundings) -> dict[str, Any]:
    """The request for the training job of a launch's job."""
    job = manifest.job
    own = f"{job.results.rstrip('/')}/{job_folder_of(job.tag, job.name)}"
    selection = {} if around.plugins is None else {SELECTION: around.plugins}
    work = Work(
        name=name_of(manifest),
        image=around.image,
        machine=(options.instance_type, 1),
        entry=ENTRY,
        bundle=around.bundle,
        output=f"{own}/output",
        checkpoints=f"{own}/{CHECKPOINTS}",
        settings={
            "job": job.name,
            "runner": json.dumps(around.runner),
            "setup": json.dumps(job.setup(options.jobs, options.retries, options.timeout)),
        },
        environment={"AWS_DEFAULT_REGION": around.region, "HPOCTL_JOB_NAME": job.name, **selection},
        tags={"hpoctl:tag": job.tag, "hpoctl:job": job.name},
    )
    return request_of(work, options)


def check_training_job(request: dict[str, Any], model: Any) -> None:
    """Refuse a request that SageMaker would refuse, as far as its model says.

    Args:
        request: The request.
        model: What the model says of such requests.

    Raises:
        UsageError: What is wrong.
    """
    if request["RoleArn"] is None:
        raise NO_ROLE
    mistakes = check_request(model, request)
    if mistakes:
        more = f"; and {len(mistakes) - 1} more" if len(mistakes) > 1 else ""
        raise UsageError(
            f"SageMaker would refuse training job {request['TrainingJobName']}: {mistakes[0]}{more}.",
            "Change the option behind it.",
        )


def image_for(options: TrainingJobOptions, region: str, minor: int) -> str:
    """The image of jobs: the one that is named, else the one of SageMaker for PyTorch.

    Args:
        options: The options.
        region: The region.
        minor: The minor version of the Python that runs here: the image has the same, if there is one.

    Raises:
        UsageError: `sagemaker-core` knows no image for the region or the machine.
    """
    if options.image is not None:
        return options.image
    from sagemaker.core.image_uris import retrieve  # noqa: PLC0415 - takes a second

    version, python = IMAGES[min(max(minor, min(IMAGES)), max(IMAGES))]
    try:
        image = retrieve(
            "pytorch", region, version=version, py_version=python, instance_type=options.instance_type,
            image_scope="training",
        )  # fmt: skip
    except ValueError as error:
        why = " ".join(str(error).split()).partition(". ")[0].rstrip(".")  # all regions, or machines, follow
        raise UsageError(
            f"There is no image of SageMaker for {options.instance_type} in {region}: {why}.",
            "Correct instance_type or region, or name an image with the option image.",
        ) from error
    return str(image)


def _channel(address: str) -> dict[str, Any]:
    """A channel with all files below an address on S3."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"{address}/", "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": CHANNEL, "DataSource": {"S3DataSource": source}}


def _key_of(name: str, value: str | None) -> dict[str, str]:
    """An entry of a request; None: the request does not have it."""
    return {} if value is None else {name: value}
