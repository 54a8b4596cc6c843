"""What SageMaker is asked for: names that are unique and allowed, requests that its model allows, and every refusal."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpoctl.core.cells import Cell
from hpoctl.core.errors import UsageError
from hpoctl.core.jobs import Job, Task
from hpoctl.core.names import ENTRY, TAG
from hpoctl.core.options import option_values
from hpoctl.stores.job_files import Manifest
from hpoctl_sagemaker.api import SagemakerApi
from hpoctl_sagemaker.options import SagemakerOptions
from hpoctl_sagemaker.prices import MACHINES, estimate
from hpoctl_sagemaker.request import (
    Surroundings,
    beginning_of,
    check_training_job,
    image_for,
    name_of,
    training_job,
)
from hpoctl_sagemaker.service_model import check_request
from sagemaker_model import REGION, ROLE

MODEL = SagemakerApi(REGION).model_of_requests()
OPTIONS = SagemakerOptions(role=ROLE)
AROUND = Surroundings("eu-central-1", "image", "s3://bucket/prefix/.bundles/0123", None, ("-m", "runner"))
NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
tags = st.from_regex(TAG, fullmatch=True).filter(lambda tag: len(tag) <= 63)
methods = st.from_regex(ENTRY, fullmatch=True).filter(lambda name: len(name) <= 63 and name.isascii())


def manifest(
    tag: str = "docs-2", rest: str = "ASHA-1a2b3c4d", results: str = "s3://bucket/prefix", submitted: float = 1.0
) -> Manifest:
    job = Job(f"{tag}-{rest}", tag, results, ("python",), (Task("plan", Cell("ASHA", "toy", 1), 1.0),))
    return Manifest.of(job, "sagemaker", option_values(OPTIONS), submitted)


def request(options: SagemakerOptions = OPTIONS, **changes: Any) -> dict[str, Any]:
    return training_job(manifest(**changes), options, AROUND)


def test_name_says_what_it_is() -> None:
    found = manifest()
    assert name_of(found) == f"docs-2-ASHA-1a2b3c4d-{found.digest[:12]}"
    assert name_of(manifest(rest="MOBSTER-RELU-19-1a2b3c4d")).startswith("docs-2-MOBSTER-RELU-19-1a2b3c4d-")


@given(tags, methods, st.integers(0, 999))
def test_names_are_allowed_and_the_request_too(tag: str, method: str, seed: int) -> None:
    found = manifest(tag, f"{method}-{seed}-1a2b3c4d")
    name = name_of(found)
    assert NAME.fullmatch(name)
    assert len(name) <= 63
    assert name.startswith(beginning_of(tag))
    assert name.endswith(found.digest[:12])
    asked = training_job(found, OPTIONS, AROUND)
    check_training_job(asked, MODEL)
    # What a shortened name has lost stands in the tags.
    assert {"Key": "hpoctl:job", "Value": found.job.name} in asked["Tags"]


@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine generates slowly
@given(st.sets(st.tuples(tags, methods, st.sampled_from([1.0, 2.0])), min_size=2, max_size=4))
def test_different_jobs_have_different_names(kinds: set[tuple[str, str, float]]) -> None:
    assert len({name_of(manifest(tag, rest, submitted=time)) for tag, rest, time in kinds}) == len(kinds)


def test_long_tags_that_begin_alike_are_listed_apart() -> None:
    one, other = beginning_of("a" * 40 + "-1"), beginning_of("a" * 40 + "-2")
    assert not one.startswith(other)
    assert not other.startswith(one)


def test_request_of_all_options() -> None:
    options = SagemakerOptions(
        role=ROLE, use_spot=True, max_run=100, max_wait=300, volume_size=5, subnets="subnet-1, subnet-2",
        security_groups="sg-1", volume_kms_key="key-1", output_kms_key="key-2", tags="team=hpo, project=docs", jobs=3,
        retries=1, timeout=60.5,
    )  # fmt: skip
    asked = request(options)
    check_training_job(asked, MODEL)
    assert asked["HyperParameters"] == {
        "job": "docs-2-ASHA-1a2b3c4d",
        "runner": '["-m", "runner"]',
        "setup": json.dumps(
            {
                "results": "s3://bucket/prefix",
                "tag": "docs-2",
                "name": "docs-2-ASHA-1a2b3c4d",
                "workers": 3,
                "retries": 1,
                "timeout": 60.5,
            }
        ),
    }
    assert asked["EnableManagedSpotTraining"]
    assert asked["StoppingCondition"] == {"MaxRuntimeInSeconds": 100, "MaxWaitTimeInSeconds": 300}
    assert asked["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert asked["ResourceConfig"]["VolumeKmsKeyId"] == "key-1"
    assert asked["OutputDataConfig"]["KmsKeyId"] == "key-2"
    assert {"Key": "team", "Value": "hpo"} in asked["Tags"]
    own = "s3://bucket/prefix/docs-2/.hpoctl/jobs/docs-2-ASHA-1a2b3c4d"
    assert asked["CheckpointConfig"]["S3Uri"] == f"{own}/checkpoints"
    source = asked["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"]
    assert source == "s3://bucket/prefix/.bundles/0123/"


def test_request_without_spot_has_no_wait() -> None:
    asked = request()
    assert "EnableManagedSpotTraining" not in asked
    assert asked["StoppingCondition"] == {"MaxRuntimeInSeconds": 86400}
    assert "VpcConfig" not in asked


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (SagemakerOptions(), "need a role"),
        (SagemakerOptions(role="arn:aws:iam::12:role/training"), "/training', which does not match arn:aws"),
        (SagemakerOptions(role="training"), "Invalid length for parameter RoleArn"),
        (replace(OPTIONS, instance_type="ml.m5.tiny"), "InstanceType is 'ml.m5.tiny', and can be one of ml.m4.xlarge"),
        (replace(OPTIONS, volume_kms_key="a key"), "VolumeKmsKeyId is 'a key', which does not match"),
        (replace(OPTIONS, subnets="s" * 33, security_groups="sg"), "has 33 characters, and can have 32"),
        (replace(OPTIONS, subnets="s", security_groups=",".join("abcdef")), "has 6 entries, and can have 5"),
        (replace(OPTIONS, tags=",".join(f"t{n}=1" for n in range(50))), "Tags has 52 entries, and can have 50"),
        (replace(OPTIONS, tags="a=b;c"), "which does not match"),
    ],
)
def test_refused_before_the_first_call(options: SagemakerOptions, what: str) -> None:
    with pytest.raises(UsageError, match=re.escape(what)):
        check_training_job(request(options), MODEL)


def test_refused_for_a_very_long_root() -> None:
    with pytest.raises(UsageError, match="characters, and can have 1024; and 1 more"):
        check_training_job(request(results=f"s3://bucket/{'p' * 1000}"), MODEL)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"max_run": 0}, "max_run of sagemaker is 0"),
        ({"volume_size": 0}, "volume_size of sagemaker is 0"),
        ({"jobs": 0}, "jobs of sagemaker is 0"),
        ({"retries": -1}, "retries of sagemaker is -1"),
        ({"timeout": 0.0}, "timeout of sagemaker is 0.0"),
        ({"poll_interval": float("nan")}, "poll_interval of sagemaker is nan"),
        ({"max_wait": 10}, "max_wait of sagemaker is 10"),
        ({"use_spot": True, "max_run": 100, "max_wait": 99}, "max_wait of sagemaker is 99"),
        ({"subnets": "a"}, "needs both subnets and security_groups"),
        ({"tags": "team"}, "tags of sagemaker is team"),
    ],
)
def test_wrong_options(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError, match=re.escape(what)):
        SagemakerOptions(**changes)


def test_wrong_types_and_missing_parts_are_reported() -> None:
    asked = request()
    assert check_request(MODEL, asked) == []
    del asked["RoleArn"]
    asked["ResourceConfig"]["InstanceCount"] = "one"
    mistakes = "; ".join(check_request(MODEL, asked))
    assert "RoleArn" in mistakes
    assert "InstanceCount" in mistakes


def test_image_that_is_named() -> None:
    assert image_for(replace(OPTIONS, image="mine"), "nowhere", 11) == "mine"


@pytest.mark.parametrize(
    ("machine", "minor", "end"),
    [
        ("ml.m5.large", 11, "pytorch-training:2.5.1-cpu-py311"),
        ("ml.g5.xlarge", 12, "pytorch-training:2.9.0-gpu-py312"),
        ("ml.m5.large", 99, "pytorch-training:2.10.0-cpu-py313"),
    ],
)
@pytest.mark.filterwarnings("default")  # of the library's own code
def test_image_of_sagemaker(machine: str, minor: int, end: str) -> None:
    image = image_for(replace(OPTIONS, instance_type=machine), "eu-central-1", minor)
    assert image.startswith("763104351884.dkr.ecr.eu-central-1.amazonaws.com/")
    assert image.endswith(end)


@pytest.mark.filterwarnings("default")
def test_image_of_an_unknown_region() -> None:
    with pytest.raises(UsageError) as refused:
        image_for(OPTIONS, "mars-north-1", 11)
    assert refused.value.what == (
        "There is no image of SageMaker for ml.m5.large in mars-north-1: Unsupported region: mars-north-1."
    )


def test_estimate() -> None:
    found = estimate(replace(OPTIONS, max_run=7200), [7080.0, 0.0])
    # Two cores: half the time; 120 s to start each of two jobs.
    assert found.hours == pytest.approx((3540 + 240) / 3600)
    assert found.capped_hours == 4.0
    assert found.dollars == pytest.approx(found.hours * MACHINES["ml.m5.large"].dollars)
    assert found.capped_dollars == pytest.approx(0.46)
    for text in ("us-east-1", "as of", "not checked since", "price page"):
        assert text in found.note
    assert "spot capacity costs less" in estimate(replace(OPTIONS, use_spot=True), [1.0]).note


def test_estimate_without_a_price() -> None:
    found = estimate(replace(OPTIONS, instance_type="ml.p5.48xlarge", jobs=4), [7200.0])
    assert found.hours == pytest.approx((1800 + 120) / 3600)
    assert found.dollars is None
    assert found.capped_dollars is None
    assert "no price of ml.p5.48xlarge is known" in found.note


@given(st.lists(st.floats(0, 1e7), max_size=20))
def test_nobody_is_expected_to_take_longer_than_the_limit(seconds: list[float]) -> None:
    found = estimate(OPTIONS, seconds)
    assert 0.0 <= found.hours <= found.capped_hours
