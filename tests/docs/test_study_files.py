"""The study files and configurations that the pages show are what hpoctl reads."""

import re
import tomllib
from pathlib import Path

import pytest

from hpoctl.ops.studies.choose_study import load_study
from hpoctl.ops.studies.config import read_config

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str) -> list[str]:
    return BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", ["how-to/write-a-study-file.md", "reference/study-file.md"])
def test_study_files_on_the_pages_can_be_read(page: str, tmp_path: Path) -> None:
    text = blocks(page)[0]
    path = tmp_path / "study.toml"
    path.write_text(text)
    study = load_study(path)
    assert set(tomllib.loads(text)) >= {"methods", "benchmarks", "settings", "fixed"}
    assert study.fixed


def test_both_forms_of_the_configuration_say_the_same(tmp_path: Path) -> None:
    _, own, project = blocks("how-to/write-a-study-file.md")
    (tmp_path / "hpoctl.toml").write_text(own)
    first = read_config(tmp_path)
    (tmp_path / "hpoctl.toml").unlink()
    (tmp_path / "pyproject.toml").write_text(project)
    second = read_config(tmp_path)
    assert (first.study, first.results) == (second.study, second.results) == ("study.toml", str(tmp_path / "results"))
