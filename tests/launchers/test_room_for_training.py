"""Experiments that train do not share this machine with one another, and leave simulated ones what they do not need."""

from hpoctl.core.cells import Cell
from hpoctl.core.jobs import Job, Task
from hpoctl.launchers.local import LocalLauncher
from hpoctl.launchers.options import LocalOptions

TRAINING, SIMULATED = 3, 0


def handed_out(cores: list[int], workers: int) -> list[list[int]]:
    """The cores of the experiments that run side by side, each time that all of them have ended."""
    tasks = tuple(Task("plan", Cell("RS", "b", seed), float(seed), need) for seed, need in enumerate(cores))
    launcher = LocalLauncher(LocalOptions(jobs=workers))
    launcher.submit([Job("job", "tag", "results", ("true",), tasks)])
    rounds: list[list[int]] = []
    while launcher._queue:
        while len(launcher._running) < workers and (entry := launcher._next()) is not None:
            launcher._running[len(launcher._running)] = entry
        rounds.append([entry.task.cores for entry in launcher._running.values()])
        launcher._running.clear()
    return rounds


def test_experiments_that_train_run_one_at_a_time() -> None:
    assert handed_out([TRAINING] * 3, workers=8) == [[TRAINING]] * 3


def test_one_that_needs_more_than_there_is_runs_alone() -> None:
    assert handed_out([SIMULATED, 16, SIMULATED], workers=4) == [[SIMULATED, SIMULATED], [16]]


def test_simulated_ones_run_beside_one_that_trains_on_the_cores_that_are_left() -> None:
    rounds = handed_out([SIMULATED] * 4 + [TRAINING], workers=5)
    assert rounds == [[TRAINING, SIMULATED, SIMULATED], [SIMULATED, SIMULATED]]


def test_simulated_ones_take_all_workers() -> None:
    assert handed_out([SIMULATED] * 5, workers=4) == [[SIMULATED] * 4, [SIMULATED]]
