"""Claims on S3, which has no locks: leases, small objects below `<root>/.claims` that say who has what.

A lease is created only if it does not exist, so that one of several processes gets it. Its holder writes it again every
`RENEWAL` seconds, and a process that finds one not written for `TERM` seconds takes it over, again with a condition
(it is still the one that was seen). The two times that are compared are both S3's own: when the lease was written, and
when S3 answered. No clock of any other machine is involved.

A holder that is killed cannot release its leases. One on this machine is seen to be dead, and a job that is started
again has the name of the job that it was (`$HPOCTL_JOB`); for both the lease ends at once. All others wait for `TERM`.
"""

import atexit
import os
import platform
import secrets
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.errors import HpoctlError
from hpoctl.core.machine import process_began, this_machine
from hpoctl.core.records import to_plain
from hpoctl.core.sealed import DamagedError, read_json
from hpoctl.stores.s3_bucket import Blob, Bucket

CLAIMS = ".claims"
TERM = 120.0
"""Seconds after which a lease that is not renewed is over."""

RENEWAL = 20.0
"""Seconds between renewals: five may fail in a row before a lease is in danger."""

MOMENT = 1.0
"""Seconds for which a list of all leases holds, so that asking about ten thousand keys takes one list."""

TRIES = 5
JOB = "HPOCTL_JOB"
_TOKEN = secrets.token_hex(8)
"""Tells processes of equal numbers on different machines apart."""


@dataclass(slots=True)
class _Lease:
    """A lease of this process.

    Attributes:
        etag: The version that it has written.
        written: When, by the clock that only goes forward.
    """

    etag: str
    written: float


@dataclass(frozen=True, slots=True)
class Holder:
    """What stands in a lease: who has it.

    Attributes:
        job: The job that the process works for; empty: none.
        process: Names the process among all.
        machine: Names the machine since it was started, and its numbering of processes; empty: that cannot be told.
        pid: The number of the process; None: unknown.
        began: When the process began, in ticks since the machine did.
        key: What is claimed.
        version: Makes the bytes of no two leases equal, so that their ETags tell them apart.
    """

    job: str = ""
    process: str = ""
    machine: str = ""
    pid: int | None = None
    began: str = ""
    key: str = ""
    version: str = ""


