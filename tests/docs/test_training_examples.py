"""The examples that train: each is a script, a benchmark file and a page, and each can be tuned."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from hpoctl.ops.running.check_benchmark import CheckRequest, check_benchmark
from hpoctl.ops.studies.benchmark_files import load_benchmark
from syne_tune_stand_in import place_of_syne_tune

EXAMPLES = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/benchmark.toml"))


def prepared(name: str, tmp_path: Path) -> Path:
    """A copy of an example, ready to train; skips it, with a reason, where its requirements are missing."""
    for needed, package in (("boosting", "sklearn"), ("digits-network", "sklearn"), ("pytorch", "torch")):
        if name == needed and importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    folder = tmp_path / name
    shutil.copytree(EXAMPLES / name, folder, ignore=shutil.ignore_patterns("train", "__pycache__"))
    if name == "c":
        if shutil.which("cc") is None or shutil.which("make") is None:
            pytest.skip("there is no C compiler")
        subprocess.run(["make", "-s"], cwd=folder, check=True)
    return folder


@pytest.fixture
def syne_tune(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Syne Tune where it is installed, a stand-in elsewhere."""
    place = str(place_of_syne_tune(tmp_path / "stand-in"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([place, *filter(None, [os.environ.get("PYTHONPATH")])]))


def test_there_are_as_many_as_the_pages_say() -> None:
    assert NAMES == ["boosting", "c", "digits-network", "pytorch", "shell", "syne-tune"]
    for name in NAMES:
        page = (EXAMPLES / name / "README.md").read_text(encoding="utf-8")
        assert page.startswith("# ")
        assert "hpoctl run" in page


@pytest.mark.usefixtures("syne_tune")
@pytest.mark.parametrize("name", NAMES)
def test_an_example_can_be_tuned(name: str, tmp_path: Path) -> None:
    folder = prepared(name, tmp_path)
    benchmark = load_benchmark(folder / "benchmark.toml")
    work = tmp_path / "work"
    work.mkdir()
    findings = list(check_benchmark(benchmark, CheckRequest(), work))
    assert [finding for finding in findings if finding.verdict != "ok"] == []
    subjects = {finding.subject for finding in findings if not finding.subject.startswith("backends.")}
    assert subjects == {"script", "reports", "time", "resume", "pause"}


def test_the_digits_network_computes_its_gradients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against finite differences, in double precision."""
    import numpy as np

    folder = prepared("digits-network", tmp_path)
    spec = importlib.util.spec_from_file_location("digits_network", folder / "train.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "digits_network", module)
    spec.loader.exec_module(module)
    rng = np.random.default_rng(0)
    sizes = (5, 4, 4, 3)
    weights = []
    for below, above in pairwise(sizes):
        weights += [rng.normal(size=(below, above)), rng.normal(size=above)]
    inputs, labels = rng.normal(size=(7, 5)), rng.integers(0, 3, 7)

    def loss() -> float:
        return float(-module.forward(weights, inputs)[-1][np.arange(7), labels].mean())

    step = 1e-6
    for weight, gradient in zip(weights, module.gradients(weights, inputs, labels), strict=True):
        for place in np.ndindex(weight.shape):
            kept = weight[place]
            weight[place] = kept + step
            above_loss = loss()
            weight[place] = kept - step
            slope = (above_loss - loss()) / (2 * step)
            weight[place] = kept
            assert gradient[place] == pytest.approx(slope, abs=1e-7)


def test_the_digits_network_reports_again_what_it_had_saved_and_not_reported(tmp_path: Path) -> None:
    folder = prepared("digits-network", tmp_path)

    def trained(epochs: int, known: int) -> list[dict[str, float]]:
        """What it reports when it trains up to some epoch, after one that is known."""
        reports = tmp_path / f"{epochs}-{known}"
        variables = {"HPOCTL_CHECKPOINT_DIR": str(tmp_path), "HPOCTL_RESUME_FROM": str(known)}
        subprocess.run(
            [sys.executable, "train.py", "--epochs", str(epochs), "--units", "8"],
            cwd=folder,
            env={**os.environ, **variables, "HPOCTL_REPORTS": str(reports)},
            check=True,
        )
        return [json.loads(line) for line in reports.read_text().splitlines()]

    first = trained(2, 0)
    again = trained(3, 1)  # as if it had been killed before it reported epoch 2
    assert [row["epoch"] for row in again] == [2, 3]
    assert (again[0]["loss"], again[0]["accuracy"]) == (first[1]["loss"], first[1]["accuracy"])
    assert [row["epoch"] for row in trained(4, 3)] == [4]
