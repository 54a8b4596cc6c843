"""What methods of several tags are called where they are put together, and what to know of results before comparing."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hpoctl.core.cells import Cell
from hpoctl.core.metadata_head import OWN
from hpoctl.ops.reading.results_of_tags import TagResults, random_seed
from hpoctl.ops.reading.tag_contents import FoundResult, Skipped


def setup_names(results: Iterable[TagResults]) -> dict[tuple[str, str], str]:
    """What each method of each tag is called: `METHOD`, or `METHOD (TAG)` where tags would get into each other's way.

    They do where two hold the same experiment, or experiments of one method and benchmark that other settings or data
    determined.
    """
    every = list(results)
    holders: dict[str, list[TagResults]] = {}
    for tag in every:
        for method in dict.fromkeys(cell.method for cell in tag.candidates):
            holders.setdefault(method, []).append(tag)
    names: dict[tuple[str, str], str] = {}
    for method, tags in holders.items():
        apart = len(tags) > 1 and _clash(method, tags)
        names |= {(tag.tag, method): f"{method} ({tag.tag})" if apart else method for tag in tags}
    return names


def bare_name(name: str) -> str:
    """The name of a method without the tag that tells it from the same method of another tag."""
    return name.partition(" (")[0]


def _clash(method: str, tags: Sequence[TagResults]) -> bool:
    cells: Counter[Cell] = Counter()
    setups: dict[str, set[str]] = {}
    for tag in tags:
        for cell, results in tag.candidates.items():
            if cell.method == method:
                cells[cell] += 1
                setups.setdefault(cell.benchmark, set()).add(results[0].setup)
    return any(count > 1 for count in cells.values()) or any(len(found) > 1 for found in setups.values())


def renamed(skipped: Iterable[Skipped], names: Mapping[tuple[str, str], str]) -> tuple[Skipped, ...]:
    """These with methods called as the setups are."""
    return tuple(
        entry
        if entry.cell is None
        else replace(
            entry, cell=replace(entry.cell, method=names.get((entry.tag, entry.cell.method), entry.cell.method))
        )
        for entry in skipped
    )


MOST_NAMED = 3
"""Experiments that a note names."""


def notes_of(results: tuple[TagResults, ...]) -> tuple[str, ...]:
    """Which results are imported, and what makes a comparison by seed wrong: other random seeds, origins, data."""
    seeds: dict[str, set[object]] = {}
    tables: dict[str, set[object]] = {}
    origins: dict[str, set[str]] = {}
    for tag in results:
        for cell, candidates in tag.candidates.items():
            seeds.setdefault(cell.benchmark, set()).add(random_seed(candidates[0]))
            origins.setdefault(cell.benchmark, set()).add(candidates[0].metadata.made_by)
            if _table(candidates[0]) is not None:
                tables.setdefault(cell.benchmark, set()).add(_table(candidates[0]))
    notes = [
        f"results on {benchmark} are partly imported: seeds of one number are not the same randomness, so that they "
        "cannot be paired"
        for benchmark, found in origins.items()
        if len(found) > 1
    ]
    notes += [
        f"results on {benchmark} have different random seeds: seeds of one number are not the same randomness, "
        "so that they cannot be paired"
        for benchmark, found in seeds.items()
        if len(found) > 1 and len(origins[benchmark]) == 1
    ]
    notes += [
        f"results on {benchmark} are from different tables: the data behind them differ"
        for benchmark, found in tables.items()
        if len(found) > 1
    ]
    return (*_imported(results), *_not_complete(results), *notes)


def _not_complete(results: tuple[TagResults, ...]) -> list[str]:
    """How many experiments count with their rows so far."""
    open_ones = [
        found[0] for tag in results for found in tag.candidates.values() if found and found[0].so_far is not None
    ]
    if not open_ones:
        return []
    named = ", ".join(str(found.cell) for found in open_ones[:MOST_NAMED])
    more = f" and {len(open_ones) - MOST_NAMED} more" if len(open_ones) > MOST_NAMED else ""
    return [f"not complete, with the rows so far: {named}{more}"]


def _imported(results: tuple[TagResults, ...]) -> list[str]:
    """Which methods of which tags another program ran."""
    groups: dict[tuple[str, str, bool], dict[str, None]] = {}
    for tag in results:
        for cell, candidates in tag.candidates.items():
            origin, known = candidates[0].metadata.made_by, _table(candidates[0]) is not None
            if origin != OWN:
                groups.setdefault((tag.tag, origin, known), {})[cell.method] = None
    return [
        f"results of tag {tag} are {origin.replace(': ', ' from ')}: {', '.join(methods)}"
        + ("" if known else "; the data behind them are not known")
        for (tag, origin, known), methods in groups.items()
    ]


def _table(found: FoundResult) -> str | None:
    return found.metadata.data.get("table")
