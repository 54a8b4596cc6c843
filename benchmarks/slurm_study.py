"""The plan of the reference study on a real Slurm, with failures, and what a job costs there beyond its work.

    python benchmarks/slurm_study.py [--seeds 20] [--budget 60] [--jobs 50]

As root, with Slurm installed: a cluster of three nodes on this machine is started and ended. First the 8 methods on 4
benchmarks, in 84 jobs with short budgets: three experiments fail, an element is queued again, the launch is killed, a
second one has to complete everything, with the same results as the local launcher, and no job submitted twice. Then
jobs of one toy experiment each: the wall time that each costs more than on the local launcher.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from hpoctl.core.cells import Cell
from services.slurm import Slurm, running, why_not
from slurm_studies import Plan, Study

METHODS = ("RS", "BO", "ASHA", "MOBSTER", "ASHA-TANH", "MOBSTER-TANH", "ASHA-RELU", "MOBSTER-RELU")
BENCHMARKS = ("fcnet-protein", "fcnet-naval", "fcnet-parkinsons", "fcnet-slice")
OPTIONS = {"poll_interval": "1", "elements": "12"}


def table(**values: object) -> str:
    """A study file."""
    return "\n".join(f"{key} = {value!r}" for key, value in values.items()).replace("(", "[").replace(")", "]")


def reference(folder: Path, slurm: Slurm, seeds: int, budget: float) -> None:
    """The plan of the reference study, where everything goes wrong once."""
    text = table(
        summary="The reference study, shortened",
        methods=METHODS,
        benchmarks=BENCHMARKS,
        num_seeds=seeds,
        max_wallclock_time=budget,
        extra_results=("rung-levels", "trip-wire"),
    )
    fails = [Cell("MOBSTER", "fcnet-naval", 0), Cell("BO", "fcnet-slice", 1), Cell("MOBSTER-RELU", "fcnet-protein", 2)]
    study = Study(folder, slurm, Plan(text, fails, Cell("ASHA", "fcnet-protein", 0), options=OPTIONS))
    study.prepare()
    began = time.monotonic()
    here = study.launch("local")
    local = time.monotonic() - began
    study.launch_and_kill()
    killed_with = len(study.results("slurm"))
    began = time.monotonic()
    second = study.launch("slurm")
    seconds = time.monotonic() - began
    results, jobs = study.results("slurm"), study.submitted()
    print(f"local launcher: exit code {here.returncode}, {local:.0f} s")
    print(f"first launch on Slurm: killed with {killed_with} experiments complete")
    print(f"second launch: exit code {second.returncode}, {seconds:.0f} s, {len(results)} complete")
    print(f"same results and metadata as the local launcher: {results == study.results('local')}")
    print(f"jobs submitted: {len(jobs)}, twice: {len(jobs) - len(set(jobs))}, arrays: {slurm.submissions()}")
    print(f"attempts: {dict(study.recorded())}")


def overhead(folder: Path, slurm: Slurm, jobs: int) -> None:
    """Jobs of one toy experiment each: what they cost."""
    text = table(
        summary="One experiment a job",
        methods=("RS-EACH",),
        benchmarks=("toy-1",),
        num_seeds=jobs,
        extra_results=("trip-wire",),
    )
    for elements in (jobs, 6):
        (folder / str(elements)).mkdir()
        options = {"poll_interval": "1", "elements": str(elements)}
        study = Study(folder / str(elements), slurm, Plan(text, (), Cell("RS-EACH", "toy-1", 0), options=options))
        study.prepare()
        walls = {}
        for where in ("local", "slurm"):
            began = time.monotonic()
            study.launch(where)
            walls[where] = time.monotonic() - began
        each = (walls["slurm"] - walls["local"]) / jobs
        same = study.results("slurm") == study.results("local")
        print(
            f"{jobs} jobs in {elements} elements: {walls['slurm']:.1f} s, local launcher {walls['local']:.1f} s;",
            end=" ",
        )
        print(f"{each:.2f} s a job beyond its work; {len(study.results('slurm'))} complete, same results: {same}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--budget", type=float, default=60.0)
    parser.add_argument("--jobs", type=int, default=50)
    arguments = parser.parse_args()
    if reason := why_not():
        sys.exit(reason)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="slurm-study-") as name, running(Path(name) / "cluster") as slurm:
        os.environ.update(slurm.environment)
        for part in ("overhead", "study"):
            (Path(name) / part).mkdir()
        overhead(Path(name) / "overhead", slurm, arguments.jobs)
        reference(Path(name) / "study", slurm, arguments.seeds, arguments.budget)


if __name__ == "__main__":
    main()
