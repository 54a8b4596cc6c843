"""The page of a report: one HTML file with everything in it, the data and the model that it shows included."""

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import Any

from hpoctl.analysis.aggregate import POINTS
from hpoctl.analysis.comparison_model import BenchmarkComparison
from hpoctl.analysis.comparison_tables import method_table, order_of, overall_tables, pair_table, run_time_table
from hpoctl.analysis.curves import DECADE
from hpoctl.analysis.findings import family_words, findings, interim_words, lost_runs
from hpoctl.analysis.overall_findings import overall_words, rank_notes
from hpoctl.analysis.report_data import ReportData, to_json
from hpoctl.analysis.report_figures import rank_diagram, run_time_figure
from hpoctl.analysis.report_html import (
    Html,
    cost_table,
    coverage_table,
    element,
    escaped,
    fact_tables,
    joined,
    left_out_table,
    number_html,
    rung_table,
    sentence_html,
    table_html,
    verdict_table,
)
from hpoctl.analysis.report_model import ReportModel, model_json
from hpoctl.analysis.shown import Number, Sentence, filled, text_of
from hpoctl.analysis.study_comparison import Comparison

SCRIPTS = ("statistics", "recompute", "check", "charts", "figures", "curves", "seeds", "page")
"""The files of the script, in their order; all share one scope."""

SETTINGS = {"wide": DECADE, "points": POINTS}


def report_page(data: ReportData, model: ReportModel) -> str:
    """The whole page; equal data give equal pages."""
    style, script = (
        _file("style.css").replace("@dark", _file("dark.css")),
        "\n".join(_file(f"{name}.js") for name in SCRIPTS),
    )
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:"
    parts = {
        "policy": escaped(f"{policy}; base-uri 'none'; form-action 'none'"),
        "title": escaped(f"Report: {', '.join(data.tags)}"),
        "about": _about(model),
        "links": _links(data),
        "summary": joined(_sentence(sentence, data) for sentence in summary(data, model)),
        "benchmarks": joined(_benchmark(data, model, place) for place in range(len(data.benchmarks))),
        "overall": _overall(data, model),
        "missing": _missing(data, model),
        "cost": _cost(model),
        "provenance": _provenance(data),
        "scope": escaped(_scope(model.comparison)),
        "style": style,
        "script": script,
        "data": script_json(to_json(data)),
        "model": script_json(model_json(model)),
        "settings": script_json(SETTINGS),
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _file("template.html"))


def summary(data: ReportData, model: ReportModel) -> list[Sentence]:
    """What the results say, the most important first."""
    totals = model.totals
    template = "All {complete:,d} experiments that were asked for are complete."
    if totals.complete != totals.wanted:
        template = "{complete:,d} of {wanted:,d} experiments that were asked for are complete; "
        partial = "the rows so far of {partial:,d} more are counted, so values and verdicts may change"
        listed = "the others are listed below."
        if not totals.partial:
            template += listed
        else:
            template += partial + ("." if totals.complete + totals.partial == totals.wanted else f"; {listed}")
    sentences: list[Sentence] = [filled(template, totals, "totals")]
    sentences += [(modelled_note(data),)] if data.modelled else []
    sentences += [(f"{note[0].upper()}{note[1:]}.",) for note in data.notes]
    return [*sentences, *findings(model.comparison)]


def _scope(comparison: Comparison) -> str:
    """Over what p values are adjusted, and what decides the pairs that have none."""
    rules = comparison.interim
    if rules is None:
        return f"P values are adjusted: {family_words(comparison)}."
    single = "" if comparison.pairs == comparison.interim_pairs else f" The others: {family_words(comparison)}."
    return f"Pairs without a p value are decided by another test: {interim_words(rules)}.{single}"


def modelled_note(data: ReportData) -> str:
    """Which data are modelled."""
    return f"Data of {', '.join(data.modelled)}: modelled curves, not measured ones."


