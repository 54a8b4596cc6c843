"""Forty trials as training jobs on the model of SageMaker, with everything that may go wrong on the way.

A quota of four machines on spot capacity, two interruptions, one start that is refused, jobs that take five seconds to
stop after their script has ended, and a controller that is killed and started again. Every epoch of every trial has to
be in the results once, every start has to be one training job, and `trials.parquet` has to say to the second what
SageMaker bills. The S3 is SeaweedFS; SageMaker is a model of it.

    python benchmarks/sagemaker_trials.py [--trials 40]
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

from sagemaker_model import environment_of, running
from services import seaweedfs
from trial_rehearsal import PRICE, rehearse


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=40)
    trials = parser.parse_args().trials
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sagemaker-trials-") as text:
        folder = Path(text)
        with (
            seaweedfs.running(folder / "seaweedfs") as server,
            running(server.environment, quota=4, policy="trials") as model,
        ):
            os.environ.update(environment_of(model))
            model.stop_delay = 5.0
            s3 = f"s3://{seaweedfs.BUCKET}/{uuid.uuid4().hex}"
            found = rehearse(model, folder, s3, trials, kill_after=trials)
    outcomes = Counter(row["outcome"] for row in found.starts)
    table = found.table
    billed = sum(sum(each) for each in found.billed.values())
    seconds = {key: value for key, (value, _) in table.items()}
    cost = sum(cost for _, cost in table.values())
    doubled = sum(count - 1 for count in found.rows.values())
    twice = len(found.jobs) - len({job.request["Environment"]["HPOCTL_TRIAL"] for job in found.jobs})
    print("said by the second controller:")
    print("\n".join(f"  {line}" for line in found.said.splitlines() if "wait" in line or "continue" in line)[:1500])
    print(f"took {time.monotonic() - began:.0f} s; calls: {found.calls}")
    print(f"controller killed: {found.first}; spot interruptions: {found.interruptions}; exit code {found.code}")
    print(f"{len({trial for trial, _ in found.rows})} trials, {len(found.rows)} epochs, {doubled} doubled, ", end="")
    print(f"{len(found.missing)} missing")
    print(f"starts: {len(found.starts)}, {dict(outcomes)}; training jobs: {len(found.jobs)}, {twice} of them twice")
    print(f"starts without a job: {sum(value == 0 for value in seconds.values())}")
    print(f"billed: {billed:g} s by the model, {sum(seconds.values()):g} s in trials.parquet; ", end="")
    print(f"trials that differ: {sum(found.told.get(key) != value for key, value in found.billed.items())}; ", end="")
    print(f"cost {cost:.6f}")
    good = (
        found.first == -9
        and found.code == 0
        and found.interruptions == 2
        and len({trial for trial, _ in found.rows}) == trials
        and doubled == 0
        and not found.missing
        and twice == 0
        and found.told == found.billed
        and len(seconds) == len(found.starts)
        and outcomes["Failed"] == 1
        and abs(cost - billed * PRICE / 3600.0) < 1e-9
    )
    print("all as it should be" if good else "NOT as it should be")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
