"""Which launcher runs jobs, with which options, from which file; and the jobs of earlier launches.

An option whose value can run code, such as shell lines, counts only after a person has confirmed the file that says it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.entries import LauncherEntry
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.files import read_regular, write_durably
from hpoctl.core.jobs import JobStatus, Launcher
from hpoctl.core.options import check_secrets, named_options
from hpoctl.core.places import data_directory
from hpoctl.core.storage import Store
from hpoctl.core.study import DEFAULT_LAUNCHER, Study
from hpoctl.ops.studies.choose_study import is_file
from hpoctl.ops.studies.config import Config, Root
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.plugins import Registry
from hpoctl.stores.job_files import Manifest, all_manifests


@dataclass(frozen=True, slots=True)
class SubmittedJob:
    """A job that was submitted by this launch or an earlier one.

    Attributes:
        manifest: What it has to do.
        status: How far it is.
    """

    manifest: Manifest
    status: JobStatus


def choose_launcher(
    study: Study | None, config: Config, changes: Overrides, registry: Registry, before: Sequence[Manifest] = ()
) -> tuple[LauncherEntry, Any]:
    """The launcher and its options: what the command line says, then the study, the folder, the tag's jobs so far.

    Args:
        study: The study; None: no study.
        config: What the folder says.
        changes: What the command line says.
        registry: What names stand for.
        before: The jobs that launchers elsewhere have been given of the tag, the latest last.

    Raises:
        UsageError: There is no such launcher, or an option of it is wrong.
    """
    of_study = {study.launcher: study.launcher_options} if study is not None and _says_where(study) else {}
    folder_says = config.launcher is not None or bool(config.launcher_options)
    of_folder = {config.launcher or DEFAULT_LAUNCHER: config.launcher_options} if folder_says else {}
    of_before = {manifest.launcher: _given(manifest) for manifest in before}
    name = changes.launcher or next(iter([*of_study, *of_folder, *reversed(of_before), DEFAULT_LAUNCHER]))
    entry = registry.launcher(name)
    # Options of earlier launches apply only without an option now.
    given = of_folder.get(name) or of_study.get(name) or changes.launcher_options
    given_before = {} if given else of_before.get(name, {})
    values = {**given_before, **of_folder.get(name, {}), **of_study.get(name, {}), **changes.launcher_options}
    options = _options(entry, values)
    check_secrets(f"launcher {name}", options)
    return entry, options


def _options(entry: LauncherEntry, values: Mapping[str, bool | int | float | str]) -> Any:
    """The options of a launcher with some of them changed."""
    return named_options(f"launcher {entry.name}", entry.name, entry.options, values)


def _says_where(study: Study) -> bool:
    return study.launcher != DEFAULT_LAUNCHER or bool(study.launcher_options)


def check_root(launcher: LauncherEntry, root: Root) -> None:
    """Refuse a root that the launcher's jobs cannot reach."""
    where = root.store.location("")
    if not where.startswith(launcher.root):
        hint = launcher.root_hint or f"{launcher.root}..."
        raise UsageError(f"Jobs on {launcher.name} cannot write results to {where}.", f"Add --results {hint}.")


def manifests_of(store: Store, tag: str) -> list[Manifest]:
    """The jobs that launchers elsewhere have been given of a tag, the latest last."""
    return sorted(all_manifests(store, tag), key=lambda manifest: manifest.submitted)


def launchers_of(manifests: Sequence[Manifest], registry: Registry) -> dict[str, Launcher]:
    """The launchers that have been given jobs of a tag, by name, with the options of its latest job.

    Raises:
        UsageError: One of them is not registered, or has other options by now.
    """
    launchers = {}
    for name, manifest in {manifest.launcher: manifest for manifest in manifests}.items():
        entry = registry.launcher(name)
        launchers[name] = entry.make(_options(entry, _given(manifest)))
    return launchers


def _given(manifest: Manifest) -> dict[str, bool | int | float | str]:
    """The options of a job's launcher, without those that have no value."""
    return {option: value for option, value in manifest.options.items() if value is not None}


def submitted_jobs(manifests: Sequence[Manifest], launchers: Mapping[str, Launcher]) -> list[SubmittedJob]:
    """The jobs of a tag, and how far their launchers say they are.

    Raises:
        HpoctlError: A launcher cannot be asked.
    """
    found = []
    for name, launcher in launchers.items():
        own = [manifest for manifest in manifests if manifest.launcher == name]
        statuses = launcher.poll(launcher.find([manifest.job for manifest in own]), 0.0) if own else ()
        found += [SubmittedJob(manifest, status) for manifest, status in zip(own, statuses, strict=True)]
    return found


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
        options = [f"{name} = {json.dumps(value)}" for name, value in self.options.items()]
        return f"{self.source} says: {', '.join([f'launcher {self.launcher}', *options])}"

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
    given = set(changes.launcher_options)
    of_study = study.launcher_options if study.launcher == entry.name else {}
    found = []
    if is_file(source):
        options = {name: value for name, value in of_study.items() if name not in given}
        chosen = changes.launcher is None and study.launcher == entry.name != DEFAULT_LAUNCHER
        found.append((source, chosen, options))
    of_folder = config.launcher_options if (config.launcher or DEFAULT_LAUNCHER) == entry.name else {}
    options = {name: value for name, value in of_folder.items() if name not in given and name not in of_study}
    chosen = changes.launcher is None and config.launcher == entry.name and study.launcher != entry.name
    found.append((config.source, chosen, options))
    return tuple(
        FileOptions(file, entry.name, chosen, options, tuple(name for name in options if name in runs_code))
        for file, chosen, options in found
        if options or chosen
    )


def untrusted(files: tuple[FileOptions, ...]) -> tuple[FileOptions, ...]:
    """Those that have options which run code, and that were not trusted before."""
    known = _trusted() if any(each.code for each in files) else set()
    return tuple(each for each in files if each.code and each.digest not in known)


def trust(files: tuple[FileOptions, ...]) -> None:
    """Remember that these are trusted.

    Raises:
        HpoctlError: That cannot be written down.
    """
    known = _trusted() | {each.digest for each in files}
    path = data_directory() / TRUSTED
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, json.dumps(sorted(known)).encode(), private=True)
    except OSError as error:
        raise HpoctlError(
            f"Cannot write {path}: {error.strerror or error}.", "Name another folder with HPOCTL_DATA."
        ) from error


def not_trusted(files: tuple[FileOptions, ...]) -> UsageError:
    """The error for options that run code and are not trusted."""
    shown = "; ".join(f"{name} = {json.dumps(each.options[name])}" for each in files for name in each.code)
    sources = ", ".join(each.source for each in files)
    return UsageError(
        f"{sources} makes the launcher run code that was not trusted before: {shown}.",
        "Read it. If you trust it, run `hpoctl launch` with --trust-config; it is asked once.",
    )


def _trusted() -> set[str]:
    path: Path = data_directory() / TRUSTED
    try:
        known = json.loads(read_regular(path, 2**20))
    except (OSError, ValueError, RecursionError):
        return set()
    return {entry for entry in known if isinstance(entry, str)} if isinstance(known, list) else set()
