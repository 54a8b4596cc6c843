"""The SageMaker launcher when things go wrong: quotas, throttling, lost answers, refusals, and what people are told."""

import socket
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hpoctl.core.cells import Cell
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.jobs import Failure, Job, Task
from hpoctl.stores.job_files import JobReport, job_folder_of, read_manifest
from hpoctl.stores.opening import open_results
from hpoctl_sagemaker.api import SagemakerApi, Training
from hpoctl_sagemaker.check import check
from hpoctl_sagemaker.errors import BusyError
from hpoctl_sagemaker.launcher import SagemakerLauncher
from hpoctl_sagemaker.options import SagemakerOptions
from hpoctl_sagemaker.sessions import PATIENT, account_of
from hpoctl_sagemaker.states import status_of
from sagemaker_model import ACCOUNT, REGION, ROLE, SagemakerModel, environment_of, running
from services.seaweedfs import BUCKET, Server

FAST = SagemakerOptions(role=ROLE, image="python", poll_interval=0.05)
ENTRY = """
import json, pathlib, sys, time
machine = pathlib.Path(__file__).resolve().parents[3]
job = json.loads((machine / "input/config/hyperparameters.json").read_text())["job"]
print("a word from", job, flush=True)
if job.endswith("wait"):
    time.sleep(60)
if job.endswith("fail"):
    (machine / "output").mkdir(exist_ok=True)
    (machine / "output/failure").write_text("it tripped")
    sys.exit(1)
"""


