"""A study as a table of plain values, as it stands in `study.toml` and in a tag's plans.

Keys are the fields of `Study`, with the settings of its experiments by name; `fixed`, `launcher_options` and `panels`
are tables. What has its default is left out.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields
from difflib import get_close_matches
from typing import Any

from hpoctl.core.errors import UsageError
from hpoctl.core.settings import DEFINITIONS, Settings, check_all
from hpoctl.core.study import Study

TEXTS = frozenset({"name", "summary", "tag", "launcher"})
LISTS = frozenset({"methods", "benchmarks", "extra_results", "settings"})
WHOLE = frozenset({"num_seeds", "start_seed", "random_seed"})
FLAGS = frozenset({"default"})
KEYS = tuple(key for entry in fields(Study) for key in (DEFINITIONS if entry.name == "experiment" else (entry.name,)))


def study_table(study: Study) -> dict[str, Any]:
    """The study as plain values, in the order of its fields."""
    table: dict[str, Any] = {}
    for entry in fields(study):
        value = getattr(study, entry.name)
        if entry.name == "experiment":
            table |= study.experiment.said()
        elif value != _default(entry):
            table[entry.name] = list(value) if entry.name in LISTS else _plain(value)
    return table


def study_from_table(table: Mapping[str, Any], *, where: str, name: str = "study") -> Study:
    """The study that a table describes.

    Args:
        table: The table.
        where: What the table is, for messages, such as `study.toml`.
        name: The study's name if the table has none.

    Raises:
        UsageError: A key is unknown, a value has the wrong type or is out of range, or something is missing.
    """
    for key in table:
        if key not in KEYS:
            raise _unknown_key(where, key)
    for key in ("methods", "benchmarks"):
        if key not in table:
            raise UsageError(f"{where} has no {key}.", f'Add a line such as {key} = ["NAME"].')
    values = {key: _checked(where, key, value) for key, value in table.items() if key not in DEFINITIONS}
    try:
        said = check_all({key: value for key, value in table.items() if key in DEFINITIONS})
        return Study(**({"name": name, "summary": ""} | values), experiment=Settings(**said))
    except UsageError as error:
        raise UsageError(f"{where}: {error.what}", error.fix) from error


def _unknown_key(where: str, key: str) -> UsageError:
    close = get_close_matches(key, KEYS, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]}? " if close else ""
    return UsageError(f"{where} has an unknown key {key!r}.", f"{hint}Known keys: {', '.join(KEYS)}.")


def _checked(where: str, key: str, value: Any) -> Any:
    """The value as the field has it."""
    fits, wanted = next((fits, wanted) for keys, fits, wanted in KINDS if key in keys)
    if not fits(value):
        raise UsageError(f"{where}: {key} cannot be {value!r}.", f"Give {wanted}.")
    if isinstance(value, list):
        return tuple(value)
    if key == "panels":
        return {title: tuple(names) for title, names in value.items()}
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_plain(value: object) -> bool:
    return isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))


def _is_plain_table(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_plain, value.values()))


def _is_text_table(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_tables(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_plain_table, value.values()))


def _is_panels(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_texts, value.values()))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return {key: _plain(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def _default(entry: Field[Any]) -> Any:
    if entry.default is not MISSING:
        return entry.default
    return entry.default_factory() if entry.default_factory is not MISSING else MISSING


KINDS: tuple[tuple[frozenset[str], Callable[[object], bool], str], ...] = (
    (TEXTS, _is_text, "a text"),
    (LISTS, _is_texts, "a list of texts"),
    (WHOLE, _is_whole, "a whole number"),
    (FLAGS, _is_flag, "true or false"),
    (frozenset({"launcher_options"}), _is_plain_table, "a table of values"),
    (frozenset({"benchmark_files"}), _is_text_table, "a table of names, each with the path of a file"),
    (frozenset({"panels"}), _is_panels, "a table of titles, each with a list of methods"),
    (frozenset({"fixed"}), _is_tables, "a table for each method, with the values of its hyperparameters"),
)
"""What the value of each key may be: keys, check, and what to say where it fails."""
