"""Studies that mix simulated experiments with some that train: here, and on Slurm with the GPUs of a job."""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

import lost_jobs
from hpoctl.core.cells import WORK, Cell
from hpoctl.stores.job_files import all_manifests
from hpoctl.stores.local import LocalStore
from services.slurm import Slurm
from slurm_studies import Plan, Study

STUDY = """
summary = "A table and a script"
methods = ["RS"]
benchmarks = ["toy-1", "own/benchmark.toml"]
num_seeds = 2
max_num_trials = 3
"""
TRAIN = """
import argparse, json, os, time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
args = parser.parse_args()
begin = time.time()
for epoch in range(1, args.epochs + 1):
    time.sleep(0.05)
    print("[tune-metric]: " + json.dumps({"epoch": epoch, "loss": args.lr / epoch}), flush=True)
seen = {"begin": begin, "end": time.time(), "seed": os.environ["HPOCTL_REPORTS"].split("own-")[1][0],
        "device": os.environ.get("CUDA_VISIBLE_DEVICES")}
with (Path(__file__).parent / "seen").open("a") as file:
    file.write(json.dumps(seen) + "\\n")
"""
BENCHMARK = """
name = "own"
script = "train.py"
metric = "loss"
mode = "min"
resource_attr = "epoch"
max_resource_attr = "epochs"
n_workers = 1
max_wallclock_time = 600
gpus = {gpus}
[space]
lr = {{ type = "loguniform", lower = 0.001, upper = 1.0 }}
epochs = 3
"""
NONE_HELD = Cell("RS", "toy-1", 0)


@dataclass(frozen=True)
class NoSlurm:
    """What a study that is launched here needs of Slurm."""

    environment: dict[str, str] = field(default_factory=dict)


def launched(study: Study, where: str, gpus: int, **environment: str) -> list[dict[str, Any]]:
    """Launch the study; returns what its trials have seen."""
    study.prepare()
    own = study.folder / "own"
    own.mkdir()
    (own / "train.py").write_text(TRAIN)
    (own / "benchmark.toml").write_text(BENCHMARK.format(gpus=gpus))
    done = subprocess.run(
        study.words(where),
        cwd=study.folder,
        env=study.environment | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    assert "4 of 4 experiments are complete" in done.stdout + done.stderr
    return [json.loads(line) for line in (own / "seen").read_text().splitlines()]


@pytest.mark.timeout(600)
def test_experiments_that_train_do_not_train_at_once(tmp_path: Path) -> None:
    study = Study(tmp_path, cast("Slurm", NoSlurm()), Plan(STUDY, (), NONE_HELD, words=("-j", "2")))
    seen = launched(study, "local", gpus=0)
    assert len(seen) == 2 * 3
    spans = []
    for seed in ("0", "1"):
        own = [one for one in seen if one["seed"] == seed]
        spans.append((min(one["begin"] for one in own), max(one["end"] for one in own)))
    (_, first_ends), (second_begins, _) = sorted(spans)
    assert first_ends <= second_begins


@pytest.mark.timeout(600)
def test_trials_on_slurm_get_the_gpus_of_their_job(slurm: Slurm, tmp_path: Path) -> None:
    study = Study(tmp_path, slurm, Plan(STUDY, (), NONE_HELD, options={"poll_interval": "0.2"}))
    seen = launched(study, "slurm", gpus=1, CUDA_VISIBLE_DEVICES="3,5")
    assert len(seen) == 2 * 3
    assert {one["device"] for one in seen} <= {"3", "5"}


@pytest.mark.timeout(600)
def test_a_lost_job_on_slurm_is_continued_by_the_next_launch(slurm: Slurm, tmp_path: Path) -> None:
    """The working folder lies beside the results, which all nodes see."""
    store = LocalStore(tmp_path / "there")
    environment = {**os.environ, **slurm.environment, "HPOCTL_DATA": str(tmp_path / "data"), "HPOCTL_PLUGINS": ""}
    words = ["--on", "slurm", "--results", "there", "--launcher-option", "poll_interval=0.2"]

    def kill() -> None:
        for manifest in all_manifests(store, lost_jobs.TAG):
            slurm.kill_job(manifest.job.name)

    code, printed = lost_jobs.lose(tmp_path, words, environment, lambda: store.root / WORK, kill)
    assert code == 1, printed
    code, printed = lost_jobs.launch_again(tmp_path, words, environment)
    assert code == 0, printed
    lost_jobs.check(store)
