"""`hpoctl studies`: which there are, and one of them as a file to start from."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hpoctl.core.study import Study
from hpoctl.core.text import printable
from hpoctl.ops.studies.choose_study import find_study, is_file, study_table, study_toml
from hpoctl.plugins import Origin, Registry

SHOWN_APART = frozenset(
    {"name", "summary", "methods", "benchmarks", "start_seed", "num_seeds", "extra_results", "settings"}
)


@dataclass(frozen=True, slots=True)
class StudyInfo:
    """A study.

    Attributes:
        name: Its name.
        summary: What it asks.
        source: Its registered name, or the absolute path of its file.
        origin: The plugin that registers it; None: it is in a file.
        methods: Names of methods.
        benchmarks: Names of benchmarks.
        start_seed: The first seed.
        num_seeds: One more than the last seed.
        extra_results: Names of extra-result composers.
        settings: Settings of its methods.
        overrides: Whatever else it says, by the keys of a study file: its tag, budget, fixed values, launcher.
        experiments: How many experiments that makes.
        missing: Names among them that cannot be used, each with its kind: not installed, refused, or mistyped.
    """

    name: str
    summary: str
    source: str
    origin: Origin | None
    methods: tuple[str, ...]
    benchmarks: tuple[str, ...]
    start_seed: int
    num_seeds: int
    extra_results: tuple[str, ...]
    settings: tuple[str, ...]
    overrides: Mapping[str, Any]
    experiments: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownStudy:
    """A study to start from.

    Attributes:
        info: What it makes, where it comes from, what is missing.
        toml: The text of a study file, which begins with comments.
    """

    info: StudyInfo
    toml: str


def list_studies(registry: Registry) -> tuple[StudyInfo, ...]:
    """All registered studies."""
    return tuple(
        _info(registered.entry, name, registered.origin, registry) for name, registered in registry.studies.items()
    )


def show_study(name: str, registry: Registry, folder: Path) -> ShownStudy:
    """One study, by its registered name or its file.

    Raises:
        UsageError: There is no such study, or the file describes none.
    """
    study, source = find_study(name, registry, folder)
    info = _info(study, source, None if is_file(name) else registry.studies[name].origin, registry)
    # Being the default is up to who registers a study; in a file it would say nothing.
    body = study_toml(replace(study, default=False))
    return ShownStudy(info, "".join(f"# {printable(line)}\n" for line in _comments(info)) + body)


def _info(study: Study, source: str, origin: Origin | None, registry: Registry) -> StudyInfo:
    overrides = {key: value for key, value in study_table(study).items() if key not in SHOWN_APART}
    missing = [f"method {name}" for name in study.methods if name not in registry.methods]
    missing += [f"benchmark {name}" for name in study.benchmarks if name not in registry.benchmarks]
    missing += [f"extra-result composer {name}" for name in study.extra_results if name not in registry.extra_results]
    if "launcher" in overrides and study.launcher not in registry.launchers:
        missing.append(f"launcher {study.launcher}")
    if study.backend is not None and study.backend not in registry.trial_backends:
        missing.append(f"trial backend {study.backend}")
    return StudyInfo(
        name=study.name,
        summary=study.summary,
        source=source,
        origin=origin,
        methods=study.methods,
        benchmarks=study.benchmarks,
        start_seed=study.start_seed,
        num_seeds=study.num_seeds,
        extra_results=study.extra_results,
        settings=study.settings,
        overrides=overrides,
        experiments=len(study.cells()),
        missing=tuple(missing),
    )


def _comments(info: StudyInfo) -> list[str]:
    counts = [
        _count(len(set(info.methods)), "method"),
        _count(len(set(info.benchmarks)), "benchmark"),
        _count(info.num_seeds - info.start_seed, "seed"),
    ]
    lines = [f"{info.name}: {' x '.join(counts)} = {_count(info.experiments, 'experiment')}"]
    lines.append(f"from: {f'{info.origin} ({info.origin.target})' if info.origin else info.source}")
    if info.missing:
        lines.append(f"missing here: {', '.join(info.missing)}")
    return lines


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
