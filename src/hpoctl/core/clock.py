"""Clocks. Durations are measured on monotonic clocks only; dates are UTC and serve people, never arithmetic."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The seconds of an experiment: simulated ones on the simulator, real ones elsewhere."""

    def now(self) -> float:
        """Seconds since the experiment started."""
        ...


class VirtualClock:
    """A clock that moves only when it is told to, and never backwards: simulated seconds, or those of a journal."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Seconds since the experiment started."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass for everybody."""
        self._now += max(0.0, seconds)

    def advance_to(self, when: float) -> None:
        """Move to a point in time, unless it has passed already."""
        self._now = max(self._now, when)


class RealClock:
    """Real seconds, continued where an earlier process has stopped.

    Args:
        spent: Seconds that are spent already.
        monotonic: A clock that never goes backwards.
    """

    def __init__(self, spent: float = 0.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._origin = monotonic() - spent

    def now(self) -> float:
        """Seconds since the experiment started, without those between its processes."""
        return self._monotonic() - self._origin

    def leave_out(self, seconds: float) -> None:
        """Seconds that have passed and do not count."""
        self._origin += seconds


@dataclass(frozen=True, slots=True)
class SystemTime:
    """Where real time comes from; tests hand in their own.

    Attributes:
        monotonic: Seconds on a clock that never goes backwards.
        cpu: CPU seconds of this process.
        utc: The date and time, in UTC.
    """

    monotonic: Callable[[], float] = time.perf_counter
    cpu: Callable[[], float] = time.process_time
    utc: Callable[[], datetime] = lambda: datetime.now(UTC)
