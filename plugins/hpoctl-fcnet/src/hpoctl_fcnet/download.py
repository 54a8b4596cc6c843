"""A download that can be interrupted at any time and resumes.

<target>.part        what has come so far
<target>.part.json   whose part it is: the address, the version that the server names, the size
<target>             the whole file
<target>.json        its address, size and SHA-256, computed when it had come
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from hpoctl.core.entries import Progress
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl_fcnet.partial_file import CHUNK, PartialFile, finish, is_whole, read_state, write_notes

BUSY = (408, 425, 429, 500, 502, 503, 504)
"""Answers of servers after which another try may help."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much and how patient a download is.

    Attributes:
        size: The most bytes that a file may have.
        timeout: Seconds without a byte after which a connection is given up.
        attempts: Connections in a row that bring nothing before the download is given up.
        pause: Seconds before the second attempt; each further one waits twice as long.
    """

    size: int = 8 << 30
    timeout: float = 30.0
    attempts: int = 5
    pause: float = 1.0


class _NetworkError(Exception):
    """The network failed, not the disk."""


def download(url: str, target: Path, progress: Progress, *, magic: bytes = b"", limits: Limits | None = None) -> Path:
    """Download a file, or the rest of it, or nothing if it is there and unchanged.

    Args:
        url: An http or https address.
        target: Where the file goes; what has come so far lies beside.
        progress: Told how many bytes there are.
        magic: What the file has to begin with: a page of HTML in its place is refused at once.
        limits: How much and how patient it is.

    Raises:
        UsageError: The address is not one of http or https.
        IncompleteError: The server has no such file, or another kind of file.
        HpoctlError: The network or the disk fails. What has come is kept.
    """
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.netloc:
        raise UsageError(f"{url!r} is no address to download from.", "Give one that begins with http:// or https://.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not is_whole(target, url, progress):
            part = PartialFile(target, url, read_state(target, url))
            _complete(part, progress, magic, limits or Limits())
            finish(part, progress)
    except OSError as error:
        raise HpoctlError(
            f"{target} cannot be written: {error.strerror or error}.",
            "Make room there or set HPOCTL_CACHE to another directory, then run the same command again.",
        ) from error
    return target


def _complete(part: PartialFile, progress: Progress, magic: bytes, limits: Limits) -> None:
    """Connect until everything is there; an attempt that brought something starts the count anew."""
    failures = 0
    while True:
        before = part.size
        try:
            if _attempt(part, progress, magic, limits):
                return
            reason = f"the connection ended after {part.size:,} bytes"
        except _NetworkError as error:
            reason = str(error)
        failures = 1 if part.size > before else failures + 1
        if failures >= limits.attempts:
            raise HpoctlError(
                f"{part.url} cannot be downloaded: {reason}.",
                "Check the network, then run the same command again: it resumes.",
            )
        progress(f"waiting, {reason}", part.size, part.state.get("total"))
        time.sleep(limits.pause * 2.0 ** (failures - 1))


def _attempt(part: PartialFile, progress: Progress, magic: bytes, limits: Limits) -> bool:
    """One connection; whether everything is there afterwards."""
    have = part.size if part.state.get("validator") else 0
    if have and have == part.state.get("total"):
        return True
    response = _ask(part, have, limits)
    if response is None:
        part.drop()
        return False
    with response:
        start = _start(part.url, response, have)
        if start == 0:
            _begin(part, response)
        _receive(part, response, start, progress, magic, limits)
    return part.state["total"] in {None, part.size}


def _ask(part: PartialFile, have: int, limits: Limits) -> HTTPResponse | None:
    """Ask for the file from byte `have` on; None: the server has no such byte, its file is another one now."""
    headers = {"User-Agent": "hpoctl", "Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": part.state["validator"]}
    try:
        with _network():
            request = Request(part.url, headers=headers)  # noqa: S310 - the opener knows http and https only
            response: HTTPResponse = _opener().open(request, timeout=limits.timeout)
            return response
    except HTTPError as error:
        error.close()
        if error.code == 416 and have:
            return None
        if error.code in BUSY:
            raise _NetworkError(f"the server answered {error.code} {error.reason}") from error
        raise _refused(part.url, f"{error.code} {error.reason}") from error


def _opener() -> OpenerDirector:
    """What opens http and https addresses and no others, also behind a redirection."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPRedirectHandler(),
        HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


@contextmanager
def _network() -> Iterator[None]:
    try:
        yield
    except HTTPError:
        raise
    except (OSError, HTTPException) as error:  # time-outs and refused connections are OSErrors
        raise _NetworkError(str(getattr(error, "reason", "") or error) or type(error).__name__) from error


def _start(url: str, response: HTTPResponse, have: int) -> int:
    """Where the bytes of an answer belong; 0: the server sends the whole file."""
    if response.status != 206:
        return 0
    span = response.headers.get("Content-Range", "")
    if not have or not span.startswith(f"bytes {have}-"):
        raise _refused(url, f"with {span or 'some part'!r} when asked for bytes from {have} on")
    return have


def _begin(part: PartialFile, response: HTTPResponse) -> None:
    """Note which version of the file is coming, before any of it is kept."""
    part.drop()
    etag = response.headers.get("ETag", "")
    # A weak tag does not promise the same bytes, and without any the rest could be that of another file.
    validator = etag if etag.startswith('"') else response.headers.get("Last-Modified", "")
    length = response.headers.get("Content-Length", "")
    part.state.update(validator=validator, total=int(length) if length.isdecimal() else None)
    write_notes(part.notes, {"url": part.url, **part.state})


def _receive(
    part: PartialFile, response: HTTPResponse, start: int, progress: Progress, magic: bytes, limits: Limits
) -> None:
    title, total, done = f"downloading {part.target.name}", part.state["total"], start
    _check_size(part, total or 0, limits)
    with part.file.open("ab") as file:
        progress(title, done, total)
        while data := _next(response):
            if done == 0 and not data.startswith(magic):
                part.drop()
                kind = response.headers.get("Content-Type", "something")
                raise _refused(part.url, f"{kind} that does not begin as the file does")
            done += len(data)
            _check_size(part, done, limits)
            file.write(data)
            progress(title, done, total)


def _next(response: HTTPResponse) -> bytes:
    with _network():
        return response.read(CHUNK)


def _check_size(part: PartialFile, size: int, limits: Limits) -> None:
    if size > limits.size:
        part.drop()
        raise _refused(part.url, f"a file of more than {limits.size:,} bytes")


def _refused(url: str, answer: str) -> IncompleteError:
    return IncompleteError(
        f"{url} is not what was looked for: the server answered {answer}.", "Give the address of the file with --url."
    )
