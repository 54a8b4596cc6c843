"""A study on a Ray cluster where things go wrong, and the same study on this machine, to be compared.

The node of a job is killed while the job runs, another node takes its place, and the launch is killed. Then the study
is launched again, and everything has to be complete.
"""

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpoctl.core.cells import Cell
from hpoctl.stores.job_files import all_manifests
from hpoctl.stores.ledger import Attempt, read_attempts
from hpoctl.stores.local import LocalStore
from hpoctl.testing import toy_plugin
from hpoctl.testing.polling import wait_until
from hpoctl.testing.toy_jobs import complete_results, run_to_end, write_entry_point
from ray_cluster import RayNodes, kill_job, node_of

TAG = "rehearsal"
PLUGIN = "hpoctl-toys"
PATIENCE = 1800.0


@dataclass(frozen=True)
class Rehearsal:
    """What came of it.

    Attributes:
        first: How the launch ended that was to be killed.
        second: What the second launch printed, and its exit code.
        jobs: How many jobs were ever submitted.
        held: The attempts at the experiment whose node was killed, by how they ended.
        attempts: All attempts on the cluster.
        results: The bytes of the results of the cluster by experiment.
        results_here: The same of those of the local launcher.
    """

    first: int
    second: tuple[int, str]
    jobs: int
    held: Counter[str]
    attempts: Sequence[Attempt]
    results: Mapping[Cell, bytes]
    results_here: Mapping[Cell, bytes]

    def completed(self) -> Counter[Cell]:
        """How often each experiment was completed."""
        return Counter(one.cell for one in self.attempts if one.recorded == "completed" and one.cell is not None)


def rehearse(
    cluster: RayNodes,
    folder: Path,
    study: str,
    plugins: str,
    held: Cell,
    node: Sequence[str],
    options: Sequence[str] = (),
) -> Rehearsal:
    """Run a study there and here.

    Args:
        cluster: The cluster.
        folder: A folder for the study, the plugin, and all results.
        study: The study, as TOML; it names the composer `trip-wire`.
        plugins: The entry points of the plugins that it needs, with commas between them.
        held: The experiment whose node is killed.
        node: Options of the node that takes the place of the one that is killed.
        options: More options of the launcher.
    """
    (folder / "study.toml").write_text(study)
    wires = folder / "wires"
    wires.mkdir()
    write_entry_point(folder / "plugins", PLUGIN, toy_plugin.__name__)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HPOCTL_")},
        "PYTHONPATH": str(folder / "plugins"),
        "HPOCTL_PLUGINS": f"{PLUGIN},ray,{plugins}".rstrip(","),
        "HPOCTL_DATA": str(folder / "data"),
        "HPOCTL_CACHE": str(folder / "cache"),
        toy_plugin.WIRES: str(wires),
        "OPENBLAS_NUM_THREADS": "1",
    }
    launch = [sys.executable, "-m", "hpoctl", "launch", "--study", "study.toml", "--tag", TAG, "--random-seed", "7"]
    there = [*launch, "--on", "ray", "--results", "there"]
    variables = f"{toy_plugin.WIRES},HPOCTL_DATA,HPOCTL_CACHE,OPENBLAS_NUM_THREADS"
    for option in (f"address={cluster.address}", f"environment={variables}", *options):
        there += ["--launcher-option", option]
    toy_plugin.wire(wires, str(held)).write_text("wait")
    first = _killed_launch(there, folder, environment, cluster, held, node)
    toy_plugin.wire(wires, str(held)).unlink()
    second = run_to_end(there, folder, environment, PATIENCE)
    run_to_end([*launch, "--on", "local", "--jobs", "2", "--results", "here"], folder, environment, PATIENCE)
    store, here = LocalStore(folder / "there"), LocalStore(folder / "here")
    attempts = read_attempts(store, TAG, verify=True)
    return Rehearsal(
        first,
        second,
        len(all_manifests(store, TAG)),
        Counter(one.recorded for one in attempts if one.cell == held),
        attempts,
        complete_results(store, attempts),
        complete_results(here, read_attempts(here, TAG, verify=True)),
    )


def _killed_launch(
    words: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    cluster: RayNodes,
    held: Cell,
    node: Sequence[str],
) -> int:
    """Launch, kill the node of a job, add another one, and kill the launch when the job runs there."""
    store = LocalStore(folder / "there")

    def begun() -> int:
        """How often the experiment has begun."""
        return sum(one.cell == held for one in read_attempts(store, TAG))

    with (folder / "first.log").open("wb") as log:
        process = subprocess.Popen(words, cwd=folder, env=dict(environment), stdout=log, stderr=log)
        try:
            wait_until(lambda: process.poll() is not None or begun() == 1, "an experiment does not begin", PATIENCE)
            [job] = [
                kept.job.name for kept in all_manifests(store, TAG) if held in {one.cell for one in kept.job.tasks}
            ]
            cluster.kill(node_of(job))
            kill_job(job)
            cluster.add(*node)
            wait_until(
                lambda: process.poll() is not None or begun() == 2, "it does not begin again on another node", PATIENCE
            )
        finally:
            process.send_signal(signal.SIGKILL)
            code = process.wait()
    return code
