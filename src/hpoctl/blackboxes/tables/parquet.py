"""Tables in Parquet files: a row for each configuration, seed and resource level, in any order."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from hpoctl.blackboxes.tables.description import Description
from hpoctl.blackboxes.tables.raw import MAX_BYTES, Column, RawTable, check_size, floats, whole_numbers
from hpoctl.core.entries import Progress
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.protocols import FloatArray, IntArray


def read_parquet(path: Path, description: Description, progress: Progress) -> RawTable:
    """The table in a Parquet file. Configurations are numbered in the order in which they come first.

    Raises:
        IncompleteError: The file is truncated or damaged, or a row is missing.
        UsageError: It holds something else than the description says, or too much.
    """
    fixed = [name for name in description.space.fixed if name != description.max_resource_attr]
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            hyperparameters = [*description.searched, *(name for name in fixed if name in names)]
            curves = list(dict.fromkeys([*description.metrics, description.elapsed]))
            keys = [*hyperparameters, description.resource_attr, *([description.seed] if description.seed else [])]
            _check_columns(path, file, keys, curves)
            rows = file.metadata.num_rows
            check_size(str(path), 0, rows, len(description.metrics))
            placing: dict[str, Column] = {}
            numbers: dict[str, FloatArray] = {}
            steps = len(keys) + len(curves)
            for name in keys:
                progress(f"reading {name}", len(placing), steps)
                placing[name] = _read_key(path, file, name)
            for name in curves:
                progress(f"reading {name}", len(keys) + len(numbers), steps)
                numbers[name] = _read_curve(file, name)
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        reason = " ".join(str(error).split())[:200]
        raise IncompleteError(
            f"{path} cannot be read as a Parquet file: {reason}.", "It is damaged or incomplete: copy or save it again."
        ) from error
    if not rows:
        raise UsageError(f"{path} has no rows.", "Save one configuration at least.")
    progress("sorting rows", 0, None)
    placed = _Placed(path, description, placing, hyperparameters)
    values = np.stack([placed.sorted(numbers[name]) for name in description.metrics], axis=-1)
    elapsed = placed.sorted(numbers[description.elapsed])
    unused = tuple(name for name in names if name not in [*keys, *curves] and name != description.max_resource_attr)
    return RawTable(placed.columns, placed.resources, values, elapsed, unused)


def _check_columns(path: Path, file: Any, keys: Sequence[str], curves: Sequence[str]) -> None:
    """The columns are there, once, with types that can be used, and are not too large."""
    schema = file.schema_arrow
    for name in [*keys, *curves]:
        found = [field.type for field in schema if field.name == name]
        if len(found) != 1:
            how = "no column" if not found else "more than one column"
            fix = f"Correct the file or the description; it has: {', '.join(schema.names)}."
            raise UsageError(f"{path} has {how} {name!r}.", fix)
        kind = found[0].value_type if pa.types.is_dictionary(found[0]) else found[0]
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        if name in curves and not number:
            raise UsageError(f"{path}: the column {name} is of type {found[0]}.", f"Save {name} as numbers.")
        if not (number or text or pa.types.is_boolean(kind)):
            fix = f"Save {name} as numbers, texts, or true and false."
            raise UsageError(f"{path}: the column {name} is of type {found[0]}.", fix)
    sizes: dict[str, int] = {}
    for group in range(file.metadata.num_row_groups):
        row_group = file.metadata.row_group(group)
        for place in range(row_group.num_columns):
            column = row_group.column(place)
            sizes[column.path_in_schema] = sizes.get(column.path_in_schema, 0) + column.total_uncompressed_size
    for name in [*keys, *curves]:
        if sizes.get(name, 0) > MAX_BYTES:
            raise UsageError(
                f"{path} says that {name} takes {sizes[name]:,} bytes.", f"Use at most {MAX_BYTES:,} for a column."
            )


def _read_curve(file: Any, name: str) -> FloatArray:
    """A column of numbers, shape (rows,); empty cells are NaN, as pandas writes it."""
    return floats(file.read(columns=[name]).column(0).to_numpy())


def _read_key(path: Path, file: Any, name: str) -> Column:
    """The different values of a column, in the order in which they come first, and which of them each row has."""
    chunks = file.read(columns=[name]).column(0)
    if chunks.null_count:
        raise UsageError(f"{path}: the column {name} has empty cells.", "Give each row a value.")
    if pa.types.is_dictionary(chunks.type):
        chunks = chunks.unify_dictionaries()
    encoded = (chunks if pa.types.is_dictionary(chunks.type) else chunks.dictionary_encode()).combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    used, places = np.unique(_indices(encoded), return_inverse=True)  # a dictionary may hold values that no row has
    return Column(tuple(encoded.dictionary.take(pa.array(used)).to_pylist()), places.astype(np.int64))


class _Placed:
    """Which configuration, seed and level each row belongs to.

    Raises:
        IncompleteError: A row is missing.
        UsageError: A row comes twice, or levels are not whole numbers.
    """

    def __init__(
        self, path: Path, description: Description, keys: Mapping[str, Column], hyperparameters: Sequence[str]
    ) -> None:
        self._path = path
        self._description = description
        self._configs = _numbered([keys[name].places for name in hyperparameters])
        firsts = np.unique(self._configs, return_index=True)[1]
        self.columns = {name: Column(keys[name].values, keys[name].places[firsts]) for name in hyperparameters}
        check_size(str(path), len(firsts), 0, 1)
        resource = keys[description.resource_attr]
        levels = whole_numbers(f"{path}: {description.resource_attr}", np.array(resource.values))
        self.resources = np.unique(levels)
        self._levels = np.searchsorted(self.resources, levels)[resource.places]
        seeds = keys[description.seed] if description.seed else Column((0,), np.zeros_like(self._configs))
        self._seeds = sorted(seeds.values)
        ranks = {seed: rank for rank, seed in enumerate(self._seeds)}
        self._seed_places = np.array([ranks[seed] for seed in seeds.values])[seeds.places]
        self._shape = (len(firsts), len(self._seeds), len(self.resources))
        self._check_complete()
        self._order = np.empty(len(self._configs), dtype=np.int64)
        self._order[self._cells()] = np.arange(len(self._configs))

    def _cells(self) -> IntArray:
        """The place of each row in an array of shape (n, seeds, r)."""
        cells: IntArray = (self._configs * self._shape[1] + self._seed_places) * self._shape[2] + self._levels
        return cells

    def sorted(self, column: FloatArray) -> FloatArray:
        """A column of curves, shape (rows,), as an array of shape (n, seeds, r)."""
        return column[self._order].reshape(self._shape)

    def _check_complete(self) -> None:
        """Each configuration has one row for each seed and level."""
        configs, seeds, levels = self._shape
        wanted = seeds * levels
        counts = np.bincount(self._configs, minlength=configs)
        wrong = np.flatnonzero(counts != wanted)
        if not len(wrong):
            twice = np.flatnonzero(np.bincount(self._cells()) > 1)
            if not len(twice):
                return
            wrong = twice[:1] // wanted
        config = int(wrong[0])
        own = self._configs == config
        there: dict[tuple[int, int], int] = {}
        for pair in zip(self._seed_places[own].tolist(), self._levels[own].tolist(), strict=True):
            there[pair] = there.get(pair, 0) + 1
        pairs = ((seed, level) for seed in range(seeds) for level in range(levels))
        repeated = next((pair for pair, count in there.items() if count > 1), None)
        pair = repeated or next(pair for pair in pairs if pair not in there)
        shown = ", ".join(f"{name}={column.values[column.places[config]]}" for name, column in self.columns.items())
        at = f"{self._description.resource_attr} {self.resources[pair[1]]}"
        at += f" and {self._description.seed} {self._seeds[pair[0]]}" if self._description.seed else ""
        if repeated:
            raise UsageError(
                f"{self._path} has {there[pair]} rows for {at} of the configuration {shown}.",
                "Keep one of them, or name the column that tells repetitions apart with seed = in the description.",
            )
        raise IncompleteError(
            f"{self._path} has no row for {at} of the configuration {shown}.",
            f"Each configuration needs {seeds:,} x {levels:,} rows, seeds x levels: complete it, or leave it out.",
        )


def _indices(encoded: Any) -> IntArray:
    indices: IntArray = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return indices


def _numbered(columns: Sequence[NDArray[np.integer]]) -> IntArray:
    """Number the different combinations of codes from 0 in the order in which they come first, shape (rows,)."""
    numbers: IntArray = columns[0].astype(np.int64)
    for column in [*columns[1:], np.zeros_like(numbers)]:
        combined = numbers * (int(column.max()) + 1) + column
        numbers = _indices(pa.array(combined).dictionary_encode())
    return numbers
