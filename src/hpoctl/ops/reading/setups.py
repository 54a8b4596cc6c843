"""What methods of several tags are called where they are put together, and what to know of results before comparing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hpoctl.core.metadata_head import OWN
from hpoctl.ops.reading.tag_contents import FoundResult, Skipped


def setup_names(found: Iterable[FoundResult]) -> dict[tuple[str, str], str]:
    """What each method of each tag is called: `METHOD`, or `METHOD (TAG)` where tags would get into each other's way.

    They do where two hold the same experiment, or experiments of one method and benchmark that other settings or data
    determined.
    """
    groups: dict[str, list[FoundResult]] = {}
    for each in found:
        groups.setdefault(each.cell.method, []).append(each)
    names: dict[tuple[str, str], str] = {}
    for method, own in groups.items():
        tags = {each.tag for each in own}
        apart = len(tags) > 1 and _clash(own)
        names |= {(tag, method): f"{method} ({tag})" if apart else method for tag in tags}
    return names


def bare_name(name: str) -> str:
    """The name of a method without the tag that tells it from the same method of another tag."""
    return name.partition(" (")[0]


def _clash(found: Sequence[FoundResult]) -> bool:
    """Whether an experiment of a method is there twice, or with several setups on a benchmark."""
    cells = {each.cell for each in found}
    setups = {(each.cell.benchmark, each.setup) for each in found}
    return len(cells) < len(found) or len(setups) > len({each.cell.benchmark for each in found})


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


def notes_of(found: Sequence[FoundResult]) -> tuple[str, ...]:
    """Which results are imported, and what makes a comparison by seed wrong: other random seeds, origins, data."""
    seeds: dict[str, set[object]] = {}
    tables: dict[str, set[object]] = {}
    origins: dict[str, set[str]] = {}
    for each in found:
        benchmark, metadata = each.cell.benchmark, each.metadata
        seeds.setdefault(benchmark, set()).add(metadata.random_seed)
        origins.setdefault(benchmark, set()).add(metadata.made_by)
        if _table(each) is not None:
            tables.setdefault(benchmark, set()).add(_table(each))
    notes = [
        f"results on {benchmark} are partly imported: seeds of one number are not the same randomness, so that they "
        "cannot be paired"
        for benchmark, values in origins.items()
        if len(values) > 1
    ]
    notes += [
        f"results on {benchmark} have different random seeds: seeds of one number are not the same randomness, "
        "so that they cannot be paired"
        for benchmark, values in seeds.items()
        if len(values) > 1 and len(origins[benchmark]) == 1
    ]
    notes += [
        f"results on {benchmark} are from different tables: the data behind them differ"
        for benchmark, values in tables.items()
        if len(values) > 1
    ]
    return (*_imported(found), *_not_complete(found), *notes)


def _not_complete(found: Sequence[FoundResult]) -> list[str]:
    """How many experiments count with their rows so far."""
    open_ones = [each for each in found if each.so_far is not None]
    if not open_ones:
        return []
    named = ", ".join(str(each.cell) for each in open_ones[:MOST_NAMED])
    more = f" and {len(open_ones) - MOST_NAMED} more" if len(open_ones) > MOST_NAMED else ""
    return [f"not complete, with the rows so far: {named}{more}"]


def _imported(found: Sequence[FoundResult]) -> list[str]:
    """Which methods of which tags another program ran."""
    groups: dict[tuple[str, str, bool], dict[str, None]] = {}
    for each in found:
        if each.metadata.made_by != OWN:
            key = each.tag, each.metadata.made_by, _table(each) is not None
            groups.setdefault(key, {})[each.cell.method] = None
    return [
        f"results of tag {tag} are {origin.replace(': ', ' from ')}: {', '.join(methods)}"
        + ("" if known else "; the data behind them are not known")
        for (tag, origin, known), methods in groups.items()
    ]


def _table(found: FoundResult) -> str | None:
    return found.metadata.data.get("table")
