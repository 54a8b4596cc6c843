"""Reads a report's page as a stranger would, and computes every number on it again from the data in it."""

import json
import math
from dataclasses import dataclass
from html.parser import HTMLParser

from hpoctl.analysis.report_data import from_json
from hpoctl.analysis.report_numbers import report_numbers

HALF = 0.5000001
"""A number that is shown may be off by half of its last digit."""

WORDS = {"better": 1.0, "worse": -1.0, "undecided": 0.0}


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check of a page has found.

    Attributes:
        numbers: How many numbers stand on the page.
        wrong: Those that the data do not confirm, a line each.
    """

    numbers: int
    wrong: tuple[str, ...]


def check_page(page: str) -> Checked:
    """Compare every number on a page with what its data say.

    Raises:
        ValueError: The page has no data.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    if not reader.data:
        raise ValueError("the page has no data")
    known = report_numbers(from_json(json.loads(reader.data)))
    wrong = [
        f"{key}: {text} on the page, {known.get(key)} from the data"
        for key, value, text in reader.numbers
        if key not in known or not _same(float(value), known[key]) or not shown_agrees(text, known[key])
    ]
    return Checked(len(reader.numbers), tuple(wrong))


def shown_agrees(text: str, value: float) -> bool:
    """Whether a text shows a value, to the digits that it has."""
    if text in WORDS:
        return WORDS[text] == value
    if text == "unknown":
        return not math.isfinite(value)
    if text.startswith("< "):
        return value < float(text[2:])
    share = text.endswith("%")
    digits = text.rstrip("%").replace(",", "")
    mantissa, _, power = digits.lower().partition("e")
    step = 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    return abs(float(digits) - value * (100.0 if share else 1.0)) <= HALF * step


def _same(one: float, other: float) -> bool:
    """Whether two numbers differ by nothing but rounding: the page may come from another machine."""
    return one == other or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-13)


class _Reader(HTMLParser):
    """Collects numbers with their keys, and the data."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[tuple[str, str, str]] = []
        self.data = ""
        self._open: tuple[str, str] | None = None
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._inside = tag == "script" and found.get("id") == "data"
        if key := found.get("data-n"):
            self._open = (key, found.get("data-v") or "nan")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.data += data
        elif self._open is not None:
            self.numbers.append((*self._open, data))
            self._open = None

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "script"
