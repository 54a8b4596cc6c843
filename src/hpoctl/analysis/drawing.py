"""Figures as bytes: one look, one error where matplotlib is missing, the same bytes for the same figure."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpoctl.core.errors import UsageError

if TYPE_CHECKING:
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


def figure_bytes(figure: "Figure", kind: str) -> bytes:
    """The figure as the bytes of a file; the same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=150, metadata=WITHOUT_DATE[kind])
    return buffer.getvalue()
