"""`hpoctl import`: results of Syne Tune become experiments of a tag.

What is written follows from the files that are read, its name included. So an import can be repeated: what is there
stays, what an interrupted one has left out follows, and what was damaged since is written again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hpoctl.core.cells import METADATA, RESULTS, Cell
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.metadata_head import SYNE_TUNE
from hpoctl.core.names import check_tag
from hpoctl.core.sealed import seal
from hpoctl.engine.table import parquet_bytes
from hpoctl.ops.exchange.imported_metadata import Source, directory_of, imported_metadata, source_of
from hpoctl.ops.exchange.syne_tune_files import read_files, tuner_folders
from hpoctl.ops.exchange.syne_tune_rows import LEAVE_OUT, column_kinds, read_rows
from hpoctl.ops.studies.config import Root
from hpoctl.stores.ledger import Attempt, read_attempts, read_results

ExperimentProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Refused:
    """A result that was not imported.

    Attributes:
        path: Its folder.
        what: What is wrong with it, in one line.
        fix: What to do about it, in one line.
    """

    path: str
    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class ImportedTag:
    """What a tag got.

    Attributes:
        tag: The tag.
        methods: The methods of its imported results.
        benchmarks: Their benchmarks.
        imported: How many results were written.
        present: How many were there already.
    """

    tag: str
    methods: tuple[str, ...]
    benchmarks: tuple[str, ...]
    imported: int
    present: int


@dataclass(frozen=True)
class ImportedResults:
    """What an import did.

    Attributes:
        folder: The folder that was read.
        origin: What the metadata of its results say about where they come from.
        tags: What each tag got.
        refused: What was not imported.
        notes: What a person should know about what was imported.
    """

    folder: str
    origin: str
    tags: tuple[ImportedTag, ...]
    refused: tuple[Refused, ...]
    notes: tuple[str, ...]


def import_results(
    folder: Path,
    root: Root,
    new_tag: str | None = None,
    budget: float | None = None,
    progress: ExperimentProgress | None = None,
) -> ImportedResults:
    """Store each result below a folder as a complete experiment; unreadable ones are listed, and the others imported.

    Args:
        folder: The folder with results of Syne Tune, in any depth.
        root: The root of results.
        new_tag: The tag of all of them; None: each keeps its own.
        budget: The budget in seconds of results that do not say theirs; None: the time of their last row.
        progress: Receives how many results were read, of how many; None: not reported.

    Raises:
        UsageError: The tag or the budget is invalid, or there is no such folder.
        IncompleteError: There is no result, or none that can be imported.
        HpoctlError: A file cannot be read or written.
    """
    _check(folder, new_tag, budget)
    folders = list(tuner_folders(folder))
    if not folders:
        raise IncompleteError(
            f"There are no results of Syne Tune below {folder}.",
            f"Name a folder with <tag>/<method>/<tuner name>/{METADATA} and results.csv.zip in it.",
        )
    sources, refused = _sources(folders, new_tag)
    kept: list[_Kept] = []
    for tag in dict.fromkeys(source.tag for source in sources):
        own = [source for source in sources if source.tag == tag]
        for source, place in zip(own, _places(root, tag, own), strict=True):
            try:
                kept.append(_Kept(source, _write(root, source, place, budget)))
            except IncompleteError as error:
                refused.append(Refused(str(source.folder), error.what, error.fix))
            if progress:
                progress(len(kept) + len(refused), len(folders))
    if not kept:
        raise IncompleteError(
            f"None of {len(refused)} results below {folder} can be imported; "
            f"the first is {refused[0].path}: {refused[0].what}",
            refused[0].fix,
        )
    tags = tuple(_summary(tag, kept) for tag in dict.fromkeys(each.source.tag for each in kept))
    notes = _notes([each.source for each in kept], budget)
    return ImportedResults(str(folder), SYNE_TUNE, tags, tuple(refused), notes)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A result that is in its tag now.

    Attributes:
        source: The result.
        written: Whether it was not there before.
    """

    source: Source
    written: bool


def _summary(tag: str, kept: Iterable[_Kept]) -> ImportedTag:
    own = [each for each in kept if each.source.tag == tag]
    written = sum(each.written for each in own)
    methods = tuple(sorted({each.source.method for each in own}))
    benchmarks = tuple(sorted({each.source.benchmark for each in own}))
    return ImportedTag(tag, methods, benchmarks, written, len(own) - written)


