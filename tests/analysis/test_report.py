"""The page of a report: every number on it follows from the data in it, and no name does any harm."""

import json
import math
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.analysis.comparison import by_benchmark
from hpoctl.analysis.comparison_figure import COLOURS
from hpoctl.analysis.ranks import together
from hpoctl.analysis.report import report_page, script_json, summary
from hpoctl.analysis.report_check import check_page, shown_agrees
from hpoctl.analysis.report_data import ReportData, from_json, to_json
from hpoctl.analysis.report_html import Html, element
from hpoctl.analysis.report_model import report_model
from hpoctl.analysis.shown import field, show, text_of
from hpoctl.analysis.study_comparison import compare_study
from report_cases import experiment, hostile_data, report_data, uneven_data

hostile = cache(hostile_data)


@cache
def hostile_page() -> str:
    return report_page(hostile(), report_model(hostile()))


def page_of(data: ReportData) -> str:
    return hostile_page() if data is hostile() else report_page(data, report_model(data))


def texts(data: ReportData) -> list[str]:
    return [text_of(sentence) for sentence in summary(data, report_model(data))]


@pytest.mark.parametrize("data", [hostile(), uneven_data()], ids=["hostile", "uneven"])
def test_every_number_of_a_page_follows_from_the_data_in_it(data: ReportData) -> None:
    page = page_of(data)
    checked = check_page(page)
    assert checked.wrong == ()
    assert checked.numbers == page.count(" data-n=") > 100
    assert page == report_page(data, report_model(data))


def test_the_numbers_are_those_of_the_comparison() -> None:
    data = hostile()
    found = compare_study(by_benchmark(each.trace for each in data.experiments))
    shown = re.findall(r'data-n="comparison\.([\w.]+)" data-v="([^"]+)"', page_of(data))
    assert len(shown) > 500
    assert [(path, value) for path, value in shown if repr(float(field(found, path))) != value] == []
    assert {path.rpartition(".")[2] for path, _ in shown} >= {"p_holm", "shift", "median", "improvement", "ratio"}


def test_a_model_that_was_changed_is_found() -> None:
    page = page_of(hostile())
    changed = re.sub(r'("p_holm":)[\d.e-]+', r"\g<1>0.5", page, count=1)
    assert changed != page
    (wrong,) = check_page(changed).wrong
    assert "0.5 in the model of the page" in wrong


def test_a_number_that_the_data_do_not_confirm_is_found() -> None:
    page = page_of(hostile())
    found = re.search(r'<data data-n="comparison\.benchmarks\.0\.methods\.0\.median" data-v="([^"]+)">', page)
    assert found is not None
    value = float(found[1])
    assert len(check_page(page.replace(found[0], found[0].replace(found[1], repr(1.01 * value)))).wrong) == 1
    text = page.replace(f"{found[0]}{show(value, '.3g')}", f"{found[0]}{show(1.5 * value, '.3g')}")
    assert text != page
    assert len(check_page(text).wrong) == 1
    unknown = page.replace(
        'data-n="comparison.benchmarks.0.methods.0.median"', 'data-n="comparison.benchmarks.0.methods.9.median"'
    )
    assert check_page(unknown).wrong[0].startswith("comparison.benchmarks.0.methods.9.median: ")
    with pytest.raises(ValueError, match="the page has no data"):
        check_page("<p>nothing</p>")


def test_data_survive_the_way_into_the_page_and_back() -> None:
    data = hostile()
    table = json.loads(script_json(to_json(data)))
    assert to_json(from_json(table)) == to_json(data)
    with pytest.raises(ValueError, match="format 1"):
        from_json({**table, "format": 1})


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name in ("style", "src")]


def test_hostile_names_are_text() -> None:
    reader = _Elements()
    page = page_of(hostile())
    reader.feed(page)
    assert reader.found.count("script") == 4
    assert not {"img", "b", "i", "u", "iframe", "link"} & set(reader.found)
    assert reader.handlers == []
    assert "\u2028" not in page.partition('id="data">')[2].partition("</script>")[0]


def test_nothing_of_the_page_comes_from_elsewhere() -> None:
    page = page_of(report_data([experiment("A", "x", 0)]))
    assert re.findall(r"https?://[^\s\"'`]+", page) == ["http://www.w3.org/2000/svg"]
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src &#x27;none&#x27;; ")
    assert "unsafe" not in policy[1]


@given(st.text())
@settings(max_examples=100)
def test_any_text_is_safe_in_scripts_and_in_elements(text: str) -> None:
    script = script_json({"x": text})
    assert json.loads(script) == {"x": text}
    assert not {"<", ">", "&"} & set(script)
    written = element("p", text, title=text)
    assert written.count("<") == written.count(">") == 2
    assert element("p", Html("<b>")) == "<p><b></p>"


@given(st.floats(allow_nan=False, width=32), st.sampled_from([".3g", "#.4g", ".2f", ",.1f", ".0%", ".0f"]))
def test_what_is_shown_agrees_with_what_it_is(value: float, form: str) -> None:
    assert shown_agrees(show(value, form), value)
    other = value + max(2.0, abs(value)) if math.isfinite(value) else 0.0
    assert not shown_agrees(show(value, form), other)


def test_words_and_p_values_that_are_shown() -> None:
    assert shown_agrees(show(0.00001, "p"), 0.00001)
    assert not shown_agrees("< 0.0001", 0.2)
    assert show(float("inf"), ".3g") == "unknown"
    assert not shown_agrees("unknown", 1.0)


