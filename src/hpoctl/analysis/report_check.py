"""Reads a report's page as a stranger would, and compares every number on it with its model, computed anew."""

import json
import math
from dataclasses import dataclass
from html.parser import HTMLParser

from hpoctl.analysis.report_data import from_json
from hpoctl.analysis.report_model import model_json, report_model

HALF = 0.5000001
"""A number that is shown may be off by half of its last digit."""


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
    """Compute the model of a page again from the data in it, and compare every number with it.

    Raises:
        ValueError: The page has no data.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    if not reader.parts.get("data"):
        raise ValueError("the page has no data")
    model = model_json(report_model(from_json(json.loads(reader.parts["data"]))))
    known = dict(leaves(model))
    wrong = [
        f"{path}: {text} on the page, {known.get(path)} from the data"
        for path, value, text in reader.numbers
        if path not in known or not _same(float(value), known[path]) or not shown_agrees(text, known[path])
    ]
    given = dict(leaves(json.loads(reader.parts.get("model") or "{}")))
    wrong += [
        f"{path}: {given.get(path)} in the model of the page, {value} from the data"
        for path, value in known.items()
        if path not in given or not _same(given[path], value)
    ]
    return Checked(len(reader.numbers), tuple(wrong))


def leaves(model: object, path: str = "") -> "list[tuple[str, float]]":
    """All numbers of a model of JSON values by their paths."""
    if isinstance(model, dict):
        return [leaf for key, value in model.items() for leaf in leaves(value, f"{path}.{key}" if path else str(key))]
    if isinstance(model, list):
        return [leaf for place, value in enumerate(model) for leaf in leaves(value, f"{path}.{place}")]
    if isinstance(model, int | float) and not isinstance(model, bool):
        return [(path, float(model))]
    return [(path, float(model))] if model in ("inf", "-inf", "nan") else []


def shown_agrees(text: str, value: float) -> bool:
    """Whether a text shows a value, to the digits that it has."""
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
    both = math.isnan(one) and math.isnan(other)
    return both or one == other or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-13)


class _Reader(HTMLParser):
    """Collects numbers with their paths, and the parts that are JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers: list[tuple[str, str, str]] = []
        self.parts: dict[str, str] = {}
        self._open: tuple[str, str] | None = None
        self._inside: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._inside = found.get("id") if tag == "script" else None
        if path := found.get("data-n"):
            self._open = (path, found.get("data-v") or "nan")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.parts[self._inside] = self.parts.get(self._inside, "") + data
        elif self._open is not None:
            self.numbers.append((*self._open, data))
            self._open = None

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = None