@pytest.fixture
def sagemaker(seaweedfs: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[SagemakerModel]:
    """The model, with containers that only say a word, and wait, or fail, if their name says so."""
    with running(seaweedfs.environment, quota=2, page=2) as model:
        for name, value in {**environment_of(model), "HPOCTL_PLUGINS": ""}.items():
            monkeypatch.setenv(name, value)
        entry = model.folder / "entry.py"
        entry.write_text(ENTRY)
        monkeypatch.setattr("hpoctl_sagemaker.launcher.SCRIPT", entry)
        yield model


def jobs(*names: str, root: str | None = None) -> list[Job]:
    results = root or f"s3://{BUCKET}/{uuid.uuid4().hex}"
    return [Job(f"docs-{name}", "docs", results, ("python",), (Task("p", Cell("RS", name, 1), 1.0),)) for name in names]


def poll_until(launcher: SagemakerLauncher, receipts: list[str], states: list[str]) -> list[str]:
    """Poll until states are these; returns the reasons."""
    for _ in range(400):
        found = launcher.poll(receipts, 0.02)
        if [status.state for status in found] == states:
            return [status.reason for status in found]
    raise AssertionError([(status.state, status.reason) for status in found])


def test_quota_is_waited_for(sagemaker: SagemakerModel) -> None:
    launcher = SagemakerLauncher(FAST)
    receipts = list(launcher.submit(jobs("1-wait", "2-wait", "3-fail", "4-fail")))
    statuses = launcher.poll(receipts, 0.0)
    assert [status.state for status in statuses] == ["waiting"] * 4
    assert len(sagemaker.created) == 2
    assert statuses[3].reason == "the quota of 2 for ml.m5.large for training job usage is used up"
    shown = [line.what for line in launcher.activity()]
    assert "2 jobs wait: the quota of 2 for ml.m5.large for training job usage is used up" in shown
    launcher.cancel(receipts[:2])
    poll_until(launcher, receipts, ["failed"] * 4)
    assert len(sagemaker.created) == 4


def test_quota_of_zero_fails_at_once(sagemaker: SagemakerModel) -> None:
    sagemaker.quota = 0
    with pytest.raises(UsageError) as refused:
        SagemakerLauncher(FAST).submit(jobs("1", "2"))
    assert refused.value.what == "The quota 'ml.m5.large for training job usage' of SageMaker is 0."
    assert refused.value.fix == "Ask AWS for more: Service Quotas, SageMaker, ml.m5.large for training job usage."
    assert sagemaker.calls["CreateTrainingJob"] == 1


def test_throttling_is_outlived(sagemaker: SagemakerModel) -> None:
    sagemaker.throttled.update({"CreateTrainingJob": 2, "ListTrainingJobs": 2})
    launcher = SagemakerLauncher(FAST)
    receipts = list(launcher.submit(jobs("1-fail")))
    poll_until(launcher, receipts, ["failed"])
    assert len(sagemaker.created) == 1


def test_what_is_not_listed_yet_is_waited_for(sagemaker: SagemakerModel) -> None:
    sagemaker.lag = 600.0
    launcher = SagemakerLauncher(FAST)
    receipts = list(launcher.submit(jobs("1-fail")))
    poll_until(launcher, receipts, ["failed"])
    assert sagemaker.calls["DescribeTrainingJob"] > 0


def test_pages_are_read_and_other_tags_left_alone(sagemaker: SagemakerModel) -> None:
    sagemaker.quota = 8
    wanted = jobs(*(f"{number}-fail" for number in range(5)))
    launcher = SagemakerLauncher(FAST)
    poll_until(launcher, list(launcher.submit(wanted)), ["failed"] * 5)
    found = SagemakerApi(REGION).trainings("docs-", 0.0)
    assert len(found) == 5
    assert SagemakerApi(REGION).trainings("doc-", 0.0) == {}


def test_a_job_says_why_it_failed_and_what_it_printed(sagemaker: SagemakerModel) -> None:
    one = jobs("1-fail")
    launcher = SagemakerLauncher(FAST)
    receipts = list(launcher.submit(one))
    reasons = poll_until(launcher, receipts, ["failed"])
    assert reasons == ["AlgorithmError: it tripped, exit code: 1"]
    late = SagemakerLauncher(FAST)
    assert late.log(late.find(one)[0]) == "a word from docs-1-fail\n"
    assert late.log("nobody's") == ""


def test_log_beside_the_results_where_cloudwatch_has_none(sagemaker: SagemakerModel) -> None:
    one = jobs("1-fail")
    launcher = SagemakerLauncher(FAST)
    receipts = list(launcher.submit(one))
    poll_until(launcher, receipts, ["failed"])
    sagemaker.forget()
    assert launcher.log(receipts[0]) == ""
    folder = job_folder_of("docs", one[0].name)
    open_results(one[0].results).store.put(f"{folder}/checkpoints/log.txt", b"kept\n")
    assert launcher.log(receipts[0]) == "kept\n"


def test_a_limit_of_time_is_named(sagemaker: SagemakerModel) -> None:
    launcher = SagemakerLauncher(replace(FAST, max_run=1))
    reasons = poll_until(launcher, list(launcher.submit(jobs("1-wait"))), ["failed"])
    assert reasons == ["SageMaker stopped it after max_run"]


def test_jobs_that_wait_for_a_quota_can_be_cancelled(sagemaker: SagemakerModel) -> None:
    sagemaker.quota = 1
    launcher = SagemakerLauncher(FAST)
    receipts = list(launcher.submit(jobs("1-wait", "2-wait")))
    launcher.cancel(receipts)
    reasons = poll_until(launcher, receipts, ["failed", "failed"])
    assert reasons[1] == "it was cancelled before it was submitted"
    assert len(sagemaker.created) == 1


def test_out_of_reach_is_borne_and_jobs_are_submitted_later(
    sagemaker: SagemakerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{probe.getsockname()[1]}"
    monkeypatch.setitem(PATIENT, "total_max_attempts", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", nowhere)
    launcher = SagemakerLauncher(FAST)
    one = jobs("1-fail")
    receipts = list(launcher.submit(one))
    status = launcher.poll(receipts, 0.0)[0]
    assert status.state == "waiting"
    assert "SageMaker is busy or out of reach" in status.reason
    assert any("out of reach" in line.what for line in launcher.activity())
    # Of jobs that are only found, nothing is known then, and that is not the same as that they never were.
    stranger = SagemakerLauncher(FAST)
    found = list(stranger.find(one))
    with pytest.raises(BusyError, match="out of reach"):
        stranger.poll(found, 0.0)
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", sagemaker.endpoint)
    later = SagemakerLauncher(FAST)
    poll_until(later, list(later.submit(one)), ["failed"])


def test_results_on_a_disk_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as refused:
        SagemakerLauncher(FAST).submit(jobs("1", root=str(tmp_path)))
    assert refused.value.what == f"Jobs on SageMaker cannot write results to {tmp_path}."
    assert "Add --results s3://" in refused.value.fix
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"role": None}, "need a role"),
        ({"instance_type": "ml.m5.tiny"}, "SageMaker would refuse"),
        ({"requirements": "nowhere.txt"}, "The requirements file nowhere.txt cannot be read"),
    ],
)
def test_nothing_is_submitted_or_written_with_wrong_options(
    sagemaker: SagemakerModel, changes: dict[str, str | None], what: str
) -> None:
    one = jobs("1")
    with pytest.raises(UsageError, match=what):
        SagemakerLauncher(replace(FAST, **changes)).submit(one)  # type: ignore[arg-type]
    assert read_manifest(open_results(one[0].results).store, "docs", one[0].name) is None
    assert not sagemaker.calls


