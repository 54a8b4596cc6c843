"""What the methods of several tags are called, where they are put together."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hpoctl.core.cells import Cell
from hpoctl.ops.reading.results_of_tags import Skipped, TagResults


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
