"""Defaults of a folder for the studies run in it: `hpoctl.toml`, or `[tool.hpoctl]` of its `pyproject.toml`.

    study = "study.toml"          # or the name of a registered study
    results = "results"           # relative to this file
    launcher = "local"

    n_workers = 8                 # and any other setting, see `core.settings`

    [launcher_options]
    jobs = 2

`hpoctl.toml` wins where both exist: nothing of `pyproject.toml` is read then. The root of results that a command works
on is the one that its options name, else that of the environment, the folder, or `~/hpoctl`.
"""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from hpoctl.core.errors import UsageError
from hpoctl.core.places import expanded, is_address, results_root
from hpoctl.core.records import RecordError, check_keys
from hpoctl.core.setting_definition import Given
from hpoctl.core.settings import DEFINITIONS
from hpoctl.core.storage import Claims, Store
from hpoctl.core.toml_files import Document, read_toml
from hpoctl.stores.opening import open_results

FILE = "hpoctl.toml"
PROJECT_FILE = "pyproject.toml"


Text = Annotated[str, Meta(min_length=1, description="a text")]


@dataclass(frozen=True)
class Config:
    """The defaults of a folder for the studies run in it; None or empty where it has no such default.

    Attributes:
        study: The study that `hpoctl launch` uses: a registered name, or a file relative to this one. What ends in
            `.toml` or has a `/` is a file.
        results: The root of results: a path relative to this file, or s3://bucket/prefix. `--results` and
            `$HPOCTL_ROOT` go before it.
        launcher: Where jobs execute.
        launcher_options: Options of that launcher.
        source: The file; empty: no file.
        experiment: Settings of the experiments, by name, where the study does not say them.
    """

    study: Text | None = None
    results: Text | None = None
    launcher: Text | None = None
    launcher_options: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    source: str = ""
    experiment: Given = field(default_factory=dict)


OWN_KEYS = tuple(entry.name for entry in fields(Config) if entry.name not in {"experiment", "source"})
KEYS = (*OWN_KEYS, *DEFINITIONS)


def read_config(folder: Path) -> Config:
    """The configuration of a folder; empty without one.

    Raises:
        UsageError: A file is not TOML, a key is unknown, or a value has the wrong type.
    """
    path = folder / FILE
    try:
        return _config(read_toml(path), folder)
    except FileNotFoundError:
        pass
    path = folder / PROJECT_FILE
    try:
        tools = read_toml(path).table("tool")
    except FileNotFoundError:
        return Config()
    if tools is None or "hpoctl" not in tools.values:
        return Config()
    where = f"[tool.hpoctl] of {path}"
    own = tools.table("hpoctl")
    if own is None:
        raise UsageError(f"{where} is no table.", f"Use a table with the keys {', '.join(KEYS)}.")
    return _config(replace(own, name=where), folder)


def results_address(given: str | None, config: Config) -> str:
    """The root of results: the one that was given, else `$HPOCTL_ROOT`, else that of the folder, else `~/hpoctl`."""
    if given is not None:
        return str(given)
    if config.results is not None and not os.environ.get("HPOCTL_ROOT"):
        return config.results
    return results_root()


def _config(document: Document, folder: Path) -> Config:
    try:
        check_keys(document.values, KEYS)
    except RecordError as error:
        raise document.error(error) from error
    settings = {key: value for key, value in document.values.items() if key in DEFINITIONS}
    given: dict[str, Any] = {"source": document.name, "experiment": {}}
    for key, value in settings.items():
        try:
            given["experiment"][key] = DEFINITIONS[key].check(value)
        except UsageError as error:
            raise document.error(RecordError((), f": {error.what}", error.fix, key=key)) from error
    config = document.without(*settings).read(Config, given)
    results = None if config.results is None else _results(config.results, document.name, folder)
    return replace(config, results=results)


def _results(text: str, where: str, folder: Path) -> str:
    if is_address(text):
        return text  # an address: opening it checks the kind of root
    try:
        return str(folder / expanded(text))
    except UsageError as error:  # ~NAME of a user who does not exist
        raise UsageError(f"{where}: results cannot be {text!r}: its home folder is not known.", error.fix) from error


@dataclass(frozen=True)
class Root:
    """Where results live.

    Attributes:
        store: The results.
        claims: Who runs what.
        given: What a person named as the root; None: nothing.
    """

    store: Store
    claims: Claims
    given: str | None

    def command(self, *words: str) -> str:
        """An hpoctl command line on this root, to copy and paste."""
        return shlex.join(["hpoctl", *words, *([] if self.given is None else ["--results", self.given])])


def open_root(results: str | None, folder: Path | None = None) -> Root:
    """The root that `--results` names; None: `$HPOCTL_ROOT`, or that of the folder, or `~/hpoctl`. Nothing is made.

    Args:
        results: What `--results` names.
        folder: The folder whose configuration counts; None: the present one.

    Raises:
        UsageError: The configuration of the folder is wrong.
    """
    opened = open_results(results_address(results, read_config(folder or Path.cwd())))
    return Root(opened.store, opened.claims, None if results is None else str(results))
