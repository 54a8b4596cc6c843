"""SIGKILL at random moments of a launch, and launched again: the results of an unbroken run, each experiment once."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from hpoctl.core.cells import Cell
from hpoctl.stores.ledger import DIED, read_attempts
from hpoctl.stores.local import LocalStore
from toy_studies import (
    CELLS,
    LANE,
    PATIENCE,
    Done,
    ToyStudy,
    fast_folder,
    generator,
    kill_group,
    lane,
    wait_for,
    wait_until_gone,
    workers_of,
)

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to see what runs")

KILLS = 5
"""Kills of the whole group in each study."""

STUDIES = lane(4, 30)


@dataclass(frozen=True)
class Reference:
    """An unbroken launch: the hash of each result, and when things happened, in seconds after its start."""

    study: ToyStudy
    results: dict[Cell, str]
    first_file: float
    first_result: float
    last_result: float
    end: float


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    with fast_folder() as folder:
        study = ToyStudy(folder)
        study.install()
        began = time.monotonic()
        process = study.start("launch", "--tag", "reference", "--jobs", "2")
        moments = []
        for condition in (
            (study.root / "reference").exists,
            lambda: study.results("reference") > 0,
            lambda: study.results("reference") == len(CELLS),
        ):
            wait_for(condition, process)
            moments.append(time.monotonic() - began)
        assert process.wait(PATIENCE) == 0, (folder / "output").read_text()
        done = study.completed("reference").values()
        assert sorted(entry.cell for entry in done) == sorted(CELLS)
        results = {entry.cell: entry.results for entry in done}
        yield Reference(study, results, *moments, time.monotonic() - began)  # type: ignore[call-arg]


class Victim:
    """A study that is killed again and again; what was once seen as complete is remembered."""

    def __init__(self, reference: Reference, tag: str) -> None:
        self.study = reference.study
        self.reference = reference
        self.tag = tag
        self.seen: dict[str, Done] = {}

    def start(self) -> "subprocess.Popen[bytes]":
        return self.study.start("launch", "--tag", self.tag, "--jobs", "2")

    def look(self) -> None:
        """What was complete before is so still, and its files have the same bytes."""
        now = self.study.completed(self.tag)
        lost = {name: done for name, done in self.seen.items() if now.get(name) != done}
        assert not lost, f"changed or gone: {lost} ({LANE})"
        self.seen = now

    def waits(self, phase: str, process: "subprocess.Popen[bytes]", rng: Random) -> bool:
        """Wait for a moment of a phase; False: the launch has ended before."""
        times = self.reference
        if phase == "start":
            return self._sleeps(rng.uniform(0.0, times.first_file), process)
        if phase == "plan":
            there = wait_for((self.study.root / self.tag).exists, process)
            return there and self._sleeps(rng.uniform(0.0, times.first_result - times.first_file), process)
        present = self.study.results(self.tag)
        wanted = len(CELLS) if phase == "end" else min(len(CELLS), present + rng.randint(1, 8))
        there = wait_for(lambda: self.study.results(self.tag) >= wanted, process)
        limit = times.end - times.last_result if phase == "end" else 0.05
        return there and self._sleeps(rng.uniform(0.0, limit), process)

    def agrees_with_status(self) -> None:
        status = self.study.status(self.tag)
        cells = {done.cell for done in self.study.completed(self.tag).values()}
        if status["code"] == 3:
            assert not cells, f"status sees nothing of {cells}"
        else:
            assert (status["code"], status["data"]["totals"]["done"]) == (0, len(cells)), status

    def ends_like_the_reference(self) -> None:
        """The study is complete: each experiment once, with the bytes of an unbroken run."""
        self.look()
        by_cell: dict[Cell, list[str]] = {}
        for done in self.seen.values():
            by_cell.setdefault(done.cell, []).append(done.results)
        expected = {cell: [digest] for cell, digest in self.reference.results.items()}
        assert by_cell == expected, LANE
        attempts = read_attempts(LocalStore(self.study.root), self.tag, verify=True)
        assert not [attempt for attempt in attempts if attempt.recorded == "damaged"]
        status = self.study.status(self.tag)
        assert (status["code"], status["data"]["complete"]) == (0, True), status

    @staticmethod
    def _sleeps(seconds: float, process: "subprocess.Popen[bytes]") -> bool:
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        return process.poll() is None


@pytest.mark.parametrize("seed", range(STUDIES))
def test_the_whole_group_is_killed(reference: Reference, seed: int) -> None:
    rng = generator("group", seed)
    victim = Victim(reference, f"group-{seed}")
    phases = [*rng.sample(["start", "plan", "run", "run"], 4), "end"]
    landed, launches = 0, 0
    while landed < KILLS:
        assert launches < 5 * KILLS, f"launches end before they can be killed ({LANE})"
        # Once all is done there is nothing but a start to be killed.
        phase = phases[landed] if launches - landed <= landed else "start"
        process = victim.start()
        launches += 1
        try:
            hit = victim.waits(phase, process, rng)
            victim.look()
        finally:
            kill_group(process)
        landed += hit and process.returncode == -signal.SIGKILL
        victim.look()
        if rng.random() < 0.3:
            victim.agrees_with_status()
    final = victim.study.launch(victim.tag)
    assert final.returncode == 0, final.stderr
    victim.ends_like_the_reference()


@pytest.mark.parametrize("seed", range(lane(2, 10)))
def test_only_the_launcher_is_killed(reference: Reference, seed: int) -> None:
    rng = generator("launcher", seed)
    victim = Victim(reference, f"launcher-{seed}")
    started = []
    for _ in range(KILLS):
        process = victim.start()
        started.append(process)
        victim.waits("run", process, rng)
        process.kill()
        process.wait(PATIENCE)
        victim.look()
        # The next one starts at once, beside the workers that end their running experiments.
    final = victim.study.launch(victim.tag)
    for process in started:
        wait_until_gone(process.pid)
    assert final.returncode == 0, final.stderr
    victim.ends_like_the_reference()


@pytest.mark.parametrize("seed", range(lane(2, 10)))
def test_only_workers_are_killed(reference: Reference, seed: int) -> None:
    rng = generator("worker", seed)
    victim = Victim(reference, f"worker-{seed}")
    process = victim.start()
    hits = 0
    try:
        while hits < KILLS and victim.waits("run", process, rng):
            for pid in workers_of(process)[:1]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    hits += 1
            victim.look()
        code = process.wait(PATIENCE)
    finally:
        kill_group(process)
    assert hits, "no worker was killed"
    victim.look()
    lost = set(CELLS) - {done.cell for done in victim.seen.values()}
    assert code == (1 if lost else 0), (victim.study.folder / "output").read_text()
    attempts = read_attempts(LocalStore(victim.study.root), victim.tag, verify=True)
    # One that was killed before it could say which attempt is its own leaves `running`: no process runs it any more.
    reasons = {attempt.reason for attempt in attempts if attempt.recorded not in {"completed", "running"}}
    assert all("SIGKILL" in reason for reason in reasons), reasons
    said = [entry["reason"] for entry in victim.study.status(victim.tag)["data"]["failures"]]
    assert all("SIGKILL" in reason or reason == DIED for reason in said), said
    final = victim.study.launch(victim.tag)
    assert final.returncode == 0, final.stderr
    victim.ends_like_the_reference()
