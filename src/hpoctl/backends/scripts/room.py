"""Room on the disk: trials are suspended while there is too little, and nothing that has to be written is lost."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from hpoctl.core.clock import RealClock
from hpoctl.core.files import FULL
from hpoctl.core.trial_backends import BackendContext

AGAIN = 1.0
"""Seconds between two looks at a full disk."""

T = TypeVar("T")


class Holds(Protocol):
    """What can suspend trials."""

    def hold(self, *, go_on: bool) -> None:
        """Suspend all trials, or let them continue."""
        ...


class Room:
    """The disk that trials write to. The seconds for which they are suspended do not count.

    Args:
        context: The experiment.
        trials: Its trials.
    """

    def __init__(self, context: BackendContext, trials: Holds) -> None:
        self._context = context
        _, self._folder = context.needed_script
        self._trials = trials

    def check(self) -> None:
        """Suspend all trials while less than `min_free_disk` is free."""
        if not self._too_little():
            return
        with self._suspended(f"less than {self._context.settings.min_free_disk:g} GB are free on the disk"):
            while self._too_little():
                time.sleep(AGAIN)

    def write(self, act: Callable[[], T]) -> T:
        """Do something that writes; on a full disk suspend all trials, and try again until it succeeds.

        Raises:
            OSError: It fails for another reason.
        """
        try:
            return act()
        except OSError as error:
            if error.errno not in FULL:
                raise
        with self._suspended(f"the disk of {self._folder} is full"):
            while True:
                time.sleep(AGAIN)
                try:
                    return act()
                except OSError as error:
                    if error.errno not in FULL:
                        raise

    def _too_little(self) -> bool:
        return shutil.disk_usage(self._folder).free < self._context.settings.min_free_disk * 1e9

    @contextmanager
    def _suspended(self, why: str) -> Iterator[None]:
        began = time.monotonic()
        self._context.say(f"{why}: trials are held")
        self._trials.hold(go_on=False)
        try:
            yield
        finally:
            held = time.monotonic() - began
            self._trials.hold(go_on=True)
            if isinstance(self._context.clock, RealClock):
                self._context.clock.leave_out(held)
        self._context.say(f"disk space is available again: trials continue after {held:.0f} s")
