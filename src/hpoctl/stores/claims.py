"""Claims on a local or shared file system: locks on single bytes of one file, `<root>/.claims`.

The kernel releases a lock when its process ends, so no claim outlives its process, and no clock is involved.
The hash of a key says which byte stands for it; the file itself stays empty.
"""

import errno
import fcntl
import os
from hashlib import sha256
from pathlib import Path

from hpoctl.core.errors import HpoctlError
from hpoctl.core.files import open_regular
from hpoctl.core.places import expanded

CLAIMS = ".claims"
TAKEN = frozenset({errno.EACCES, errno.EAGAIN})
PLACES = 2**62


_open: dict[tuple[Path, int], int] = {}
"""Descriptors, opened once and never closed: closing a file would give up all locks that the process has on it."""

_mine: set[tuple[int, Path, str]] = set()
"""What this process has claimed: the kernel answers about other processes only, and a fork inherits no locks."""


class LocalClaims:
    """The claims below a root directory. Those of one process do not exclude each other.

    Args:
        root: The root of results.
    """

    def __init__(self, root: Path) -> None:
        self._path = expanded(root).absolute() / CLAIMS

    def take(self, key: str) -> bool:
        """Claim a key for this process; False: another process has it.

        Raises:
            HpoctlError: The file system cannot be written, or has no locks.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            taken = _lock(_descriptor(self._path, os.O_RDWR | os.O_CREAT), fcntl.LOCK_EX | fcntl.LOCK_NB, key)
        except OSError as error:
            raise self._failed(error) from error
        if taken:
            _mine.add(self._entry(key))
        return taken

    def release(self, key: str) -> None:
        """Release a claim, if there is one.

        Raises:
            HpoctlError: The file system has no locks.
        """
        if self._entry(key) not in _mine:
            return
        try:
            _lock(_descriptor(self._path, os.O_RDWR | os.O_CREAT), fcntl.LOCK_UN, key)
        except OSError as error:
            raise self._failed(error) from error
        _mine.discard(self._entry(key))

    def held(self, key: str) -> bool:
        """Whether another process has the claim. For a moment, this looks like a claim to one who wants to take it.

        Raises:
            HpoctlError: The file system cannot be read, or has no locks.
        """
        if self._entry(key) in _mine:
            return False
        try:
            descriptor = _descriptor(self._path, os.O_RDONLY)
            if not _lock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB, key):
                return True
            _lock(descriptor, fcntl.LOCK_UN, key)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._failed(error) from error
        return False

    def _entry(self, key: str) -> tuple[int, Path, str]:
        return os.getpid(), self._path, key

    def _failed(self, error: OSError) -> HpoctlError:
        return HpoctlError(
            f"Cannot lock {self._path}: {error.strerror or error}.",
            "Name a root with --results that can be written to and whose file system has locks.",
        )


def _descriptor(path: Path, flags: int) -> int:
    """A descriptor of the file that has the path now."""
    known = _open.get((path, flags))
    if known is not None and _same(os.fstat(known), path):
        return known
    descriptor = open_regular(path, flags | os.O_NOFOLLOW)  # no link leads out of the root
    _open[path, flags] = descriptor
    return descriptor


def _same(opened: os.stat_result, path: Path) -> bool:
    try:
        present = path.lstat()
    except FileNotFoundError:
        return False
    return (opened.st_dev, opened.st_ino) == (present.st_dev, present.st_ino)


def _lock(descriptor: int, operation: int, key: str) -> bool:
    place = int.from_bytes(sha256(key.encode(errors="surrogatepass")).digest()[:8], "big") % PLACES
    try:
        fcntl.lockf(descriptor, operation, 1, place)
    except OSError as error:
        if error.errno in TAKEN:
            return False
        raise
    return True
