"""`hpoctl doctor`: what would stop a launch from this folder, each with its remedy."""

import os
import platform
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hpoctl.core.canonical import content_hash
from hpoctl.core.errors import HpoctlError, unknown_name
from hpoctl.core.findings import Finding
from hpoctl.core.machine import BLAS_THREADS
from hpoctl.core.options import named_options
from hpoctl.core.places import cache_directory, data_directory, is_address
from hpoctl.core.study import Study
from hpoctl.core.trial_backends import BackendEntry
from hpoctl.ops.launching.launchers import choose_launcher
from hpoctl.ops.launching.smoke import SmokeTest, smoke
from hpoctl.ops.studies.backends import find_backend
from hpoctl.ops.studies.benchmark_files import find_benchmark
from hpoctl.ops.studies.choose_study import default_study
from hpoctl.ops.studies.config import Config, read_config, results_address
from hpoctl.ops.studies.overrides import Overrides
from hpoctl.ops.studies.provenance import LIBRARIES
from hpoctl.plugins import Registry
from hpoctl.stores.opening import check_results, open_results

LITTLE_SPACE = 1_000_000_000
"""Bytes free below which there is a warning; the reference study has 0.2 GB."""

PROBE = ".probe"


@dataclass(frozen=True, slots=True)
class Examination:
    """What is looked at.

    Attributes:
        results: What `--results` names; None: the default root.
        launcher: What `--on` names; None: the configured launcher.
        folder: The folder whose configuration counts.
        smoke: Whether a small real study is run.
        backend: A trial backend on which it is run besides; empty: none.
        launcher_options: Options of the launcher, besides those of the folder.
        backend_options: Options of the trial backend.
        timeout: Seconds that it may take, on each of the two.
    """

    results: str | None
    launcher: str | None
    folder: Path
    smoke: bool = False
    backend: str = ""
    launcher_options: Mapping[str, str] = field(default_factory=dict)
    backend_options: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 900.0

    @property
    def changes(self) -> Overrides:
        """What is asked for instead of what the folder says."""
        return Overrides(launcher=self.launcher, launcher_options=self.launcher_options)


def examine(asked: Examination, registry: Registry) -> Iterator[Finding]:
    """Look at everything that a launch needs, and run something if asked to; what cannot be done is a finding, too."""
    problems = 0
    for finding in _looked_at(asked, registry):
        problems += finding.verdict == "problem"
        yield finding
    if asked.smoke and problems:
        yield Finding("smoke test", "problem", "not run because of the problems above", "Solve them, and repeat.")
    elif asked.smoke:
        yield from _guarded("smoke test", partial(_smoke, asked, registry))


def _smoke(asked: Examination, registry: Registry) -> Iterator[Finding]:
    config = read_config(asked.folder)
    launcher = asked.launcher or config.launcher or "local"
    if asked.backend and asked.backend not in registry.trial_backends:
        raise unknown_name("trial backend", asked.backend, registry.trial_backends, "hpoctl plugins")
    results = results_address(asked.results, config)
    backend = asked.backend, asked.backend_options
    yield from smoke(SmokeTest(results, launcher, asked.launcher_options, *backend, asked.timeout))


def _looked_at(asked: Examination, registry: Registry) -> Iterator[Finding]:
    yield _versions()
    yield from _plugins(registry)
    yield _blas()
    try:
        config = read_config(asked.folder)
    except HpoctlError as error:
        yield Finding("configuration", "problem", error.what, error.fix)
        config = Config()
    else:
        yield Finding("configuration", "ok", config.source or "none in this folder")
    yield _study(config, registry, asked.folder)
    yield from _guarded("results", lambda: _results(results_address(asked.results, config)))
    yield _writable("imported data", data_directory(), "HPOCTL_DATA")
    yield _writable("cache", cache_directory(), "HPOCTL_CACHE")
    yield from _launchers(asked, config, registry)
    yield from _trial_backends(asked, config, registry)


def _versions() -> Finding:
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return Finding("versions", "ok", f"hpoctl {version('hpoctl')}, Python {platform.python_version()}, {libraries}")


def _plugins(registry: Registry) -> Iterator[Finding]:
    for plugin in registry.plugins:
        if plugin.origin.built_in:
            continue
        text = f"{plugin.origin.distribution} {plugin.origin.version}, {plugin.state}"
        if plugin.failures:
            yield Finding("plugin", "warning", f"{text}: {plugin.failures[0]}", "`hpoctl plugins` says more.")
        else:
            yield Finding("plugin", "ok", text)


