"""Run-time profiles of a report as an SVG: the share of targets and seeds that each method has reached over time."""

from collections.abc import Mapping, Sequence

import numpy as np

from hpoctl.analysis.comparison_figure import COLOURS
from hpoctl.analysis.comparison_model import BenchmarkComparison
from hpoctl.analysis.markup import Html, element
from hpoctl.analysis.report_data import ReportData
from hpoctl.analysis.run_times import CURVE
from hpoctl.core.protocols import FloatArray

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640.0, 250.0, 44.0, 150.0, 12.0, 36.0
ROW = 16.0
DASHES = (None, "7 4", "2 3", "8 3 2 3")


def run_time_figure(found: Sequence[BenchmarkComparison], data: ReportData) -> Html:
    """The run-time profile of benchmarks, each of which counts alike; nothing: no target is known."""
    curves: dict[str, list[tuple[float, ...]]] = {}
    for each in found:
        for line in each.run_times:
            curves.setdefault(line.method, []).append(line.curve)
    whole = {method: np.mean(own, axis=0) for method, own in curves.items() if len(own) == len(found)}
    if not whole:
        return Html("")
    about = "Run-time profile: the share of targets and seeds that are reached by a share of the budget"
    several = "" if len(found) == 1 else f", mean over {len(found)} benchmarks"
    parts = [*_axes(), *_lines(whole, data)]
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


def _lines(whole: Mapping[str, FloatArray], data: ReportData) -> list[Html]:
    """The profiles with their names at the right, the highest at the end first."""
    parts = []
    order = sorted(whole, key=lambda method: -float(whole[method][-1]))
    for row, method in enumerate(order):
        place = data.methods.index(method)
        colour, dash = place % len(COLOURS), DASHES[place // len(COLOURS) % len(DASHES)]
        steps = "".join(f"H{_x(share):.1f}V{_y(value):.1f}" for share, value in zip(CURVE, whole[method], strict=True))
        line = f"M{_x(CURVE[0]):.1f} {_y(0.0):.1f}{steps}"
        parts.append(element("path", d=line, class_=f"line s{colour}", stroke_dasharray=dash))
        y = TOP + 8.0 + ROW * row
        mark = f"M{WIDTH - RIGHT + 8.0:.1f} {y:.1f}h16"
        parts.append(element("path", d=mark, class_=f"line s{colour}", stroke_dasharray=dash))
        parts.append(element("text", method, x=WIDTH - RIGHT + 28.0, y=y + 4.0))
    return parts
