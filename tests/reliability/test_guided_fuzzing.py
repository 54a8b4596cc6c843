"""Readers of bytes under a fuzzer that is guided by the code it reaches; see `guided_fuzzing`."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from toy_studies import FIGURES, lane

pytest.importorskip("atheris", reason="atheris is not installed")

SCRIPT = Path(__file__).with_name("guided_fuzzing.py")
SECONDS = int(os.environ.get("HPOCTL_GUIDED_SECONDS", lane(10, 600)))


@pytest.mark.timeout(SECONDS + 300)
def test_readers_refuse_whatever_they_cannot_read(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    words = [sys.executable, str(SCRIPT), str(SECONDS), str(tmp_path / "corpus")]
    path = os.pathsep.join([str(SCRIPT.parents[1]), *sys.path])
    done = subprocess.run(words, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    runs = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    assert runs, done.stderr[-4000:]
    record_property(FIGURES, f"{int(runs[1]):,} inputs of readers in {SECONDS} s")
    assert int(runs[1]) > 100
