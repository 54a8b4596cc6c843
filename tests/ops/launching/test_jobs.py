"""Jobs: a cheap method is one, an expensive one has one for each seed; and how long a number of workers take."""

from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.cells import Cell
from hpoctl.core.jobs import Task
from hpoctl.core.study import Study
from hpoctl.ops.launching.costs import makespan
from hpoctl.ops.launching.reconcile import PlannedJob, launch_seconds, plan_jobs

EXPENSIVE = {"RS": False, "ASHA": False, "BO": True, "MOBSTER": True}


def jobs_of(study: Study) -> tuple[PlannedJob, ...]:
    return plan_jobs("t", [Task("0001", cell, 1.0) for cell in study.cells()], EXPENSIVE)


@pytest.mark.parametrize(
    ("start", "stop", "jobs", "experiments"), [(0, 20, 42, 160), (0, 1, 4, 8), (1, 20, 40, 152), (13, 14, 4, 8)]
)
def test_a_study_has_so_many_jobs(start: int, stop: int, jobs: int, experiments: int) -> None:
    study = Study("s", "", tuple(EXPENSIVE), ("toy", "toy-2"), start_seed=start, num_seeds=stop)
    planned = jobs_of(study)
    assert len(planned) == jobs
    assert sum(len(job.tasks) for job in planned) == experiments


def test_names_prefixes_and_times_of_jobs() -> None:
    study = Study("s", "", ("ASHA", "BO"), ("toy", "toy-2"), num_seeds=2)
    seen = [(job.name, job.method, job.prefix, len(job.tasks), job.seconds) for job in jobs_of(study)]
    assert seen == [
        ("t-ASHA", "ASHA", "t/ASHA/", 4, 4.0),
        ("t-BO-0", "BO", "t/BO-0/", 2, 2.0),
        ("t-BO-1", "BO", "t/BO-1/", 2, 2.0),
    ]


CELLS = st.builds(Cell, st.sampled_from(sorted(EXPENSIVE)), st.sampled_from(["toy", "toy-2"]), st.integers(0, 30))


@given(st.lists(CELLS, unique=True))
def test_every_experiment_is_in_one_job_with_its_own(cells: list[Cell]) -> None:
    jobs = plan_jobs("t", [Task("0001", cell, 1.0) for cell in cells], EXPENSIVE)
    assert sorted(task.cell for job in jobs for task in job.tasks) == sorted(cells)
    assert len({job.name for job in jobs}) == len({job.prefix for job in jobs}) == len(jobs)
    for job in jobs:
        assert {task.cell.method for task in job.tasks} == {job.method}
        seeds = {task.cell.seed for task in job.tasks}
        assert len(seeds) == 1 or not EXPENSIVE[job.method]
    assert sum(not EXPENSIVE[job.method] for job in jobs) == len({c.method for c in cells if not EXPENSIVE[c.method]})


def shortest(seconds: Sequence[float], workers: int) -> float:
    """The best of all ways to share the work."""
    ways = product(range(workers), repeat=len(seconds))
    return min(
        max(sum(each for each, where in zip(seconds, way, strict=True) if where == worker) for worker in range(workers))
        for way in ways
    )


@given(st.lists(st.integers(0, 20).map(float), max_size=6), st.integers(1, 3))
def test_the_expected_time_is_near_the_best_possible(seconds: list[float], workers: int) -> None:
    best = shortest(seconds, workers)
    found = makespan(seconds, workers)
    assert best <= found <= (4 / 3 - 1 / (3 * workers)) * best + 1e-9  # Graham 1969


@pytest.mark.parametrize(
    ("seconds", "workers", "expected"),
    [
        ([], 2, 0.0),
        ([3.0, 1.0, 2.0], 1, 6.0),
        ([3.0, 1.0, 2.0], 2, 3.0),
        ([3.0, 1.0, 2.0], 9, 3.0),
        ([3.0, 3.0, 2.0, 2.0, 2.0], 2, 7.0),  # one more than the best
    ],
)
def test_expected_times(seconds: list[float], workers: int, expected: float) -> None:
    assert makespan(seconds, workers) == expected


@pytest.mark.parametrize(("workers", "expected"), [(1, 9.0), (2, 6.0), (9, 6.0), (0, 3.0)])
def test_of_experiments_that_train_one_runs_at_a_time_here(workers: int, expected: float) -> None:
    simulated = [Task("0001", Cell("RS", "toy", seed), 1.0) for seed in range(3)]
    training = [Task("0001", Cell("RS", "own", seed), 3.0, cores=2) for seed in range(2)]
    assert launch_seconds([*simulated, *training], workers) == expected
