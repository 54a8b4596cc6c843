"""`hpoctl.report`: how a training script in Python tells hpoctl its metrics.

This file needs the standard library only, of Python 3.8 or later. Where hpoctl is not installed, such as in a
container, copy it beside the script and write `from reporting import report`.
"""

import os

REPORTS = "HPOCTL_REPORTS"
"""The environment variable that names the file for reports; `-` stands for standard output."""

MARK = "[tune-metric]:"
"""How a report begins on standard output, among other output."""


def report(**values: object) -> None:
    """Report metrics, the resource, and anything else worth keeping.

        for epoch in range(start, epochs + 1):
            ...
            hpoctl.report(epoch=epoch, loss=loss)

    One call is one line, written at once: several processes may report. Numbers of numpy and 0-dimensional tensors are
    taken as numbers. Without hpoctl around, the values are printed.

    Args:
        values: Names and values: numbers (NaN and infinity, too), texts, booleans, lists and dictionaries of them.

    Raises:
        TypeError: A value is none of these.
        ValueError: There is no value, or a name begins with `st_`, which is for facts about a report.
        OSError: The report cannot be written, such as on a full disk.
    """
    import json  # noqa: PLC0415 - importing hpoctl takes no longer than it has to
    import time  # noqa: PLC0415

    if not values:
        raise ValueError("hpoctl.report: give it values, as in report(epoch=1, loss=0.5)")
    for name in values:
        if name.startswith("st_"):
            raise ValueError(f"hpoctl.report: the name {name!r} is reserved; use one that does not begin with st_")
    target = os.environ.get(REPORTS)
    if not target:
        print(*(f"{name}={value}" for name, value in values.items()), flush=True)  # noqa: T201 - a script run by hand
        return
    line = json.dumps({**values, "st_worker_timestamp": time.time()}, default=_plain)
    if target == "-":
        print(f"\n{MARK} {line}", flush=True)  # noqa: T201 - where a log is all that leaves the machine
        return
    data = f"{line}\n".encode()
    file = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        written = os.write(file, data)
        if written < len(data):
            os.write(file, b"\n")  # the next report begins a new line
            raise OSError(f"hpoctl.report: {target}: {written} of {len(data)} bytes were written")
    finally:
        os.close(file)


def _plain(value: object) -> object:
    """A number of numpy, or a 0-dimensional array or tensor, as Python's own."""
    item = getattr(value, "item", None)
    if item is None:
        raise TypeError(f"hpoctl.report: {value!r} is a {type(value).__name__}, which JSON cannot hold")
    try:
        return item()
    except (RuntimeError, TypeError, ValueError) as error:  # it has several elements
        raise TypeError(f"hpoctl.report: a {type(value).__name__} of several elements; report one number") from error
