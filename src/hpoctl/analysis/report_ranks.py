"""The critical-difference diagram of a report (Demsar 2006), as an SVG of its own."""

from dataclasses import dataclass

from hpoctl.analysis.comparison_figure import COLOURS
from hpoctl.analysis.markup import Html, element, joined
from hpoctl.analysis.ranks import together
from hpoctl.analysis.report_data import ReportData
from hpoctl.analysis.report_numbers import Numbers
from hpoctl.analysis.report_tables import number

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


def rank_diagram(data: ReportData, numbers: Numbers) -> Html:
    """Mean ranks on a line; a bar joins methods that the test cannot tell apart."""
    known = [method for method in range(len(data.methods)) if f"all.m{method}.rank" in numbers]
    order = sorted(known, key=lambda method: numbers[f"all.m{method}.rank"])
    ranks = [numbers[f"all.m{method}.rank"] for method in order]
    runs = together(ranks, numbers["all.critical"])
    frame = _Frame(len(order), NUMBER + LETTER * max(len(data.methods[method]) for method in order))
    below = TOP + 24.0 + 12.0 * len(runs)
    parts = [*_axis(frame), *_critical(frame, numbers)]
    for place, (first, last) in enumerate(runs):
        level = TOP + 12.0 + 12.0 * place
        parts.append(_line(frame.x(ranks[first]) - 4.0, frame.x(ranks[last]) + 4.0, level, "together"))
    half = (len(order) + 1) // 2
    for place, method in enumerate(order):
        left = place < half
        level = below + ROW * (place if left else len(order) - 1 - place)
        edge = frame.margin - 12.0 if left else frame.width - frame.margin + 12.0
        path = f"M{frame.x(ranks[place]):.2f} {TOP:.2f}V{level:.2f}H{edge:.2f}"
        parts.append(element("path", d=path, class_=f"leader s{method % len(COLOURS)}"))
        rank, name = number(numbers, f"all.m{method}.rank", ".2f", "tspan"), data.methods[method]
        words = joined([name, " ", rank] if left else [rank, " ", name])
        x, anchor = (edge - 6.0, "end") if left else (edge + 6.0, "start")
        parts.append(element("text", words, x=x, y=level + 4.0, text_anchor=anchor))
    title = element("title", "Mean ranks of the methods, 1 is the best; a bar joins those that cannot be told apart")
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


def _critical(frame: _Frame, numbers: Numbers) -> list[Html]:
    critical, most = numbers["all.critical"], frame.count - 1.0
    label = "critical difference " if critical <= most else "critical difference, longer than the axis: "
    shown = number(numbers, "all.critical", ".2f", "tspan")
    text = element("text", label, shown, x=frame.x(1.0), y=32.0)
    return [_line(frame.x(1.0), frame.x(1.0 + min(critical, most)), 14.0, "critical"), text]


def _line(start: float, end: float, y: float, kind: str) -> Html:
    return element("line", x1=start, y1=y, x2=end, y2=y, class_=kind)
