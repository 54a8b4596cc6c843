"""One bucket of S3 by boto3: its calls, repeated within bounds where that may help, and its errors in plain words.

boto3 itself repeats a call in its adaptive mode, a few times within seconds, and out of a budget that all calls share.
What it gives up is begun again here, after a longer wait each time, so that a minute without S3 is outlived and no call
is repeated for ever.
"""

import os
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar

from hpoctl.core.errors import HpoctlError
from hpoctl.stores.s3_address import make_client
from hpoctl.stores.s3_errors import TRANSIENT, ConditionError, NotThereError, describe, is_transient, status_of

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0)
"""Seconds before each new round of attempts."""

PART = 32 * 2**20
"""Bytes of a part, where a blob is put in several."""

LARGE = 2 * PART
PAGE = 1000
THREADS = 16
WRITE_MARK = "hpoctl-write"
T = TypeVar("T")
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class ListedObject:
    """A blob in a listing.

    Attributes:
        key: Its key.
        size: Its size in bytes.
        etag: What changes with its content.
        modified: When it was written, by the clock of S3.
    """

    key: str
    size: int
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob that was read.

    Attributes:
        data: Its bytes.
        etag: What changes with its content.
        age: Seconds since it was written, by the clock of S3.
    """

    data: bytes
    etag: str
    age: float


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a listing.

    Attributes:
        found: Blobs.
        folders: The beginnings of keys up to the delimiter.
        now: The time when S3 answered, by its clock.
    """

    found: tuple[ListedObject, ...]
    folders: tuple[str, ...]
    now: datetime


