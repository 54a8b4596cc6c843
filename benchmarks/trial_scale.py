"""Memory of the controller with 5,000 trials and 100,000 reports, and how long their `status` takes.

    python benchmarks/trial_scale.py --trials 5000 --reports 20

Writes the journal that such an experiment has, continues it (which replays all of it), and prints the peak memory of
that process, the seconds of the replay, and the seconds of `hpoctl status`.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hpoctl.builtins import RS
from hpoctl.core.cells import WORK
from hpoctl.core.clock import SystemTime
from hpoctl.core.rng import Streams
from hpoctl.core.script import Script
from hpoctl.core.script_files import script_hash
from hpoctl.core.settings import Settings
from hpoctl.core.space import Fixed, Space, Uniform
from hpoctl.engine.continuing import base_of
from hpoctl.engine.experiment import run_experiment
from hpoctl.engine.journal import Journal
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.spec import ExperimentSpec, determinants
from hpoctl.schedulers.random_search import RandomConfigs
from hpoctl.stores.local import LocalStore
from hpoctl.testing.hard_cases import Nobody
from hpoctl.testing.toys import toy_script_benchmark


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=5000)
    parser.add_argument("--reports", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        script = folder / "script"
        script.mkdir()
        (script / "train.py").write_text("raise SystemExit(1)\n", encoding="utf-8")
        space = Space({"x": Uniform(0.0, 1.0), "epochs": Fixed(options.reports)})
        problem = Script(script, (sys.executable, "train.py"))
        benchmark = toy_script_benchmark(space, problem, name="many", budget=1e9)
        spec = ExperimentSpec("many", RS, benchmark, 0, 7, Settings(max_num_trials=options.trials))
        store = LocalStore(folder / "root")
        provenance = Provenance({"hpoctl": "0"}, None, "benchmark")
        first = Settings(max_num_trials=1, max_failures="none")
        run_experiment(ExperimentSpec("many", RS, benchmark, 0, 7, first), store, provenance, Nobody(), SystemTime())
        (path,) = (folder / "root" / WORK).rglob("journal")
        path.unlink()
        write_journal(path, spec, options)
        began = time.monotonic()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        told = run_experiment(spec, store, provenance, Nobody(), SystemTime())
        took = time.monotonic() - began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{told.trials:,} trials, {told.rows:,} reports: replayed in {took:.1f} s")
        print(f"peak memory {peak:.0f} MB, {before:.0f} MB before")
        began = time.monotonic()
        words = [sys.executable, "-m", "hpoctl", "status", "--tag", "many", "--results", str(folder / "root")]
        subprocess.run(words, check=False, stdout=subprocess.DEVNULL)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = used.ru_utime + used.ru_stime
        print(f"hpoctl status: {time.monotonic() - began:.2f} s, {cpu:.2f} s of CPU, load {os.getloadavg()[0]:.1f}")


def write_journal(path: Path, spec: ExperimentSpec, options: argparse.Namespace) -> None:
    """The journal of an experiment whose two workers report in turn."""
    script = spec.benchmark.script
    assert script is not None
    configs = RandomConfigs(spec.space(), Streams(7, 0))
    journal = Journal(path)
    base = base_of(determinants(spec, script_hash(script)))
    now = 0.0
    journal.append({"kind": "open", "t": now, "format": 1, "base": base, "name": spec.name}, durable=False)
    facts = {"max_num_trials": options.trials, "trial_retries": 0}
    journal.append({"kind": "session", "t": now, "host": "", "pid": 0, "utc": "", **facts}, durable=False)
    for first in range(0, options.trials, 2):
        pair = (first, first + 1)
        for trial in pair:
            start = {"kind": "start", "trial": trial, "from": 0, "until": options.reports}
            journal.append({**start, "config": dict(configs.draw() or {}), "t": now}, durable=False)
        for epoch in range(1, options.reports + 1):
            now += 1.0
            for trial in pair:
                row = {"trial": trial, "resources": [epoch], "metrics": [[1 / epoch]], "elapsed": [1.0 * epoch]}
                journal.append({"kind": "events", "t": now, "events": [{**row, "times": [now]}]}, durable=False)
        ends = [{"trial": trial, "outcome": "Completed", "time": now, "exit_status": 0, "slot": 0} for trial in pair]
        # Both leave at once, so that both workers are free for the next pair.
        journal.append({"kind": "events", "t": now, "events": ends}, durable=False)
    journal.close()


if __name__ == "__main__":
    main()
