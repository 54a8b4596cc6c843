"""The contract of a trial backend.

A backend may hand over rows one at a time or many at once, may pass the resource that was asked for, and may tell of
several events in one `wait`. What it must not do is lose a row, tell it twice, or forget the end of a trial.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from hpoctl.core.protocols import Ended, Known, Outcome, RecoverableBackend, Report, TrialBackend
from hpoctl.core.space import Config
from hpoctl.testing.contract import require

PATIENCE = 100_000
"""Calls of `wait` after which a backend is taken to be stuck."""


@dataclass
class Observed:
    """What a backend has told.

    Attributes:
        reports: All reports, by trial.
        ends: All ends.
    """

    reports: dict[int, list[Report]] = field(default_factory=dict)
    ends: list[Ended] = field(default_factory=list)

    def levels(self, trial_id: int) -> list[int]:
        """The resources that a trial has reported, in the order in which they were told."""
        return [level for report in self.reports.get(trial_id, []) for level in report.resources.tolist()]

    def outcomes(self) -> dict[int, Outcome]:
        """How trials ended.

        Raises:
            ContractError: One ended twice.
        """
        found = {end.trial_id: end.outcome for end in self.ends}
        require(len(found) == len(self.ends), "a trial ends twice")
        return found


def check_backend(make: Callable[[], TrialBackend], config: Config, max_resource: int) -> None:
    """Check a backend with trials of one configuration.

    Args:
        make: Makes a fresh backend with time enough for four full trials.
        config: A configuration whose trial reports at 1, 2, ..., max_resource.
        max_resource: The largest resource level, at least 4.

    Raises:
        ContractError: What is broken.
    """
    for check in (_check_runs_to_the_end, _check_pause_and_resume, _check_stop, _check_close):
        backend = make()
        try:
            check(backend, config, max_resource)
        finally:
            backend.close()


def check_failures(make: Callable[[], TrialBackend], config: Config) -> None:
    """Check that a backend tells of a trial that fails, why, and that the others are not concerned.

    Args:
        make: Makes a fresh backend.
        config: A configuration whose trials fail: an error, a time-out, no report.

    Raises:
        ContractError: What is broken.
    """
    backend = make()
    try:
        for trial_id in (0, 1):
            backend.start(trial_id, config, resume_from=None, until=None)
        observed = _drain(backend, lambda report: backend.proceed(report.trial_id, until=None))
        require(
            observed.outcomes() == {0: Outcome.FAILED, 1: Outcome.FAILED}, f"trials that fail end as {observed.ends}"
        )
        require(all(end.reason for end in observed.ends), "a trial that fails has no reason")
        backend.start(0, config, resume_from=None, until=None)
        again = _drain(backend, lambda report: backend.proceed(report.trial_id, until=None))
        require(again.outcomes() == {0: Outcome.FAILED}, "a trial that failed cannot be started again")
    finally:
        backend.close()


def check_recovery(make: Callable[[], RecoverableBackend], config: Config, max_resource: int) -> None:
    """Check that a backend takes over from one whose process died.

    Args:
        make: Makes a backend each time it is called, all of them for one experiment.
        config: A configuration whose trial reports at 1, 2, ..., max_resource.
        max_resource: The largest resource level, at least 4.

    Raises:
        ContractError: What is broken.
    """
    first = make()
    first.recover([], 0.0)
    first.start(0, config, resume_from=None, until=2)
    observed = _until(first, 0, 2)
    known = observed.levels(0)
    elapsed = float(observed.reports[0][-1].elapsed[-1])
    first.close()
    second = make()
    try:
        second.recover([Known(0, known[-1], elapsed)], elapsed)
        second.start(0, config, resume_from=known[-1], until=max_resource)
        rest = _drain(second, lambda report: second.proceed(report.trial_id, until=max_resource))
        levels = known + rest.levels(0)
        require(levels == list(range(1, max_resource + 1)), f"after a takeover rows are missing or doubled: {levels}")
        require(float(rest.reports[0][0].elapsed[0]) >= elapsed, "elapsed seconds are not cumulative over a takeover")
        require(rest.outcomes() == {0: Outcome.COMPLETED}, "a trial that was taken over does not complete")
    finally:
        second.close()


def _check_runs_to_the_end(backend: TrialBackend, config: Config, max_resource: int) -> None:
    _recovered(backend)
    until = {0: max_resource, 1: None}
    for trial_id in until:
        backend.start(trial_id, config, resume_from=None, until=2)
    observed = _drain(backend, lambda report: backend.proceed(report.trial_id, until=until[report.trial_id]))
    for trial_id in until:
        levels = observed.levels(trial_id)
        require(levels == list(range(1, max_resource + 1)), f"rows are missing or doubled: {levels}")
    require(observed.outcomes() == dict.fromkeys(until, Outcome.COMPLETED), "trials do not complete once each")
    require(list(backend.wait()) == [], "wait has something to say when nothing runs")


def _check_pause_and_resume(backend: TrialBackend, config: Config, max_resource: int) -> None:
    _recovered(backend)
    backend.start(0, config, resume_from=None, until=2)
    first = _until(backend, 0, 2)
    levels = first.levels(0)
    require(levels == list(range(1, len(levels) + 1)), f"until=2 reported {levels}")
    backend.stop(0, pause=True)
    ended = _drain(backend, lambda report: require(condition=False, message=f"a paused trial reports {report}"))
    require(ended.outcomes() == {0: Outcome.PAUSED}, "a paused trial does not end as paused")
    backend.start(0, config, resume_from=levels[-1], until=max_resource)
    second = _drain(backend, lambda report: backend.proceed(report.trial_id, until=max_resource))
    levels += second.levels(0)
    require(levels == list(range(1, max_resource + 1)), f"a resumed trial repeats or skips rows: {levels}")
    reports = [*first.reports[0], *second.reports[0]]
    elapsed = np.concatenate([report.elapsed for report in reports])
    require((np.diff(elapsed) >= 0).all(), "elapsed seconds are not cumulative over a resume")
    require(second.reports[0][0].times[0] >= first.reports[0][-1].times[-1], "a resumed trial reports in the past")


def _check_stop(backend: TrialBackend, config: Config, max_resource: int) -> None:  # noqa: ARG001 - one signature
    _recovered(backend)
    backend.start(0, config, resume_from=None, until=None)
    report = _until(backend, 0, 1).reports[0][0]
    require(report.resources.tolist() == [1], "until=None does not report every row")
    backend.stop(0, pause=False)
    # What it had written before it knew that may come late; the engine drops it.
    ended = _drain(backend, lambda late: None)  # noqa: ARG005 - late rows are not answered
    require(ended.outcomes() == {0: Outcome.STOPPED}, "a stopped trial does not end as stopped")
    backend.start(1, config, resume_from=None, until=4)
    backend.stop(1, pause=False)
    ended = _drain(backend, lambda late: None)  # noqa: ARG005 - see above
    require(list(ended.outcomes()) == [1], "a trial that is stopped before its report does not end")
    require(list(backend.wait()) == [], "a stopped trial still reports")


def _check_close(backend: TrialBackend, config: Config, max_resource: int) -> None:  # noqa: ARG001 - see above
    _recovered(backend)
    backend.start(0, config, resume_from=None, until=1)
    observed = _until(backend, 0, 1)
    backend.proceed(0, until=2)
    for event in backend.close():
        if isinstance(event, Report):
            observed.reports[0].append(event)
    levels = observed.levels(0)
    require(levels == list(range(1, len(levels) + 1)), f"closing loses or repeats rows: {levels}")
    require(list(backend.wait()) == [], "a closed backend still reports")
    require(list(backend.close()) == [], "closing twice tells something twice")


def _recovered(backend: TrialBackend) -> None:
    """Tell a backend that can take over that there is nothing to take over."""
    recover = getattr(backend, "recover", None)
    if callable(recover):
        recover([], 0.0)


def _drain(backend: TrialBackend, answer: Callable[[Report], object]) -> Observed:
    """Everything until nothing happens any more; reports are answered."""
    observed = Observed()
    for _ in range(PATIENCE):
        events = backend.wait()
        if not events:
            return observed
        _take(observed, events)
        for event in events:
            if isinstance(event, Report):
                answer(event)
    require(condition=False, message="it never comes to an end")
    return observed


def _until(backend: TrialBackend, trial_id: int, level: int) -> Observed:
    """Everything until a trial has reached a level; the last report is not answered."""
    observed = Observed()
    for _ in range(PATIENCE):
        events = backend.wait()
        require(len(events) > 0, f"it ends before trial {trial_id} has reached {level}")
        _take(observed, events)
        require(not observed.ends, f"trial {trial_id} ends before it has reached {level}: {observed.ends}")
        if observed.levels(trial_id) and observed.levels(trial_id)[-1] >= level:
            return observed
        for event in events:
            backend.proceed(event.trial_id, until=level)
    require(condition=False, message="it never comes to an end")
    return observed


def _take(observed: Observed, events: Sequence[Report | Ended]) -> None:
    for event in events:
        if isinstance(event, Ended):
            observed.ends.append(event)
        else:
            observed.reports.setdefault(event.trial_id, []).append(event)
