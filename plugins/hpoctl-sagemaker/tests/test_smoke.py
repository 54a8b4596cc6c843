"""A small training job, and a trial, on a real AWS account: never in CI, costs a few cents.

    export HPOCTL_SMOKE_SAGEMAKER_ROLE=arn:aws:iam::ACCOUNT:role/NAME
    python -m pytest plugins/hpoctl-sagemaker/tests/test_smoke.py

Credentials and region are those of the environment. `HPOCTL_SMOKE_S3` names another root than the default bucket.
"""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hpoctl.stores.opening import open_results

ROLE = os.environ.get("HPOCTL_SMOKE_SAGEMAKER_ROLE")


@pytest.mark.skipif(not ROLE, reason="HPOCTL_SMOKE_SAGEMAKER_ROLE is not set: nothing is run on AWS")
@pytest.mark.timeout(3600)
def test_one_job_on_aws() -> None:
    tag, root = f"smoke-{uuid.uuid4().hex[:8]}", os.environ.get("HPOCTL_SMOKE_S3", "s3://")
    words = ["--study", "activations", "--method", "RS", "--benchmark", "fcnet-protein", "--num-seeds", "1"]
    words += ["--tag", tag, "--max-num-evaluations", "20", "--on", "sagemaker", "--results", root]
    words += ["--launcher-option", f"role={ROLE}", "--launcher-option", "max_run=1800"]
    done = subprocess.run([sys.executable, "-m", "hpoctl", "launch", *words], check=False)
    assert done.returncode == 0
    open_results(root).store.delete(tag)


BENCHMARK = """
script = "train.py"
metric = "loss"
resource_attr = "epoch"
max_resource_attr = "epochs"
checkpoints = true
max_wallclock_time = 3000
[space]
x = { type = "uniform", lower = 0.0, upper = 1.0 }
epochs = 2
"""
TRAIN = """
import sys
import hpoctl
for epoch in (1, 2):
    hpoctl.report(epoch=epoch, loss=float(sys.argv[2]) / epoch)
"""


@pytest.mark.skipif(not ROLE, reason="HPOCTL_SMOKE_SAGEMAKER_ROLE is not set: nothing is run on AWS")
@pytest.mark.timeout(3600)
def test_one_trial_on_aws(tmp_path: Path) -> None:
    (tmp_path / "benchmark.toml").write_text(BENCHMARK)
    (tmp_path / "train.py").write_text(TRAIN)
    words = ["--method", "RS", "--benchmark", "benchmark.toml", "--tag", "smoke", "--max-num-trials", "1"]
    words += ["--results", str(tmp_path / "results"), "--backend", "sagemaker", "--backend-option", f"role={ROLE}"]
    words += ["--backend-option", f"s3={os.environ.get('HPOCTL_SMOKE_S3', 's3://')}"]
    done = subprocess.run([sys.executable, "-m", "hpoctl", "run", *words], cwd=tmp_path, check=False)
    assert done.returncode == 0
    (trials,) = (tmp_path / "results").rglob("trials.parquet")
    (start,) = pq.read_table(trials).to_pylist()
    assert (start["outcome"], start["resource_to"]) == ("Completed", 2)
    assert start["billed_seconds"] > 0
