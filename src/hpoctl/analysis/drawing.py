"""Figures as bytes: one look, one error where matplotlib is missing, the same bytes for the same figure."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from hpoctl.core.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
STYLE: dict[Any, Any] = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "font.size": 10.0,
    "svg.hashsalt": "hpoctl",  # otherwise the names inside an SVG differ from run to run
}
DPI = 150
MOST_PIXELS = 3e6
"""A PNG of more of them has all colours."""

FEW_DECADES = 1e4
WITHOUT_DATE = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}


def figure_format(path: Path) -> str:
    """The format that a file's suffix asks for.

    Raises:
        UsageError: There is no such format.
    """
    suffix = path.suffix.removeprefix(".").lower()
    if suffix not in FORMATS:
        raise UsageError(f"{path} names no format of pictures.", f"Use a name that ends in .{', .'.join(FORMATS)}.")
    return suffix


@contextmanager
def new_figure(width: float, height: float) -> "Iterator[Figure]":
    """A figure in the look of this project, in inches.

    Raises:
        UsageError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            "Plots need matplotlib, which is not installed.", "Install it with `pip install 'hpoctl[plots]'`."
        ) from error
    with mpl.rc_context(STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def logarithmic(axes: "Axes", which: Literal["x", "y"], ratio: float) -> None:
    """A logarithmic scale with numbers in full, as in 0.02, between which a reader need not count small lines.

    Args:
        axes: The axes.
        which: Which of the two.
        ratio: How much larger the end is than the beginning; over a few decades, each has three numbers.
    """
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator  # noqa: PLC0415 - where it is missing, new_figure says so

    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    if ratio < FEW_DECADES:
        axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axis.set_major_formatter(lambda place, _: f"{place:g}")
        axis.set_minor_locator(NullLocator())
    else:
        axis.set_minor_formatter(NullFormatter())


def _draw_literally(figure: "Figure") -> None:
    """Let dollar signs in names stand for themselves: matplotlib would read what is between two as mathematics.

    Tick labels that a formatter makes from numbers are left alone: those of a wide logarithmic scale are mathematics.
    """
    from matplotlib.text import Text  # noqa: PLC0415
    from matplotlib.ticker import FixedFormatter  # noqa: PLC0415

    made: set[int] = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            if isinstance(formatter, FixedFormatter):
                formatter.seq = [_literal(label) for label in formatter.seq]
            made |= {id(label) for label in axis.get_ticklabels(which="both")}
    for text in figure.findobj(Text):
        if id(text) not in made:
            text.set_text(_literal(text.get_text()))


def _literal(text: str) -> str:
    return re.sub(r"(?<!\\)\$", r"\$", text)


def figure_bytes(figure: "Figure", kind: str) -> bytes:
    """The figure as the bytes of a file; the same figure gives the same bytes.

    A PNG has the 256 colours that suit it best: no eye tells the difference in a chart, and it is a third as large. A
    very large one has all colours, because that saves time and memory.
    """
    _draw_literally(figure)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # matplotlib measures time: on a busy machine it warns of any figure.
        warnings.filterwarnings("ignore", message="Creating legend with loc")
        figure.savefig(buffer, format=kind, dpi=DPI, metadata=WITHOUT_DATE[kind])
    if kind != "png" or float(np.prod(figure.get_size_inches())) * DPI**2 > MOST_PIXELS:
        return buffer.getvalue()
    from PIL import Image  # noqa: PLC0415 - matplotlib needs it, too

    smaller = io.BytesIO()
    with Image.open(buffer) as image:
        few = image.convert("RGB").quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(smaller, "PNG")
    return smaller.getvalue()
