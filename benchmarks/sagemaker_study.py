"""The reference study's plan of 84 jobs on the model of SageMaker, with everything that may go wrong on the way.

A quota of 8 machines, shortened experiments, three that fail as planned, spot capacity that is taken away once, and a
launch that is killed in the middle. After a second launch everything has to be complete, no job submitted twice, and
the results on S3 byte-identical to those of the local launcher. The S3 is SeaweedFS; SageMaker is a model of it.

    python benchmarks/sagemaker_study.py [--seconds 150]
"""

import argparse
import os
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(CHECKOUT / "tests"), str(CHECKOUT / "plugins" / "hpoctl-sagemaker" / "tests")]

from hpoctl.core.cells import Cell
from sagemaker_model import environment_of, running
from sagemaker_rehearsal import TAG, rehearse
from services import seaweedfs

STUDY = """
methods = ["RS", "BO", "ASHA", "MOBSTER", "ASHA-TANH", "MOBSTER-TANH", "ASHA-RELU", "MOBSTER-RELU"]
benchmarks = ["fcnet-protein", "fcnet-naval", "fcnet-parkinsons", "fcnet-slice"]
num_seeds = 20
extra_results = ["rung-levels", "trip-wire"]
max_wallclock_time = {seconds}
"""
FAILING = [Cell("RS", "fcnet-naval", 5), Cell("BO", "fcnet-naval", 2), Cell("MOBSTER", "fcnet-naval", 3)]
"""Of the first 40 jobs, on a set that is quick: others have no reports within a short budget."""

HELD = Cell("BO", "fcnet-naval", 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=150.0, help="the budget of each experiment, simulated")
    seconds = parser.parse_args().seconds
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sagemaker-study-") as text:
        folder = Path(text)
        with seaweedfs.running(folder / "seaweedfs") as server, running(server.environment, quota=8, page=25) as model:
            os.environ.update(environment_of(model))
            root = f"s3://{seaweedfs.BUCKET}/{uuid.uuid4().hex}"
            study = STUDY.format(seconds=seconds)
            found = rehearse(model, folder, root, study, "fcnet,activations", FAILING, HELD, kill_after=40)
            calls = dict(model.calls)
    print(found.second[1][-2000:])
    recorded = found.recorded()
    planned = {
        cell: {"completed": 1, **({"failed": 1} if cell in FAILING else {"interrupted": 1} if cell == HELD else {})}
        for cell in found.results_here
    }
    different = [cell for cell in found.results_here if found.results.get(cell) != found.results_here[cell]]
    twice = {name for name in found.created if found.created.count(name) > 1}
    print(f"took {time.monotonic() - began:.0f} s; tag {TAG}; calls {calls}")
    print(f"first launch: killed ({found.first}) after {found.before} training jobs; spot restarts: {found.restarts}")
    print(f"second launch: exit code {found.second[0]}; training jobs in all: {len(found.created)}")
    print(f"jobs submitted twice: {len(twice)}")
    print(f"complete: {len(found.results)} on S3, {len(found.results_here)} here; different bytes: {len(different)}")
    print(f"endings of attempts: {dict(sum(recorded.values(), Counter()))}; as planned: {recorded == planned}")
    good = (
        found.second[0] == 0
        and found.first == -9
        and found.restarts == 1
        and not twice
        and not different
        and len(found.results) == 640
        and recorded == planned
        and len(found.created) == 84 + len(FAILING)
    )
    print("all as it should be" if good else "NOT as it should be")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
