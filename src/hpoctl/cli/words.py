"""Sizes, times and dates as people read them."""

from datetime import UTC, datetime

UNITS = ("kB", "MB", "GB", "TB")


def size_text(size: float) -> str:
    """A number of bytes, such as `95.2 MB`."""
    if size < 1000:
        return f"{size:.0f} bytes"
    for unit in UNITS:
        size /= 1000
        if size < 999.95 or unit == UNITS[-1]:
            break
    return f"{size:,.1f} {unit}"


def rough_time(seconds: float) -> str:
    """A time that is known roughly, such as `3 min` or `2 h 10 min`."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours:,} h {rest} min" if hours < 100 else f"{hours:,} h"


def utc_text(timestamp: float) -> str:
    """A date and time in UTC, such as `2026-11-24 05:42:12 UTC`; a dash where it is unknown."""
    if timestamp <= 0.0:
        return "-"
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return "-"  # the clock was wrong


def many(count: int, noun: str) -> str:
    """A number of things, such as `1 experiment` or `20 experiments`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def p_text(p: float) -> str:
    """A p value, or the level that it is compared with, with as many digits as that takes."""
    return f"{p:.4f}" if p >= 0.001 else f"{p:.1e}"
