"""What the controller of real trials costs: time beyond the training itself, and its own CPU time.

    python benchmarks/trial_overhead.py --trials 200 --seconds 4 [--ray]

Each trial sleeps, and reports every tenth of a second; two run at a time. Prints the seconds beyond the sum of sleeps
over slots, and the CPU time of the controller and of its supervisor as a share of one core. With `--ray`, trials run on
a Ray cluster of two nodes that are processes of this machine.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from hpoctl.builtins import RS
from hpoctl.core.clock import SystemTime
from hpoctl.core.protocols import Decision, Report
from hpoctl.core.script import Script
from hpoctl.core.settings import Settings
from hpoctl.core.space import Fixed, Space, Uniform
from hpoctl.core.trial_backends import BackendEntry
from hpoctl.engine.experiment import run_experiment
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.rows import RowLog
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.stores.local import LocalStore
from hpoctl.testing.hard_cases import Nobody
from hpoctl.testing.toys import toy_script_benchmark

SCRIPT = """
import json, os, sys, time
begin = time.monotonic()
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
epochs = int(options["--epochs"])
with open(os.environ["HPOCTL_REPORTS"], "a") as file:
    for epoch in range(1, epochs + 1):
        time.sleep(max(0.0, begin + 0.1 * epoch - time.monotonic()))
        file.write(json.dumps({"epoch": epoch, "loss": float(options["--x"]) / epoch}) + "\\n")
        file.flush()
"""


class FirstReport(Nobody):
    """Notes when the first report has arrived."""

    at: float | None = None
    cpu = 0.0

    def reports(self, report: Report, decision: Decision, log: RowLog) -> None:  # noqa: ARG002 - a watcher's
        if self.at is None:
            self.at, self.cpu = time.monotonic(), time.process_time()


@contextmanager
def chosen_backend(*, ray: bool) -> Iterator[BackendEntry | None]:
    """Where trials run; None: on this machine, without a cluster."""
    if not ray:
        yield None
        return
    checkout = Path(__file__).resolve().parents[1]
    sys.path[:0] = [str(checkout / "tests"), str(checkout / "plugins" / "hpoctl-ray" / "tests")]
    from hpoctl_ray.plugin import TRIALS
    from ray_cluster import running

    with running() as cluster:
        yield replace(TRIALS, options=replace(TRIALS.options, address=cluster.address))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--ray", action="store_true", help="on a Ray cluster of two nodes")
    options = parser.parse_args()
    epochs = round(options.seconds * 10)
    with tempfile.TemporaryDirectory() as name, chosen_backend(ray=options.ray) as backend:
        folder = Path(name)
        (folder / "train.py").write_text(SCRIPT, encoding="utf-8")
        space = Space({"x": Uniform(0.0, 1.0), "epochs": Fixed(epochs)})
        script = Script(folder, (sys.executable, "-I", "-S", str(folder / "train.py")))
        benchmark = toy_script_benchmark(space, script, name="sleeps", budget=1e6)
        settings = Settings(max_num_trials=options.trials)
        spec = ExperimentSpec("bench", RS, benchmark, 0, 7, settings, backend=backend)
        began, cpu = time.monotonic(), time.process_time()
        first = FirstReport()
        provenance = Provenance({"hpoctl": "0"}, None, "benchmark")
        told = run_experiment(spec, LocalStore(folder / "root"), provenance, first, SystemTime())
        wall, own = time.monotonic() - began, time.process_time() - cpu
    slots = benchmark.n_workers
    slept = told.rows * 0.1 / slots
    children = resource.getrusage(resource.RUSAGE_CHILDREN)  # the supervisor; trials are its children, and included
    print(f"{told.trials} trials, {told.rows:,} rows, load of the machine {os.getloadavg()[1]:.1f}")
    print(f"sum of sleeps over {slots} slots {slept:.1f} s, wall {wall:.1f} s, {wall / slept - 1:+.2%}")
    until_first = (first.at or began) - began - 0.1
    print(f"{until_first:.1f} s until the first trial has begun")
    print(f"{(wall - until_first - slept) * slots / told.trials:.2f} s for each trial beyond its sleeps after that")
    print(f"CPU of the controller {own:.2f} s, {own / wall:.2%} of a core, {1e6 * own / told.rows:.0f} us a row")
    after, rest = own - (first.cpu - cpu), wall - until_first
    print(f"after the first report {after:.2f} s, {after / rest:.2%} of a core, {1e6 * after / told.rows:.0f} us a row")
    print(f"CPU of the supervisor and all trials {children.ru_utime + children.ru_stime:.1f} s")
    print(f"peak memory of the controller {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
