"""The policies that users copy allow what hpoctl calls, and nothing more.

The model of SageMaker refuses what `launch.json` does not allow, so every test on it shows that the policy suffices.
"""

import json
import re
from pathlib import Path

import pytest

import hpoctl.stores
from hpoctl_sagemaker.api import SagemakerApi
from hpoctl_sagemaker.launcher import SagemakerLauncher
from hpoctl_sagemaker.options import SagemakerOptions
from sagemaker_model import POLICIES, REGION, ROLE, allowed, environment_of, running
from services.seaweedfs import BUCKET, Server
from test_trouble import ENTRY, jobs, poll_until

IMPLIED = {"sagemaker:AddTags", "iam:PassRole"}
"""What CreateTrainingJob needs besides, for its tags and its role."""

RIGHTS = {
    "abort_multipart_upload": {"s3:AbortMultipartUpload"},
    "complete_multipart_upload": {"s3:PutObject"},
    "copy_object": {"s3:GetObject", "s3:PutObject"},
    "create_multipart_upload": {"s3:PutObject"},
    "delete_object": {"s3:DeleteObject"},
    "delete_objects": {"s3:DeleteObject"},
    "get_object": {"s3:GetObject"},
    "head_object": {"s3:GetObject"},
    "list_objects_v2": {"s3:ListBucket"},
    "put_object": {"s3:PutObject"},
    "upload_part": {"s3:PutObject"},
}
"""The rights that a call to S3 needs, according to AWS's service authorization reference."""


def s3_rights() -> set[str]:
    """The rights that the calls in the code of the stores need."""
    sources = Path(hpoctl.stores.__file__).parent.glob("s3_*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    calls = {*re.findall(r"\bclient\.([a-z_0-9]+)\(", text), *re.findall(r"partial\(_send, \"(\w+)\"", text)}
    calls.discard("get_caller_identity")  # needs no right
    return {right for call in calls for right in RIGHTS[call]}


@pytest.mark.parametrize("name", ["launch", "role"])
def test_rights_on_s3_are_those_of_the_calls(name: str) -> None:
    assert {action for action in allowed(name) if action.startswith("s3:")} == s3_rights()


def test_rights_of_a_launch_are_those_of_its_calls(seaweedfs: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(seaweedfs.environment, quota=2) as model:
        for key, value in {**environment_of(model), "HPOCTL_PLUGINS": ""}.items():
            monkeypatch.setenv(key, value)
        entry = model.folder / "entry.py"
        entry.write_text(ENTRY)
        monkeypatch.setattr("hpoctl_sagemaker.launcher.SCRIPT", entry)
        launcher = SagemakerLauncher(SagemakerOptions(role=ROLE, image="python", poll_interval=0.05))
        receipts = list(launcher.submit(jobs("1-wait", "2-fail", root=f"s3://{BUCKET}/policies")))
        launcher.cancel(receipts[:1])
        poll_until(launcher, receipts, ["failed"] * 2)
        assert "a word from" in "".join(SagemakerApi(REGION).log(name) for name in model.created)
        used = {f"{service}:{operation}" for service, operation in model.used}
    assert used | IMPLIED == {action for action in allowed("launch") if not action.startswith("s3:")}


def test_no_policy_has_a_wildcard_action_and_all_are_of_the_current_version() -> None:
    for file in POLICIES.glob("*.json"):
        policy = json.loads(file.read_text())
        assert policy["Version"] == "2012-10-17"
        actions = [action for statement in policy["Statement"] for action in [statement["Action"]]]
        assert "*" not in json.dumps(actions), file.name
