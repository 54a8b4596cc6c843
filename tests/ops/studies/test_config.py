"""What a folder says about the studies run in it."""

from pathlib import Path

import pytest

from hpoctl.core.errors import UsageError
from hpoctl.ops.studies.config import Config, read_config, results_address

FULL = 'study = "my.toml"\nresults = "out"\nlauncher = "local"\n'


def test_a_folder_without_files_says_nothing(tmp_path: Path) -> None:
    assert read_config(tmp_path) == Config() == Config(None, None, None, {}, "")


def test_hpoctl_toml(tmp_path: Path) -> None:
    (tmp_path / "hpoctl.toml").write_text(f"{FULL}[launcher_options]\njobs = 2\nslow = false\n")
    options = {"jobs": 2, "slow": False}
    assert read_config(tmp_path) == Config(
        "my.toml", str(tmp_path / "out"), "local", options, str(tmp_path / "hpoctl.toml")
    )


def test_settings_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "hpoctl.toml").write_text("n_workers = 8\nmax_wallclock_time = 60\n")
    assert read_config(tmp_path).experiment == {"n_workers": 8, "max_wallclock_time": 60.0}


def test_pyproject_toml(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(f'[project]\nname = "x"\n[tool.hpoctl]\n{FULL}')
    config = read_config(tmp_path)
    assert (config.study, config.launcher, config.launcher_options) == ("my.toml", "local", {})
    assert config.source == f"[tool.hpoctl] of {tmp_path / 'pyproject.toml'}"


@pytest.mark.parametrize("text", ["", '[project]\nname = "x"\n', "[tool.ruff]\nx = 1\n", "tool = 3\n"])
def test_a_pyproject_toml_without_our_table_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert read_config(tmp_path) == Config()


def test_hpoctl_toml_wins_and_nothing_of_pyproject_toml_is_read(tmp_path: Path) -> None:
    (tmp_path / "hpoctl.toml").write_text('study = "mine"\n')
    (tmp_path / "pyproject.toml").write_text("this is [not TOML")
    config = read_config(tmp_path)
    assert (config.study, config.results) == ("mine", None)


@pytest.mark.parametrize("file", ["hpoctl.toml", "pyproject.toml"])
def test_a_file_that_is_not_toml_is_named_with_its_line(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("a = 1\nb = = 2\n")
    with pytest.raises(UsageError) as caught:
        read_config(tmp_path)
    assert f"{tmp_path / file} is not TOML" in caught.value.what
    assert "line 2" in caught.value.what


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("studdy = 'a'", "has an unknown key 'studdy'. Did you mean study?"),
        ("source = 'a'", "has an unknown key 'source'. Use one of: study, results, "),
        ("n_workers = 0", ": n_workers cannot be 0. Use a whole number from 1 to 10,000."),
        ("n_worker = 1", "has an unknown key 'n_worker'. Did you mean n_workers?"),
        ("study = 3", ": study cannot be 3. Give a text."),
        ("results = ''", ": results cannot be ''. Give a text."),
        ("results = '~nobody-of-that-name/x'", ": results cannot be '~nobody-of-that-name/x'"),
        ("launcher = true", ": launcher cannot be True. Give a text."),
        ("launcher_options = 1", ": launcher_options cannot be 1. Give a table."),
        (
            "launcher_options.a = [1]",
            ": launcher_options.a cannot be [1]. Give a text, a finite number, or true or false.",
        ),
        (
            "launcher_options.a = nan",
            ": launcher_options.a cannot be nan. Give a text, a finite number, or true or false.",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    for file, head, where in (
        ("hpoctl.toml", "", f"{tmp_path / 'hpoctl.toml'}"),
        ("pyproject.toml", "[tool.hpoctl]\n", f"[tool.hpoctl] of {tmp_path / 'pyproject.toml'}"),
    ):
        path = tmp_path / file
        path.write_text(f"{head}{text}\n")
        with pytest.raises(UsageError) as caught:
            read_config(tmp_path)
        assert caught.value.what.startswith(where)
        line = f" (line {2 if head else 1})"
        assert message in str(caught.value).replace(line, "")
        assert line in caught.value.what or "nobody-of-that-name" in text
        path.unlink()


def test_our_table_has_to_be_one(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\nhpoctl = 1\n")
    with pytest.raises(UsageError, match="is no table"):
        read_config(tmp_path)


def test_which_root_of_results_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hpoctl.toml").write_text('results = "out"\n')
    monkeypatch.delenv("HPOCTL_ROOT", raising=False)
    config = read_config(tmp_path)
    assert results_address(None, config) == str(tmp_path / "out")
    assert results_address(None, Config()) == str(Path.home() / "hpoctl")
    monkeypatch.setenv("HPOCTL_ROOT", str(tmp_path / "root"))
    assert results_address(None, config) == str(tmp_path / "root")
    assert results_address("given", config) == "given"


def test_an_absolute_root_of_results_and_one_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "hpoctl.toml").write_text(f"results = '{tmp_path / 'far'}'\n")
    assert read_config(tmp_path).results == str(tmp_path / "far")
    (tmp_path / "hpoctl.toml").write_text("results = '~/out'\n")
    assert read_config(tmp_path).results == str(tmp_path / "home" / "out")
