"""`hpoctl sync`: bring a tag from one root of results to another, only what is missing or newer there."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import CONTROL, LOG, METADATA, RESULTS
from hpoctl.core.entries import Progress
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.metadata_head import Head, Status, read_head
from hpoctl.core.names import check_tag
from hpoctl.core.sealed import DamagedError
from hpoctl.core.storage import Store, read_many
from hpoctl.ops.studies.config import open_root, read_config, results_address
from hpoctl.ops.studies.tags import STUDY_FILE
from hpoctl.ops.upkeep.trash import Left
from hpoctl.stores.opening import open_results

HOME = "~/hpoctl"
THREADS = 8
Fate = Literal["copied", "same", "running", "kept", "conflict", "damaged"]


@dataclass(frozen=True, slots=True)
class Sides:
    """The two roots of a sync.

    Attributes:
        source: What is read.
        target: What is written.
    """

    source: Store
    target: Store


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did, or would do.

    Attributes:
        tag: The tag.
        source: Where it was read.
        target: Where it was written.
        copied: Results that were brought, or brought anew.
        files: The random seed, plans and logs that were brought.
        size: Bytes that were brought.
        same: Results that were there already, as they are.
        running: Results that are not there, because their experiments have not ended.
        kept: Results that stay, because what is at the source is no newer.
        conflicts: What stays, because both sides have something else that is complete.
        damaged: What was not brought, because it is damaged at the source.
    """

    tag: str
    source: str
    target: str
    copied: int
    files: int
    size: int
    same: int
    running: int
    kept: int
    conflicts: tuple[Left, ...]
    damaged: tuple[Left, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """What became of one result, or one other file.

    Attributes:
        name: Its directory or name.
        fate: What became of it.
        size: Bytes that were brought.
        why: Why it was not brought, in one line.
    """

    name: str
    fate: Fate
    size: int = 0
    why: str = ""


def open_sides(results: str | None, to: str | None, *, up: bool) -> Sides:
    """The two roots: `--results` and `--to`; a sync goes from the first to the second, upwards the other way.

    Args:
        results: The root that `--results` names; None: the configured one.
        to: The other root; None: `~/hpoctl`.
        up: From the second to the first.

    Raises:
        UsageError: Both are the same.
    """
    remote = open_root(results).store
    local = open_results(to or HOME).store
    if remote.location("") == local.location(""):
        address = results_address(results, read_config(Path.cwd()))
        raise UsageError(
            f"Both sides of the sync are {address}.",
            "Name the root on S3 with --results s3://bucket/prefix, and the folder with --to.",
        )
    return Sides(local, remote) if up else Sides(remote, local)


def sync(sides: Sides, tag: str, progress: Progress, *, logs: bool = False, dry_run: bool = False) -> Synced:
    """Copy missing and newer results that have ended, with their metadata, the random seed and the plans.

    Results come before the metadata that say they are complete; after a kill, a repetition continues. A
    complete result is never replaced by another.

    Args:
        sides: From where to where.
        tag: The tag.
        progress: Told how far it is.
        logs: Bring what experiments printed, too.
        dry_run: Only look.

    Raises:
        IncompleteError: There is nothing of the tag at the source.
        HpoctlError: A store failed.
    """
    listed = sides.source.list(check_tag(tag))
    if not listed:
        raise IncompleteError(
            f"There is nothing of tag {tag} in {sides.source.location('')}.",
            "Name another --tag; --up goes from the folder to the root that --results names.",
        )
    work = _Work(sides, tag, listed, logs=logs, dry_run=dry_run)
    steps: list[_Step] = []
    total = sum(name.endswith(f"/{METADATA}") for name in listed)
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            files = [work.file(name) for name in listed if _is_shared(name, tag)]
            for step in pool.map(partial(work.result), *zip(*work.metadata(), strict=True)) if total else ():
                steps.append(step)
                progress("results", len(steps), total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return _synced(sides, tag, steps, files + work.logs)


def _synced(sides: Sides, tag: str, steps: list[_Step], files: list[_Step]) -> Synced:
    count = {fate: sum(step.fate == fate for step in steps) for fate in ("copied", "same", "running", "kept")}
    every = [*files, *steps]
    return Synced(
        tag=tag,
        source=sides.source.location(tag),
        target=sides.target.location(tag),
        copied=count["copied"],
        files=sum(step.fate == "copied" for step in files),
        size=sum(step.size for step in every),
        same=count["same"],
        running=count["running"],
        kept=count["kept"],
        conflicts=tuple(Left(step.name, step.why) for step in every if step.fate == "conflict"),
        damaged=tuple(Left(step.name, step.why) for step in every if step.fate == "damaged"),
    )


def _is_shared(name: str, tag: str) -> bool:
    """Whether it is the random seed or a plan: status needs them."""
    return name == f"{tag}/{STUDY_FILE}" or name.startswith(f"{tag}/{CONTROL}/plans/")


class _Work:
    """Brings one result or file at a time."""

    def __init__(self, sides: Sides, tag: str, listed: Mapping[str, int], *, logs: bool, dry_run: bool) -> None:
        self._source, self._target = sides.source, sides.target
        self._listed, self._there = listed, sides.target.list(tag)
        self._with_logs, self._dry_run = logs, dry_run
        hashes = sides.target.hashes(self._there, [name for name in self._there if name.endswith(f"/{RESULTS}")])
        self._hashes = dict(hashes)
        self._metadata_there = dict(_metadata(sides.target, self._there))
        self.logs: list[_Step] = []

    def metadata(self) -> Iterator[tuple[str, bytes]]:
        """The result directories of the source, with their metadata."""
        return _metadata(self._source, self._listed)

    def file(self, name: str) -> _Step:
        """Bring the random seed or a plan; both never change."""
        data = self._source.get(name)
        if name not in self._there:
            self._put(name, data)
            return _Step(name, "copied", len(data))
        if self._target.get(name) == data:
            return _Step(name, "same")
        return _Step(name, "conflict", why="both sides have another one")

    def result(self, directory: str, data: bytes) -> _Step:
        """Bring a result with its metadata, if it is missing or newer."""
        try:
            head = read_head(data)
        except DamagedError as error:
            return _Step(directory, "damaged", why=f"{METADATA}: {error}")
        there = self._metadata_there.get(directory)
        fate = _fate(head.status, data, there)
        complete = head.status == "completed"
        if fate == "same" and complete and self._hash_there(directory) != head.results_sha256:
            fate = "copied"  # the metadata are there and the results are not, or have changed
        if fate == "conflict":
            return _Step(directory, fate, why="both sides have a complete one, and they differ")
        size = 0
        if fate == "copied":
            size = len(data)
            if complete:
                results = self._results(directory, head)
                if results is None:
                    return _Step(directory, "damaged", why=f"{RESULTS} is missing or has changed")
                self._put(f"{directory}/{RESULTS}", results)
                size += len(results)
            try:
                self._put(f"{directory}/{METADATA}", data, create=there is None)
            except FileExistsError:
                return _Step(directory, "conflict", why="another process has just written a different one")
        self._log(directory)
        return _Step(directory, fate, size)

    def _results(self, directory: str, head: Head) -> bytes | None:
        try:
            data = self._source.get(f"{directory}/{RESULTS}")
        except FileNotFoundError:
            return None
        return data if content_hash(data) == head.results_sha256 else None

    def _hash_there(self, directory: str) -> str:
        name = f"{directory}/{RESULTS}"
        try:
            return self._hashes.get(name) or content_hash(self._target.get(name))
        except FileNotFoundError:
            return ""

    def _log(self, directory: str) -> None:
        """Bring what an experiment printed; it is written once, so that its size tells whether it is there."""
        name = f"{directory}/{LOG}"
        if self._with_logs and name in self._listed and self._there.get(name) != self._listed[name]:
            data = self._source.get(name)
            self._put(name, data)
            self.logs.append(_Step(name, "copied", len(data)))

    def _put(self, name: str, data: bytes, *, create: bool = False) -> None:
        if not self._dry_run:
            self._target.put(name, data, create=create)


def _fate(status: Status, data: bytes, there: bytes | None) -> Fate:
    """What is to become of a result, by its metadata on both sides."""
    if there == data:
        return "same"
    if status == "running":
        return "running"
    try:
        status_there = None if there is None else read_head(there).status
    except DamagedError:
        status_there = None
    if status_there == "completed":
        return "conflict" if status == "completed" else "kept"
    return "copied" if status == "completed" or status_there in {None, "running"} else "kept"


def _metadata(store: Store, listed: Mapping[str, int]) -> Iterator[tuple[str, bytes]]:
    """The result directories of a listing and their metadata."""
    names = [name for name in listed if name.endswith(f"/{METADATA}")]
    for name, read in read_many(store, listed, names):
        with suppress(FileNotFoundError):  # moved away by another process
            yield name.rpartition("/")[0], read()
