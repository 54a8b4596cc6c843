"""The tuning loop with backends that misbehave: closed in the end, and every event is taken once."""

from collections.abc import Sequence

import numpy as np
import pytest

from hpoctl.core.clock import VirtualClock
from hpoctl.core.entries import Goal
from hpoctl.core.errors import HpoctlError
from hpoctl.core.protocols import Action, Decision, Ended, Outcome, Report, Resume, Start
from hpoctl.engine.failures import most_failures
from hpoctl.engine.rows import ExtraColumns, RowLog
from hpoctl.engine.trial_log import TrialLog
from hpoctl.engine.tuner import Limits, Parts, RunningExperiment, tune
from hpoctl.testing.hard_cases import Nobody

Event = Report | Ended


def rows(trial_id: int, *resources: int) -> Report:
    levels = np.array(resources)
    return Report(trial_id, levels, levels[:, np.newaxis] / 10, levels * 1.0, levels * 1.0)


def ended(trial_id: int, outcome: Outcome = Outcome.COMPLETED, **facts: object) -> Ended:
    return Ended(trial_id, outcome, 9.0, **facts)  # type: ignore[arg-type]


class Told:
    """A scheduler that starts trials, takes given decisions, and records its events."""

    def __init__(self, trials: int, decisions: dict[tuple[int, int], Action] | None = None) -> None:
        self.trials = trials
        self.decisions = decisions or {}
        self.resumes: list[int] = []
        self.reports: list[tuple[int, list[int]]] = []
        self.ends: list[tuple[int, Outcome]] = []

    def suggest(self, trial_id: int) -> Start | Resume | None:
        if self.resumes:
            return Resume(self.resumes.pop(), 9, "again")
        return Start({"x": trial_id}, 3, "new") if trial_id < self.trials else None

    def on_report(self, report: Report) -> Decision:
        last = int(report.resources[-1])
        self.reports.append((report.trial_id, report.resources.tolist()))
        action = self.decisions.get((report.trial_id, last), Action.CONTINUE)
        return Decision(action, "so", 9 if action is Action.CONTINUE else None)

    def on_end(self, trial_id: int, outcome: Outcome) -> None:
        self.ends.append((trial_id, outcome))
        if outcome is Outcome.PAUSED:
            self.resumes.append(trial_id)

    def rungs(self) -> tuple[()]:
        return ()


class Scripted:
    """A backend whose events are written down; an exception among them is raised."""

    def __init__(self, *batches: Sequence[Event] | BaseException, closing: Sequence[Event] = ()) -> None:
        self.batches = list(batches)
        self.closing = closing
        self.calls: list[tuple[object, ...]] = []

    def start(self, trial_id: int, config: object, *, resume_from: int | None, until: int | None) -> None:
        self.calls.append(("start", trial_id, resume_from, until))

    def proceed(self, trial_id: int, *, until: int | None) -> None:
        self.calls.append(("proceed", trial_id, until))

    def stop(self, trial_id: int, *, pause: bool) -> None:
        self.calls.append(("pause" if pause else "stop", trial_id))

    def wait(self) -> Sequence[Event]:
        batch = self.batches.pop(0) if self.batches else []
        if isinstance(batch, BaseException):
            raise batch
        return batch

    def close(self) -> Sequence[Event]:
        self.calls.append(("close",))
        return self.closing


def run(scheduler: Told, backend: Scripted, **limits: object) -> tuple[list[tuple[int, int, str]], TrialLog]:
    """Run the loop; returns trial, resource and decision of all rows, and what became of trials."""
    clock, log = VirtualClock(), RowLog(Goal(0, 1.0), 1, 9)
    extra = ExtraColumns((), RunningExperiment("M", "b", 0, clock, scheduler, log))
    parts = Parts(scheduler, backend, clock, scheduler.suggest, log, extra, Nobody())
    tune(parts, Limits(**{"n_workers": 2, **limits}))  # type: ignore[arg-type]
    found = log.rows(extra)
    return list(zip(found.trial_ids.tolist(), found.resources.tolist(), found.decisions.tolist(), strict=True)), (
        parts.trials
    )