def test_the_summary_says_what_the_data_say() -> None:
    every = [
        experiment(name, "x", seed, best=best, spread=0.1)
        for name, best in (("A", 0.2), ("B", 0.4))
        for seed in range(8)
    ]
    said = texts(report_data(every, modelled=("x",), missing={("x", "A"): 2}))
    assert said[0] == "16 of 18 experiments that were asked for are complete; the others are listed below."
    assert said[1] == "Data of x: modelled curves, not measured ones."
    assert said[2].startswith("x: A ends lowest, at 0.2")
    assert "; A is better than 1 of 1 other method, " in said[2]
    assert " times as fast as B." in said[2]
    assert said[3] == (
        "Of 1 pair of methods on a benchmark 1 is decided (signed-rank test at 5 %, Holm over the 1 pair of each "
        "benchmark alone); undecided is not the same as equal."
    )
    assert len(said) == 4


def test_experiments_that_are_not_complete_are_told_apart() -> None:
    every = [experiment(name, "x", seed) for name in ("A", "B") for seed in range(4)]
    every[1:3] = [replace(each, complete=False) for each in every[1:3]]
    said = "6 of 8 experiments that were asked for are complete; the rows so far of 2 more are counted, so values and "
    assert texts(report_data(every))[0] == f"{said}verdicts may change."
    (first, *_) = texts(report_data(every, missing={("x", "A"): 1}))
    assert first == f"{said.replace('of 8', 'of 9')}verdicts may change; the others are listed below."
    page = page_of(report_data(every))
    assert "2 of 4" in re.sub(r"<[^>]+>", "", page)
    assert check_page(page).wrong == ()


def test_what_is_undecided_is_said() -> None:
    every = [experiment(name, "x", seed) for name in ("A", "B") for seed in range(4)]
    said = texts(report_data(every))
    assert said[0] == "All 8 experiments that were asked for are complete."
    assert said[1] == "4 seeds cannot decide: to decide a pair of methods at 5 % takes 6 seeds."
    assert re.search(r"is better than 0 of 1 other method, undecided against [AB]\.", said[2])


def test_a_metric_that_is_maximised_ends_highest() -> None:
    every = [
        experiment(name, "x", seed, best=best, mode="max")
        for name, best in (("A", 0.1), ("B", 0.4))
        for seed in range(7)
    ]
    assert texts(report_data(every))[1].startswith("x: A ends highest, at 0.")


def test_two_clocks_are_labelled() -> None:
    page = page_of(hostile())
    assert "s of processor time, " in page
    assert "s of this real time for the decisions of their schedulers" in page
    assert "decisions, real time (s)" in page
    assert "Processor time and real time are two clocks" in page


def test_the_options_of_a_comparison_are_those_of_the_page() -> None:
    data = replace(hostile(), family="all", margin="1%")
    page = page_of(data)
    assert "Holm over all 18 pairs of all benchmarks" in page
    assert "p of a difference of 1%" in page
    assert check_page(page).wrong == ()


def test_methods_that_failed_get_no_verdict() -> None:
    data = report_data(
        [experiment(name, "x", seed) for name in ("A", "B") for seed in range(8) if name == "B" or seed > 1]
    )
    page = page_of(replace(data, failed=(("x", "A", 0), ("x", "A", 1))))
    assert "A and B: A failed on 2 of 8 seeds: survivors alone give no verdict." in page


def test_runs_without_a_value_are_counted_beside_their_method() -> None:
    data = report_data(
        [experiment(name, "x", seed, reported=name == "A" or seed > 2) for name in "AB" for seed in range(8)]
    )
    page = page_of(data)
    said = "B has no value in 3 of 8 seeds: tables and tests count them as the worst, figures show the other seeds."
    assert said in page
    assert check_page(page).wrong == ()


def test_failures_give_no_verdict_over_all_benchmarks_either() -> None:
    runs = [(name, where, seed) for name in "AB" for where in "xy" for seed in range(8)]
    data = report_data([experiment(*run) for run in runs if run[:2] != ("A", "x") or run[2] > 1])
    page = page_of(replace(data, failed=(("x", "A", 0), ("x", "A", 1))))
    said = "No verdict over all benchmarks on A and B: on x A failed on 2 of 8 seeds: survivors alone give no verdict."
    assert said in page
    assert check_page(page).wrong == ()


def test_one_method_alone_and_one_without_values() -> None:
    data = report_data([experiment("A", "x", 0), experiment("B", "y", 0, reported=False)])
    said = texts(data)
    assert said[1] == f"x: A ends at {data.experiments[0].trace.values[-1]:.3g}."
    assert said[2] == "y: no run has a finite value."
    page = page_of(data)
    assert check_page(page).wrong == ()
    assert "There are not two methods that have two benchmarks in common." in page


def test_notes_are_sentences() -> None:
    data = replace(report_data([experiment("A", "x", 0)]), notes=("seeds differ",))
    assert "Seeds differ." in texts(data)


def test_everything_that_is_missing_is_listed() -> None:
    page = page_of(hostile())
    assert "it has not begun" in page
    assert "tag/&lt;i&gt;x&lt;/i&gt;" in page
    assert "Nothing is missing" not in page
    assert "Nothing is missing" in page_of(report_data([experiment("A", "x", 0)]))


def test_methods_that_cannot_be_told_apart_are_joined() -> None:
    assert together([1.0, 2.0, 4.0, 4.5], 1.5) == [(0, 1), (2, 3)]
    assert together([1.0, 2.0, 3.0], 5.0) == [(0, 2)]
    assert together([1.0, 3.0], 1.5) == []


def test_the_colours_are_those_of_the_figures() -> None:
    style = files("hpoctl.analysis").joinpath("report_page", "style.css").read_text()
    light = style.partition('[data-theme="dark"]')[0]
    assert tuple(re.findall(r"--c\d: (#\w{6});", light)) == COLOURS
