"""From what a file holds to a table that can be trusted: configurations of the space, curves that make sense."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpoctl.blackboxes.tables.description import Description
from hpoctl.blackboxes.tables.raw import Column, RawTable
from hpoctl.core.canonical import canonical_json
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import FloatArray, IntArray
from hpoctl.core.space import Domain, Fixed, Space, Value


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table that was checked.

    Attributes:
        description: What it is.
        numbers: Its configurations as the numbers of a `TableSpace`, shape (n, d).
        rows: Their points of the unit cube, shape (n, d).
        resources: Resource levels, strictly increasing, shape (r,).
        values: Values of the metrics, single precision where nothing is lost, shape (n, seeds, r, m).
        elapsed: Cumulative seconds, strictly increasing, single precision where nothing is lost, shape (n, seeds, r).
        notes: What a person should know about it.
    """

    description: Description
    numbers: FloatArray
    rows: FloatArray
    resources: IntArray
    values: FloatArray
    elapsed: FloatArray
    notes: tuple[str, ...]


def assemble(raw: RawTable, description: Description) -> Table:
    """Check what a file holds against its description.

    Raises:
        UsageError: Levels, configurations or times are not what they should be.
    """
    _check_levels(raw.resources, description)
    numbers, rows = _place(raw.columns, description.space, len(raw.elapsed))
    table = Table(
        description, numbers, rows, raw.resources, _narrow(raw.values), _narrow(raw.elapsed), _notes(raw, description)
    )
    _check_distinct(table)
    _check_times(table)
    return table


def table_hash(space: Space, metrics: tuple[str, ...], numbers: FloatArray, curves: tuple[NDArray[Any], ...]) -> str:
    """A hash of all that determines what a table answers; the order of its configurations is a part of it.

    Args:
        space: The space around the table; fixed values are part of it.
        metrics: The names of the metrics.
        numbers: The configurations, shape (n, d).
        curves: Resource levels, values and times; single and double precision count alike.
    """
    arrays = (numbers, *curves)
    described = {
        # Pairs, because the order of hyperparameters decides which draws they get.
        "space": [[name, domain] for name, domain in space.to_json().items()],
        "metrics": list(metrics),
        "shapes": [list(array.shape) for array in arrays],
    }
    digest = sha256(canonical_json(described))
    for array in arrays:
        flat = array.reshape(-1)
        for start in range(0, len(flat), 1_000_000):  # in parts: a table may be larger than half of the memory
            part = flat[start : start + 1_000_000].astype("<f8")
            part[np.isnan(part)] = np.nan  # NaN has many bit patterns
            digest.update(part.tobytes())
    return digest.hexdigest()


def config_text(table: Table, row: int) -> str:
    """A configuration of a table, for messages."""
    shown = []
    for place, (name, domain) in enumerate(table.description.space.domains.items()):
        if not isinstance(domain, Fixed):
            number = float(table.numbers[row, place])
            shown.append(f"{name}={number if domain.size is None else domain.at(int(number))}")
    return ", ".join(shown)


def _check_levels(resources: IntArray, description: Description) -> None:
    name = description.resource_attr
    if not len(resources) or resources[0] < 1 or not (np.diff(resources) > 0).all():
        raise UsageError(f"The levels of {name} do not increase from 1 or more.", "Sort the table, each level once.")
    if (last := int(resources[-1])) != description.max_resource:
        level = description.max_resource_attr
        raise UsageError(
            f"The curves end at {name} {last}, and [space] says {level} = {description.max_resource}.",
            f"Write {level} = {last}.",
        )


def _place(columns: Mapping[str, Column], space: Space, count: int) -> tuple[FloatArray, FloatArray]:
    """The configurations as numbers and as points of the unit cube, shape (n, d) each."""
    numbers, rows = np.zeros((count, len(space))), np.full((count, len(space)), 0.5)
    for place, (name, domain) in enumerate(space.domains.items()):
        if name not in columns:
            continue  # a fixed value, which has the number 0 and the point 0.5
        column = columns[name]
        pairs = np.array([_number(name, domain, value) for value in column.values])
        numbers[:, place], rows[:, place] = pairs[column.places].T + 0.0  # there is no -0.0
    return numbers, rows


def _number(name: str, domain: Domain, value: Value) -> tuple[float, float]:
    # Tables of numbers often hold whole ones as floats.
    if not domain.contains(value) and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not domain.contains(value):
        raise UsageError(
            f"The table has a configuration with {name} = {value!r}, and [space] allows {domain.describe()}.",
            f"Correct the domain of {name}, or leave such configurations out.",
        )
    return (float(value) if domain.size is None else float(domain.index(value))), domain.unit(value)


def _check_distinct(table: Table) -> None:
    unique, firsts, counts = np.unique(table.numbers, axis=0, return_index=True, return_counts=True)
    if len(unique) < len(table.numbers):
        place = int(np.argmax(counts > 1))
        raise UsageError(
            f"The table has the configuration {config_text(table, int(firsts[place]))} {counts[place]} times.",
            "Keep one of them, or save repetitions as seeds.",
        )


def _check_times(table: Table) -> None:
    description, times = table.description, table.elapsed
    with np.errstate(invalid="ignore"):  # the difference of two infinities
        right = np.isfinite(times) & (np.diff(times, axis=-1, prepend=0.0) > 0.0)
    if right.all():
        return
    row, seed, level = (int(place[0]) for place in np.nonzero(~right))
    at, name = f"{description.resource_attr} {table.resources[level]}", description.elapsed
    where = f"configuration {row} ({config_text(table, row)})" + (f", seed {seed}" if times.shape[1] > 1 else "")
    now, before = float(times[row, seed, level]), float(times[row, seed, level - 1]) if level else 0.0
    if not np.isfinite(now):
        what = f"{name} is {now} at {at} in {where}."
    else:
        since = f"from {before:g} to {now:g} seconds" if level else f"from 0 to {now:g} seconds"
        what = f"{name} goes {since} at {at} in {where}, and it has to increase."
    raise UsageError(what, "Give cumulative seconds of training, above 0 and increasing along each curve.")


def _narrow(numbers: FloatArray) -> FloatArray:
    """Numbers in single precision, if that is all they hold."""
    if numbers.dtype == np.float32:
        return numbers
    with np.errstate(over="ignore", under="ignore"):
        single = numbers.astype(np.float32)
    return single if np.array_equal(single, numbers, equal_nan=True) else numbers


def _notes(raw: RawTable, description: Description) -> tuple[str, ...]:
    notes = []
    for place, metric in enumerate(description.metrics):
        bad = ~np.isfinite(raw.values[..., place])
        if metric == description.metric and bad.all():
            raise UsageError(f"{metric} has no finite value.", "Tune another metric, or save the table again.")
        if count := int(bad.sum()):
            curves = bad.any(axis=-1)
            notes.append(
                f"{metric} is NaN or infinite in {count:,} of {bad.size:,} values, {int(curves.sum()):,} of "
                f"{curves.size:,} curves: kept, and worst of all where it is tuned"
            )
    if raw.unused:
        notes.append(f"not taken: {', '.join(raw.unused)}; name them in `metrics` to record them")
    levels = description.levels_note(raw.resources.tolist())
    if levels is not None:
        notes.append(levels)
    if not description.modelled:
        notes.append("nothing is said to be modelled; say so with `modelled` in the description if it is")
    return tuple(notes)
