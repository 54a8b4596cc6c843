"""The page of a report: one HTML file with everything in it, the data included."""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import numpy as np

from hpoctl.analysis.aggregate import POINTS, RESAMPLES
from hpoctl.analysis.comparison import FRACTIONS, RANDOM_SEED
from hpoctl.analysis.curves import DECADE
from hpoctl.analysis.markup import Html, element, escaped, joined
from hpoctl.analysis.paired import LEVEL
from hpoctl.analysis.report_data import ReportData, to_json
from hpoctl.analysis.report_numbers import Numbers
from hpoctl.analysis.report_ranks import rank_diagram
from hpoctl.analysis.report_tables import (
    cost_table,
    coverage_table,
    fact_tables,
    left_out_table,
    method_table,
    number,
    pair_table,
    rank_table,
    rung_table,
    sentence_html,
    verdict_table,
)
from hpoctl.analysis.report_words import Sentence, mode_of, modelled_note, power_note, summary
from hpoctl.analysis.scores import REPEATS, THRESHOLDS

SCRIPTS = ("generator", "statistics", "numbers", "overall", "check", "charts", "figures", "curves", "seeds", "page")
"""The files of the script, in their order; all share one scope."""


def report_page(data: ReportData, numbers: Numbers) -> str:
    """The whole page; equal data give equal pages."""
    style, script = (
        _file("style.css").replace("@dark", _file("dark.css")),
        "\n".join(_file(f"{name}.js") for name in SCRIPTS),
    )
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:"
    parts = {
        "policy": escaped(f"{policy}; base-uri 'none'; form-action 'none'"),
        "title": escaped(f"Report: {', '.join(data.tags)}"),
        "about": _about(numbers),
        "links": _links(data),
        "summary": joined(_sentence(sentence, data, numbers) for sentence in summary(data, numbers)),
        "benchmarks": joined(_benchmark(data, numbers, place) for place in range(len(data.benchmarks))),
        "overall": _overall(data, numbers),
        "missing": _missing(data, numbers),
        "cost": _cost(data, numbers),
        "provenance": _provenance(data),
        "style": style,
        "script": script,
        "data": script_json(to_json(data)),
        "settings": script_json(settings(data)),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _file("template.html"))


def settings(data: ReportData) -> dict[str, Any]:
    """What the numbers depend on besides the data; the states are those of numpy's PCG64 before the first draw."""
    groups = Counter((each.trace.benchmark, each.trace.method) for each in data.experiments)
    return {
        "level": LEVEL,
        "fractions": FRACTIONS,
        "wide": DECADE,
        "points": POINTS,
        "resamples": RESAMPLES,
        "repeats": REPEATS,
        "thresholds": THRESHOLDS,
        "scores": _state(np.random.default_rng(RANDOM_SEED)),
        "bands": {
            count: _state(np.random.default_rng([0, count])) for count in range(1, max(groups.values(), default=0) + 1)
        },
    }