class Bucket:
    """A bucket. It can be used by several threads, and by a process that was forked from its own.

    Args:
        name: The name of the bucket.
        waits: Seconds before each new round of attempts.
        sleep: Waits.
    """

    def __init__(self, name: str, waits: Sequence[float] = WAITS, sleep: Callable[[float], None] = time.sleep) -> None:
        self.name = name
        self._waits = waits
        self._sleep = sleep
        self._lock = threading.Lock()
        self._client: Any = None
        self._pid = 0

    def get(self, key: str) -> Blob:
        """Read a blob.

        Raises:
            FileNotFoundError: There is no such blob.
        """

        def read(client: Any) -> Blob:
            answer = client.get_object(Bucket=self.name, Key=key)
            data = answer["Body"].read()  # in here, because a connection may break in the middle
            return Blob(data, answer["ETag"], (_date(answer) - answer["LastModified"]).total_seconds())

        try:
            return self._call("read", key, read)
        except NotThereError as error:
            raise FileNotFoundError(self.location(key)) from error

    def put(self, key: str, data: bytes, *, create: bool = False, match: str | None = None) -> str:
        """Write a blob; returns its ETag.

        Args:
            key: Its key.
            data: Its bytes.
            create: Fail if there is such a blob already.
            match: Fail unless the blob that is there has this ETag.

        Raises:
            FileExistsError: With `create` or `match`, if there is another blob, or none.
        """
        condition = {"IfNoneMatch": "*"} if create else {} if match is None else {"IfMatch": match}
        # A write that got through and whose answer was lost finds itself when it is repeated: by this mark.
        mark = {WRITE_MARK: secrets.token_hex(16)}
        if len(data) > LARGE:
            return self._put_parts(key, data, condition, mark)

        def write(client: Any) -> str:
            answer = client.put_object(Bucket=self.name, Key=key, Body=data, Metadata=mark, **condition)
            return str(answer["ETag"])

        return self._conditionally(key, mark, write)

    def _put_parts(self, key: str, data: bytes, condition: Mapping[str, str], mark: Mapping[str, str]) -> str:
        about = {"Bucket": self.name, "Key": key}
        begin = self._call("write", key, lambda client: client.create_multipart_upload(**about, Metadata=dict(mark)))
        upload = {**about, "UploadId": begin["UploadId"]}

        def send(place: int) -> dict[str, Any]:
            part = data[place * PART : (place + 1) * PART]
            answer = self._call(
                "write", key, lambda client: client.upload_part(**upload, PartNumber=place + 1, Body=part)
            )
            return {"PartNumber": place + 1, "ETag": answer["ETag"]}

        try:
            parts = self.parallel(send, range(-(-len(data) // PART)))

            def finish(client: Any) -> str:
                answer = client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **condition)
                return str(answer["ETag"])

            return self._conditionally(key, mark, finish)
        except BaseException:
            with suppress(NotThereError):
                self._call("write", key, lambda client: client.abort_multipart_upload(**upload))
            raise

    def _conditionally(self, key: str, mark: Mapping[str, str], write: Callable[[Any], str]) -> str:
        try:
            return self._call("write", key, write)
        except (ConditionError, NotThereError) as error:
            if (etag := self._etag_of(key, mark)) is not None:
                return etag
            raise FileExistsError(self.location(key)) from error

    def _etag_of(self, key: str, mark: Mapping[str, str]) -> str | None:
        """The ETag of a blob, if it has the mark of a write."""
        try:
            head = self._call("read", key, lambda client: client.head_object(Bucket=self.name, Key=key))
        except NotThereError:
            return None
        return str(head["ETag"]) if head["Metadata"].get(WRITE_MARK) == mark[WRITE_MARK] else None

    def pages(self, prefix: str, *, delimiter: str = "", limit: int | None = None) -> Iterator[Page]:
        """The blobs whose keys begin with a prefix, page by page, in the order of S3.

        Args:
            prefix: How keys begin.
            delimiter: Keys that have it after the prefix are put together up to there.
            limit: The largest number of objects, in one page.
        """
        token: str | None = None
        while True:
            more = {} if token is None else {"ContinuationToken": token}
            request = {"Prefix": prefix, "Delimiter": delimiter, "MaxKeys": limit or PAGE, **more}
            answer: Mapping[str, Any] = self._call(
                "list", prefix, partial(_send, "list_objects_v2", Bucket=self.name, **request)
            )
            yield Page(
                tuple(
                    ListedObject(e["Key"], e["Size"], e["ETag"], e["LastModified"]) for e in answer.get("Contents", ())
                ),
                tuple(entry["Prefix"] for entry in answer.get("CommonPrefixes", ())),
                _date(answer),
            )
            token = answer.get("NextContinuationToken")
            if limit is not None or not answer.get("IsTruncated") or token is None:
                return

    def copy(self, key: str, target: str) -> None:
        """Copy a blob within the bucket.

        Raises:
            FileNotFoundError: There is no such blob.
        """
        source = {"Bucket": self.name, "Key": key}
        try:
            self._call("copy", key, lambda client: client.copy_object(Bucket=self.name, Key=target, CopySource=source))
        except NotThereError as error:
            raise FileNotFoundError(self.location(key)) from error

    def delete(self, keys: Sequence[str]) -> None:
        """Remove those of the blobs that exist.

        Raises:
            HpoctlError: Some could not be removed.
        """
        if len(keys) == 1:
            self._call("remove", keys[0], lambda client: client.delete_object(Bucket=self.name, Key=keys[0]))
            return
        for place in range(0, len(keys), PAGE):
            self._delete_page(list(keys[place : place + PAGE]))

    def _delete_page(self, keys: list[str]) -> None:
        """Remove up to a thousand blobs: S3 answers that all is well even if some of them are still there."""
        rounds = iter(self._waits)
        while True:
            order = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
            answer = self._call("remove", keys[0], partial(_send, "delete_objects", Bucket=self.name, Delete=order))
            failed = [entry for entry in answer.get("Errors", ()) if entry.get("Code") != "NoSuchKey"]
            if not failed:
                return
            wait = next(rounds, None)
            if wait is None or not all(entry.get("Code") in TRANSIENT for entry in failed):
                raise HpoctlError(
                    f"Cannot remove {len(failed)} of {len(keys)} objects, such as {self.location(failed[0]['Key'])}: "
                    f"{failed[0].get('Code')}: {failed[0].get('Message')}.",
                    "Check that you may delete objects there (s3:DeleteObject), and repeat.",
                )
            keys = [str(entry["Key"]) for entry in failed]
            self._sleep(wait)

    def parallel(self, work: Callable[[Item], T], items: Iterable[Item]) -> list[T]:
        """The results of some work on many items, by several threads, in the order of the items."""
        every = list(items)
        if len(every) < 2:
            return [work(item) for item in every]
        pool = ThreadPoolExecutor(min(THREADS, len(every)))
        try:
            return list(pool.map(work, every))
        finally:
            pool.shutdown(cancel_futures=True)

    def location(self, key: str) -> str:
        """The address of a blob."""
        return f"s3://{self.name}/{key}".rstrip("/")

    def _call(self, what: str, key: str, call: Callable[[Any], T]) -> T:
        waits = iter(self._waits)
        while True:
            try:
                return call(self._connected())
            except HpoctlError:
                raise
            except Exception as error:
                kind = status_of(error)
                if kind == "missing":
                    raise NotThereError from error
                if kind == "condition":
                    raise ConditionError from error
                wait = next(waits, None) if is_transient(error) else None
                if wait is None:
                    raise describe(error, what, self.location(key), self.name) from error
            self._sleep(wait)

    def _connected(self) -> Any:
        """The client of this process, made when it is first needed."""
        with self._lock:
            if self._client is None or self._pid != os.getpid():
                self._client, self._pid = make_client(), os.getpid()
            return self._client


def _send(call: str, client: Any, **request: Any) -> Any:
    return getattr(client, call)(**request)


def _date(answer: Mapping[str, Any]) -> datetime:
    return parsedate_to_datetime(str(answer["ResponseMetadata"]["HTTPHeaders"]["date"]))
