"""What a report says in words: sentences with the numbers that they are about, computed from the data."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hpoctl.analysis.ranks import Ranks
from hpoctl.analysis.report_data import ReportData
from hpoctl.analysis.report_numbers import Numbers

BEST_SHOWN = 4
"""A list of names longer than this is a number."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A number in a sentence.

    Attributes:
        key: Which one.
        form: How it is shown: a format of Python, or `p` for a p value.
    """

    key: str
    form: str


Sentence = Sequence[str | Shown]


def show(value: float, form: str) -> str:
    """A number as it stands on the page."""
    if form == "p":
        return "< 0.0001" if value < 0.0001 else f"{value:.4f}"
    if form == "verdict":
        return "better" if value > 0 else "worse" if value < 0 else "undecided"
    return format(value, form) if math.isfinite(value) else "unknown"


def sentence_text(sentence: Sentence, numbers: Numbers) -> str:
    """A sentence as plain text."""
    return "".join(part if isinstance(part, str) else show(numbers[part.key], part.form) for part in sentence)


def summary(data: ReportData, numbers: Numbers) -> list[Sentence]:
    """What the results say, the most important first."""
    sentences = [_coverage(numbers)]
    if data.modelled:
        sentences.append([modelled_note(data)])
    sentences += [[f"{note[0].upper()}{note[1:]}."] for note in data.notes]
    sentences += [said for place in range(len(data.benchmarks)) if (said := _benchmark(data, numbers, place))]
    sentences += _decided(numbers)
    sentences += _overall(data, numbers)
    return sentences


def modelled_note(data: ReportData) -> str:
    """Which data nobody has measured."""
    return f"Data of {', '.join(data.modelled)}: modelled curves, not measured ones."


def ranking(data: ReportData, numbers: Numbers, place: int) -> list[int]:
    """The methods of a benchmark by what their lines are at the end, the best first."""
    sign = -1.0 if mode_of(data, place) == "max" else 1.0
    known = [method for method in range(len(data.methods)) if f"b{place}.m{method}.iqm" in numbers]
    return sorted(known, key=lambda method: sign * numbers[f"b{place}.m{method}.iqm"])


def mode_of(data: ReportData, place: int) -> str:
    """Whether the metric of a benchmark is minimised or maximised."""
    return next((each.trace.mode for each in data.experiments if each.trace.benchmark == data.benchmarks[place]), "min")


def power_note(data: ReportData, numbers: Numbers) -> Sentence:
    """What the test of mean ranks can show at all."""
    ranks = tuple(numbers[key] for method in range(len(data.methods)) if (key := f"all.m{method}.rank") in numbers)
    note = Ranks(ranks, int(numbers["all.blocks"]), None, numbers["all.critical"]).power_note
    before, _, after = note.partition(show(numbers["all.critical"], ".2f"))
    return [before, Shown("all.critical", ".2f"), after]


def _coverage(numbers: Numbers) -> Sentence:
    complete, wanted = Shown("all.complete", ",.0f"), Shown("all.wanted", ",.0f")
    if numbers["all.complete"] == numbers["all.wanted"]:
        return ["All ", complete, " experiments that were asked for are complete."]
    return [complete, " of ", wanted, " experiments that were asked for are complete; the others are listed below."]


def _benchmark(data: ReportData, numbers: Numbers, place: int) -> Sentence:
    order = ranking(data, numbers, place)
    if not order:
        return [f"{data.benchmarks[place]}: no experiment has a finite value."]
    best, key = order[0], f"b{place}.m{order[0]}"
    end = "highest" if mode_of(data, place) == "max" else "lowest"
    said: list[str | Shown] = [
        f"{data.benchmarks[place]}: {data.methods[best]} ends {end if len(order) > 1 else ''}".rstrip()
    ]
    said += [", at ", Shown(f"{key}.iqm", ".3g")]
    if f"{key}.low" in numbers:
        said += [" [", Shown(f"{key}.low", ".3g"), ", ", Shown(f"{key}.high", ".3g"), "]"]
    said.append(".")
    if f"{key}.better" in numbers:
        others = Shown(f"{key}.others", ".0f")
        said += [" It is better than ", Shown(f"{key}.better", ".0f"), " of ", others, " other methods"]
        said += _still_open(data, numbers, place, best)
        said.append(".")
        said += _time(data, numbers, place, (best, order[-1]))
    return said


def _still_open(data: ReportData, numbers: Numbers, place: int, best: int) -> Iterable[str | Shown]:
    """Which other methods it is not decided against."""
    names = [
        data.methods[other]
        for other in range(len(data.methods))
        if numbers.get(f"b{place}.p{best}-{other}.verdict") == 0.0
    ]
    if not names:
        return []
    if len(names) > BEST_SHOWN:
        return ["; against ", Shown(f"b{place}.m{best}.undecided", ".0f"), " it is not decided"]
    return [f"; against {', '.join(names)} it is not decided"]


def _time(data: ReportData, numbers: Numbers, place: int, pair: tuple[int, int]) -> Iterable[str | Shown]:
    """How long the best takes to what the last one has at the end."""
    best, last = pair
    key = f"b{place}.p{best}-{last}.reaches"
    if key not in numbers or numbers[key] >= 1.0:
        return []
    return [
        f" It reaches the last value of {data.methods[last]} in ",
        Shown(key, ".2g"),
        " [",
        Shown(f"{key}.low", ".2g"),
        ", ",
        Shown(f"{key}.high", ".2g"),
        f"] of the time that {data.methods[last]} took.",
    ]


def _decided(numbers: Numbers) -> list[Sentence]:
    if not numbers["all.pairs"]:
        return []
    decided, pairs = Shown("all.decided", ",.0f"), Shown("all.pairs", ",.0f")
    return [
        [
            "Of ",
            pairs,
            " pairs of methods on a benchmark ",
            decided,
            " are decided at 5 % (signed-rank test, Holm within a benchmark); undecided is not the same as equal.",
        ]
    ]


def _overall(data: ReportData, numbers: Numbers) -> list[Sentence]:
    known = [method for method in range(len(data.methods)) if f"all.m{method}.rank" in numbers]
    if not known:
        return []
    best = min(known, key=lambda method: numbers[f"all.m{method}.rank"])
    said: list[str | Shown] = [
        "Over ",
        Shown("all.blocks", ".0f"),
        f" benchmarks {data.methods[best]} has the best mean ",
    ]
    said += ["rank, ", Shown(f"all.m{best}.rank", ".2f"), ". ", *power_note(data, numbers)]
    return [said]
