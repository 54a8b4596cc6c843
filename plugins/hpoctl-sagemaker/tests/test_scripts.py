"""What a container needs of the image and of the benchmark file, on the model: hpoctl is not installed there."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from hpoctl.stores.opening import open_results
from hpoctl.testing.trials import levels, to_the_end
from sagemaker_model import ROLE, SagemakerModel
from services.seaweedfs import BUCKET
from syne_tune_stand_in import place_of_syne_tune
from trial_jobs import backend

EXAMPLE = Path(__file__).parents[3] / "examples" / "syne-tune"
TABLE = f"""
[backends.sagemaker]
role = "{ROLE}"
image = "the-benchmark's"
instance_type = "ml.m5.xlarge"
requirements = "needs/all.txt"
poll_interval = 0.2
upload_interval = 0.2
"""


@pytest.mark.timeout(600)
def test_a_script_for_syne_tune_with_options_of_its_benchmark_file(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    """The example as it is, from another folder, with Syne Tune's Reporter where Syne Tune is installed."""
    sagemaker.environment["PYTHONPATH"] = str(place_of_syne_tune(tmp_path / "stand-in"))
    shutil.copytree(EXAMPLE, tmp_path / "script")
    file = tmp_path / "script" / "benchmark.toml"
    file.write_text(file.read_text() + TABLE)
    (tmp_path / "script" / "needs").mkdir()
    (tmp_path / "script" / "needs" / "all.txt").write_text("numpy  # is there\n")
    words = ["launch", "--method", "RS", "--benchmark", "script/benchmark.toml", "--num-seeds", "1", "--tag", "t"]
    words += ["--max-num-trials", "1", "--max-wallclock-time", "600"]
    words += ["--results", str(tmp_path / "results"), "--backend", "sagemaker"]
    trials = f"s3://{BUCKET}/{uuid.uuid4().hex}"
    words += ["--backend-option", f"s3={trials}"]
    words += ["--backend-option", "instance_type=ml.c5.xlarge", "--json"]
    environment = {**os.environ, "HPOCTL_PLUGINS": "sagemaker"}
    done = subprocess.run(
        [sys.executable, "-m", "hpoctl", *words], cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert json.loads(done.stdout)["status"] == "success", done.stdout + done.stderr
    (job,) = sagemaker.jobs.values()
    assert (job.request["RoleArn"], job.request["AlgorithmSpecification"]["TrainingImage"]) == (ROLE, "the-benchmark's")
    assert job.request["ResourceConfig"]["InstanceType"] == "ml.c5.xlarge"  # the command line goes before the file
    assert "Requirement already satisfied: numpy" in job.log.read_text()
    (results,) = (tmp_path / "results").rglob("results.parquet")
    rows = pq.read_table(results).to_pydict()
    assert rows["epoch"] == list(range(1, 28))
    assert rows["mean_loss"] == sorted(rows["mean_loss"], reverse=True)
    words = ["clean", "--tag", "t", "--yes", "--results", str(tmp_path / "results")]
    cleaned = subprocess.run(
        [sys.executable, "-m", "hpoctl", *words], env=environment, capture_output=True, text=True, check=True
    )
    (kept,) = {name.split("/")[1] for name in open_results(trials).store.list(".trials")}
    assert f"aws s3 rm --recursive {trials}/.trials/{kept}/" in cleaned.stdout + cleaned.stderr


BARE = """
import hpoctl
for epoch in range(load() + 1, epochs + 1):
    hpoctl.report(epoch=epoch, loss=1 / epoch)
    print('[tune-metric]: {"note": "printed", "after": %d}' % epoch, flush=True)
"""


@pytest.mark.timeout(600)
def test_reports_need_nothing_but_python(sagemaker: SagemakerModel, tmp_path: Path) -> None:
    """In a Python without a single library, without boto3 too: reports travel with the log."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    sagemaker.environment["PATH"] = f"{tmp_path / 'bare' / 'bin'}:{os.environ['PATH']}"
    made = backend(tmp_path / "trials", BARE)
    made.recover([], 0.0)
    made.start(0, {"lr": 0.1, "epochs": 3}, resume_from=None, until=None)
    found = to_the_end(made)
    made.close()
    assert levels(found) == [1, 2, 3]
    (job,) = sagemaker.jobs.values()
    assert "no reports to S3: No module named 'boto3'" in job.log.read_text()
