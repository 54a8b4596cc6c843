"""A benchmark as a table of plain values, as it stands in a benchmark.toml: keys are fields of `ScriptBenchmark`."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import UsageError, did_you_mean
from hpoctl.core.script_benchmark import ScriptBenchmark

KEYS = tuple(entry.name for entry in fields(ScriptBenchmark) if entry.name != "folder")

EXAMPLES = {
    "metric": 'metric = "loss"',
    "max_wallclock_time": "max_wallclock_time = 600",
    "space": "a table [space] with a line for each hyperparameter",
}


def benchmark_from_table(table: Mapping[str, Any], *, where: str, folder: Path, name: str) -> Benchmark:
    """The benchmark that a table describes.

    Args:
        table: The table.
        where: What the table is, for messages, such as `digits/benchmark.toml`.
        folder: The folder that its paths are relative to, absolute.
        name: The benchmark's name if the table has none.

    Raises:
        UsageError: A key is unknown, missing, or has a value that does not fit.
    """
    for key in table:
        if key not in KEYS:
            raise UsageError(f"{where} has an unknown key {key!r}.", did_you_mean(str(key), KEYS))
    for key, example in EXAMPLES.items():
        if key not in table:
            raise UsageError(f"{where} has no {key}.", f"Add {example}.")
    for key, value in table.items():
        fits, wanted = next((fits, wanted) for keys, fits, wanted in KINDS if key in keys)
        if not fits(value):
            raise UsageError(f"{where}: {key} cannot be {value!r}.", f"Give {wanted}.")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    try:
        return ScriptBenchmark(**{"name": name, **values}, folder=folder).benchmark()
    except UsageError as error:
        raise UsageError(f"{where}: {error.what}", error.fix) from error


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _is_environment(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(entry, str) for entry in value.values())


KINDS: tuple[tuple[frozenset[str], Callable[[object], bool], str], ...] = (
    (frozenset({"arguments"}), lambda value: value in ("options", "json"), '"options" or "json"'),
    (frozenset({"mode"}), lambda value: value in ("min", "max"), '"min" or "max"'),
    (frozenset({"summary"}), lambda value: isinstance(value, str), "a text"),
    (
        frozenset({"name", "script", "python", "working_folder", "metric", "resource_attr", "max_resource_attr"}),
        _is_text,
        "a text",
    ),
    (frozenset({"command", "args", "files", "metrics"}), _is_texts, "a list of texts"),
    (frozenset({"n_workers", "max_num_evaluations", "cpus", "gpus"}), _is_whole, "a whole number"),
    (frozenset({"max_wallclock_time"}), _is_number, "a number of seconds"),
    (frozenset({"syne_tune_arguments", "checkpoints"}), _is_flag, "true or false"),
    (frozenset({"environment"}), _is_environment, 'a table of texts, such as DATA = "/data"'),
    (frozenset({"space"}), _is_table, "a table with a line for each hyperparameter"),
)
"""What the value of each key may be: keys, check, and what to say where it fails."""
