"""Files of a trial on another machine, whose bytes arrive with the answers of the trial's worker."""

from pathlib import Path

from hpoctl.backends.scripts.files import GrowingFile


class ArrivingFile:
    """Reads a file as its bytes arrive; see `Growing`.

    Args:
        path: Where it is, on a file system that is shared with the machine that writes it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pieces: list[bytes] = []
        self._arrived = 0
        self._size = 0
        self._rest: GrowingFile | None = None

    def arrive(self, data: bytes) -> None:
        """Take in the next bytes."""
        if data:
            self._pieces.append(data)
            self._arrived += len(data)
            self.grow(self._arrived)

    def grow(self, size: int) -> None:
        """It has become so large."""
        self._size = max(self._size, size)

    def look_itself(self) -> None:
        """No more bytes arrive, because the worker has died: read what is missing from the file."""
        self._rest = GrowingFile(self._path)
        self._rest.offset = self._arrived

    def read(self) -> bytes:
        """What has arrived since."""
        if self._pieces:
            data = b"".join(self._pieces)
            self._pieces.clear()
            return data
        return self._rest.read() if self._rest is not None else b""

    def skip(self) -> None:
        """Pass over what has arrived since."""
        self._pieces.clear()

    @property
    def size(self) -> int:
        """How large it is, as far as is known here."""
        return self._size

    def give_back(self) -> None:
        """That is up to the machine that writes it."""

    def close(self) -> None:
        """Let go of it."""
        if self._rest is not None:
            self._rest.close()


class KeptFile(GrowingFile):
    """Reads a file whose bytes are written here as they arrive, because this machine does not see the other's disk."""

    def arrive(self, data: bytes) -> None:
        """Take in the next bytes."""
        if data:
            with self.path.open("ab") as file:
                file.write(data)

    def grow(self, size: int) -> None:
        """It grows as bytes arrive."""

    def look_itself(self) -> None:
        """No more bytes arrive; what was on its way has been brought from S3."""
