"""What goes wrong under a store: kills, errors and other processes; and a look at what is left."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from hpoctl.core.errors import HpoctlError
from hpoctl.stores.claims import CLAIMS, LocalClaims

OPERATIONS = frozenset({"list", "folders", "get", "put", "move", "delete"})


class Wrecked:
    """A store at whose operation number `at` something happens, before or after it; everything else is as it was."""

    def __init__(self, store: Any, at: int, happen: Callable[[], None], *, after: bool = False) -> None:
        self.store = store
        self.calls = 0
        self.at = at
        self.happen = happen
        self.after = after

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.store, name)
        if name not in OPERATIONS:
            return value

        def operation(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            reached = self.calls == self.at
            if reached and not self.after:
                self.happen()
            try:
                return value(*arguments, **options)
            finally:  # an operation that finds nothing is one, too
                if reached and self.after:
                    self.happen()

        return operation


def kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    raise HpoctlError("The disk is broken.", "Get another one.")


def in_child(work: Callable[[], object]) -> int:
    """Do something in a separate process; returns its exit code, which is negative if it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except HpoctlError as error:
            code = 10 + error.exit_code
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@contextmanager
def claimed_elsewhere(root: Path, *keys: str) -> Iterator[None]:
    """Another process has the claims."""
    (ready, tell), (wait, stop) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(tell, b"y" if all(LocalClaims(root).take(key) for key in keys) else b"n")
            os.read(wait, 1)
        finally:
            os._exit(0)
    try:
        assert os.read(ready, 1) == b"y"
        yield
    finally:
        os.write(stop, b".")
        os.waitpid(child, 0)
        for descriptor in (ready, tell, wait, stop):
            os.close(descriptor)


def snapshot(folder: Path) -> dict[str, str]:
    """All that is in a folder: the hash of each file, where each link leads, and the folders. Claims are left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file() and path.name != CLAIMS:
            found[name] = sha256(path.read_bytes()).hexdigest()
        elif path.is_dir():
            found[name] = "folder"
    return found


def files(folder: Path) -> dict[str, str]:
    """The files and links in a snapshot."""
    return {name: what for name, what in snapshot(folder).items() if what != "folder"}
