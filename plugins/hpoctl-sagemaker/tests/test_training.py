"""Training scripts inside a job of SageMaker, with the local backend on the machine of the job; and the smoke test."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

import lost_jobs
import travelling_script
from hpoctl.core.cells import WORK
from hpoctl.stores.folder_copies import fetch
from hpoctl.stores.ledger import read_attempts
from hpoctl.stores.opening import open_results
from sagemaker_model import ROLE, environment_of, running
from services.seaweedfs import BUCKET, Server


@pytest.mark.timeout(600)
@pytest.mark.parametrize("backend", ["local", "sagemaker"])
def test_a_script_is_tuned_inside_a_job(
    seaweedfs: Server, s3_root: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    """Trials run in the job, or are further jobs that it starts."""
    with running(seaweedfs.environment, policy="launch trials" if backend == "sagemaker" else "launch") as model:
        for name, value in environment_of(model).items():
            monkeypatch.setenv(name, value)
        model.environment.update(environment_of(model))  # the role of a job may do what the person may
        environment = {**os.environ, "HPOCTL_PLUGINS": "sagemaker", "HPOCTL_DATA": str(tmp_path / "data")}
        words = ["--on", "sagemaker", "--results", s3_root]
        for option in (f"role={ROLE}", "image=python", "poll_interval=0.5"):
            words += ["--launcher-option", option]
        if backend == "sagemaker":
            words += ["--backend", backend]
            for option in (f"role={ROLE}", "image=python", f"s3={s3_root}-trials", "poll_interval=0.5"):
                words += ["--backend-option", option]
        answer = travelling_script.launch(tmp_path, words, environment, lambda: bool(model.created))
        trials = [job for job in model.jobs.values() if "HPOCTL_TRIAL" in job.request["Environment"]]
    assert len(trials) == (3 if backend == "sagemaker" else 0)
    travelling_script.check(open_results(s3_root).store, answer, by_a_copy=True)


@pytest.mark.timeout(600)
def test_the_smoke_test_of_jobs_and_of_trials(seaweedfs: Server, s3_root: str, tmp_path: Path) -> None:
    common = {"role": ROLE, "image": "python", "poll_interval": "0.3"}
    trials = {**common, "s3": f"s3://{BUCKET}/{uuid.uuid4().hex}", "upload_interval": "0.2"}
    words = ["doctor", "--smoke", "--results", s3_root, "--json", "--on", "sagemaker", "--backend", "sagemaker"]
    words += [word for name, value in common.items() for word in ("--launcher-option", f"{name}={value}")]
    words += [word for name, value in trials.items() for word in ("--backend-option", f"{name}={value}")]
    with running(seaweedfs.environment, policy="launch trials") as model:
        environment = {**os.environ, **environment_of(model), "HPOCTL_PLUGINS": "sagemaker"}
        environment["HPOCTL_DATA"] = str(tmp_path / "data")
        done = subprocess.run(
            [sys.executable, "-m", "hpoctl", *words], cwd=tmp_path, env=environment, capture_output=True, check=False
        )
        assert all(job.ended.is_set() for job in model.jobs.values())
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    findings = json.loads(done.stdout)["data"]["findings"]
    remedies = [finding["remedy"] for finding in findings if finding["subject"].endswith("on sagemaker")]
    assert [text.partition(".trials/")[0] for text in remedies if text] == [f"aws s3 rm --recursive {trials['s3']}/"]
    found = {finding["subject"]: finding["verdict"] for finding in findings if not finding["text"].startswith("files")}
    assert "trials on SageMaker" not in found  # which says that nothing was looked at
    for subject in ("job on sagemaker", "trials on sagemaker"):
        assert [found.get(f"{subject}{what}") for what in ("", ": pause", ": resume")] == ["ok"] * 3
    assert {name.partition("/")[0] for name in open_results(s3_root).store.list("")} <= {".bundles"}


@pytest.mark.timeout(600)
def test_a_lost_job_is_continued_by_the_next_launch(seaweedfs: Server, s3_root: str, tmp_path: Path) -> None:
    store = open_results(s3_root).store

    def copied() -> Path:
        for attempt in read_attempts(store, lost_jobs.TAG):
            fetch(store, f"{WORK}/{attempt.directory}", tmp_path / "copy")
        return tmp_path / "copy"

    with running(seaweedfs.environment) as model:
        environment = {**os.environ, **environment_of(model), "HPOCTL_PLUGINS": "sagemaker"}
        environment["HPOCTL_DATA"] = str(tmp_path / "data")
        words = ["--on", "sagemaker", "--results", s3_root]
        for option in (f"role={ROLE}", "image=python", "poll_interval=0.5"):
            words += ["--launcher-option", option]
        code, printed = lost_jobs.lose(tmp_path, words, environment, copied, lambda: model.kill(model.created[0]))
        assert code == 1, printed
        # The lease of the job that was lost is over at once, as its process was one of this machine. On AWS the next
        # launch finds it held for up to two minutes.
        code, printed = lost_jobs.launch_again(tmp_path, words, environment)
        assert code == 0, printed
        assert len(model.created) == 2
    lost_jobs.check(store)
