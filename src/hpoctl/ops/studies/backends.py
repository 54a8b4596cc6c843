"""Where trials execute: the backend that a study names, with the options of the benchmark file and of the study."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.findings import Finding
from hpoctl.core.options import FILE, check_secrets, in_folder, named_values, with_values
from hpoctl.core.trial_backends import BackendEntry, Problem
from hpoctl.plugins import Registry


def find_backend(
    name: str | None, given: Mapping[str, Any], benchmark: Benchmark, registry: Registry
) -> BackendEntry | None:
    """Where trials of a benchmark execute, its options set: those of the study go before those of the benchmark file.

    Args:
        name: The backend that the study names; None: none.
        given: Its options in the study.
        benchmark: The benchmark.
        registry: What names stand for.

    Returns:
        The backend; None: where they do by default, because the study names none, or one for other problems.

    Raises:
        UsageError: There is no such backend, or an option is wrong.
    """
    _check_tables(benchmark, registry)
    if name is None:
        return None
    entry = registry.trial_backend(name)
    if entry.needs == "table" and given:
        raise UsageError(
            f"The backend {entry.name} takes no options.",
            "Settings say how time passes there, such as --poll-interval.",
        )
    of_study = named_values(_owner(entry), entry.name, entry.options, given)
    if entry.needs != problem_of(benchmark):
        return None
    options = with_values(entry.options, {**_of_file(benchmark, entry), **of_study})
    check_secrets(_owner(entry), options)
    return replace(entry, options=options)


def problem_of(benchmark: Benchmark) -> Problem:
    """What a benchmark is."""
    return "table" if benchmark.script is None else "script"


def check_backend_tables(benchmark: Benchmark, registry: Registry) -> Iterator[Finding]:
    """What the tables `[backends.NAME]` of a benchmark file say, each as if its backend were used with nothing else."""
    for name, values in _tables(benchmark).items():
        subject = f"backends.{name}"
        if close := _misspelt(name, registry):
            yield Finding(subject, "problem", f"there is no trial backend {name}", f"Did you mean {close}?")
            continue
        if name not in registry.trial_backends:
            yield Finding(
                subject,
                "warning",
                f"no trial backend {name} is installed here: its options are not checked",
                f"`hpoctl plugins` lists those that are: {', '.join(registry.trial_backends)}.",
            )
            continue
        entry = registry.trial_backend(name)
        try:
            options = with_values(entry.options, _of_file(benchmark, entry))
            check_secrets(_owner(entry), options)
        except HpoctlError as error:
            yield Finding(subject, "problem", error.what, error.fix)
            continue
        shown = ", ".join(f"{option} = {value}" for option, value in values.items())
        missing = [path for path in _files_of(options) if not path.is_file()]
        if missing:
            yield Finding(subject, "problem", f"there is no file {missing[0]}", "Correct the path, or leave it out.")
        else:
            yield Finding(subject, "ok", shown or "no options")


def _of_file(benchmark: Benchmark, entry: BackendEntry) -> dict[str, Any]:
    """The options that the benchmark file has for a backend."""
    script = benchmark.script
    if script is None or entry.name not in script.backend_options:
        return {}
    given = script.backend_options[entry.name]
    try:
        values = named_values(_owner(entry), entry.name, entry.options, given)
    except UsageError as error:
        where = benchmark.file or benchmark.name
        raise UsageError(f"{where}: [backends.{entry.name}]: {error.what}", error.fix) from error
    return in_folder(script.folder, entry.options, values)


def _check_tables(benchmark: Benchmark, registry: Registry) -> None:
    """Refuse a table that is probably meant for another backend; one that is not installed here is not used here."""
    for name in _tables(benchmark):
        if close := _misspelt(name, registry):
            where = benchmark.file or benchmark.name
            raise UsageError(f"{where}: [backends.{name}]: there is no trial backend {name}.", f"Did you mean {close}?")


def _misspelt(name: str, registry: Registry) -> str:
    """The backend that is probably meant by a name that no backend has; empty: none is close."""
    close = get_close_matches(name, registry.trial_backends, n=1)
    return close[0] if close and name not in registry.trial_backends else ""


def _tables(benchmark: Benchmark) -> Mapping[str, Mapping[str, Any]]:
    return {} if benchmark.script is None else benchmark.script.backend_options


def _files_of(options: Any) -> list[Path]:
    values = [getattr(options, entry.name) for entry in fields(options) if entry.metadata.get(FILE)]
    return [Path(value) for value in values if value]


def _owner(entry: BackendEntry) -> str:
    return f"trial backend {entry.name}"
