"""`hpoctl blackbox fetch fcnet`: the archive of the original files, downloaded and unpacked into the cache.

    <cache>/fcnet-download/fcnet_tabular_benchmarks.tar.gz    the archive (see `download`)
    <cache>/fcnet-original/                                   the files in it, ready to be imported

The authors publish no checksum of the archive that is known here. So what is verified is that the archive is whole (its
own checksum), that a kept one is what had come (its recorded SHA-256), and, on import, every final value in it.
"""

import gzip
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Final, Self

from hpoctl.core.entries import Progress
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.files import UnreadableError, read_regular
from hpoctl.core.places import cache_directory
from hpoctl_fcnet.download import download
from hpoctl_fcnet.original import FILES
from hpoctl_fcnet.partial_file import forget, recorded_hash
from hpoctl_fcnet.table_files import building, sync_directory, write_file

URL: Final = "http://ml4aad.org/wp-content/uploads/2019/01/fcnet_tabular_benchmarks.tar.gz"
ARCHIVE: Final = "fcnet_tabular_benchmarks.tar.gz"
GZIP: Final = b"\x1f\x8b"
UNPACKED: Final = "unpacked.json"
CHUNK: Final = 1 << 20
MAX_MEMBER: Final = 4 << 30
"""Bytes of one of the files: 62,208 configurations x 4 curves x 400 numbers of 8 bytes are 0.8 GB."""
MAX_TOTAL: Final = 32 << 30
MAX_HEADER: Final = 1 << 20
"""Bytes of what describes a member: tarfile reads all of it into memory."""


def fetch(url: str | None, progress: Progress) -> Path:
    """Download and unpack the archive, as far as that has not been done; the folder with the files.

    Raises:
        UsageError: The address is not one of http or https.
        IncompleteError: There is no such archive, or it is damaged or another one.
        HpoctlError: The network or the disk fails. What has come is kept.
    """
    archive = download(url or URL, cache_directory() / "fcnet-download" / ARCHIVE, progress, magic=GZIP)
    folder = cache_directory() / "fcnet-original"
    try:
        digest = recorded_hash(archive)
        if not _is_unpacked(folder, digest):
            _unpack(archive, digest, folder, progress)
    except _BadArchiveError as error:
        forget(archive)
        raise IncompleteError(
            f"The archive from {url or URL} cannot be used: {error}.",
            "It has been removed; fetch it again, from another address with --url if need be.",
        ) from error
    except OSError as error:
        raise HpoctlError(
            f"{folder} cannot be written: {error.strerror or error}.",
            "Make room there or set HPOCTL_CACHE to another directory, then run the same command again.",
        ) from error
    return folder


class _BadArchiveError(Exception):
    """The archive is damaged, or not the one that was expected."""


class _Bounded(gzip.GzipFile):
    """An unpacked stream that ends with an error where it gives more than an honest archive holds."""

    def __init__(self, packed: IO[bytes], tick: Callable[[], None]) -> None:
        super().__init__(fileobj=packed)
        self._tick = tick
        self._total = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self._total += len(data)
        if self._total > MAX_TOTAL:
            raise _BadArchiveError(f"it unpacks to more than {MAX_TOTAL:,} bytes")
        self._tick()
        return data


class _Header(tarfile.TarInfo):
    """A header of the archive, refused where it announces a long description."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        header = super().frombuf(buf, encoding, errors)
        if not header.isreg() and header.size > MAX_HEADER:
            raise _BadArchiveError(f"one of its headers has {header.size:,} bytes")
        return header


def _is_unpacked(folder: Path, digest: str) -> bool:
    """Whether the files of this archive are there, with the sizes that they had. Their values are checked on import."""
    try:
        notes = json.loads(read_regular(folder / UNPACKED))
        sizes: Mapping[str, int] = notes["files"]
        return bool(notes["archive"] == digest and all((folder / name).stat().st_size == sizes[name] for name in sizes))
    except (FileNotFoundError, NotADirectoryError, UnreadableError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _unpack(archive: Path, digest: str, folder: Path, progress: Progress) -> None:
    with building(folder.parent, folder.name) as unfinished:
        sizes = _extract(archive, unfinished, progress)
        write_file(unfinished / UNPACKED, json.dumps({"archive": digest, "files": sizes}, indent=1).encode())
        sync_directory(unfinished)
        shutil.rmtree(folder, ignore_errors=True)  # that of another archive
        unfinished.rename(folder)
        sync_directory(folder.parent)


def _extract(archive: Path, folder: Path, progress: Progress) -> Mapping[str, int]:
    """Write each expected member into a folder as a file; returns their sizes.

    Nothing else is written: what a member is called does not decide where it goes.
    """
    sizes: dict[str, int] = {}
    total = archive.stat().st_size
    try:
        with archive.open("rb") as packed:
            bounded = _Bounded(packed, lambda: progress(f"unpacking {ARCHIVE}", packed.tell(), total))
            with bounded, tarfile.open(fileobj=bounded, mode="r|", bufsize=CHUNK, tarinfo=_Header) as members:
                for member in members:
                    name = member.name.rpartition("/")[2]
                    if name in FILES.values():
                        _check_member(member, seen=name in sizes)
                        sizes[name] = _copy(members, member, folder / name)
                while bounded.read(CHUNK):
                    pass  # to the checksum at the end
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError, RecursionError) as error:
        raise _BadArchiveError(f"it is damaged ({error})") from error
    if not sizes:
        raise _BadArchiveError(f"it holds none of {', '.join(FILES.values())}")
    return sizes


def _check_member(member: tarfile.TarInfo, *, seen: bool) -> None:
    if not member.isreg() or member.issparse():
        raise _BadArchiveError(f"{member.name} is not a plain file")
    if member.size > MAX_MEMBER:
        raise _BadArchiveError(f"{member.name} has {member.size:,} bytes")
    if seen:
        raise _BadArchiveError(f"{member.name} is there twice")


def _copy(members: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> int:
    source = members.extractfile(member)
    if source is None:
        raise _BadArchiveError(f"{member.name} is not a plain file")
    with source, target.open("xb") as file:
        shutil.copyfileobj(source, file, CHUNK)
        file.flush()
        os.fsync(file.fileno())
    return member.size
