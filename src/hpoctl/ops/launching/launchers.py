"""Which launcher runs jobs, with which options; and the jobs that launchers have in hand since an earlier launch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from hpoctl.core.entries import LauncherEntry
from hpoctl.core.errors import UsageError
from hpoctl.core.jobs import JobStatus, Launcher
from hpoctl.core.options import Setting, apply_settings, option_types
from hpoctl.core.protocols import Store
from hpoctl.core.study import DEFAULT_LAUNCHER, Study
from hpoctl.ops.studies.config import Config
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
        study: The study; None: there is none that could say it.
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
    # What was said for the tag before counts only where nobody says anything now.
    said = of_folder.get(name) or of_study.get(name) or changes.launcher_options
    said_before = {} if said else of_before.get(name, {})
    values = {**said_before, **of_folder.get(name, {}), **of_study.get(name, {}), **changes.launcher_options}
    known = option_types(entry.options)
    for option in values:
        if option not in known:
            close = get_close_matches(option, known, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            listed = f"It has: {', '.join(known)}." if known else "It has no options."
            raise UsageError(f"Unknown option {option!r} of launcher {name}.", f"{hint}{listed}")
    return entry, _options(entry, values)


def _options(entry: LauncherEntry, values: Mapping[str, bool | int | float | str]) -> Any:
    """The options of a launcher with some of them changed."""
    settings = [Setting(entry.name, option, _text(value)) for option, value in values.items()]
    return apply_settings(entry.name, entry.options, settings)


def _says_where(study: Study) -> bool:
    return study.launcher != DEFAULT_LAUNCHER or bool(study.launcher_options)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


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