def _check(folder: Path, new_tag: str | None, budget: float | None) -> None:
    if new_tag is not None:
        check_tag(new_tag)
    if budget is not None and not 0.0 < budget < float("inf"):
        raise UsageError(f"The budget is {budget} seconds.", "Use a positive number of seconds.")
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.", "Name the folder that holds the results.")


def _sources(folders: Iterable[Path], new_tag: str | None) -> tuple[list[Source], list[Refused]]:
    """What there is to import, in the order in which it began, and what cannot be."""
    sources, refused = [], []
    for folder in folders:
        try:
            sources.append(source_of(read_files(folder), new_tag))
        except (IncompleteError, UsageError) as error:
            refused.append(Refused(str(folder), error.what, error.fix))
    return sorted(sources, key=lambda source: (source.started, source.folder.name, str(source.folder))), refused


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a result belongs.

    Attributes:
        cell: Its experiment.
        directory: Its directory in the store.
        attempt: What lies there; None: nothing that can be read.
        twice: Whether another folder has the same result.
    """

    cell: Cell
    directory: str
    attempt: Attempt | None = None
    twice: bool = False


def _places(root: Root, tag: str, sources: Sequence[Source]) -> list[_Place]:
    """Where the results of a tag belong; those without a seed get the lowest free ones, in their order."""
    attempts = read_attempts(root.store, tag)
    known = {attempt.identity: attempt for attempt in attempts if attempt.cell and attempt.origin == SYNE_TUNE}
    used: dict[tuple[str, str], set[int]] = {}
    for attempt in attempts:
        if attempt.cell:
            used.setdefault((attempt.cell.method, attempt.cell.benchmark), set()).add(attempt.cell.seed)
    for source in sources:
        if source.seed is not None:
            used.setdefault((source.method, source.benchmark), set()).add(source.seed)
    places: dict[str, _Place] = {}
    found = []
    for source in sources:
        if source.identity in places:
            place = replace(places[source.identity], twice=True)
        elif (there := known.get(source.identity)) is not None and there.cell is not None:
            place = _Place(there.cell, there.directory, there)
        else:
            seeds = used.setdefault((source.method, source.benchmark), set())
            seed = source.seed
            if seed is None:
                seed = next(number for number in range(len(seeds) + 1) if number not in seeds)
                seeds.add(seed)
            cell = Cell(source.method, source.benchmark, seed)
            place = _Place(cell, directory_of(source, cell))
        places.setdefault(source.identity, place)
        found.append(place)
    return found


def _write(root: Root, source: Source, place: _Place, budget: float | None) -> bool:
    """Write a result, unless it is there; whether it was written."""
    if place.twice or (place.attempt is not None and _is_whole(root, place.attempt)):
        return False
    files = read_files(source.folder)
    if files.digests != source.digests:
        raise IncompleteError("It was changed while it was read.", LEAVE_OUT)
    table = read_rows(files.rows, source.metric, column_kinds(source.record.config_space))
    data = parquet_bytes(table)
    metadata = imported_metadata(source, files, place.cell, table, data, budget)
    # The rows first: without its metadata a directory is reported as damaged, and counts for nothing.
    root.store.put(f"{place.directory}/{RESULTS}", data)
    root.store.put(f"{place.directory}/{METADATA}", seal(metadata))
    return True


def _is_whole(root: Root, attempt: Attempt) -> bool:
    try:
        read_results(root.store, attempt)
    except IncompleteError:
        return False
    return True


def _notes(sources: Sequence[Source], budget: float | None) -> tuple[str, ...]:
    """What the results do not say themselves."""
    unnamed = sum(source.unnamed for source in sources)
    seedless = sum(source.seed is None for source in sources)
    endless = sum(source.budget is None for source in sources)
    unpaired = sum(source.random_seed is None for source in sources)
    end = f"{budget:g} s as you say" if budget else "the time of its last row"
    notes = {
        "no method or benchmark: it is called after its scheduler and its script": unnamed,
        "no seed: it has the lowest free one, in the order in which they began": seedless,
        "no random seed: which randomness it shares with other results of its seed is not known": unpaired,
        f"no budget: it ends at {end}": endless,
    }
    return tuple(f"{count} of {len(sources)} name {what}" for what, count in notes.items() if count)