class S3Claims:
    """The claims below a prefix of a bucket. Those of one process, or of one job, do not exclude each other.

    Args:
        bucket: The bucket.
        prefix: The prefix, without a slash at its ends; empty: the whole bucket.
        term: Seconds after which a lease that is not renewed is over.
        renewal: Seconds between renewals.
        machine: Names this machine and its numbering of processes; empty: dead holders cannot be seen.
        process: Names this process among all; empty: by its machine and number.
    """

    def __init__(
        self,
        bucket: Bucket,
        prefix: str,
        *,
        term: float = TERM,
        renewal: float = RENEWAL,
        machine: Callable[[], str] | None = None,
        process: str = "",
    ) -> None:
        self._bucket = bucket
        self._folder = f"{prefix}/{CLAIMS}/" if prefix else f"{CLAIMS}/"
        self._machine = machine or this_machine
        self._process = process
        self._term = term
        self._renewal = renewal
        self._lock = threading.RLock()
        self._mine: dict[str, _Lease] = {}
        self._pid = os.getpid()
        self._renewing = False
        self._leaving = False
        self._seen: dict[str, str] = {}
        self._listed_at = float("-inf")
        self._holders: dict[str, Holder] = {}

    def take(self, key: str) -> bool:
        """Claim a key for this process; False: another process has it.

        Raises:
            HpoctlError: S3 cannot be written.
        """
        name = self._name(key)
        with self._lock:
            lease = self._own().get(name)
        # A process that was stopped for longer than the lease renews it first: another one may have it.
        if lease is not None and (time.monotonic() - lease.written < self._term or self._renew(name)):
            return True
        for _ in range(TRIES):
            body = self._body(key)
            began = time.monotonic()
            try:
                etag = self._bucket.put(name, body, create=True)
            except FileExistsError:
                present = self._read(name)
                if present is None:
                    continue  # it has just been given up
                holder = _holder(present)
                over = present.age > self._term or self._is_dead(holder)
                if not over and not self._is_own(holder):
                    return False
                try:
                    etag = self._bucket.put(name, body, match=present.etag)
                except FileExistsError:
                    continue  # another process was quicker
            self._keep(name, _Lease(etag, began))
            return True
        return False

    def release(self, key: str) -> None:
        """Release a claim, if there is one. Where S3 fails, the lease expires by itself."""
        name = self._name(key)
        with self._lock:
            lease = self._own().pop(name, None)
        with suppress(HpoctlError):
            if lease is None or time.monotonic() - lease.written > self._term / 2:
                # Claimed by another object of this process, or expired: another process may have it.
                present = self._read(name)
                if present is None or _holder(present).process != self._me("").process:
                    return
            self._bucket.delete([name])

    def held(self, key: str) -> bool:
        """Whether another process has the claim, as of a moment ago.

        Raises:
            HpoctlError: S3 cannot be read.
        """
        name = self._name(key)
        with self._lock:
            if name in self._own():
                return False
            if time.monotonic() - self._listed_at > MOMENT:
                self._list_leases()
            if name not in self._seen:
                return False
            etag = self._seen[name]
            if etag not in self._holders:
                present = self._read(name)
                if present is None:
                    return False
                etag = present.etag
                self._holders[etag] = _holder(present)
            holder = self._holders[etag]
        return not self._is_own(holder) and not self._is_dead(holder)

    def _list_leases(self) -> None:
        """List all leases once, for many calls of `held`."""
        seen: dict[str, str] = {}
        for page in self._bucket.pages(self._folder):
            for entry in page.found:
                if (page.now - entry.modified).total_seconds() <= self._term:
                    seen[entry.key] = entry.etag
        etags = set(seen.values())
        self._holders = {etag: holder for etag, holder in self._holders.items() if etag in etags}
        self._seen, self._listed_at = seen, time.monotonic()

    def _read(self, name: str) -> Blob | None:
        try:
            return self._bucket.get(name)
        except FileNotFoundError:
            return None

    def _body(self, key: str) -> bytes:
        """The content of a lease. No two are equal, so a renewed lease has another ETag."""
        return canonical_json(to_plain(self._me(key)))

    def _me(self, key: str) -> Holder:
        """This process as the holder of a key."""
        pid = os.getpid()
        return Holder(
            job=os.environ.get(JOB, ""),
            process=self._process or f"{platform.node()}-{pid}-{_TOKEN}",
            machine=self._machine(),
            pid=pid,
            began=process_began(pid) or "",
            key=key,
            version=secrets.token_hex(8),
        )

    def _is_own(self, holder: Holder) -> bool:
        me = self._me("")
        return holder.process == me.process or (bool(me.job) and holder.job == me.job)

    def _is_dead(self, holder: Holder) -> bool:
        """Whether the holder was a process of this machine that has ended; False: it lives, or that cannot be seen."""
        if not holder.machine or holder.machine != self._machine() or holder.pid is None:
            return False
        return process_began(holder.pid) != holder.began

    def _own(self) -> dict[str, _Lease]:
        """The leases of this process: a forked process has no leases, and no thread renews them for it."""
        if self._pid != os.getpid():
            self._mine, self._pid, self._renewing = {}, os.getpid(), False
        return self._mine

    def _keep(self, name: str, lease: _Lease) -> None:
        with self._lock:
            self._own()[name] = lease
            if not self._renewing:
                self._renewing = True
                threading.Thread(target=self._renew_all, name="claims", daemon=True).start()
            if not self._leaving:
                self._leaving = True
                atexit.register(self._leave)

    def _leave(self) -> None:
        """Give up all claims of a process that ends; where that fails, they end by themselves."""
        with self._lock:
            names = list(self._own())
            self._mine = {}
        if names:
            with suppress(Exception):  # the interpreter may have closed parts of it
                Bucket(self._bucket.name, waits=()).delete(names)  # without retries

    def _renew_all(self) -> None:
        """Write the leases of this process repeatedly, until it has no lease."""
        while True:
            time.sleep(self._renewal)
            with self._lock:
                names = list(self._own())
                if not names:
                    self._renewing = False
                    return
            for name in names:
                with suppress(HpoctlError):  # S3 may answer again before the lease is over
                    self._renew(name)

    def _renew(self, name: str) -> bool:
        """Write a lease again; returns whether this process still has it."""
        with self._lock:
            lease = self._own().get(name)
        if lease is None:
            return False
        present = self._read(name)
        began = time.monotonic()
        etag = None
        if present is not None and self._is_own(holder := _holder(present)):
            with suppress(FileExistsError):
                etag = self._bucket.put(name, self._body(holder.key), match=present.etag)
        with self._lock:
            if self._own().get(name) is lease:  # else it was released meanwhile
                if etag is None:
                    del self._mine[name]  # lost: it was not renewed in time
                else:
                    lease.etag, lease.written = etag, began
            return name in self._mine

    def _name(self, key: str) -> str:
        return self._folder + content_hash(key.encode(errors="surrogatepass"))[:32]


def _holder(present: Blob) -> Holder:
    try:
        holder: Holder = read_json(present.data, Holder)
    except DamagedError:
        return Holder()
    return holder
