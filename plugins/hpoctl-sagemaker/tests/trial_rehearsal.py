"""An experiment whose trials are training jobs on the model of SageMaker, with all that may go wrong on the way.

Spot capacity is taken from two jobs, one start is refused, jobs take their time to stop, the quota is small, and the
controller is killed in the middle and started again.
"""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from hpoctl.testing.experiments import epochs_of, missing_epochs, run_and_kill, run_words, write_experiment
from hpoctl.testing.polling import wait_until
from sagemaker_model import ROLE, Job, SagemakerModel, billable, environment_of

PATIENCE = 600.0
PRICE = 0.115


@dataclass(frozen=True)
class Rehearsed:
    """What came of it.

    Attributes:
        first: How the controller ended that was killed.
        code: The exit code of the second one.
        said: What the second one has said.
        rows: How often each epoch of each trial is in the results.
        starts: The rows of `trials.parquet`.
        jobs: The training jobs.
        interruptions: How often spot capacity was taken away.
        calls: The calls to SageMaker and CloudWatch.
    """

    first: int
    code: int
    said: str
    rows: Mapping[tuple[int, int], int]
    starts: Sequence[Mapping[str, Any]]
    jobs: Sequence[Job]
    interruptions: int
    calls: Mapping[str, int]

    @property
    def missing(self) -> list[tuple[int, int]]:
        """Epochs of trials that are not in the results, although later ones are."""
        return missing_epochs(self.rows)

    @property
    def billed(self) -> dict[int, list[float]]:
        """Billed seconds of the jobs of each trial, in order of their size, according to the model."""
        found: dict[int, list[float]] = {}
        for job in self.jobs:
            trial = job.request["Environment"]["HPOCTL_TRIAL"].partition("/")[0]
            found.setdefault(int(trial), []).append(float(billable(job)))
        return {trial: sorted(seconds) for trial, seconds in sorted(found.items())}

    @property
    def told(self) -> dict[int, list[float]]:
        """The same according to `trials.parquet`; a start without a job has none.

        A start that a controller had only begun when it was killed is begun again in another folder, so that jobs and
        rows do not have the same numbers.
        """
        found: dict[int, list[float]] = {}
        for (trial, _), (seconds, _) in self.table.items():
            if seconds:
                found.setdefault(trial, []).append(seconds)
        return {trial: sorted(seconds) for trial, seconds in sorted(found.items())}

    @property
    def table(self) -> dict[tuple[int, int], tuple[float, float]]:
        """Billed seconds and costs by trial and start, according to `trials.parquet`."""
        return {
            (row["trial_id"], row["start"]): (row["billed_seconds"], row["cost"])
            for row in self.starts
            if row["billed_seconds"] is not None
        }


def rehearse(model: SagemakerModel, folder: Path, s3: str, trials: int, kill_after: int) -> Rehearsed:
    """Run the experiment.

    Args:
        model: The model.
        folder: A folder for the benchmark and the results.
        s3: Where trials keep what they write.
        trials: How many trials there are.
        kill_after: How many training jobs there are when the controller is killed.
    """
    script = folder / "script"
    script.mkdir()
    write_experiment(script, workers=4, seconds=0.3)
    model.refused = 1
    more = ["--price-per-hour", str(PRICE), "--trial-retries", "1", "--backend", "sagemaker"]
    for option in (f"role={ROLE}", "image=python", f"s3={s3}", "use_spot=true", "poll_interval=0.2"):
        more += ["--backend-option", option]
    more += ["--backend-option", "upload_interval=0.2"]
    words = run_words(folder / "results", trials, more)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HPOCTL_"))},
        **environment_of(model),
        "HPOCTL_PLUGINS": "sagemaker",
    }
    interrupted: set[str] = set()

    def until(first: "subprocess.Popen[bytes]") -> None:
        def over() -> bool:
            return first.poll() is not None or len(model.created) >= kill_after

        _interrupt(model, interrupted, over)
        wait_until(over, "trials do not start", PATIENCE)

    code = run_and_kill(words, script, environment, folder / "first.log", until)
    second = subprocess.Popen(
        words, cwd=script, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    _interrupt(model, interrupted, lambda: second.poll() is not None)
    said, _ = second.communicate(timeout=PATIENCE)
    if second.returncode != 0:
        raise AssertionError(f"{(folder / 'first.log').read_text()[-3000:]}\n{said[-3000:]}")
    (results,) = (folder / "results").rglob("results.parquet")
    return Rehearsed(
        code,
        second.returncode,
        said,
        epochs_of(folder / "results"),
        pq.read_table(results.with_name("trials.parquet")).to_pylist(),
        list(model.jobs.values()),
        sum(job.starts for job in model.jobs.values()),
        dict(model.calls),
    )


def _interrupt(model: SagemakerModel, done: set[str], over: Callable[[], bool]) -> None:
    """Take the spot capacity of a job away that has reported, unless it is over before such a job is interrupted."""

    def reported() -> Job | None:
        for job in list(model.jobs.values()):
            running = job.status == "InProgress" and job.detail == "Training" and job.name not in done
            if running and job.log.exists() and job.log.read_bytes().count(b"[hpoctl-report") >= 2:
                return job
        return None

    taken: Job | None = None

    def settled() -> bool:
        return taken is not None and (taken.starts > 0 or taken.ended.is_set())

    while taken is None or not taken.starts:  # one that ends, or is told to stop, at that moment does not begin again
        wait_until(lambda: over() or reported() is not None, "no job reports", PATIENCE)
        taken = reported()
        if taken is None or over():
            return
        done.add(taken.name)
        model.interrupt(taken.name)
        wait_until(settled, "a job is not interrupted", PATIENCE)
