"""What a person should know of results before comparing them."""

from hpoctl.core.metadata_head import OWN
from hpoctl.ops.reading.results_of_tags import FoundResult, TagResults, random_seed

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
    """How many experiments count with what they have so far."""
    open_ones = [
        found[0] for tag in results for found in tag.candidates.values() if found and found[0].so_far is not None
    ]
    if not open_ones:
        return []
    named = ", ".join(str(found.cell) for found in open_ones[:MOST_NAMED])
    more = f" and {len(open_ones) - MOST_NAMED} more" if len(open_ones) > MOST_NAMED else ""
    return [f"not complete, with what there is so far: {named}{more}"]


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
