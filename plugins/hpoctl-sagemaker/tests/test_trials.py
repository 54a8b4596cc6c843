"""Trials as training jobs, on a model of SageMaker and a real S3: the contract of backends, and what a script sees."""

import math
import signal
import time
import uuid
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, cast

import pytest

from hpoctl.backends.scripts.starts import StartFolder
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import Ended, Known, Outcome, Report
from hpoctl.core.storage import Store
from hpoctl.stores.opening import open_results
from hpoctl.stores.s3 import S3Store
from hpoctl.testing import check_backend, check_failures, check_recovery
from hpoctl.testing.trials import levels, to_the_end, until_level
from hpoctl_sagemaker.api import SagemakerApi
from hpoctl_sagemaker.check import check_trials
from hpoctl_sagemaker.sessions import BRIEF
from hpoctl_sagemaker.trial_job import TrialJob
from hpoctl_sagemaker.trial_poll import TrialPoll
from hpoctl_sagemaker.trial_reports import ArrivingReports
from sagemaker_model import Job, SagemakerModel, allowed, billable, running
from services.seaweedfs import BUCKET, Server
from test_policies import IMPLIED
from trial_jobs import CONFIG, FAST, backend
from trial_rehearsal import PRICE, rehearse


@pytest.mark.timeout(600)
def test_contract(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    numbers = count()
    check_backend(lambda: backend(tmp_path / str(next(numbers))), CONFIG, 9)
    check_recovery(lambda: backend(tmp_path / "recovery"), CONFIG, 9)
    body = "print('why it fails', file=sys.stderr); sys.exit(1)"
    check_failures(lambda: backend(tmp_path / "failures", body), CONFIG)
    printed = (tmp_path / "failures" / "work" / "trials" / "1" / "starts" / "0" / "std.err").read_text()
    assert printed.splitlines()[0] == "why it fails"
    assert all(job.ended.is_set() for job in sagemaker.jobs.values())


@pytest.mark.timeout(600)
def test_a_rehearsal(seaweedfs: Server, tmp_path: Path) -> None:
    with running(seaweedfs.environment, quota=4, policy="trials") as model:
        model.stop_delay = 1.0
        found = rehearse(model, tmp_path, f"s3://{BUCKET}/{uuid.uuid4().hex}", trials=8, kill_after=6)
    assert found.first == -signal.SIGKILL
    assert found.interruptions <= 2  # jobs may end before capacity is taken away; the benchmark has two in any case
    assert len({trial for trial, _ in found.rows}) == 8
    assert set(found.rows.values()) == {1}
    assert found.missing == []
    # Each start is one job, billed to the second; one that was refused, or whose rows were there already, is none.
    assert [row["outcome"] for row in found.starts].count("Failed") == 1
    assert found.told == found.billed
    assert len(found.table) == len(found.starts)
    assert all(cost == seconds * PRICE / 3600.0 for seconds, cost in found.table.values())


SEES = """
import json, os, sys
import hpoctl
hpoctl.report(epoch=1, loss=0.5, path=hpoctl.__file__, secret=os.environ["HPOCTL_TEST_SECRET"], mode=os.environ["MODE"])
print('[tune-metric]: {"epoch": 2, "loss": 0.25, "hosts": "%s"}' % os.environ["SM_CURRENT_HOST"])
"""


@pytest.mark.timeout(600)
def test_what_a_script_sees(sagemaker: SagemakerModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPOCTL_TEST_SECRET", "42")
    options = {"environment": "HPOCTL_TEST_SECRET", "prices": "ml.g5.xlarge=2,ml.m5.large=1", "keep_alive": 600}
    config: dict[str, float | int | str] = {"lr": 0.1, "st_instance_type": "ml.g5.xlarge", "st_instance_count": 2}
    made = backend(tmp_path, SEES, options, script={"environment": {"MODE": "offline"}})
    made.recover([], 0.0)
    made.start(0, config, resume_from=None, until=None)
    found = to_the_end(made)
    assert levels(found) == [1, 2]
    said = [dict(extra) for event in found if isinstance(event, Report) for extra in event.extra]
    assert str(said[0]["path"]).endswith("/input/data/hpoctl/site/hpoctl/__init__.py")  # not what is installed here
    assert (said[0]["secret"], said[0]["mode"], said[1]["hosts"]) == ("42", "offline", "algo-1")
    made.start(1, config, resume_from=None, until=None)  # on the machines of the first one
    to_the_end(made)
    made.close()
    first, second = sagemaker.jobs.values()
    resources = first.request["ResourceConfig"]
    assert (resources["InstanceType"], resources["InstanceCount"]) == ("ml.g5.xlarge", 2)
    assert (first.pool, second.pool, second.warm) == ("Reused", "Terminated", True)
    bills = {bill.trial_id: bill for bill in made.bills()}
    for trial, job in enumerate((first, second)):
        seconds = 2 * (billable(job) + math.ceil(job.pool_seconds))
        assert (bills[trial].seconds, bills[trial].cost) == (seconds, seconds * 2.0 / 3600.0)


WAITS = """
for epoch in range(load() + 1, epochs + 1):
    report(epoch=epoch, loss=1 / epoch)
    save(epoch)
    time.sleep(0.2)
"""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("without_delay", [True, False])
def test_a_slow_stop_holds_up_others_only_if_that_is_asked_for(
    sagemaker: SagemakerModel, tmp_path: Path, *, without_delay: bool
) -> None:
    sagemaker.stop_delay = 2.0
    made = backend(tmp_path, WAITS, {"start_jobs_without_delay": without_delay})
    made.recover([], 0.0)
    made.start(0, {"lr": 0.1, "epochs": 1000}, resume_from=None, until=1)
    found = list(made.wait())
    made.stop(0, pause=True)
    while not any(isinstance(event, Ended) for event in found):
        found += made.wait()
    (job,) = sagemaker.jobs.values()
    assert job.ended.is_set() is not without_delay
    assert isinstance(found[-1], Ended)
    assert found[-1].outcome is Outcome.PAUSED
    # It resumes when its last job has stopped, and no row of that one is lost or doubled.
    made.start(0, {"lr": 0.1, "epochs": 1000}, resume_from=1, until=None)
    while not levels(found) or levels(found)[-1] < 12:
        happened = made.wait()
        found += happened
        for event in happened:
            made.proceed(event.trial_id, until=None)
    assert levels(found) == list(range(1, levels(found)[-1] + 1))
    assert len(sagemaker.jobs) == 2
    made.close()


RESUMES = """
begins = load() + 1
for epoch in range(begins, epochs + 1):
    report(epoch=epoch, loss=1 / epoch, begins=begins)
    save(epoch)
    while epoch == 3 and begins == 1: time.sleep(0.02)
"""


@pytest.mark.timeout(600)
def test_spot_capacity_that_is_taken_away_is_a_resume(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    made = backend(tmp_path, RESUMES, {"use_spot": True})
    made.recover([], 0.0)
    made.start(0, CONFIG, resume_from=None, until=None)
    found = until_level(made, 0, 3)
    made.proceed(0, until=None)
    (job,) = sagemaker.jobs.values()
    sagemaker.interrupt(job.name)
    found += to_the_end(made)
    made.close()
    assert levels(found) == list(range(1, 10))
    begins = [row["begins"] for event in found if isinstance(event, Report) for row in event.extra]
    assert begins == [1] * 3 + [begins[-1]] * 6
    assert begins[-1] in (3, 4)  # it may be interrupted before its last checkpoint is whole
    assert (job.starts, len(sagemaker.created)) == (1, 1)


@pytest.mark.timeout(600)
def test_reports_of_a_container_without_boto3_come_from_the_log(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    (tmp_path / "boto3.py").write_text("raise ImportError('there is none')")
    sagemaker.environment["PYTHONPATH"] = str(tmp_path)
    made = backend(tmp_path / "trials", options={"keep_alive": 600})
    made.recover([], 0.0)
    made.start(0, CONFIG, resume_from=None, until=None)
    made.start(1, {**CONFIG, "st_instance_count": 2}, resume_from=None, until=None)
    made.stop(1, pause=False)
    found = [event for event in to_the_end(made) if event.trial_id == 0]
    assert levels(found) == list(range(1, 10))
    made.close()
    job, _ = sagemaker.jobs.values()
    assert "no reports to S3: there is none" in job.log.read_text()
    # All calls of the backend have been made by now: the policy allows these and no others.
    used = {f"{service}:{operation}" for service, operation in sagemaker.used}
    assert used | IMPLIED == {action for action in allowed("trials") if not action.startswith("s3:")}


@pytest.mark.timeout(600)
def test_what_trials_wait_for_is_said(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    said: list[str] = []
    sagemaker.quota = 1
    sagemaker.logs_shown = False  # reports come from S3
    made = backend(tmp_path, n_workers=2, say=said.append)
    made.recover([], 0.0)
    made.start(0, CONFIG, resume_from=None, until=None)
    made.start(1, CONFIG, resume_from=None, until=None)
    found = to_the_end(made)
    made.close()
    assert "1 trial waits for SageMaker: the quota of 1 for ml.m5.large for training job usage is used up" in said
    assert sorted(levels(found)) == sorted([*range(1, 10), *range(1, 10)])
    sagemaker.quota = 0
    late = backend(tmp_path, n_workers=2)
    late.recover([], 0.0)
    with pytest.raises(UsageError, match=r"The quota 'ml\.m5\.large for training job usage' of SageMaker is 0"):
        late.start(2, CONFIG, resume_from=None, until=None)


@pytest.mark.timeout(600)
def test_an_experiment_ends_at_its_cost(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    made = backend(
        tmp_path, WAITS, {"prices": "ml.m5.large=3600"}, limits={"cost": 4.0}, settings={"price_per_hour": 1.0}
    )
    made.recover([], 0.0)
    made.start(0, {"lr": 0.1, "epochs": 1000}, resume_from=None, until=None)
    found = to_the_end(made)  # until it has cost 4
    assert not any(isinstance(event, Ended) for event in found)
    made.close()
    (bill,) = made.bills()
    assert bill.cost == bill.seconds >= 4.0


def line(run: int, number: int, text: str = "{}") -> str:
    return f"[hpoctl-report {run} {number}]: {text}"


def test_reports_count_once_and_in_order_whichever_way_they_arrive(tmp_path: Path) -> None:
    file = tmp_path / "reports.jsonl"
    reports = ArrivingReports(file)
    reports.arrive_in_log(line(1, 1, '{"b": 1}'))
    assert not reports.any or not file.exists()  # the one before it has not arrived
    reports.arrive_in_log(line(1, 0, '{"a": 1}'))
    reports.arrive_in_log(line(1, 1, '{"b": 1}'))
    reports.arrive_in_log('[hpoctl-report 1 2]: {"cut')
    assert file.read_text() == '{"a": 1}\n{"b": 1}\n'
    assert not reports.behind("1", file.stat().st_size)
    reports.arrive_in_log(line(2, 0, '{"d": 1}'))  # begun again; the last report of the first run has not arrived
    assert reports.behind("1", file.stat().st_size + 1)
    reports.settle({"1": file.stat().st_size + 9})
    assert file.read_text().count("\n") == 2
    reports.arrive_on_s3("1", b'{"a": 1}\n{"b": 1}\n{"c": 1}\n')
    reports.settle({"1": file.stat().st_size})
    reports.arrive_on_s3("2", b'{"d": 1}\n{"e": 1}\n')
    assert file.read_text() == "".join(f'{{"{name}": 1}}\n' for name in "abcde")
    reports.arrive_in_log(line(2, 3, '{"g": 1}'))
    reports.finish()  # number 2 is lost
    assert file.read_text().splitlines()[-1] == '{"g": 1}'


class CountingStore:
    """A store whose calls are counted."""

    def __init__(self, store: S3Store) -> None:
        self._store = store
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        self.calls += 1
        return getattr(self._store, name)


def running_trial(model: SagemakerModel, folder: Path, trial: int) -> TrialJob:
    """A trial that runs and has reported, without a container."""
    start = StartFolder(folder / str(trial) / "starts" / "0")
    start.path.mkdir(parents=True)
    resources = {"InstanceType": "x", "InstanceCount": 1}
    job = Job({"TrainingJobName": f"many-{trial}-0", "ResourceConfig": resources}, time.time(), start.path / "log")
    job.detail = "Training"
    job.ended.set()
    job.log.write_text(line(1, 0, '{"st_begin": 1}') + "\n" + line(1, 1, f'{{"loss": {trial}}}') + "\n")
    model.jobs[job.name] = job
    return TrialJob(f"{trial}/0", job.name, start, "x", 1, None, ArrivingReports(start.reports), phase="sent")


def test_jobs_that_are_not_listed_yet_do_not_keep_ended_ones_waiting(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    sagemaker.lag = 600.0
    jobs = [running_trial(sagemaker, tmp_path, trial) for trial in range(8)]
    poll = TrialPoll(
        SagemakerApi(None), open_results(f"s3://{BUCKET}/{uuid.uuid4().hex}").store, "e", "many-", logs=True
    )
    poll.look(jobs)
    assert poll.more
    assert [job.began for job in jobs] == [True] * 5 + [False] * 3
    sagemaker.jobs["many-7-0"].status = "Completed"
    poll.look(jobs)
    assert jobs[7].completed
    assert [job.phase for job in jobs[:7]] == ["sent"] * 7


def test_a_look_at_a_hundred_trials_takes_few_calls(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    store = open_results(f"s3://{BUCKET}/{uuid.uuid4().hex}").store
    jobs = []
    for trial in range(100):
        jobs.append(running_trial(sagemaker, tmp_path, trial))
        if trial % 10 == 0:  # more is on S3 already
            lines = '{"st_begin": 1}\n{"loss": 1}\n{"loss": 2}\n'
            store.put(f"e/reports/{trial}-0/1.jsonl", lines.encode())
    counting = CountingStore(cast("S3Store", store))
    poll = TrialPoll(SagemakerApi(None), cast("Store", counting), "e", "many-", logs=True)
    sagemaker.calls.clear()
    poll.look(jobs)
    assert sum(sagemaker.calls.values()) + counting.calls < 20, (sagemaker.calls, counting.calls)
    assert all(job.began and job.start.reports.read_text().count("\n") >= 2 for job in jobs)
    assert poll.more  # two of the ten that are behind are left for the next look
    poll.look(jobs)
    assert [job.start.reports.read_text().count("\n") for job in jobs[::10]] == [3] * 10


def test_doctor(sagemaker: SagemakerModel) -> None:
    found = {finding.subject: finding for finding in check_trials(FAST)}
    assert {finding.verdict for finding in found.values()} == {"ok"}, found
    assert found["request"].text == "as SageMaker's model wants it"
    (finding,) = check_trials(replace(FAST, role=None))
    assert finding.verdict == "ok"
    assert "no role is given" in finding.text


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"s3": "/tmp/results"}, "Option s3 of sagemaker is /tmp/results."),
        ({"prices": "ml.m5.large"}, "Option prices of sagemaker is ml.m5.large."),
        ({"keep_alive": 60, "use_spot": True}, "Option keep_alive of sagemaker is 60."),
        ({"keep_alive": 7200}, "Option keep_alive of sagemaker is 7200."),
        ({"instance_count": 0}, "Option instance_count of sagemaker is 0."),
        ({"max_wait": 60}, "Option max_wait of sagemaker is 60."),
        ({"subnets": "subnet-1"}, "A VPC needs both subnets and security_groups."),
    ],
)
def test_options_that_are_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(UsageError) as refused:
        replace(FAST, **changes)
    assert refused.value.what == what


def test_a_role_that_is_missing_is_said_before_s3_is_looked_at(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="need a role"):
        backend(tmp_path, options={"role": None, "s3": "s3://no-such-bucket/trials"})


@pytest.mark.timeout(600)
def test_a_new_controller_finds_the_jobs_of_one_that_died(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    config, said = {"lr": 0.1, "epochs": 12}, list[str]()
    first = backend(tmp_path, WAITS)
    first.recover([], 0.0)
    first.start(0, config, resume_from=None, until=1)
    first.start(1, {**config, "epochs": 1000}, resume_from=None, until=1)
    found: list[Report | Ended] = []
    while {event.trial_id for event in found} != {0, 1}:
        found += first.wait()
    known = {event.trial_id: int(event.resources[-1]) for event in found if isinstance(event, Report)}
    # It dies here. Trial 1 was told to pause before, which SageMaker has not heard of.
    second = backend(tmp_path, WAITS, say=said.append)
    second.recover([Known(trial, level, 1.0, 1 - trial) for trial, level in known.items()], 2.0)
    second.start(0, config, resume_from=known[0], until=None)
    rest = to_the_end(second)
    second.close()
    assert said[0] == "2 training jobs of an earlier run of this experiment continue"
    assert levels([event for event in found if event.trial_id == 0]) + levels(rest) == list(range(1, 13))
    assert len(sagemaker.created) == 2
    continued, stopped = (
        next(job for name, job in sagemaker.jobs.items() if name.endswith(f"-{trial}-0")) for trial in (0, 1)
    )
    assert (continued.status, stopped.status) == ("Completed", "Stopped")
    assert {(bill.trial_id, bill.start, bill.job) for bill in second.bills()} == {(0, 0, 0), (1, 0, 0)}


@pytest.mark.timeout(600)
def test_trials_outlive_throttling_and_say_so(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    """Of each operation, all attempts of the first call are refused."""
    said: list[str] = []
    operations = "CreateTrainingJob ListTrainingJobs DescribeTrainingJob StopTrainingJob UpdateTrainingJob"
    sagemaker.throttled.update(dict.fromkeys([*operations.split(), "FilterLogEvents"], BRIEF["total_max_attempts"]))
    made = backend(tmp_path, WAITS, {"keep_alive": 600}, n_workers=2, say=said.append)
    made.recover([], 0.0)
    made.start(0, {"lr": 0.1, "epochs": 9}, resume_from=None, until=None)
    made.start(1, {"lr": 0.1, "epochs": 1000}, resume_from=None, until=2)
    found: list[Report | Ended] = []
    while sum(isinstance(event, Ended) for event in found) < 2:
        happened = made.wait()
        found += happened
        for event in happened:
            if isinstance(event, Report) and event.trial_id == 1:
                made.stop(1, pause=True)
            elif isinstance(event, Report):
                made.proceed(0, until=None)
    made.close()
    assert not +sagemaker.throttled  # all refusals were met
    assert levels([event for event in found if event.trial_id == 0]) == list(range(1, 10))
    assert {event.trial_id: event.outcome for event in found if isinstance(event, Ended)} == {
        0: Outcome.COMPLETED,
        1: Outcome.PAUSED,
    }
    assert sorted(sagemaker.created) == sorted(set(sagemaker.created))
    assert [job.status for job in sagemaker.jobs.values()] == ["Completed", "Stopped"]
    assert [job.pool for job in sagemaker.jobs.values()] == ["Terminated", ""]
    busy = "SageMaker is busy or out of reach (ThrottlingException: Rate exceeded)."
    assert said[0] == f"2 trials wait for SageMaker: {busy}"
