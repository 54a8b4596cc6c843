"""Launches of one tag at the same time: each experiment is run once, with one random seed, by one plan."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hpoctl.core.cells import CONTROL, Cell
from hpoctl.ops.studies.tags import read_plans, stored_random_seed
from hpoctl.stores.ledger import read_attempts
from hpoctl.stores.local import LocalStore
from toy_studies import CELLS, LANE, PATIENCE, ToyStudy, fast_folder, kill_group, lane

LAUNCHES = 8
ROUNDS = lane(50, 300)
HERE = Path(__file__).parent
ROUND_CELLS = [
    Cell(method, benchmark, seed) for method in ("RS", "ASHA") for benchmark in ("toy", "toy-2") for seed in range(2)
]


@pytest.mark.timeout(1200)
def test_eight_launches_at_once_run_each_experiment_once() -> None:
    with fast_folder() as folder:
        environment = os.environ | {
            "PYTHONPATH": str(HERE.parent),
            "HPOCTL_CACHE": str(folder / "cache"),
            "HPOCTL_DATA": str(folder / "data"),
            "HPOCTL_PLUGINS": "",
            "OPENBLAS_NUM_THREADS": "1",
        }
        done = subprocess.run(
            [sys.executable, "-W", "error", str(HERE / "forked_launches.py"), str(folder), str(ROUNDS), str(LAUNCHES)],
            capture_output=True,
            text=True,
            check=False,
            timeout=1000,
            cwd=folder,
            env=environment,
        )
        assert done.returncode == 0, done.stderr
        rounds = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(rounds) == ROUNDS, LANE
        store = LocalStore(folder)
        for entry in rounds:
            tag, answers = entry["tag"], entry["answers"]
            assert [answer for answer in answers if not isinstance(answer, dict)] == [], tag
            assert {answer["random_seed"] for answer in answers} == {stored_random_seed(store, tag)}
            assert all(answer["complete"] == [8, 8] and answer["failures"] == [] for answer in answers), answers
            assert sum(answer["ran"] for answer in answers) == len(ROUND_CELLS), answers
            check_once(store, tag, ROUND_CELLS)
        contested = sum(1 for entry in rounds for answer in entry["answers"] if answer["planned"] > answer["ran"])
        assert contested > ROUNDS, f"the launches did not meet ({LANE})"


@pytest.mark.parametrize("seed", range(lane(3, 10)))
def test_eight_commands_at_once_run_each_experiment_once(seed: int) -> None:
    with fast_folder() as folder:
        study = ToyStudy(folder)
        study.install()
        processes = [study.start("launch", "--tag", "together", "--jobs", "1") for _ in range(LAUNCHES)]
        try:
            codes = [process.wait(PATIENCE) for process in processes]
        finally:
            for process in processes:
                kill_group(process)
        assert codes == [0] * LAUNCHES, (folder / "output").read_text()
        check_once(LocalStore(study.root), "together", CELLS)
        assert study.status("together")["data"]["complete"]


@pytest.mark.parametrize("seed", range(lane(2, 10)))
def test_launches_at_once_that_are_killed_leave_nothing_undone(seed: int) -> None:
    """Some of the launches die; the others continue and do not wait for them."""
    with fast_folder() as folder:
        study = ToyStudy(folder)
        study.install()
        processes = [study.start("launch", "--tag", "together", "--jobs", "1") for _ in range(4)]
        try:
            for delay, process in zip((0.7, 0.4), processes[:2], strict=True):
                with_timeout(process, delay)
                kill_group(process)
            codes = [process.wait(PATIENCE) for process in processes[2:]]
        finally:
            for process in processes:
                kill_group(process)
        assert codes == [0, 0], (folder / "output").read_text()
        attempts = read_attempts(LocalStore(study.root), "together", verify=True)
        completed = [attempt.cell for attempt in attempts if attempt.recorded == "completed"]
        assert sorted(filter(None, completed)) == sorted(CELLS)


def with_timeout(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Let a process run for a while."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def check_once(store: LocalStore, tag: str, cells: list[Cell]) -> None:
    """One attempt for each experiment, and it is complete; one plan; the attempts have the tag's random seed."""
    attempts = read_attempts(store, tag, verify=True)
    assert [attempt.recorded for attempt in attempts] == ["completed"] * len(cells)
    assert sorted(attempt.cell for attempt in attempts if attempt.cell) == sorted(cells)
    assert len(read_plans(store, tag)) == 1
    assert len([name for name in store.list(f"{tag}/{CONTROL}/plans") if name.endswith(".json")]) == 1
