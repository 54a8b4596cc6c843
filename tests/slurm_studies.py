"""A study on Slurm where things go wrong: experiments fail, an element is queued again, a launch is killed half-way.

The test runs a small one, `benchmarks/slurm_study.py` the plan of the reference study.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS, Cell
from hpoctl.core.sealed import unseal
from hpoctl.stores.job_files import all_manifests, read_report
from hpoctl.stores.ledger import read_attempts
from hpoctl.stores.local import LocalStore
from hpoctl.testing import toy_plugin
from hpoctl.testing.toy_jobs import PLUGIN, write_entry_point
from services.slurm import Slurm

TAG = "study"
PATIENCE = 1200.0
ITS_OWN = frozenset(
    {
        "checksum", "cpu_seconds", "decision_seconds", "entrypoint", "host", "pid", "st_tuner_creation_timestamp",
        "st_tuner_start_timestamp", "wall_seconds",
    }
)  # fmt: skip
"""What is different in the metadata of two results that are the same: when and by whom they were made."""


@dataclass(frozen=True)
class Plan:
    """What is launched, and what happens to it."""

    study: str
    """The study file; its composers include `trip-wire`."""
    fails: Sequence[Cell]
    """Experiments that fail the first time, in jobs of expensive methods."""
    held: Cell
    """The experiment that is under way when its element is queued again, and when the launch is killed."""
    words: Sequence[str] = ()
    """Other words of `hpoctl launch`."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of the launcher."""


@dataclass(frozen=True)
class Study:
    """The study in a folder; its results on Slurm are below `slurm`, those of the local launcher below `local`."""

    folder: Path
    slurm: Slurm
    plan: Plan

    @property
    def store(self) -> LocalStore:
        return LocalStore(self.folder / "slurm")

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("HPOCTL_", "SLURM_", "SBATCH_"))
        }
        return kept | {
            **self.slurm.environment,
            "PYTHONPATH": str(self.folder / "plugins"),
            "HPOCTL_CACHE": str(self.folder / "cache"),
            "HPOCTL_DATA": str(self.folder / "data"),
            toy_plugin.WIRES: str(self.folder / "wires"),
            "OPENBLAS_NUM_THREADS": "1",
            "NO_COLOR": "1",
        }

    def prepare(self) -> None:
        write_entry_point(self.folder / "plugins", PLUGIN, toy_plugin.__name__)
        (self.folder / "study.toml").write_text(self.plan.study)
        (self.folder / "wires").mkdir()

    def words(self, where: str) -> list[str]:
        options = (
            [f"--launcher-option={key}={value}" for key, value in self.plan.options.items()] if where == "slurm" else []
        )
        words = [sys.executable, "-m", "hpoctl", "launch", "--study", "study.toml", "--tag", TAG, "--random-seed", "11"]
        return [*words, "--on", where, "--results", str(self.folder / where), *options, *self.plan.words]

    def launch(self, where: str) -> "subprocess.CompletedProcess[str]":
        """Launch and wait for the end."""
        return subprocess.run(
            self.words(where),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def launch_and_kill(self) -> None:
        """Launch on Slurm, let things go wrong, and kill the launch."""
        for cell in self.plan.fails:
            toy_plugin.wire(self.folder / "wires", str(cell)).write_text("once fail")
        wire = toy_plugin.wire(self.folder / "wires", str(self.plan.held))
        wire.write_text("wait")
        with (self.folder / "launch.log").open("wb") as log:
            launch = subprocess.Popen(
                self.words("slurm"),
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._until(lambda: self._attempts(self.plan.held) == ["running"], "the experiment does not begin", launch)
            element = self._element(self._job_of(self.plan.held))
            self.slurm.ask("scontrol", "requeue", element)
            self._until(lambda: element in self._queue("PENDING"), "the element is not queued again", launch)
            self.slurm.start_soon(element)
            self._until(
                lambda: self._attempts(self.plan.held)[1:] == ["running"], "the element does not continue", launch
            )
            for cell in self.plan.fails:
                self._until(partial(self._has_failed, cell), f"{cell} does not fail", launch)
        finally:
            with suppress(ProcessLookupError):  # it has ended
                os.killpg(launch.pid, signal.SIGKILL)
            launch.wait()
        wire.unlink()

    def _until(self, condition: Callable[[], bool], otherwise: str, launch: "subprocess.Popen[bytes]") -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if launch.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{otherwise}: {(self.folder / 'launch.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def _attempts(self, cell: Cell) -> list[str]:
        found = sorted(read_attempts(self.store, TAG), key=lambda attempt: attempt.started)
        return [attempt.recorded for attempt in found if attempt.cell == cell]

    def _has_failed(self, cell: Cell) -> bool:
        job = self._job_of(cell)
        report = read_report(self.store, TAG, job)
        return (
            report is not None and report.state == "failed" and self._element(job) not in self._queue("all", live=True)
        )

    def _queue(self, states: str, *, live: bool = False) -> set[str]:
        chosen = [] if live else [f"--states={states}"]
        return set(self.slurm.ask("squeue", "--noheader", "--array", *chosen, "--format=%F_%K").split())

    def _job_of(self, cell: Cell) -> str:
        manifests = all_manifests(self.store, TAG)
        return next(one.job.name for one in manifests if cell in {task.cell for task in one.job.tasks})

    def _element(self, job: str) -> str:
        """The array and the index of a job, as Slurm calls it."""
        folder = self.folder / "slurm" / TAG / ".hpoctl" / "slurm"
        for file in folder.glob("*.answer.json"):
            elements = unseal((folder / file.name.replace(".answer", "")).read_bytes())["elements"]
            for index, jobs in enumerate(elements):
                if job in jobs:
                    return f"{unseal(file.read_bytes())['array']}_{index}"
        raise RuntimeError(f"job {job} is in no array")

    def submitted(self) -> list[str]:
        """The jobs in arrays that were submitted, one name for each time."""
        found = []
        accepted = "\n".join(self.slurm.accepted())
        for file in (self.folder / "slurm" / TAG / ".hpoctl" / "slurm").glob("*.json"):
            if not file.name.endswith(".answer.json"):
                array = unseal(file.read_bytes())
                found += accepted.count(f"--job-name={array['name']} ") * [
                    job for jobs in array["elements"] for job in jobs
                ]
        return found

    def recorded(self) -> Counter[str]:
        """How many attempts ended in which way, on Slurm."""
        return Counter(attempt.recorded for attempt in read_attempts(self.store, TAG))

    def results(self, where: str) -> dict[Cell, tuple[str, dict[str, Any]]]:
        """The hash of each complete experiment's results, and what its metadata say that is not its own."""
        found: dict[Cell, tuple[str, dict[str, Any]]] = {}
        for file in (self.folder / where / TAG).glob(f"*/*/{METADATA}"):
            metadata = unseal(file.read_bytes())
            if metadata["status"] != "completed":
                continue
            cell = Cell(metadata["algorithm"], metadata["benchmark"], metadata["seed"])
            if cell in found:
                raise RuntimeError(f"{cell} is complete twice")
            shared = {key: value for key, value in metadata.items() if key not in ITS_OWN}
            found[cell] = (content_hash((file.parent / RESULTS).read_bytes()), json.loads(json.dumps(shared)))
        return found