def script_json(value: Any) -> str:
    """JSON that may stand in a script element: nothing in it ends the element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _about(model: ReportModel) -> Html:
    parts: list[str | Html] = []
    nouns = {"methods": "method", "benchmarks": "benchmark", "seeds": "seed", "complete": "experiment"}
    for name, noun in nouns.items():
        shown = filled(f"{{{name}:,d}}", model.totals, "totals")
        parts += [", " if parts else "", sentence_html(shown), f" {noun}{'' if text_of(shown) == '1' else 's'}"]
    if model.totals.costs.trials is not None:
        parts += [" of ", sentence_html(filled("{costs.trials:,.0f} trials", model.totals, "totals"))]
    return joined(parts)


def _links(data: ReportData) -> Html:
    places = {"summary": "Summary", **{f"b{place}": name for place, name in enumerate(data.benchmarks)}}
    places |= {"overall": "All benchmarks", "missing": "Missing and failed", "cost": "Cost", "provenance": "Provenance"}
    return joined(element("a", name, href=f"#{place}") for place, name in {**places, "reading": "How to read"}.items())


def _sentence(sentence: Sentence, data: ReportData) -> Html:
    modelled = list(sentence) == [modelled_note(data)]
    return element("li", sentence_html(sentence), class_="modelled" if modelled else None)


def _benchmark(data: ReportData, model: ReportModel, place: int) -> Html:
    name = data.benchmarks[place]
    compared = model.comparison.benchmarks
    number = next((number for number, found in enumerate(compared) if found.benchmark == name), None)
    if number is None:
        return element("section", element("h2", name), element("p", "No run has a finite value."), id=f"b{place}")
    found, path = compared[number], f"comparison.benchmarks.{number}"
    badge = element("span", "modelled data", class_="badge") if name in data.modelled else ""
    goal = "maximised" if found.mode == "max" else "minimised"
    budget = number_html(Number(f"{path}.budget", found.budget, ",.6g"))
    about = (f"{found.metric}, {goal}; budget ", budget, " s of the experiment's clock ", badge)
    parts = [
        element("h2", name),
        element("p", *about, class_="about"),
        _figure("curves", place, "Best value so far: interquartile mean over seeds and its 95 % interval at each time"),
        table_html(method_table(found, path), data.methods),
        *(element("p", text, class_="note") for text in lost_runs(found)),
        _figure("strip", place, "The value of each seed at the end; the bar is the interquartile mean"),
    ]
    if found.pairs:
        parts += _pairs(data, model, found, path, place)
    parts += [run_time_figure([found], data.methods), table_html(run_time_table(found, path), data.methods)]
    rungs = rung_table(model.cells, name)
    parts += [table_html(rungs, data.methods)] if rungs is not None else []
    remarks = [element("p", f"{note[0].upper()}{note[1:]}.", class_="about") for note in found.notes]
    return element("section", *parts, *remarks, id=f"b{place}")


def _pairs(data: ReportData, model: ReportModel, found: BenchmarkComparison, path: str, place: int) -> list[Html]:
    kind = "ratios" if found.log else "differences"
    order = [found.methods[line].method for line in order_of(found)]
    every = pair_table(found, path, model.comparison.level, model.comparison.margin)
    refused = [f"{pair.first} and {pair.second}: {pair.refused}." for pair in found.pairs if pair.refused is not None]
    return [
        table_html(verdict_table(found, order), data.methods),
        *(element("p", text, class_="note") for text in refused),
        _figure("pair", place, f"Paired {kind} at the end, a point for each seed"),
        element("details", element("summary", "All pairs in numbers"), table_html(every, data.methods)),
    ]


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


def _overall(data: ReportData, model: ReportModel) -> Html:
    overall, path = model.comparison.overall, "comparison.overall"
    if overall is None:
        return element("p", "There are not two methods that have two benchmarks in common.")
    seeds = [
        joined([name, " (", sentence_html(filled(f"{{seeds.{place}:d}}", overall, path)), " seeds)", "; "])
        for place, name in enumerate(overall.benchmarks)
    ]
    tables = [table_html(shown, data.methods) for shown in overall_tables(overall, path)]
    return joined(
        [
            element("p", "Seeds with runs of all methods: ", *seeds, "the others do not count here.", class_="about"),
            *(element("p", f"{text[0].upper()}{text[1:]}.", class_="about") for text in overall.left_out),
            *tables,
            *(
                element("p", text, class_="about")
                for text in overall_words(overall, interim=model.comparison.interim is not None)
            ),
            run_time_figure(model.comparison.benchmarks, data.methods),
            rank_diagram(data.methods, overall, path),
            *(element("p", sentence_html(note), class_="note") for note in rank_notes(overall, path)),
        ]
    )


def _missing(data: ReportData, model: ReportModel) -> Html:
    shown = table_html(coverage_table(model.cells, data.methods))
    if not data.left_out:
        return joined([shown, element("p", "Nothing is missing, nothing was left out.")])
    return joined([shown, table_html(left_out_table(data.left_out), words=True)])


def _cost(model: ReportModel) -> Html:
    words = (
        "{costs.cpu:,.1f} s of processor time",
        "{costs.wall:,.1f} s of real time one after another",
        "{costs.decision:,.1f} s of this real time for the decisions of their schedulers",
    )
    parts = [shown for text in words if len(shown := filled(text, model.totals, "totals")) > 1]
    sentences = [
        piece for place, shown in enumerate(parts) for piece in ((", " if place else ""), sentence_html(shown))
    ]
    together = (
        element("p", "All experiments together took ", *sentences, ".", class_="about") if sentences else Html("")
    )
    return joined([together, table_html(cost_table(model.cells))])


def _provenance(data: ReportData) -> Html:
    commands = element("pre", "\n".join(data.repeat), tabindex="0")
    sentences = "As they were typed, but for --results, which names a folder. "
    sentences += "Where one names no random seed, give the one below with --random-seed."
    tables = joined(table_html(shown, words=True) for shown in fact_tables(data.provenance))
    return joined([element("h3", "Commands"), commands, element("p", sentences, class_="about"), tables])


def _file(name: str) -> str:
    return files("hpoctl.analysis").joinpath("report_page", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
