"""What was read of many small blobs of a tag, kept in one: `<tag>/.hpoctl/index/<kind>.gz`.

A request for each of ten thousand metadata files takes too long, and a listing already says of each whether it is what
it was: its ETag changes with its content. An index holds, for each blob, the ETag and what was read then. Whoever reads
a tag takes from the index what has the ETag that the listing shows, reads the others, and writes a new index. It cannot
say anything that is not there: what does not fit, or an index that is damaged, missing or old, is read again.
"""

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress

from hpoctl.core.cells import CONTROL
from hpoctl.core.errors import HpoctlError
from hpoctl.core.sealed import DamagedError, read_json
from hpoctl.stores.s3_bucket import Bucket

BATCH = 512
"""How many blobs are in memory at once."""

WORTH = 16
"""How many blobs have to be read anew before a new index is worth a write."""

LEVEL = 1

IndexEntry = tuple[str, str, str]
"""The name of a blob, its ETag, and what is kept of it."""


def index_file(tag: str, kind: str) -> str:
    """The name of an index of a tag."""
    return f"{tag}/{CONTROL}/index/{kind}.gz"


def read_through(
    bucket: Bucket, base: str, file: str | None, etags: Iterable[tuple[str, str]], keep: Callable[[bytes], str]
) -> Iterator[tuple[str, str]]:
    """What is kept of some blobs, from an index as far as that is up to date; blobs that are gone are left out.

    Args:
        bucket: The bucket.
        base: What the keys of the store begin with.
        file: The name of the index; None: read all of them.
        etags: The names of the blobs, each with the ETag that a listing shows.
        keep: What is kept of the bytes of a blob.

    Yields:
        The name of a blob, and what is kept of it, in the order of the names.
    """

    def read(name: str) -> IndexEntry | None:
        try:
            blob = bucket.get(base + name)
        except FileNotFoundError:
            return None
        return name, blob.etag, keep(blob.data)

    old = _Cursor(iter(()) if file is None else _entries(bucket, base + file))
    packed = io.BytesIO()
    fresh = 0
    # No name and no time in its header: equal entries give equal bytes.
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=LEVEL, mtime=0) as index:
        for batch in _batches(sorted(etags)):
            known = {name: entry for name, etag in batch if (entry := old.find(name)) is not None and entry[1] == etag}
            lacking = [name for name, _ in batch if name not in known]
            fresh += len(lacking)
            known |= {entry[0]: entry for entry in bucket.parallel(read, lacking) if entry is not None}
            for name, _ in batch:
                if name in known:
                    index.write(json.dumps(known[name]).encode() + b"\n")
                    yield name, known[name][2]
    if file is not None and fresh >= WORTH:
        with suppress(HpoctlError):  # users with read access only are served without the cache
            bucket.put(base + file, packed.getvalue())


class _Cursor:
    """Finds entries by name, in one pass: the names that are asked for are in the order of the entries.

    Args:
        entries: The entries, sorted by name.
    """

    def __init__(self, entries: Iterator[IndexEntry]) -> None:
        self._entries = entries
        self._next = next(entries, None)

    def find(self, name: str) -> IndexEntry | None:
        """The entry of a name, if there is one."""
        while self._next is not None and self._next[0] < name:
            self._next = next(self._entries, None)
        return self._next if self._next is not None and self._next[0] == name else None


def _entries(bucket: Bucket, key: str) -> Iterator[IndexEntry]:
    """The entries of an index, as far as it can be read."""
    try:
        packed = bucket.get(key).data
        # Read through once before it is used: a checksum stands at its end.
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as index:
            while index.read(2**20):
                pass
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as index:
            for line in index:
                entry: IndexEntry = read_json(line, IndexEntry)
                yield entry
    except (FileNotFoundError, OSError, EOFError, zlib.error, DamagedError):
        return


def _batches(names: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    for place in range(0, len(names), BATCH):
        yield names[place : place + BATCH]
