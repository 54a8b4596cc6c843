"""Figures of a report as SVG: the critical-difference diagram (Demsar 2006), and run-time profiles of the methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hpoctl.analysis.comparison_figure import COLOURS
from hpoctl.analysis.comparison_model import BenchmarkComparison
from hpoctl.analysis.overall_model import Overall
from hpoctl.analysis.ranks import together
from hpoctl.analysis.report_html import Html, element, joined, number_html
from hpoctl.analysis.run_times import CURVE
from hpoctl.analysis.shown import Number
from hpoctl.core.protocols import FloatArray

AXIS, TOP, ROW = 340.0, 64.0, 24.0
LETTER, NUMBER = 8.0, 70.0
"""Room for a letter of a name, and for the rank beside it."""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where things stand.

    Attributes:
        count: How many methods there are.
        margin: The room for names at either side.
    """

    count: int
    margin: float

    def x(self, rank: float) -> float:
        """Where a rank stands."""
        return self.margin + (rank - 1.0) / max(self.count - 1, 1) * AXIS

    @property
    def width(self) -> float:
        """The width of all."""
        return AXIS + 2.0 * self.margin


def rank_diagram(methods: Sequence[str], overall: Overall, path: str) -> Html:
    """Mean ranks on a line; a bar joins methods that the critical difference does not separate.

    Args:
        methods: All methods of the report, in the order of their colours.
        overall: The methods over all benchmarks.
        path: Where these stand in the model.
    """
    means = overall.ranks.mean_ranks
    order = sorted(range(len(means)), key=lambda place: means[place])
    ranks = [means[place] for place in order]
    names = [overall.methods[place].method for place in order]
    runs = together(ranks, overall.ranks.critical_difference)
    frame = _Frame(len(order), NUMBER + LETTER * max(map(len, names)))
    below = TOP + 24.0 + 12.0 * len(runs)
    parts = [*_axis(frame), *_critical(frame, overall, path)]
    for place, (first, last) in enumerate(runs):
        level = TOP + 12.0 + 12.0 * place
        parts.append(_line(frame.x(ranks[first]) - 4.0, frame.x(ranks[last]) + 4.0, level, "together"))
    half = (len(order) + 1) // 2
    for place, name in enumerate(names):
        left = place < half
        level = below + ROW * (place if left else len(order) - 1 - place)
        edge = frame.margin - 12.0 if left else frame.width - frame.margin + 12.0
        line = f"M{frame.x(ranks[place]):.2f} {TOP:.2f}V{level:.2f}H{edge:.2f}"
        parts.append(element("path", d=line, class_=f"leader s{methods.index(name) % len(COLOURS)}"))
        rank = number_html(Number(f"{path}.ranks.mean_ranks.{order[place]}", ranks[place], ".2f"), "tspan")
        words = joined([name, " ", rank] if left else [rank, " ", name])
        x, anchor = (edge - 6.0, "end") if left else (edge + 6.0, "start")
        parts.append(element("text", words, x=x, y=level + 4.0, text_anchor=anchor))
    about = "Mean ranks of the methods, 1 is the best; a bar joins those that the critical difference does not separate"
    title = element("title", about)
    box = f"0 0 {frame.width:g} {below + ROW * half:g}"
    svg = element("svg", title, *parts, viewBox=box, role="img", class_="ranks")
    return element("div", svg, class_="scroll", tabindex="0", role="region", aria_label="Critical-difference diagram")


def _axis(frame: _Frame) -> list[Html]:
    parts = [_line(frame.x(1.0), frame.x(float(frame.count)), TOP, "axis")]
    for rank in range(1, frame.count + 1):
        x = frame.x(float(rank))
        parts.append(element("line", x1=x, y1=TOP - 6.0, x2=x, y2=TOP, class_="axis"))
        parts.append(element("text", str(rank), x=x, y=TOP - 10.0, text_anchor="middle"))
    return parts


def _critical(frame: _Frame, overall: Overall, path: str) -> list[Html]:
    critical, most = overall.ranks.critical_difference, frame.count - 1.0
    label = "critical difference " if critical <= most else "critical difference, longer than the axis: "
    shown = number_html(Number(f"{path}.ranks.critical_difference", critical, ".2f"), "tspan")
    text = element("text", label, shown, x=frame.x(1.0), y=32.0)
    return [_line(frame.x(1.0), frame.x(1.0 + min(critical, most)), 14.0, "critical"), text]


def _line(start: float, end: float, y: float, kind: str) -> Html:
    return element("line", x1=start, y1=y, x2=end, y2=y, class_=kind)


WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640.0, 250.0, 44.0, 150.0, 12.0, 36.0
ROW = 16.0
DASHES = (None, "7 4", "2 3", "8 3 2 3")


def run_time_figure(found: Sequence[BenchmarkComparison], methods: Sequence[str]) -> Html:
    """The run-time profile of benchmarks, each of which counts alike; nothing: no target is known.

    Args:
        found: The benchmarks.
        methods: All methods of the report, in the order of their colours.
    """
    curves: dict[str, list[tuple[float, ...]]] = {}
    for each in found:
        for line in each.run_times:
            curves.setdefault(line.method, []).append(line.curve)
    whole = {method: np.mean(own, axis=0) for method, own in curves.items() if len(own) == len(found)}
    if not whole:
        return Html("")
    about = "Run-time profile: the share of targets and seeds that are reached by a share of the budget"
    several = "" if len(found) == 1 else f", mean over {len(found)} benchmarks"
    parts = [*_axes(), *_lines(whole, methods)]
    svg = element(
        "svg",
        element("title", about + several),
        *parts,
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        role="img",
        class_="ranks",
    )
    box = element("div", svg, class_="scroll", tabindex="0", role="region", aria_label=about + several)
    return element("figure", element("figcaption", about + several), box)


def _x(share: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * float(np.log(share / CURVE[0]) / np.log(1.0 / CURVE[0]))


def _y(share: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share


def _axes() -> list[Html]:
    parts = []
    for share in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0):
        x = _x(share)
        parts.append(element("line", x1=x, x2=x, y1=_y(0.0), y2=_y(1.0), class_="grid"))
        parts.append(element("text", f"{100 * share:g} %", x=x, y=_y(0.0) + 16.0, text_anchor="middle"))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _y(share)
        parts.append(element("line", x1=_x(0.01), x2=_x(1.0), y1=y, y2=y, class_="grid"))
        parts.append(element("text", f"{100 * share:g} %", x=LEFT - 6.0, y=y + 4.0, text_anchor="end"))
    return parts


def _lines(whole: Mapping[str, FloatArray], methods: Sequence[str]) -> list[Html]:
    """The profiles with their names at the right, the highest at the end first."""
    parts = []
    order = sorted(whole, key=lambda method: -float(whole[method][-1]))
    for row, method in enumerate(order):
        place = methods.index(method)
        colour, dash = place % len(COLOURS), DASHES[place // len(COLOURS) % len(DASHES)]
        steps = "".join(f"H{_x(share):.1f}V{_y(value):.1f}" for share, value in zip(CURVE, whole[method], strict=True))
        line = f"M{_x(CURVE[0]):.1f} {_y(0.0):.1f}{steps}"
        parts.append(element("path", d=line, class_=f"line s{colour}", stroke_dasharray=dash))
        y = TOP + 8.0 + ROW * row
        mark = f"M{WIDTH - RIGHT + 8.0:.1f} {y:.1f}h16"
        parts.append(element("path", d=mark, class_=f"line s{colour}", stroke_dasharray=dash))
        parts.append(element("text", method, x=WIDTH - RIGHT + 28.0, y=y + 4.0))
    return parts
