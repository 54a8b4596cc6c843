"""Where results and what can be made again lie."""

from pathlib import Path
from typing import NoReturn

import pytest

from hpoctl.core.errors import UsageError
from hpoctl.core.places import cache_directory, data_directory, results_root
from hpoctl.stores.local import LocalStore

VARIABLES = ("HPOCTL_ROOT", "HPOCTL_CACHE", "XDG_CACHE_HOME", "HPOCTL_DATA", "XDG_DATA_HOME")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate home folder, and none of the variables."""
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_in_the_home_folder_unless_told(home: Path) -> None:
    assert results_root() == str(home / "hpoctl")
    assert cache_directory() == home / ".cache" / "hpoctl"
    assert data_directory() == home / ".local" / "share" / "hpoctl"


def test_where_the_variables_say(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPOCTL_ROOT", "~/elsewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert results_root() == str(home / "elsewhere")
    assert cache_directory() == Path("/var/cache/hpoctl")
    monkeypatch.setenv("HPOCTL_CACHE", "~/mine")
    assert cache_directory() == home / "mine"
    monkeypatch.setenv("XDG_DATA_HOME", "/var/data")
    assert data_directory() == Path("/var/data/hpoctl")
    monkeypatch.setenv("HPOCTL_DATA", "~/ours")
    assert data_directory() == home / "ours"


def test_an_empty_variable_is_none(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "")
    assert results_root() == str(home / "hpoctl")
    assert cache_directory() == home / ".cache" / "hpoctl"
    assert data_directory() == home / ".local" / "share" / "hpoctl"


def test_asking_makes_nothing(home: Path) -> None:
    results_root()
    cache_directory()
    data_directory()
    assert list(home.iterdir()) == []


def test_a_home_folder_that_is_not_known_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPOCTL_ROOT", "~nobody-of-this-name/x")
    with pytest.raises(UsageError, match="The home folder in '~nobody-of-this-name/x' is not known"):
        results_root()
    with pytest.raises(UsageError, match="is not known"):
        LocalStore(Path("~nobody-of-this-name"))
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", _no_user)
    for place in (cache_directory, data_directory):
        with pytest.raises(UsageError, match="'~' is not known"):
            place()


def _no_user(number: int) -> NoReturn:
    raise KeyError(number)
