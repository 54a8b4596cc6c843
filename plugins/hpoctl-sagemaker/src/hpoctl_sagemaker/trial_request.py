"""The training job of one start of a trial: its name, its request, and the bundle that its container gets."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hpoctl
from hpoctl import reporting
from hpoctl.backends.scripts.workers import Command
from hpoctl.core.errors import UsageError
from hpoctl.core.files import read_regular
from hpoctl.core.script import Script
from hpoctl.core.script_files import script_files
from hpoctl.core.space import Config
from hpoctl.launchers.bundle import Bundle, read_requirements
from hpoctl_sagemaker import trial_entry
from hpoctl_sagemaker.request import CHECKPOINTS, Work, part_of, request_of
from hpoctl_sagemaker.trial_options import SagemakerTrialOptions

ENTRY = "trial_entry.py"
PIECE = 2500
"""Letters that a hyperparameter of SageMaker can have."""

PIECES = 98
NAME_LENGTH, ID_LENGTH = 24, 12


@dataclass(frozen=True, slots=True)
class Place:
    """Where an experiment is on S3, and what its jobs have in common.

    Attributes:
        bucket: The bucket.
        folder: The folder of the experiment in the bucket.
        bundle: The address of the bundle.
        mark: How the names of its jobs begin.
        name: What the experiment is called.
        region: The region.
    """

    bucket: str
    folder: str
    bundle: str
    mark: str
    name: str
    region: str


def mark_of(name: str, identity: str) -> str:
    """How the names of an experiment's jobs begin: no other experiment's do."""
    return f"{part_of(name.replace(' ', '-'), NAME_LENGTH)}-{identity[:ID_LENGTH]}-"


def job_name(mark: str, key: str) -> str:
    """The name of a start's job: the same start has it always."""
    return mark + key.replace("/", "-")


def trial_bundle(script: Script, options: SagemakerTrialOptions) -> Bundle:
    """What the containers of all trials get: the script's files, `hpoctl.report`, and what starts them.

    Raises:
        UsageError: A file of the script or the requirements file cannot be read.
    """
    files = {f"code/{name}": read_regular(script.folder / name) for name in script_files(script)}
    for module in (hpoctl, reporting):
        path = Path(str(module.__file__))
        files[f"site/hpoctl/{path.name}"] = path.read_bytes()
    files[ENTRY] = Path(trial_entry.__file__).read_bytes()
    requirements = read_requirements(options.requirements)
    if requirements:
        files["requirements.txt"] = requirements.encode()
    return Bundle(dict(sorted(files.items())))


def machine_of(config: Config, options: SagemakerTrialOptions) -> tuple[str, int]:
    """The type and the number of a trial's machines.

    Raises:
        UsageError: The configuration says something else.
    """
    kind = config.get(options.instance_type_from, options.instance_type)
    count = config.get(options.instance_count_from, options.instance_count)
    if not isinstance(kind, str):
        raise UsageError(f"{options.instance_type_from} is {kind}.", "Use types of machines, such as ml.m5.large.")
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise UsageError(f"{options.instance_count_from} is {count}.", "Use whole numbers >= 1.")
    return kind, count


def call_of(key: str, config: str, command: Command, place: Place, options: SagemakerTrialOptions, grace: float) -> str:
    """What the entry of the container is told, as JSON."""
    facts = {
        "words": list(command.words),
        "environment": dict(command.environment),
        "folder": str(command.folder),
        "config": config,
        "bucket": place.bucket,
        "prefix": f"{place.folder}/reports/{key.replace('/', '-')}/",
        "interval": options.upload_interval,
        "grace": grace,
    }
    return json.dumps(facts)


def trial_job(
    key: str, call: str, machine: tuple[str, int], image: str, place: Place, options: SagemakerTrialOptions
) -> dict[str, Any]:
    """The request for the job of a start.

    Args:
        key: The start: `TRIAL/START`.
        call: What its entry is told.
        machine: The type and the number of its machines.
        image: Its image.
        place: Where the experiment is.
        options: The options.

    Raises:
        UsageError: The configuration is too large.
    """
    pieces = [call[begin : begin + PIECE] for begin in range(0, len(call), PIECE)]
    if len(pieces) > PIECES:
        raise UsageError(
            f"The configuration and the environment of a trial have {len(call):,} letters.",
            f"SageMaker takes {PIECES * PIECE:,}: put large values into files.",
        )
    trial = key.partition("/")[0]
    own = f"s3://{place.bucket}/{place.folder}"
    work = Work(
        name=job_name(place.mark, key),
        image=image,
        machine=machine,
        entry=ENTRY,
        bundle=place.bundle,
        output=f"{own}/output",
        checkpoints=f"{own}/{CHECKPOINTS}/{trial}",
        settings={
            "hpoctl": str(len(pieces)),
            **{f"hpoctl-{number}": piece for number, piece in enumerate(pieces)},
        },
        environment={"AWS_DEFAULT_REGION": place.region, "HPOCTL_TRIAL": key},
        tags={"hpoctl:experiment": part_of(place.name, 256), "hpoctl:trial": key},
    )
    request = request_of(work, options)
    if options.keep_alive:
        request["ResourceConfig"]["KeepAlivePeriodInSeconds"] = options.keep_alive
    return request
