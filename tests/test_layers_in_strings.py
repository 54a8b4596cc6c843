"""No string names a module of a higher layer: a command in words is no way around the import contracts."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULE = re.compile(r"\bhpoctl\.(\w+)\b")


def levels() -> dict[str, int]:
    """The height of each package of hpoctl, as the import contract of the layers says it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (contract,) = (found for found in contracts if found.get("containers") == ["hpoctl"])
    lines = list(reversed(contract["layers"]))
    return {name.strip(): height for height, line in enumerate(lines) for name in line.split("|")}


def named_packages(source: str) -> Iterator[str]:
    """The packages of hpoctl that the strings of a module name, docstrings left out."""
    tree = ast.parse(source)
    prose = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from MODULE.findall(node.value)


def higher(source: str, height: int) -> set[str]:
    """The packages above a height that the strings of a module name."""
    known = levels()
    return {name for name in named_packages(source) if known.get(name, -1) > height}


@pytest.mark.parametrize("package", sorted(levels()))
def test_strings_name_no_higher_layer(package: str) -> None:
    place = ROOT / "src" / "hpoctl" / package
    files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    assert files
    wrong = {str(file.relative_to(ROOT)): higher(file.read_text(), levels()[package]) for file in files}
    assert not {file: names for file, names in wrong.items() if names}


def test_strings_of_plugins_name_nothing_above_the_launchers() -> None:
    files = sorted((ROOT / "plugins").glob("*/src/*/*.py"))
    assert files
    wrong = {str(file.relative_to(ROOT)): higher(file.read_text(), levels()["launchers"]) for file in files}
    assert not {file: names for file, names in wrong.items() if names}


def test_a_command_with_a_higher_module_is_found() -> None:
    source = '"""Starts `hpoctl.ops.running.job`."""\nWORDS = ["python", "-m", "hpoctl.ops.running.job"]\n'
    assert higher(source, levels()["launchers"]) == {"ops"}
    assert not higher(source, levels()["ops"])
    assert not higher('"""Starts `hpoctl.ops.running.job`."""\n', 0)
