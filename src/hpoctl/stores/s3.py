"""Results on S3, below a prefix of a bucket: the same names and the same bytes as in a local directory.

A blob is an object, and S3 replaces an object in one step. What S3 cannot do in one step is to move a folder: its blobs
are copied, then the old ones are removed. A note of it lies in `<root>/.moves` until it is done, so that a move that
was killed can be repeated, or finished by another process; at every moment each blob is in the old place, or in the new
one, or in both.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.names import BAD, check_blob_name
from hpoctl.core.records import to_plain
from hpoctl.core.sealed import DamagedError, read_json
from hpoctl.stores.s3_bucket import THREADS, Bucket, ListedObject
from hpoctl.stores.s3_index import index_file, read_through

MOVES = ".moves"


@dataclass(frozen=True, slots=True)
class Move:
    """A move of a folder that was begun.

    Attributes:
        folder: The folder.
        target: The name that it gets.
    """

    folder: str
    target: str


class S3Listing(Mapping[str, int]):
    """The sizes of blobs by name, and what tells whether they have changed since.

    Args:
        found: Size and ETag of each blob by its name, sorted.
    """

    def __init__(self, found: Mapping[str, tuple[int, str]]) -> None:
        self._found = found

    def __getitem__(self, name: str) -> int:
        return self._found[name][0]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def etag(self, name: str) -> str:
        """What changes with the content of a blob."""
        return self._found[name][1]


class S3Store:
    """A store below a prefix of a bucket. The bucket has to exist.

    Args:
        bucket: The bucket.
        prefix: The prefix, without a slash at its ends; empty: the whole bucket.
    """

    readers = THREADS

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self.bucket = bucket
        self._base = f"{prefix}/" if prefix else ""

    def put(self, name: str, data: bytes, *, create: bool = False) -> None:
        """Write a blob; see `Store.put`."""
        self.bucket.put(self._key(name), data, create=create)

    def get(self, name: str) -> bytes:
        """The bytes of a blob; see `Store.get`."""
        return self.bucket.get(self._key(name)).data

    def list(self, prefix: str) -> S3Listing:
        """The sizes of all blobs in the folder `prefix` and below, sorted by name."""
        base = self._folder(prefix)
        found = {
            entry.key[len(self._base) :]: (entry.size, entry.etag)
            for page in self.bucket.pages(base)
            for entry in page.found
            if not entry.key.endswith("/") and not BAD.search(entry.key)
        }
        return S3Listing(dict(sorted(found.items())))

    def folders(self, folder: str) -> Sequence[str]:
        """The names of the folders directly in a folder, sorted."""
        base = self._folder(folder)
        pages = self.bucket.pages(base, delimiter="/")
        names = {found[len(base) :].rstrip("/") for page in pages for found in page.folders}
        return sorted(name for name in names if name and not BAD.search(name))

    def delete(self, name: str) -> None:
        """Remove a blob, or a folder with its content, if it exists."""
        key = self._key(name)
        self._remove([key, *(entry.key for entry in self._below(f"{key}/"))])

    def move(self, folder: str, target: str) -> None:
        """Give a folder another name; see `Store.move`. A move that was killed continues when it is called again."""
        source, destination = self._key(folder), self._key(target)
        note = self._note(folder, target)
        begun = self._exists(note)
        blobs = list(self._below(f"{source}/"))
        if not begun:
            if not blobs:
                raise FileNotFoundError(self.location(folder))
            if self._is_taken(destination):
                raise FileExistsError(self.location(target))
            self.bucket.put(note, canonical_json(to_plain(Move(folder, target))))
        arrived = {entry.key: entry for entry in self._below(f"{destination}/")} if begun else {}
        targets = {entry.key: destination + entry.key[len(source) :] for entry in blobs}
        todo = [entry.key for entry in blobs if targets[entry.key] not in arrived]
        self.bucket.parallel(lambda key: self._copy(key, targets[key]), todo)
        # What was written to the old place since a killed move copied it is neither lost nor put over its copy.
        again = {entry.key for entry in blobs if _differ(entry, arrived.get(targets[entry.key]))}
        self._remove([key for key in targets if key not in again])
        self._remove([note])
        if begun and not blobs and not self._is_taken(destination):
            raise FileNotFoundError(self.location(folder))

    def unfinished_moves(self) -> Sequence[tuple[str, str]]:
        """The moves that were begun and not ended, as far as can be told: folders and their targets."""
        found = []
        for entry in self._below(f"{self._base}{MOVES}/"):
            try:
                move = read_json(self.bucket.get(entry.key).data, Move)
                found.append((move.folder, move.target))
            except (FileNotFoundError, DamagedError):
                continue  # it has just ended, or the file is not ours
        return found

    def contents(self, listed: Mapping[str, int], names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The bytes of many blobs; see `Store.contents`."""
        for name, text in self._kept(listed, names, "contents", lambda data: data.decode("latin-1")):
            yield name, text.encode("latin-1")

    def hashes(self, listed: Mapping[str, int], names: Iterable[str]) -> Iterator[tuple[str, str]]:
        """The hashes of many blobs; see `Store.hashes`."""
        return self._kept(listed, names, "hashes", content_hash)

    def _kept(
        self, listed: Mapping[str, int], names: Iterable[str], kind: str, keep: Callable[[bytes], str]
    ) -> Iterator[tuple[str, str]]:
        """What is kept of blobs that are all of one tag. Only a listing can say whether an index is up to date."""
        wanted = list(names)
        if not wanted:
            return iter(())
        if not isinstance(listed, S3Listing):
            return read_through(self.bucket, self._base, None, [(name, "") for name in wanted], keep)
        file = index_file(wanted[0].partition("/")[0], kind)
        return read_through(self.bucket, self._base, file, [(name, listed.etag(name)) for name in wanted], keep)

    def location(self, name: str) -> str:
        """The address of a blob or folder; empty string: the root's."""
        return self.bucket.location(self._key(name) if name else self._base)

    def _key(self, name: str) -> str:
        check_blob_name(name, self.bucket.location(self._base))
        return self._base + name

    def _folder(self, name: str) -> str:
        """How the keys in a folder begin. The slash at the end is what keeps ASHA-1 from meaning ASHA-13, too."""
        return f"{self._key(name)}/" if name else self._base

    def _below(self, prefix: str) -> Iterator[ListedObject]:
        for page in self.bucket.pages(prefix):
            yield from page.found

    def _exists(self, key: str) -> bool:
        return any(entry.key == key for page in self.bucket.pages(key, limit=1) for entry in page.found)

    def _is_taken(self, key: str) -> bool:
        """Whether there is a blob or a folder of a key."""
        return self._exists(key) or any(page.found for page in self.bucket.pages(f"{key}/", limit=1))

    def _copy(self, key: str, target: str) -> None:
        try:
            self.bucket.copy(key, target)
        except FileNotFoundError:
            return  # another process has moved or removed it meanwhile

    def _remove(self, keys: Sequence[str]) -> None:
        self.bucket.delete(keys)

    def _note(self, folder: str, target: str) -> str:
        digest = content_hash(canonical_json([folder, target]))[:32]
        return f"{self._base}{MOVES}/{digest}.json"


def _differ(blob: ListedObject, copy: ListedObject | None) -> bool:
    """Whether a copy that is there already is not one of this blob."""
    if copy is None:
        return False
    in_parts = "-" in blob.etag + copy.etag  # the tag of a blob that was put in parts is not a hash of its content
    return blob.size != copy.size or (blob.etag != copy.etag and not in_parts)
