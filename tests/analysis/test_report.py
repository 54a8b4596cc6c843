"""The page of a report: every number on it follows from the data in it, and no name does any harm."""

import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.analysis.comparison import by_benchmark, compare_benchmark
from hpoctl.analysis.comparison_figure import COLOURS
from hpoctl.analysis.markup import Html, element
from hpoctl.analysis.ranks import together
from hpoctl.analysis.report import report_page, script_json
from hpoctl.analysis.report_check import check_page, shown_agrees
from hpoctl.analysis.report_data import ReportData, from_json, to_json
from hpoctl.analysis.report_numbers import report_numbers
from hpoctl.analysis.report_words import sentence_text, show, summary
from report_cases import experiment, hostile_data, report_data, uneven_data


def page_of(data: ReportData) -> str:
    return report_page(data, report_numbers(data))


def texts(data: ReportData) -> list[str]:
    numbers = report_numbers(data)
    return [sentence_text(sentence, numbers) for sentence in summary(data, numbers)]


@pytest.mark.parametrize("data", [hostile_data(), uneven_data()], ids=["hostile", "uneven"])
def test_every_number_of_a_page_follows_from_the_data_in_it(data: ReportData) -> None:
    page = page_of(data)
    checked = check_page(page)
    assert checked.wrong == ()
    assert checked.numbers == page.count(" data-n=") > 100
    assert page == page_of(data)


def test_the_numbers_are_those_of_the_comparison() -> None:
    data = hostile_data()
    numbers = report_numbers(data)
    grouped = by_benchmark([each.trace for each in data.experiments])
    for place, name in enumerate(data.benchmarks):
        found = compare_benchmark(name, grouped[name])
        for pair in found.pairs:
            key = f"b{place}.p{data.methods.index(pair.first)}-{data.methods.index(pair.second)}"
            assert numbers[f"{key}.holm"] == pair.p_holm
            assert numbers[f"{key}.shift"] == pair.paired.shift
            assert numbers[f"{key}.verdict"] == {"better": 1, "worse": -1, "undecided": 0}[pair.verdict]
        for line in found.methods:
            assert numbers[f"b{place}.m{data.methods.index(line.method)}.median"] == line.median


def test_a_number_that_the_data_do_not_confirm_is_found() -> None:
    page = page_of(hostile_data())
    found = re.search(r'<data data-n="b0\.m0\.median" data-v="([^"]+)">', page)
    assert found is not None
    value = float(found[1])
    assert len(check_page(page.replace(found[0], found[0].replace(found[1], repr(1.01 * value)))).wrong) == 1
    text = page.replace(f"{found[0]}{show(value, '#.4g')}", f"{found[0]}{show(1.01 * value, '#.4g')}")
    assert text != page
    assert len(check_page(text).wrong) == 1
    unknown = page.replace('data-n="b0.m0.median"', 'data-n="b0.m9.median"')
    assert check_page(unknown).wrong[0].startswith("b0.m9.median: ")
    with pytest.raises(ValueError, match="the page has no data"):
        check_page("<p>nothing</p>")


def test_data_survive_the_way_into_the_page_and_back() -> None:
    data = hostile_data()
    table = json.loads(script_json(to_json(data)))
    assert to_json(from_json(table)) == to_json(data)
    with pytest.raises(ValueError, match="format 2"):
        from_json({**table, "format": 2})


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
    page = page_of(hostile_data())
    reader.feed(page)
    assert reader.found.count("script") == 3
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
    assert [show(sign, "verdict") for sign in (1.0, 0.0, -1.0)] == ["better", "undecided", "worse"]
    assert not shown_agrees("better", 0.0)
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
    assert "It is better than 1 of 1 other methods. It reaches the last value of B in " in said[2]
    assert said[3].startswith("Of 1 pairs of methods on a benchmark 1 are decided at 5 %")
    assert len(said) == 4


def test_what_is_undecided_is_said() -> None:
    every = [experiment(name, "x", seed) for name in ("A", "B") for seed in range(4)]
    said = texts(report_data(every))
    assert said[0] == "All 8 experiments that were asked for are complete."
    assert re.search(r"It is better than 0 of 1 other methods; against [AB] it is not decided\.", said[1])


def test_a_metric_that_is_maximised_ends_highest() -> None:
    every = [
        experiment(name, "x", seed, best=best, mode="max")
        for name, best in (("A", 0.1), ("B", 0.4))
        for seed in range(7)
    ]
    assert texts(report_data(every))[1].startswith("x: A ends highest, at 0.")


def test_one_method_alone_and_one_without_values() -> None:
    data = report_data([experiment("A", "x", 0), experiment("B", "y", 0, reported=False)])
    said = texts(data)
    assert said[1] == f"x: A ends, at {data.experiments[0].trace.values[-1]:.3g}."
    assert said[2] == "y: no experiment has a finite value."
    page = page_of(data)
    assert check_page(page).wrong == ()
    assert "There are not two methods that have two benchmarks in common." in page


def test_notes_are_sentences() -> None:
    data = replace(report_data([experiment("A", "x", 0)]), notes=("seeds differ",))
    assert "Seeds differ." in texts(data)


def test_everything_that_is_missing_is_listed() -> None:
    page = page_of(hostile_data())
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
