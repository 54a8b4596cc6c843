"""What a launch takes from files of its folder: the launcher, its options, and whether those may run code.

A folder may come from anybody. So a launch names the launcher and the options that it takes from `hpoctl.toml`,
`pyproject.toml` or a study file, and options that run code, such as shell lines before the jobs, are trusted once.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.durable import write_durably
from hpoctl.core.entries import LauncherEntry
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.places import data_directory
from hpoctl.core.regular_files import read_regular
from hpoctl.core.study import DEFAULT_LAUNCHER, Study
from hpoctl.ops.studies.choose_study import is_file
from hpoctl.ops.studies.config import Config
from hpoctl.ops.studies.overrides import Overrides

RUNS_CODE = "runs_code"
"""The entry of a field's metadata that says that a launcher's option runs code."""

TRUSTED = "trusted.json"
Value = bool | int | float | str


@dataclass(frozen=True)
class FileOptions:
    """What a file says about where jobs run, so far as it takes effect.

    Attributes:
        source: The file.
        launcher: The launcher.
        chosen: Whether the file has chosen the launcher.
        options: The options of the launcher.
        code: The names of those of them that run code.
    """

    source: str
    launcher: str
    chosen: bool
    options: Mapping[str, Value]
    code: tuple[str, ...]

    def __str__(self) -> str:
        said = [f"{name} = {json.dumps(value)}" for name, value in self.options.items()]
        return f"{self.source} says: {', '.join([f'launcher {self.launcher}', *said])}"

    @property
    def digest(self) -> str:
        """What is trusted: the file's place, the launcher, and what the options that run code say."""
        code = {name: self.options[name] for name in self.code}
        return content_hash(canonical_json({"source": self.source, "launcher": self.launcher, "code": code}))


def file_options(
    entry: LauncherEntry, config: Config, study: Study, source: str, changes: Overrides
) -> tuple[FileOptions, ...]:
    """What files say about the launcher, so far as nothing that goes before them says something else.

    Args:
        entry: The launcher that was chosen.
        config: What the folder says.
        study: The study.
        source: Where the study comes from: a registered name, or a file.
        changes: What the command line says.
    """
    runs_code = {each.name for each in fields(entry.options) if each.metadata.get(RUNS_CODE)}
    said = set(changes.launcher_options)
    of_study = study.launcher_options if study.launcher == entry.name else {}
    found = []
    if is_file(source):
        options = {name: value for name, value in of_study.items() if name not in said}
        chosen = changes.launcher is None and study.launcher == entry.name != DEFAULT_LAUNCHER
        found.append((source, chosen, options))
    of_folder = config.launcher_options if (config.launcher or DEFAULT_LAUNCHER) == entry.name else {}
    options = {name: value for name, value in of_folder.items() if name not in said and name not in of_study}
    chosen = changes.launcher is None and config.launcher == entry.name and study.launcher != entry.name
    found.append((config.source, chosen, options))
    return tuple(
        FileOptions(file, entry.name, chosen, options, tuple(name for name in options if name in runs_code))
        for file, chosen, options in found
        if options or chosen
    )


def untrusted(said: tuple[FileOptions, ...]) -> tuple[FileOptions, ...]:
    """Those that have options which run code, and that were not trusted before."""
    known = _trusted() if any(each.code for each in said) else set()
    return tuple(each for each in said if each.code and each.digest not in known)


def trust(said: tuple[FileOptions, ...]) -> None:
    """Remember that these are trusted.

    Raises:
        HpoctlError: That cannot be written down.
    """
    known = _trusted() | {each.digest for each in said}
    path = data_directory() / TRUSTED
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, json.dumps(sorted(known)).encode())
    except OSError as error:
        raise HpoctlError(
            f"Cannot write {path}: {error.strerror or error}.", "Name another folder with HPOCTL_DATA."
        ) from error


def not_trusted(said: tuple[FileOptions, ...]) -> UsageError:
    """The error for options that run code and are not trusted."""
    shown = "; ".join(f"{name} = {json.dumps(each.options[name])}" for each in said for name in each.code)
    files = ", ".join(each.source for each in said)
    return UsageError(
        f"{files} makes the launcher run code that was not trusted before: {shown}.",
        "Read it. If you trust it, add --trust-config; it is asked once.",
    )


def _trusted() -> set[str]:
    path: Path = data_directory() / TRUSTED
    try:
        known = json.loads(read_regular(path, 2**20))
    except (OSError, ValueError, RecursionError):
        return set()
    return {entry for entry in known if isinstance(entry, str)} if isinstance(known, list) else set()
