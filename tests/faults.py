"""Faults at single steps of the system: the process is killed there, or the step fails."""

import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Self

import pytest

CALLS = ("open", "fsync", "link", "replace", "rename", "unlink", "mkdir", "rmdir", "scandir")
"""What the store asks of the system, besides opening, writing and reading files."""

LIMIT = 300


class Steps:
    """Counts the steps that a piece of code asks of the system, and acts at one of them or from it on.

    Args:
        first: The step at which it acts, from 0.
        act: What happens instead of the step; a write is half done before.
        last: The last step at which it acts; None: the first one.
    """

    def __init__(self, first: int, act: Callable[[], None], last: float | None = None) -> None:
        self.count = 0
        self._first = first
        self._last = first if last is None else last
        self._act = act

    def due(self) -> bool:
        """Count a step; whether it is one to act at."""
        self.count += 1
        return self._first <= self.count - 1 <= self._last

    def guarded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def guard(*args: Any, **options: Any) -> Any:
            if self.due():
                self._act()
            return call(*args, **options)

        return guard

    def file(self, opened: Any) -> Any:
        return File(opened, self)

    def half(self, write: Callable[[], None]) -> None:
        """A step that is half done before it fails."""
        if self.due():
            write()
            self._act()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Guard the system's calls."""
        opener = self.guarded(io.open)
        with pytest.MonkeyPatch.context() as patch:
            for name in CALLS:
                patch.setattr(os, name, self.guarded(getattr(os, name)))
            patch.setattr(io, "open", lambda *args, **options: self.file(opener(*args, **options)))
            yield


class File:
    """An open file whose reads, writes and flushes are steps."""

    def __init__(self, opened: Any, steps: Steps) -> None:
        self._opened = opened
        self._steps = steps

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def fileno(self) -> int:
        return int(self._opened.fileno())

    def read(self, *args: Any) -> Any:
        return self._steps.guarded(self._opened.read)(*args)

    def flush(self) -> None:
        self._steps.guarded(self._opened.flush)()

    def write(self, data: Any) -> Any:
        def half() -> None:
            self._opened.write(data[: len(data) // 2])
            self._opened.flush()

        self._steps.half(half)
        return self._opened.write(data)


def kill() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at_every_step(work: Callable[[], object], check: Callable[[], object]) -> int:
    """Do some work in a process that is killed at its first step, then at its second one, until it gets through.

    Writes are not flushed to the disk: what a process has written outlives it anyway.

    Args:
        work: The work.
        check: Looks at what it has left, after each of them, and makes things ready for the next.

    Returns:
        How many steps the work has.
    """
    for step in count():
        child = os.fork()
        if child == 0:
            _work_and_die(work, Steps(step, kill))
        _, status = os.waitpid(child, 0)
        check()
        if status == 0:
            return step
        assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, f"step {step} of the work failed"
        assert step < LIMIT, "the work never gets through"
    raise AssertionError


def _work_and_die(work: Callable[[], object], steps: Steps) -> None:
    try:
        os.fsync = lambda fd: None
        with steps.watching():
            work()
    except BaseException:  # noqa: BLE001 - the child must not continue with its parent's tests
        os._exit(1)
    os._exit(0)


def failing_at_every_step(work: Callable[[], object], code: int, check: Callable[[], object], *, stays: bool) -> int:
    """Do some work with its first step failing, then with its second one, until no step is left to fail.

    Args:
        work: The work.
        code: How the step fails.
        check: Looks at what it has left, after each of them, and makes things ready for the next.
        stays: Whether all later steps fail, too.

    Returns:
        How many steps the work has.
    """

    def fail() -> None:
        raise OSError(code, os.strerror(code))

    for step in count():
        steps = Steps(step, fail, float("inf") if stays else None)
        with steps.watching():
            work()
        check()
        if steps.count <= step:
            return step
        assert step < LIMIT, "the work never gets through"
    raise AssertionError