def _blas() -> Finding:
    chosen = [f"{name}={os.environ[name]}" for name in BLAS_THREADS if name in os.environ]
    shown = ", ".join(chosen) if chosen else "none set"
    return Finding("BLAS threads", "ok", f"one in each worker of a launch; `hpoctl run` here: {shown}")


def _study(config: Config, registry: Registry, folder: Path) -> Finding:
    try:
        study, source = default_study(registry, config, folder)
    except HpoctlError as error:
        return Finding("study", "warning", error.what, error.fix)
    return Finding("study", "ok", f"{study.name} ({source}) is launched where no other is named")


def _results(root: str) -> Iterator[Finding]:
    """Look at what the root takes to be opened; then write, read and remove a blob, and take a claim."""
    for finding in check_results(root):
        yield finding
        if finding.verdict == "problem":
            return
    opened = open_results(root)
    where = opened.store.location("")
    name, data = f"{PROBE}-{secrets.token_hex(8)}", b"hpoctl doctor\n"
    opened.store.put(name, data)
    try:
        if content_hash(opened.store.get(name)) != content_hash(data):
            yield Finding("results", "problem", f"{where} does not give back what was written.", "Use another root.")
            return
    finally:
        opened.store.delete(name)
    key = f"{name}/claim"
    if not opened.claims.take(key):
        yield Finding("results", "problem", f"Nothing can be claimed in {where}.", "Use a root with working locks.")
        return
    opened.claims.release(key)
    yield Finding("results", "ok", f"{where} can be written, read and claimed in")
    if not is_address(where):
        free = shutil.disk_usage(where).free
        space = f"{free / 1e9:,.1f} GB free"
        if free < LITTLE_SPACE:
            yield Finding("disk", "warning", f"{space} in {where}", "Free some space, or name another --results.")
        else:
            yield Finding("disk", "ok", space)


def _writable(subject: str, folder: Path, variable: str) -> Finding:
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return Finding(subject, "ok", f"{folder}")
    return Finding(
        subject, "problem", f"{folder} cannot be written.", f"Set {variable} to a folder that can be written."
    )


def _trial_backends(asked: Examination, config: Config, registry: Registry) -> Iterator[Finding]:
    """What trial backends find: that of the folder's study with its options, the others with their defaults."""
    try:
        study, _ = default_study(registry, config, asked.folder)
    except HpoctlError:
        study = None
    for entry in (registered.entry for registered in registry.trial_backends.values()):
        if entry.check is None:
            continue
        given = asked.backend_options if asked.backend == entry.name else {}
        try:
            options = _options_of(entry, study, given, registry)
        except HpoctlError as error:
            yield Finding(entry.name, "problem", error.what, error.fix)
            continue
        for each in options:
            yield from _guarded(entry.name, partial(entry.check, each))


def _options_of(
    entry: BackendEntry, study: Study | None, given: Mapping[str, str], registry: Registry
) -> Sequence[Any]:
    """The options of a trial backend, each set once: those that are given, of the study, and of its benchmark files."""
    if study is None or study.backend != entry.name:
        return [named_options(f"trial backend {entry.name}", entry.name, entry.options, given)]
    both = {**study.backend_options, **given}
    benchmarks = (find_benchmark(name, study.benchmark_files.get(name), registry) for name in study.benchmarks)
    backends = (find_backend(study.backend, both, benchmark, registry) for benchmark in benchmarks)
    return list(dict.fromkeys(backend.options for backend in backends if backend is not None))


def _launchers(asked: Examination, config: Config, registry: Registry) -> Iterator[Finding]:
    """The launcher that is meant, with its options; the others are only named."""
    try:
        study, _ = default_study(registry, config, asked.folder)
    except HpoctlError:
        study = None
    try:
        entry, options = choose_launcher(study, config, asked.changes, registry)
    except HpoctlError as error:
        yield Finding("launcher", "problem", error.what, error.fix)
        return
    yield Finding("launcher", "ok", f"{entry.name}: {entry.summary[0].lower()}{entry.summary[1:]}")
    check = entry.check
    if check is not None:
        yield from _guarded(entry.name, lambda: check(options))
    others = [name for name in registry.launchers if name != entry.name]
    if others:
        text = f"not looked at: {', '.join(others)}"
        yield Finding("launchers", "ok", f"{text}; `hpoctl doctor --on {others[0]}` does")


def _guarded(subject: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """What a check finds, or why it cannot be made."""
    try:
        yield from look()
    except HpoctlError as error:
        yield Finding(subject, "problem", error.what, error.fix)
