"""What a container runs: the job, without anything of the caller's environment, and what is said when that fails."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path

from hpoctl.launchers import unpack
from hpoctl.ops.running.job import RUNNER
from hpoctl_sagemaker import container


def _machine(tmp_path: Path, lock: str, runner: Sequence[str], setup: Mapping[str, object]) -> tuple[Path, Path]:
    machine, bundle = tmp_path / "ml", tmp_path / "ml" / "input" / "data" / "hpoctl"
    (machine / "input" / "config").mkdir(parents=True)
    (bundle / "wheels").mkdir(parents=True)
    (bundle / "requirements.txt").write_text(lock)
    (machine / "input" / "config" / "hyperparameters.json").write_text(
        json.dumps({"runner": json.dumps(runner), "setup": json.dumps(setup)})
    )
    (bundle / "entry.py").write_bytes(Path(container.__file__).read_bytes())
    (bundle / "unpack.py").write_bytes(Path(unpack.__file__).read_bytes())
    return machine, bundle


def _run(bundle: Path) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1"}
    return subprocess.run([sys.executable, str(bundle / "entry.py")], env=environment, capture_output=True, check=False)


def test_container_says_why_the_job_cannot_run(tmp_path: Path) -> None:
    lock = f"numpy=={distribution('numpy').version}\n"
    setup = {"results": str(tmp_path / "results"), "tag": "docs", "name": "docs-1"}
    machine, bundle = _machine(tmp_path, lock, RUNNER, setup)
    done = _run(bundle)
    assert done.returncode == 3
    assert "There is no job docs-1 of tag docs" in (machine / "output" / "failure").read_text()
    assert "There is no job docs-1 of tag docs" in (machine / "checkpoints" / "log.txt").read_text()
    assert b"There is no job docs-1 of tag docs" in done.stdout


def test_container_says_what_pip_cannot_install(tmp_path: Path) -> None:
    machine, bundle = _machine(tmp_path, "no-such-library==1.0\n", RUNNER, {})
    assert _run(bundle).returncode == 1
    assert "pip cannot install what the job needs" in (machine / "output" / "failure").read_text()
    assert "no-such-library==1.0" in (machine / "checkpoints" / "log.txt").read_text()


def test_reason_of_a_failure() -> None:
    assert container.reason(b"") == "it said nothing"
    assert container.reason(b"one\ntwo\n") == "two"
    assert container.reason(b"12:00:00 error: no room\n12:00:01 bye\n") == "12:00:00 error: no room"
    assert len(container.reason(b"x" * 5000)) == 1024