@pytest.mark.parametrize("error", [RuntimeError("lost"), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_the_backend_is_closed_whatever_is_raised(error: BaseException) -> None:
    backend = Scripted([rows(0, 1)], error)
    with pytest.raises(type(error)):
        run(Told(2), backend)
    assert backend.calls[-1] == ("close",)


def test_the_first_error_is_told_if_closing_fails_too() -> None:
    class Broken(Scripted):
        def close(self) -> Sequence[Event]:
            raise OSError("cannot close")

    with pytest.raises(RuntimeError, match="lost"):
        run(Told(1), Broken(RuntimeError("lost")))
    with pytest.raises(OSError, match="cannot close"):
        run(Told(1), Broken())


def test_late_reports_and_second_ends_are_dropped_and_counted() -> None:
    scheduler = Told(2, {(0, 3): Action.STOP})
    backend = Scripted(
        [rows(0, 1, 2, 3), rows(0, 4, 5)],
        [ended(0, Outcome.STOPPED), ended(0, Outcome.FAILED)],
        [rows(0, 6), rows(1, 1), ended(0), ended(7)],
        [ended(1)],
    )
    found, trials = run(scheduler, backend)
    assert found == [(0, 1, "CONTINUE"), (1, 1, "CONTINUE"), (0, 2, "CONTINUE"), (0, 3, "STOP")]
    assert scheduler.ends == [(0, Outcome.STOPPED), (1, Outcome.COMPLETED)]
    assert [run.dropped for run in trials.runs] == [2, 0]
    assert trials.late == 1
    assert trials.counts() == {"completed": 1, "stopped": 1}


def test_rows_that_come_again_are_dropped_and_the_trial_goes_on() -> None:
    scheduler = Told(1, {(0, 3): Action.PAUSE})
    backend = Scripted(
        [rows(0, 1, 2, 3)],
        [ended(0, Outcome.PAUSED)],
        [rows(0, 1, 2)],
        [rows(0, 3, 4)],
        [rows(0, 2)],
        [rows(0, 7)],
        [ended(0)],
    )
    found, trials = run(scheduler, backend)
    assert [row[1] for row in found] == [1, 2, 3, 4, 7]
    assert scheduler.reports == [(0, [1, 2, 3]), (0, [4]), (0, [7])]
    assert backend.calls[:4] == [("start", 0, None, 3), ("pause", 0), ("start", 0, 3, 9), ("proceed", 0, 9)]
    assert [(run.resource_from, run.resource_to, run.dropped) for run in trials.runs] == [(0, 3, 0), (3, 7, 4)]


def test_rows_of_the_end_are_kept_and_trials_end_with_the_experiment() -> None:
    last: list[Report | Ended] = [
        rows(0, 2),
        ended(0, Outcome.STOPPED, reason="the experiment ended"),
        ended(0),
        rows(0, 3),
    ]
    found, trials = run(Told(1), Scripted([rows(0, 1)], closing=last))
    assert [row[1] for row in found] == [1, 2]
    assert [(run.outcome, run.reason) for run in trials.runs] == [(Outcome.STOPPED, "the experiment ended")]


def failing(count: int) -> Scripted:
    return Scripted(*[[ended(trial, Outcome.FAILED, reason="exit status 1", exit_status=1)] for trial in range(count)])


def test_too_many_failures_end_the_experiment_and_name_the_last_one() -> None:
    backend = failing(9)
    with pytest.raises(HpoctlError) as caught:
        run(Told(100), backend, max_failures=3)
    assert caught.value.what.startswith("4 of 5 trials failed, and --max-failures is 3.")
    assert "trial 3: exit status 1" in caught.value.what
    assert backend.calls[-1] == ("close",)


@pytest.mark.parametrize(("count", "most"), [(4, 4), (9, None)])
def test_failures_that_are_allowed_end_no_experiment_that_has_a_row(count: int, most: int | None) -> None:
    backend = Scripted(*failing(count).batches, [rows(count, 1)], [ended(count)])
    found, trials = run(Told(count + 1), backend, max_failures=most)
    assert found == [(count, 1, "CONTINUE")]
    assert trials.counts() == {"failed": count, "completed": 1}


@pytest.mark.parametrize(("count", "told"), [(1, "The only trial failed"), (4, "All 4 trials failed")])
def test_an_experiment_without_a_row_has_failed_if_all_its_trials_have(count: int, told: str) -> None:
    with pytest.raises(HpoctlError) as caught:
        run(Told(count), failing(count))
    assert caught.value.what == f"{told} before the first report. The last one: trial {count - 1}: exit status 1."


def test_a_share_of_failures_is_one_of_the_trials_that_were_started() -> None:
    assert [most_failures(0.2, started) for started in (1, 15, 20, 100)] == [3, 3, 4, 20]
    assert [most_failures(0, 50), most_failures(1, 50)] == [0, 1]
    with pytest.raises(HpoctlError, match="10% of trials"):
        run(Told(100), failing(9), max_failures=0.1)


def test_a_failed_trial_is_tried_again_where_it_was_and_the_scheduler_does_not_know() -> None:
    scheduler = Told(1)
    killed = ended(0, Outcome.FAILED, reason="killed by SIGKILL", signal=9)
    backend = Scripted([killed], [rows(0, 1, 2)], [killed], [rows(0, 2, 3)], [ended(0)])
    found, trials = run(scheduler, backend, trial_retries=2, max_failures=0)
    assert [row[1] for row in found] == [1, 2, 3]
    assert scheduler.ends == [(0, Outcome.COMPLETED)]
    starts = [call for call in backend.calls if call[0] == "start"]
    assert starts == [("start", 0, None, 3), ("start", 0, None, 3), ("start", 0, 2, 9)]
    assert [(run.outcome, run.signal) for run in trials.runs] == [
        (Outcome.FAILED, 9),
        (Outcome.FAILED, 9),
        (Outcome.COMPLETED, None),
    ]
    assert trials.counts() == {"completed": 1}
    used_up = Scripted([rows(0, 1)], [killed], [killed], [killed])
    assert run(Told(1), used_up, trial_retries=2)[1].counts() == {"failed": 1}
