"""The importer `table`: a file with a description beside it becomes a benchmark."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from hpoctl.blackboxes.tables.description import Description
from hpoctl.blackboxes.tables.stored import Stored, check_stored, open_stored, read_stored, stored_names
from hpoctl.core.blackbox import Blackbox
from hpoctl.core.entries import Benchmark, Imported, Progress
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.toml_files import Document, read_toml

SUFFIXES = (".npz", ".parquet")
FILE = "file"


def import_table(path: Path, progress: Progress, taken: Callable[[], Mapping[str, str]]) -> Imported:
    """Read a table, check all of it, and store it.

    Args:
        path: An npz or Parquet file with a description `<stem>.toml` beside it, or the description, which names it.
        progress: Told how far it is.
        taken: The names of the benchmarks of plugins, and whose they are.

    Raises:
        UsageError: There is no such file, or it is not what its description says.
        IncompleteError: It is damaged, or a part of the table is missing.
        HpoctlError: It cannot be stored.
    """
    # Imported here: tables can be used without the libraries that read files.
    from hpoctl.blackboxes.tables.assemble import assemble  # noqa: PLC0415
    from hpoctl.blackboxes.tables.storage import store_table  # noqa: PLC0415

    file, described = _find(path)
    for name, owner in taken().items():
        if name.casefold() == described.name.casefold():
            raise UsageError(
                f"The plugin {owner} has a benchmark {name!r} already.",
                "Give the table another name in its description.",
            )
    table = assemble(_reader(file)(file, described, progress), described)
    stored, new = store_table(table, progress)
    what = _size(stored)
    return Imported((described.name,), (what if new else f"{what}: nothing has changed", *table.notes))


def imported_benchmarks() -> Iterator[Benchmark]:
    """The benchmarks of all imported tables. No table is opened.

    Raises:
        IncompleteError: Some are damaged; raised at the end, after those that are not.
    """
    damaged: list[HpoctlError] = []
    for name in stored_names():
        try:
            benchmark = _benchmark(read_stored(name))
        except HpoctlError as error:
            damaged.append(error)
        else:
            yield benchmark
    if damaged:
        raise IncompleteError(" ".join(error.what for error in damaged), damaged[0].fix)


def _open(stored: Stored) -> Blackbox:
    return open_stored(stored)


def _benchmark(stored: Stored) -> Benchmark:
    described = stored.table.description
    facts = {"source": described.source, "licence": described.licence, "citation": described.citation}
    return Benchmark(
        name=stored.name,
        summary=described.summary or "An imported table",
        space=described.space,
        metrics=described.metrics,
        metric=described.metric,
        mode=described.mode,
        resource_attr=described.resource_attr,
        max_resource_attr=described.max_resource_attr,
        n_workers=described.n_workers,
        max_wallclock_time=described.max_wallclock_time,
        blackbox=partial(_open, stored),
        provenance={"curves": f"modelled: {described.modelled}" if described.modelled else "as in the imported table"},
        max_num_evaluations=described.max_num_evaluations,
        card={
            **{key: fact for key, fact in facts.items() if fact},
            "table": _size(stored),
            "lies in": str(stored.folder),
        },
        check=partial(check_stored, stored),
    )


def _size(stored: Stored) -> str:
    nouns = ("configuration", "seed", "level", "metric")
    return " x ".join(
        f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in zip(stored.table.shape, nouns, strict=True)
    )


def _find(path: Path) -> tuple[Path, Description]:
    """The file of the table, and its description."""
    if path.suffix == ".toml":
        document = _read_toml(path)
        name = document.values.get(FILE)
        if not isinstance(name, str) or not name:
            raise UsageError(f"{path} does not say which file it describes.", 'Add a line such as file = "table.npz".')
        return _existing(path.parent / name), document.without(FILE).read(Description)
    file = _existing(path)
    toml = file.with_suffix(".toml")
    document = _read_toml(toml)
    name = document.values.get(FILE, file.name)
    if not isinstance(name, str) or Path(name).name != file.name:
        raise UsageError(f"{toml} describes {name!r}, not {file.name}.", f"Import {toml} itself, or correct it.")
    return file, document.without(FILE).read(Description)


def _existing(path: Path) -> Path:
    if path.suffix not in SUFFIXES:
        raise UsageError(f"{path} is no table that can be read.", f"Use a file that ends in {' or '.join(SUFFIXES)}.")
    try:
        there = path.is_file()
    except (OSError, ValueError):
        there = False
    if not there:
        raise UsageError(f"There is no file {path}.", "Check the path.")
    return path


def _read_toml(path: Path) -> Document:
    try:
        return read_toml(path)
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no description {path}.",
            "Write one; https://toml.io has the rules, and docs/reference/blackbox-files.md the keys.",
        ) from error


def _reader(file: Path) -> Callable[[Path, Description, Progress], Any]:
    if file.suffix == ".npz":
        from hpoctl.blackboxes.tables.npz import read_npz  # noqa: PLC0415

        return read_npz
    from hpoctl.blackboxes.tables.parquet import read_parquet  # noqa: PLC0415

    return read_parquet
