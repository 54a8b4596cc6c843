"""Which study is meant: a registered one, a study file, or the default; and studies as the text of files."""

import re
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import tomli_w

from hpoctl.core.errors import UsageError
from hpoctl.core.names import legal_name
from hpoctl.core.records import to_plain
from hpoctl.core.settings import Settings
from hpoctl.core.storage import Store
from hpoctl.core.study import Study
from hpoctl.core.toml_files import Document, read_toml
from hpoctl.ops.studies.benchmark_files import name_benchmarks
from hpoctl.ops.studies.config import Config
from hpoctl.plugins import Registry


def study_table(study: Study) -> dict[str, Any]:
    """The study as plain values, in the order of its fields."""
    return to_plain(study, defaults=False)


def study_from_table(table: Mapping[str, Any] | Document, *, where: str, name: str = "study") -> Study:
    """The study that a table describes.

    Args:
        table: The table.
        where: What the table is, for messages, such as `study.toml`.
        name: The study's name if the table does not say it.

    Raises:
        UsageError: A key is unknown, a value has the wrong type or is out of range, or something is missing.
    """
    document = table if isinstance(table, Document) else Document(table, where)
    return document.with_default("summary", "").with_default("name", name).read(Study)


def load_study(path: Path) -> Study:
    """The study in a file. One without a name is called after the file.

    Raises:
        UsageError: The file is missing, not TOML, or describes no study.
    """
    try:
        table = read_toml(path)
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no study file {path}.", "Check the path, or take a name that `hpoctl studies` lists."
        ) from error
    return study_from_table(table, where=str(path), name=legal_name(path.stem, "study"))


def study_toml(study: Study) -> str:
    """The study as the text of a file; `load_study` reads an equal one from it."""
    return tomli_w.dumps(study_table(study))


def is_file(name: str) -> bool:
    """Whether a person means a study file, not a registered study."""
    return name.endswith(".toml") or "/" in name


def find_study(name: str, registry: Registry, folder: Path) -> tuple[Study, str]:
    """A study, and where it comes from: its registered name, or the absolute path of its file.

    Args:
        name: The name of a registered study; or a file, which ends in `.toml` or has a `/`.
        registry: What is registered.
        folder: What the path of a file is relative to.

    Raises:
        UsageError: There is no such study, or the file describes none.
    """
    if is_file(name):
        path = folder / name
        study = load_study(path)
        named = name_benchmarks(study.benchmarks, path.parent)
        files = {**study.benchmark_files, **named.files}
        return replace(study, benchmarks=named.names, benchmark_files=files), str(path.resolve())
    if name not in registry.studies and f"{name}.toml" in (file.name for file in folder.glob("*.toml")):
        raise UsageError(f"No study {name!r} is registered.", f"Did you mean the file {name}.toml?")
    return registry.study(name), name


def in_folder(study: Study, config: Config) -> Study:
    """The study with the settings that the folder says, where the study has the default."""
    return replace(study, experiment=Settings().changed({**config.experiment, **study.experiment.given()}))


def default_study(registry: Registry, config: Config, folder: Path) -> tuple[Study, str]:
    """The study of a command that names none, and where it comes from.

    It is the one of the configuration; else the only registered one; else the only one that is registered as a default.

    Raises:
        UsageError: There is no study, or more than one.
    """
    if config.study is not None:
        try:
            return find_study(config.study, registry, folder)
        except UsageError as error:
            raise UsageError(f"The study of {config.source}: {error.what}", error.fix) from error
    names = list(registry.studies)
    if not names:
        failed = any(report.failures for report in registry.plugins)
        raise UsageError(
            "No study is registered.",
            "Install a plugin with a study, or write a study file and name it with --study FILE.toml."
            + (" A plugin has failed: `hpoctl plugins` says why." if failed else ""),
        )
    defaults = [name for name in names if registry.studies[name].entry.default]
    for only in (names, defaults):
        if len(only) == 1:
            return registry.study(only[0]), only[0]
    raise UsageError(
        f"There are several studies: {', '.join(names)}.", "Name one with --study, or set study in hpoctl.toml."
    )


def check_new_tag(tag: str, store: Store) -> None:
    """Refuse to launch the default study under a tag that is probably meant to be another one.

    Raises:
        UsageError: `hpoctl run` or an import has made the tag, or there is a tag of nearly the same name.
    """
    name_it = "Name the study with --study, or add --yes to launch the default one under this tag."
    if any(not name.startswith(".") for name in store.folders(tag)):
        raise UsageError(f"Tag {tag} has results, but no study was launched under it.", name_it)
    tags = [name for name in store.folders("") if not name.startswith(".")]
    close = get_close_matches(tag, tags, n=1, cutoff=0.75)
    if close and _without_numbers(close[0]) != _without_numbers(tag):
        raise UsageError(
            f"There is nothing of tag {tag}, and no study is named.", f"Did you mean {close[0]}? {name_it}"
        )


def _without_numbers(tag: str) -> str:
    return re.sub(r"\d+", "", tag)  # docs-2 after docs-1 is not a mistake