def script_json(value: object) -> str:
    """JSON that may stand in a script element: nothing in it ends the element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _state(generator: np.random.Generator) -> list[str]:
    state: Mapping[str, Any] = generator.bit_generator.state["state"]
    return [str(state["state"]), str(state["inc"])]


def _file(name: str) -> str:
    return files("hpoctl.analysis").joinpath("report_page", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _about(numbers: Numbers) -> Html:
    parts: list[str | Html] = []
    for key, noun in (
        ("methods", "method"),
        ("benchmarks", "benchmark"),
        ("seeds", "seed"),
        ("complete", "experiment"),
    ):
        several = "" if numbers[f"all.{key}"] == 1.0 else "s"
        parts += [", " if parts else "", number(numbers, f"all.{key}", ",.0f"), f" {noun}{several}"]
    if "all.trials" in numbers:
        parts += [" of ", number(numbers, "all.trials", ",.0f"), " trials"]
    return joined(parts)


def _links(data: ReportData) -> Html:
    places = {"summary": "Summary", **{f"b{place}": name for place, name in enumerate(data.benchmarks)}}
    places |= {"overall": "All benchmarks", "missing": "Missing and failed", "cost": "Cost", "provenance": "Provenance"}
    return joined(element("a", name, href=f"#{place}") for place, name in {**places, "reading": "How to read"}.items())


def _sentence(sentence: Sentence, data: ReportData, numbers: Numbers) -> Html:
    modelled = list(sentence) == [modelled_note(data)]
    return element("li", sentence_html(sentence, numbers), class_="modelled" if modelled else None)


def _benchmark(data: ReportData, numbers: Numbers, place: int) -> Html:
    name = data.benchmarks[place]
    metric = next((each.trace.metric for each in data.experiments if each.trace.benchmark == name), "")
    parts: list[Html] = [element("h2", name)]
    badge = element("span", "modelled data", class_="badge") if name in data.modelled else ""
    goal = "maximised" if mode_of(data, place) == "max" else "minimised"
    if f"b{place}.budget" not in numbers:
        parts.append(element("p", "No experiment has a finite value."))
        return element("section", *parts, id=f"b{place}")
    budget = number(numbers, f"b{place}.budget", ",.6g")
    parts.append(
        element("p", f"{metric}, {goal}; budget ", budget, " s of the experiment's clock ", badge, class_="about")
    )
    parts += [
        _figure("curves", place, "Best value so far: interquartile mean over seeds and its 95 % interval at each time"),
        method_table(data, numbers, place),
        _figure("strip", place, "The value of each seed at the end; the bar is the interquartile mean"),
    ]
    if any(key.startswith(f"b{place}.p") for key in numbers):
        kind = "ratios" if numbers[f"b{place}.log"] else "differences"
        pairs = pair_table(data, numbers, place)
        parts += [
            verdict_table(data, numbers, place),
            _figure("pair", place, f"Paired {kind} at the end, a point for each seed"),
            element("details", element("summary", "All pairs in numbers"), pairs),
        ]
    parts.append(rung_table(data, numbers, place))
    return element("section", *parts, id=f"b{place}")


def _figure(kind: str, place: int, caption: str) -> Html:
    return element(
        "figure",
        element("figcaption", caption),
        element("div", class_="controls"),
        element("div", class_="plot"),
        element("p", class_="readout", aria_live="polite"),
        element("noscript", element("p", "The picture needs JavaScript; the tables do not.")),
        class_=f"chart {kind}",
        data_b=str(place),
    )


def _overall(data: ReportData, numbers: Numbers) -> Html:
    if "all.critical" not in numbers:
        return element("p", "There are not two methods that have two benchmarks in common.")
    seeds = [
        joined([name, " (", number(numbers, f"all.b{place}", ".0f"), " seeds)", "; "])
        for place, name in enumerate(data.benchmarks)
        if f"all.b{place}" in numbers
    ]
    parts = [
        element("p", "Seeds with values of all methods: ", *seeds, "the others do not count here.", class_="about")
    ]
    if "all.friedman" in numbers:
        friedman = number(numbers, "all.friedman", "p")
        parts.append(element("p", "Friedman's test over benchmarks: p = ", friedman, "."))
    parts += [
        rank_diagram(data, numbers),
        element("p", sentence_html(power_note(data, numbers), numbers), class_="note"),
        rank_table(data, numbers),
        element(
            "p",
            "Score: interquartile mean over benchmarks and seeds of values between 0, the best on a benchmark, and 1, "
            "the worst. The first interval is about these benchmarks, the second about benchmarks like these; with "
            "fewer than 10 benchmarks the second is too narrow.",
            class_="about",
        ),
    ]
    return joined(parts)


def _missing(data: ReportData, numbers: Numbers) -> Html:
    table = coverage_table(data, numbers)
    if not data.left_out:
        return joined([table, element("p", "Nothing is missing, nothing was left out.")])
    return joined([table, left_out_table(data)])


def _cost(data: ReportData, numbers: Numbers) -> Html:
    parts: list[str | Html] = []
    for name, what in (("cpu", " s of processor time"), ("decision", " s for the decisions of their schedulers")):
        if f"all.{name}" in numbers:
            parts += [", " if parts else "All experiments together took ", number(numbers, f"all.{name}", ",.1f"), what]
    together = element("p", *parts, ".", class_="about") if parts else Html("")
    return joined([together, cost_table(data, numbers)])


def _provenance(data: ReportData) -> Html:
    commands = element("pre", "\n".join(data.repeat), tabindex="0")
    said = "As they were typed, but for --results, which names a folder. "
    said += "Where one names no master seed, give the one below with --random-seed."
    return joined([element("h3", "Commands"), commands, element("p", said, class_="about"), fact_tables(data)])
