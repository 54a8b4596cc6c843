"""What a folder says about the studies run in it: `hpoctl.toml`, or `[tool.hpoctl]` of its `pyproject.toml`.

    study = "study.toml"          # or the name of a registered study
    results = "results"           # relative to this file
    launcher = "local"

    n_workers = 8                 # and any other setting, see `core.settings`

    [launcher_options]
    jobs = 2

`hpoctl.toml` wins where both exist: nothing of `pyproject.toml` is read then.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hpoctl.core.errors import UsageError
from hpoctl.core.places import results_root
from hpoctl.core.settings import DEFINITIONS, Said, check_all
from hpoctl.core.toml_files import read_toml

FILE = "hpoctl.toml"
PROJECT_FILE = "pyproject.toml"


@dataclass(frozen=True)
class Config:
    """What a folder says about the studies run in it; None and nothing where it says nothing.

    Attributes:
        study: The study that `hpoctl launch` uses: a registered name, or a file relative to this one. What ends in
            `.toml` or has a `/` is a file.
        results: The root of results: a path relative to this file, or s3://bucket/prefix. `--results` and
            `$HPOCTL_ROOT` go before it.
        launcher: Where jobs execute.
        launcher_options: Options of that launcher.
        source: The file that says so; empty: there is none.
        experiment: Settings of the experiments, by name, where the study does not say them.
    """

    study: str | None = None
    results: str | None = None
    launcher: str | None = None
    launcher_options: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    source: str = ""
    experiment: Said = field(default_factory=dict)


OWN_KEYS = tuple(entry.name for entry in fields(Config) if entry.name not in {"experiment", "source"})
KEYS = (*OWN_KEYS, *DEFINITIONS)


def read_config(folder: Path) -> Config:
    """The configuration of a folder; an empty one if it has none.

    Raises:
        UsageError: A file is not TOML, a key is unknown, or a value has the wrong type.
    """
    path = folder / FILE
    try:
        return _config(read_toml(path).values, str(path), folder)
    except FileNotFoundError:
        pass
    path = folder / PROJECT_FILE
    try:
        tools = read_toml(path).values.get("tool")
    except FileNotFoundError:
        return Config()
    if not isinstance(tools, dict) or "hpoctl" not in tools:
        return Config()
    return _config(tools["hpoctl"], f"[tool.hpoctl] of {path}", folder)


def results_address(given: str | None, config: Config) -> str:
    """The root of results: the one that was given, else `$HPOCTL_ROOT`, else that of the folder, else `~/hpoctl`."""
    if given is not None:
        return str(given)
    if config.results is not None and not os.environ.get("HPOCTL_ROOT"):
        return config.results
    return results_root()


def _config(table: Any, where: str, folder: Path) -> Config:
    if not isinstance(table, dict):
        raise UsageError(f"{where} is no table.", f"Use a table with the keys {', '.join(KEYS)}.")
    for key in table:
        if key not in KEYS:
            close = get_close_matches(key, KEYS, n=1, cutoff=0.5)
            hint = f"Did you mean {close[0]}? " if close else ""
            raise UsageError(f"{where} has an unknown key {key!r}.", f"{hint}Known keys: {', '.join(KEYS)}.")
    for key in ("study", "results", "launcher"):
        if key in table and not (isinstance(table[key], str) and table[key]):
            raise UsageError(f"{where}: {key} cannot be {table[key]!r}.", "Give a text.")
    options = table.get("launcher_options", {})
    if not isinstance(options, dict) or not all(map(_is_plain, options.values())):
        raise UsageError(f"{where}: launcher_options cannot be {options!r}.", "Give a table of values.")
    values = {key: table[key] for key in OWN_KEYS if key in table}
    try:
        said = check_all({key: table[key] for key in DEFINITIONS if key in table})
    except UsageError as error:
        raise UsageError(f"{where}: {error.what}", error.fix) from error
    if "results" in table:
        values["results"] = _results(table["results"], where, folder)
    return Config(**values, experiment=said, source=where)


def _results(text: str, where: str, folder: Path) -> str:
    if "://" in text:
        return text  # an address: whoever opens it says whether there is such a kind of root
    try:
        return str(folder / Path(text).expanduser())
    except RuntimeError as error:  # ~somebody who does not exist
        raise UsageError(f"{where}: results cannot be {text!r}: {error}.", "Give the path of a folder.") from error


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))