def test_no_region_and_no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UsageError, match="No AWS region is set"):
        SagemakerApi(None)
    with pytest.raises(HpoctlError, match="no AWS credentials were found"):
        SagemakerApi(REGION).describe("docs")
    with pytest.raises(HpoctlError, match="no AWS credentials were found"):
        account_of(REGION)
    assert [finding.subject for finding in check(SagemakerOptions()) if finding.verdict == "problem"] == ["region"]
    found = {finding.subject: finding for finding in check(replace(FAST, region=REGION, role=None))}
    assert found["credentials"].verdict == found["role"].verdict == "problem"
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(UsageError, match="nobody"):
        SagemakerApi(None)


def test_check_of_surroundings(sagemaker: SagemakerModel) -> None:
    found = {finding.subject: finding for finding in check(FAST)}
    assert found["credentials"].text == f"of account {ACCOUNT}"
    assert found["region"].text == REGION
    assert [subject for subject, finding in found.items() if finding.verdict != "ok"] == ["quota"]
    other = replace(FAST, role=ROLE.replace(ACCOUNT, "9" * 12), instance_type="ml.p5.48xlarge", volume_kms_key="a key")
    found = {finding.subject: finding for finding in check(other)}
    assert found["role"].verdict == found["request"].verdict == "problem"
    assert found["price"].verdict == "warning"
    unnamed = {finding.subject: finding for finding in check(replace(FAST, role="hpo"))}["role"]
    assert (unnamed.verdict, unnamed.text) == ("problem", "hpo is not the ARN of a role")
    assert all(finding.remedy for finding in found.values() if finding.verdict != "ok")


LIVE, OVER = Training("InProgress", "Training"), Training("Failed", "Failed")
FAILURE = Failure(Cell("RS", "toy", 1), "why")


def report(state: str, reason: str = "") -> JobReport:
    return JobReport(state, 3, (FAILURE,), 0.0, "host", reason)  # type: ignore[arg-type]


def test_states() -> None:
    # A job that has reported its end is done, even if SageMaker reports otherwise.
    for training in (None, LIVE, OVER, Training("Stopped", "Stopped")):
        assert status_of(report("done"), training, "").state == "done"
    assert status_of(None, None, "").state == "unknown"
    assert status_of(None, Training("InProgress", "Starting"), "").reason == "Starting"
    assert status_of(report("running"), LIVE, "").state == "running"
    # Its spot capacity was taken away: it has reported so, and begins again.
    assert status_of(report("failed", "interrupted"), Training("InProgress", "Interrupted"), "").state == "waiting"
    assert status_of(report("running"), Training("Stopping", "Stopping"), "").reason == "it is being stopped"
    ended = status_of(report("failed"), OVER, "exit code: 1")
    assert (ended.state, ended.done, ended.failures, ended.reason) == ("failed", 3, (FAILURE,), "")
    assert status_of(report("running"), OVER, "exit code: 137").reason == "exit code: 137"
    assert status_of(report("failed", "no room"), None, "").reason == "no room"
    waited = status_of(None, Training("Stopped", "MaxWaitTimeExceeded"), "")
    assert waited.reason == "spot capacity did not come within max_wait"
    assert "its progress is unknown" in status_of(None, Training("Completed", "Completed"), "").reason
