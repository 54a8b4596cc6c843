"""Which study is meant: by name, by file, or by default."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hpoctl.core.errors import UsageError
from hpoctl.core.study import Study
from hpoctl.ops.studies.choose_study import default_study, find_study, study_toml
from hpoctl.ops.studies.config import Config, read_config
from hpoctl.plugins import Registry, hookimpl, load_registry

DIG = Study("dig", "Where to dig?", ("RS",), ("toy",))
SOW = replace(DIG, name="sow")


class Garden:
    """A plugin with some studies."""

    def __init__(self, *studies: Study) -> None:
        self.studies = studies

    @hookimpl
    def hpoctl_studies(self) -> tuple[Study, ...]:
        return self.studies


class Weeds:
    """A plugin that fails."""

    @hookimpl
    def hpoctl_studies(self) -> tuple[Study, ...]:
        raise RuntimeError("overgrown")


def registry(*studies: Study) -> Registry:
    return load_registry([Garden(*studies)], [])


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(study: Study, name: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(study_toml(study))
        return path

    return write


def test_a_study_by_its_name(tmp_path: Path) -> None:
    assert find_study("dig", registry(DIG, SOW), tmp_path) == (DIG, "dig")


@pytest.mark.parametrize("name", ["my.toml", "./my.toml", "in/my.toml", "in/my.study"])
def test_a_study_by_its_file(tmp_path: Path, write: Callable[..., Path], name: str) -> None:
    path = write(DIG, name)
    assert find_study(name, registry(), tmp_path) == (DIG, str(path.resolve()))
    assert find_study(str(path), registry(), tmp_path / "elsewhere") == (DIG, str(path.resolve()))


def test_a_path_is_named_as_it_was_typed_where_it_is_relative_to_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[..., Path]
) -> None:
    monkeypatch.chdir(tmp_path)
    path = write(DIG, "my.toml")
    study, source = find_study("my.toml", registry(), Path())
    assert (study, source) == (DIG, str(path))
    assert Path(source).is_absolute()
    with pytest.raises(UsageError, match=re.escape("There is no study file your.toml.")):
        find_study("your.toml", registry(), Path())


def test_a_name_is_never_a_file_but_its_file_is_pointed_out(tmp_path: Path, write: Callable[..., Path]) -> None:
    write(SOW, "dig.toml")
    assert find_study("dig", registry(DIG), tmp_path) == (DIG, "dig")
    with pytest.raises(UsageError, match=re.escape("No study 'dig' is registered. Did you mean the file dig.toml?")):
        find_study("dig", registry(SOW), tmp_path)


@pytest.mark.parametrize("name", ["digg", "x" * 300, "nul\0", "", "..", "*"])
def test_an_unknown_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_study(name, registry(DIG), tmp_path)
    assert caught.value.what == f"Unknown study {name!r}."
    assert ("Did you mean dig?" in caught.value.fix) == (name == "digg")


def test_the_study_of_the_configuration_comes_first(tmp_path: Path, write: Callable[..., Path]) -> None:
    default = replace(DIG, default=True)
    assert default_study(registry(default, SOW), Config(study="sow"), tmp_path) == (SOW, "sow")
    path = write(SOW, "studies/mine.toml")
    (tmp_path / "hpoctl.toml").write_text('study = "studies/mine.toml"\n')
    assert default_study(registry(default), read_config(tmp_path), tmp_path) == (SOW, str(path.resolve()))


def test_an_error_in_the_study_of_the_configuration_names_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "hpoctl.toml").write_text('study = "digg"\n')
    with pytest.raises(UsageError) as caught:
        default_study(registry(DIG), read_config(tmp_path), tmp_path)
    assert caught.value.what == f"The study of {tmp_path / 'hpoctl.toml'}: Unknown study 'digg'."
    assert "Did you mean dig?" in caught.value.fix


def test_the_only_study_is_the_default_and_else_the_only_one_that_says_so(tmp_path: Path) -> None:
    default = replace(SOW, default=True)
    assert default_study(registry(DIG), Config(), tmp_path) == (DIG, "dig")
    assert default_study(registry(DIG, default), Config(), tmp_path) == (default, "sow")


def test_with_several_studies_one_has_to_be_named(tmp_path: Path) -> None:
    message = "There are several studies: dig, sow. Name one with --study, or set study in hpoctl.toml."
    for studies in ([DIG, SOW], [replace(DIG, default=True), replace(SOW, default=True)]):
        with pytest.raises(UsageError) as caught:
            default_study(registry(*studies), Config(), tmp_path)
        assert str(caught.value) == message


def test_without_studies_it_is_said_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        default_study(registry(), Config(), tmp_path)
    assert caught.value.what == "No study is registered."
    for way in ("a plugin with a study", "--study FILE.toml"):
        assert way in caught.value.fix
    assert "failed" not in caught.value.fix
    with pytest.raises(UsageError, match="A plugin has failed: `hpoctl plugins` says why"):
        default_study(load_registry([Weeds()], []), Config(), tmp_path)
