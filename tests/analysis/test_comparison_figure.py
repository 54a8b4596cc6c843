"""The figure of a study: formats, equal bytes, scales, and what has to stand on it; the chart of the terminal."""

import re
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from hpoctl.analysis.aggregate import Band
from hpoctl.analysis.comparison_figure import (
    COLOURS,
    ComparisonPicture,
    Panel,
    Series,
    counts,
    draw_comparison,
    is_logarithmic,
)
from hpoctl.analysis.drawing import figure_bytes, logarithmic, new_figure
from hpoctl.analysis.horizontal import time_unit
from hpoctl.analysis.terminal_chart import chart, mark

MAGIC = {"png": b"\x89PNG\r\n", "svg": b"<?xml", "pdf": b"%PDF"}


def series(
    name: str = "RS", place: int = 0, scale: float = 1.0, seeds: int = 3, wanted: int = 3, end: float = 3600.0
) -> Series:
    times = np.linspace(0.0, end, 51)[1:]
    centre = scale * (1.0 + np.exp(-times / 300.0))
    centre[0] = np.nan
    return Series(name, place, Band(times, centre, 0.9 * centre, 1.1 * centre, seeds), centre[-seeds:], wanted)


def panel(*members: Series, mode: Literal["min", "max"] = "min", title: str = "toy") -> Panel:
    return Panel(title, "toy", "loss", mode, members or (series(),))


def picture(*panels: Panel, columns: int = 1, strip: bool = False) -> ComparisonPicture:
    return ComparisonPicture(
        "docs-2", panels or (panel(),), columns, ["Line: mean.", "ASHA on toy: 2 of 3 seeds."], strip
    )


def svg_text(made: ComparisonPicture) -> str:
    """All text of the figure; matplotlib writes each as a comment beside its outlines."""
    return "\n".join(re.findall(r"<!-- (.*?) -->", draw_comparison(made, "svg").decode(), re.DOTALL))


@pytest.mark.parametrize("kind", MAGIC)
@pytest.mark.parametrize("strip", [False, True])
def test_equal_pictures_are_equal_bytes_of_their_format(kind: str, strip: bool) -> None:
    one, two = (draw_comparison(picture(strip=strip), kind) for _ in range(2))
    assert one == two
    assert one.startswith(MAGIC[kind])
    assert draw_comparison(picture(panel(series(scale=2.0)), strip=strip), kind) != one


def test_the_figure_says_how_many_seeds_and_what_is_missing() -> None:
    text = svg_text(picture(panel(series(), series("ASHA", 1, seeds=2))))
    for said in (
        "docs-2",
        "toy",
        "RS (n = 3)",
        "ASHA (n = 2 of 3)",
        "ASHA on toy: 2 of 3 seeds.",
        "loss",
        "clock (min)",
    ):
        assert said in text


def test_many_setups_have_one_legend_and_their_counts_above() -> None:
    members = [series(f"M{place}", place) for place in range(9)]
    text = svg_text(picture(panel(*members, series("ASHA", 9, seeds=2)), panel(*members, title="other"), columns=2))
    assert text.count("M3") == 1
    assert "toy, n = 3, ASHA 2 of 3" in text
    assert "other, n = 3" in text


def test_counts() -> None:
    assert counts(panel(series(), series(seeds=2, wanted=2))) == "n = 2 or 3"
    assert counts(panel(series(seeds=2))) == "RS 2 of 3"
    assert counts(panel(*(series(str(place), seeds=2) for place in range(3)))) == "n = 2 of 3"
    assert (
        counts(panel(*(series(str(place), seeds=1 + place, wanted=4) for place in range(3)))) == "3 setups incomplete"
    )


def test_losses_over_decades_are_logarithmic_and_accuracies_are_not() -> None:
    wide = [panel(series(), series("ASHA", 1, scale=30.0))]
    assert not is_logarithmic([panel()], strip=False)
    assert is_logarithmic(wide, strip=False)
    assert is_logarithmic(wide, strip=True)
    assert is_logarithmic([panel(), panel(series(scale=30.0))], strip=False)  # panels of a benchmark share their axis
    assert not is_logarithmic([replace(wide[0], mode="max")], strip=False)
    assert not is_logarithmic([panel(series(scale=-1.0), series(scale=30.0))], strip=False)


@pytest.mark.parametrize("scale", [0.0, -2.0, 1e-9, 1e12])
def test_any_scale_can_be_drawn(scale: float) -> None:
    for strip in (False, True):
        assert draw_comparison(picture(panel(series(scale=scale)), strip=strip), "png").startswith(MAGIC["png"])


def test_a_single_seed_and_a_line_that_never_begins_can_be_drawn() -> None:
    nothing = np.full(50, np.nan)
    alone = series(seeds=1)
    never = replace(alone, band=replace(alone.band, centre=nothing, low=nothing, high=nothing))
    assert draw_comparison(picture(panel(never)), "png")
    assert draw_comparison(picture(panel(replace(alone, band=replace(alone.band, low=nothing, high=nothing)))), "png")


@pytest.mark.parametrize(("seconds", "unit"), [(300.0, "s"), (3600.0, "min"), (86400.0, "h")])
def test_the_unit_of_time(seconds: float, unit: str) -> None:
    assert time_unit(seconds)[0] == unit


def test_colours_differ_in_lightness_or_hue_for_the_colour_blind() -> None:
    assert len(set(COLOURS)) == len(COLOURS) == 8


def test_a_chart_shows_each_line_by_its_mark() -> None:
    one = panel(series(), series("ASHA", 1, scale=1.5))
    rows = chart(one, [one], 60)
    drawn = "".join(row.cells for row in rows[:-1])
    assert set(drawn) == {" ", mark(0), mark(1)}
    assert all(len(row.cells) == len(row.places) == 49 for row in rows)
    upper = min(number for number, row in enumerate(rows) if mark(1) in row.cells)
    lower = max(number for number, row in enumerate(rows) if mark(0) in row.cells)
    assert upper < lower
    assert rows[-1].cells.startswith("0")
    assert rows[-1].cells.endswith("60 min")
    assert rows[-1].axis.strip() == ""


def test_charts_of_a_benchmark_share_their_range() -> None:
    small, large = panel(series()), panel(series(scale=8.0))
    alone, beside = chart(small, [small], 60), chart(small, [small, large], 60)
    assert alone[0].axis != beside[0].axis
    assert chart(large, [small, large], 60)[0].axis == beside[0].axis


def test_a_chart_of_a_flat_line_and_of_decades() -> None:
    flat = panel(series(scale=0.0))
    assert any(mark(0) in row.cells for row in chart(flat, [flat], 40))
    wide = panel(series(scale=1e-4), series("ASHA", 1, scale=1.0))
    rows = chart(wide, [wide], 60, height=11)
    assert [row.axis.strip() for row in (rows[0], rows[5], rows[10])][2] == "0.0001"


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_dollar_signs_in_names_are_drawn_as_they_stand(kind: str) -> None:
    with new_figure(3, 2) as figure:
        axes = figure.add_subplot(title="a $x^$ b")
        axes.plot([1, 2], [1e-9, 1.0], label="$\\notacommand{$")
        logarithmic(axes, "y", 1e9)  # its tick labels are mathematics
        axes.set_xticks([1, 2], ["$a", "b$"])
        axes.set_xlabel("loss $_{")
        axes.legend()
        data = figure_bytes(figure, kind)
    if kind == "svg":
        assert b"a $x^$ b" in data
    assert len(data) > 1000
