"""Sets of seeds as people write them: `0-3, 7, 9-12`."""

import re
from collections.abc import Iterable, Iterator, Sequence

from hpoctl.core.errors import UsageError
from hpoctl.core.rng import WORD

MOST = 1_000_000
"""No study has more seeds; a longer range is a typing error that would fill the memory."""

_PART = re.compile(r"([0-9]+)(?:\s*-\s*([0-9]+))?", re.ASCII)
_DIGITS = len(str(WORD))


def seeds_text(seeds: Iterable[int]) -> str:
    """Seeds as compact text, such as `0-3, 7, 9-12`; two neighbours are a range, too. No seeds: empty text."""
    return ", ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs(seeds))


def parse_seeds(texts: Sequence[str]) -> frozenset[int]:
    """The seeds that a person typed, such as `13`, `3-7` or `1,4,6-9`; both ends of a range belong to it.

    Args:
        texts: What was typed after each `--seed`.

    Raises:
        UsageError: It is neither a seed nor a range, a range runs backwards, or it is absurdly long.
    """
    seeds: set[int] = set()
    for text in texts:
        for part in text.split(","):
            seeds.update(_range(part.strip(), text))
            if len(seeds) > MOST:
                raise UsageError(f"--seed names more than {MOST:,} seeds.", "Name fewer.")
    return frozenset(seeds)


def _range(part: str, text: str) -> range:
    found = _PART.fullmatch(part)
    if found is None:
        where = "" if part == text else f" of {_short(text)}"
        raise UsageError(
            f"--seed cannot be {_short(part)}{where}.", "Give a seed, a range or several of them: 13, 3-7, or 1,4,6-9."
        )
    first, last = _seed(found[1]), _seed(found[2] or found[1])
    if last < first:
        raise UsageError(f"--seed {part} runs backwards.", f"Give the smaller end first: --seed {last}-{first}.")
    if last - first >= MOST:
        raise UsageError(f"--seed {part} has {last - first + 1:,} seeds.", f"Give a range of at most {MOST:,}.")
    return range(first, last + 1)


def _seed(digits: str) -> int:
    significant = digits.lstrip("0") or "0"
    if len(significant) > _DIGITS or int(significant) >= WORD:
        raise UsageError(f"Seed {_short(digits)} is out of range.", f"Use a whole number from 0 to {WORD - 1}.")
    return int(significant)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


def runs(seeds: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The first and the last of each run of neighbours, in order."""
    ordered = sorted(set(seeds))
    start = 0
    for place, seed in enumerate(ordered, start=1):
        if place == len(ordered) or ordered[place] != seed + 1:
            yield ordered[start], seed
            start = place
