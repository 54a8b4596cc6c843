"""The tutorial "Tune your own script" works as it is written."""

import re
import tomllib
from pathlib import Path

from hpoctl.ops.running.check_benchmark import CheckRequest, check_benchmark
from hpoctl.ops.studies.benchmark_files import load_benchmark
from hpoctl.ops.studies.new_benchmark import new_benchmark

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "tune-your-script.md"


def test_the_script_of_the_tutorial_becomes_its_benchmark_file_and_can_be_tuned(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    script, reporting = re.findall(r"^```py\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (shown,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    printing = script.splitlines()[-1]
    assert "print" in printing
    path = tmp_path / "own" / "train.py"
    path.parent.mkdir()
    path.write_text(script.replace(f"{printing}\n", reporting))
    made = new_benchmark(path, None)
    assert made.notes == ()
    assert [line for line in made.text.splitlines() if not line.startswith("#")] == shown.splitlines()
    made.path.write_text(made.text)
    assert tomllib.loads(made.text)["n_workers"] == 1
    work = tmp_path / "work"
    work.mkdir()
    findings = list(check_benchmark(load_benchmark(made.path), CheckRequest(), work))
    assert [finding for finding in findings if finding.verdict != "ok"] == []
    assert "it starts over (epoch 1), as checkpoints = false says" in [finding.text for finding in findings]
