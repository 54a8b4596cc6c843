"""The contract of a trial backend."""

from collections.abc import Callable

import numpy as np

from hpoctl.core.protocols import Ended, Outcome, Report, TrialBackend
from hpoctl.core.space import Config
from hpoctl.testing.contract import require

PATIENCE = 1000
"""Calls of `wait` after which a backend is taken to be stuck."""


def check_backend(make: Callable[[], TrialBackend], config: Config, max_resource: int) -> None:
    """Check a backend with trials of one configuration.

    Args:
        make: Makes a fresh backend with time enough for four full trials.
        config: A configuration whose trial reports at 1, 2, ..., max_resource.
        max_resource: The largest resource level, at least 4.

    Raises:
        ContractError: What is broken.
    """
    _check_runs_to_the_end(make(), config, max_resource)
    _check_pause_and_resume(make(), config, max_resource)
    _check_stop(make(), config)
    _check_close(make(), config)


def _check_runs_to_the_end(backend: TrialBackend, config: Config, max_resource: int) -> None:
    for trial_id in (0, 1):
        backend.start(trial_id, config, resume_from=None, until=2)
    reports, ends = _drain(backend, {0: max_resource, 1: None})
    for trial_id in (0, 1):
        resources = np.concatenate([report.resources for report in reports if report.trial_id == trial_id])
        require(resources.tolist() == list(range(1, max_resource + 1)), f"rows are missing or doubled: {resources}")
    require({end.outcome for end in ends} == {Outcome.COMPLETED} and len(ends) == 2, "trials do not complete once each")
    require(list(backend.wait()) == [], "wait has something to say when nothing runs")


def _check_pause_and_resume(backend: TrialBackend, config: Config, max_resource: int) -> None:
    backend.start(0, config, resume_from=None, until=2)
    first = _next_report(backend)
    require(first.resources.tolist() == [1, 2], f"until=2 reported {first.resources.tolist()}")
    backend.stop(0, pause=True)
    require(_next_end(backend).outcome is Outcome.PAUSED, "a paused trial does not end as paused")
    backend.start(0, config, resume_from=2, until=max_resource)
    second = _next_report(backend)
    require(second.resources.tolist() == list(range(3, max_resource + 1)), "a resumed trial repeats or skips rows")
    elapsed = np.concatenate([first.elapsed, second.elapsed])
    require((np.diff(elapsed) > 0).all(), "elapsed seconds are not cumulative over a resume")
    require(second.times[0] > first.times[-1], "a resumed trial reports in the past")


def _check_stop(backend: TrialBackend, config: Config) -> None:
    backend.start(0, config, resume_from=None, until=None)
    require(_next_report(backend).resources.tolist() == [1], "until=None does not report every row")
    backend.stop(0, pause=False)
    require(_next_end(backend).outcome is Outcome.STOPPED, "a stopped trial does not end as stopped")
    backend.start(1, config, resume_from=None, until=4)
    backend.stop(1, pause=False)
    require(_next_end(backend).trial_id == 1, "a trial that is stopped before its report still reports")
    require(list(backend.wait()) == [], "a stopped trial still reports")


def _check_close(backend: TrialBackend, config: Config) -> None:
    backend.start(0, config, resume_from=None, until=1)
    _next_report(backend)
    backend.proceed(0, until=2)
    backend.close()
    require(list(backend.wait()) == [], "a closed backend still reports")


def _drain(backend: TrialBackend, until: dict[int, int | None]) -> tuple[list[Report], list[Ended]]:
    reports: list[Report] = []
    ends: list[Ended] = []
    for _ in range(PATIENCE):
        events = backend.wait()
        if not events:
            return reports, ends
        for event in events:
            if isinstance(event, Ended):
                ends.append(event)
            else:
                reports.append(event)
                backend.proceed(event.trial_id, until=until[event.trial_id])
    require(condition=False, message="it never comes to an end")
    return reports, ends


def _next_report(backend: TrialBackend) -> Report:
    events = backend.wait()
    require(len(events) == 1 and isinstance(events[0], Report), f"expected one report, got {events}")
    return next(event for event in events if isinstance(event, Report))


def _next_end(backend: TrialBackend) -> Ended:
    events = backend.wait()
    require(len(events) == 1 and isinstance(events[0], Ended), f"expected the end of a trial, got {events}")
    return next(event for event in events if isinstance(event, Ended))
