"""A study on the model of SageMaker with all that may go wrong, and the same study on this machine, to be compared.

Some experiments fail as planned, spot capacity is taken from a job while it runs, and the launch is killed in the
middle. Then the trouble is over, the study is launched again, and everything has to be complete.
"""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpoctl.core.cells import Cell, claim_key
from hpoctl.stores.job_files import all_manifests
from hpoctl.stores.ledger import Attempt, read_attempts
from hpoctl.stores.local import LocalStore
from hpoctl.stores.opening import open_results
from hpoctl.testing import toy_plugin
from hpoctl.testing.polling import wait_until
from hpoctl.testing.toy_jobs import complete_results, run_to_end, write_entry_point
from sagemaker_model import ROLE, SagemakerModel, environment_of

TAG = "rehearsal"
PLUGIN = "hpoctl-toys"
PATIENCE = 1800.0


@dataclass(frozen=True)
class Rehearsal:
    """What came of it.

    Attributes:
        first: How the launch ended that was to be killed.
        second: What the second launch printed, and its exit code.
        created: The hpoctl jobs behind all training jobs, in their order.
        before: How many training jobs there were when the launch was killed.
        attempts: All attempts on S3.
        here: All attempts on this machine.
        results: The bytes of the results on S3 by experiment.
        results_here: The same of those on this machine.
        restarts: How often a training job began again.
    """

    first: int
    second: tuple[int, str]
    created: Sequence[str]
    before: int
    attempts: Sequence[Attempt]
    here: Sequence[Attempt]
    results: Mapping[Cell, bytes]
    results_here: Mapping[Cell, bytes]
    restarts: int

    def recorded(self) -> dict[Cell, Counter[str]]:
        """How the attempts at each experiment on S3 have ended."""
        found: dict[Cell, Counter[str]] = {}
        for attempt in self.attempts:
            if attempt.cell is not None:
                found.setdefault(attempt.cell, Counter()).update([attempt.recorded])
        return found


def rehearse(
    model: SagemakerModel,
    folder: Path,
    root: str,
    study: str,
    plugins: str,
    failing: Sequence[Cell],
    held: Cell,
    kill_after: int,
    options: Sequence[str] = (),
) -> Rehearsal:
    """Run a study there and here.

    Args:
        model: The model.
        folder: A folder for the study, the plugin, and the results of this machine.
        root: A root of results on S3.
        study: The study, as TOML; it names the composer `trip-wire`.
        plugins: The entry points of the plugins that it needs, with commas between them.
        failing: The experiments that are to fail at first.
        held: The experiment during which the spot capacity is taken away.
        kill_after: How many training jobs there are when the launch is killed.
        options: More options of `hpoctl launch`.
    """
    (folder / "study.toml").write_text(study)
    wires = folder / "wires"
    wires.mkdir()
    write_entry_point(folder / "plugins", PLUGIN, toy_plugin.__name__)
    model.environment[toy_plugin.WIRES] = str(wires)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HPOCTL_"))},
        **environment_of(model),
        "PYTHONPATH": str(folder / "plugins"),
        "HPOCTL_PLUGINS": f"{PLUGIN},sagemaker,{plugins}".rstrip(","),
        "HPOCTL_DATA": str(folder / "data"),
    }
    launch = [
        sys.executable,
        "-m",
        "hpoctl",
        "launch",
        "--study",
        "study.toml",
        "--tag",
        TAG,
        "--random-seed",
        "7",
        *options,
    ]
    there = [*launch, "--on", "sagemaker", "--results", root]
    for option in (f"role={ROLE}", "image=python", "jobs=1", "use_spot=true", "poll_interval=0.5"):
        there += ["--launcher-option", option]
    for cell in failing:
        toy_plugin.wire(wires, str(cell)).write_text("fail")
    toy_plugin.wire(wires, str(held)).write_text("wait")
    first, before = _killed_launch(there, folder, environment, model, root, held, wires, kill_after)
    for cell in failing:
        toy_plugin.wire(wires, str(cell)).unlink()
    second = run_to_end(there, folder, environment, PATIENCE)
    run_to_end([*launch, "--on", "local", "--jobs", "2", "--results", "here"], folder, environment, PATIENCE)
    store, here = open_results(root).store, LocalStore(folder / "here")
    attempts, attempts_here = read_attempts(store, TAG, verify=True), read_attempts(here, TAG, verify=True)
    return Rehearsal(
        first,
        second,
        [str(model.jobs[name].request["HyperParameters"]["job"]) for name in model.created],
        before,
        attempts,
        attempts_here,
        complete_results(store, attempts),
        complete_results(here, attempts_here),
        sum(job.starts for job in model.jobs.values()),
    )


def _killed_launch(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    model: SagemakerModel,
    root: str,
    held: Cell,
    wires: Path,
    kill_after: int,
) -> tuple[int, int]:
    """Launch, take the spot capacity of a job away, kill the launch, and wait until what runs has ended."""
    with (folder / "first.log").open("wb") as log:
        process = subprocess.Popen(words, cwd=folder, env=dict(environment), stdout=log, stderr=log)
        try:
            claims = open_results(root).claims
            wait_until(
                lambda: process.poll() is not None or claims.held(claim_key(TAG, held)),
                "an experiment does not begin",
                PATIENCE,
            )
            job = next(
                manifest.job.name
                for manifest in all_manifests(open_results(root).store, TAG)
                if any(task.cell == held for task in manifest.job.tasks)
            )
            training = next(one for one in model.jobs.values() if one.request["HyperParameters"]["job"] == job)
            model.interrupt(training.name)
            wait_until(lambda: training.starts > 0, "an interrupted job does not begin again", PATIENCE)
            toy_plugin.wire(wires, str(held)).unlink()
            wait_until(
                lambda: process.poll() is not None or len(model.created) >= kill_after, "jobs do not continue", PATIENCE
            )
        finally:
            process.send_signal(signal.SIGKILL)
            code = process.wait()
    before = len(model.created)
    wait_until(lambda: all(job.ended.is_set() for job in model.jobs.values()), "jobs do not end", PATIENCE)
    return code, before
