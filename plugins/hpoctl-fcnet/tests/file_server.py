"""A server on this machine that gives a file, well or badly."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Served:
    """What a server does.

    Attributes:
        data: The file.
        etag: Its tag; empty: none.
        ranges: Whether parts can be asked for.
        breaks: After how many bytes of an answer the connection is cut, one for each request to come.
        answers: Other answers than the file: status and body, one for each request to come.
        length: Whether answers say how long they are.
        kind: Content type.
        moved: Where to send whoever asks for `/moved`.
        asked: The Range headers of the requests so far; None: there was none.
    """

    data: bytes
    etag: str = '"1"'
    ranges: bool = True
    breaks: list[int] = field(default_factory=list)
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    length: bool = True
    kind: str = "application/gzip"
    moved: str = ""
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


def _handler(served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/moved":
                self.send_response(302)
                self.send_header("Location", served.moved)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            served.asked.append(self.headers["Range"])
            if served.answers:
                status, body = served.answers.pop(0)
                self.give(status, body, {})
                return
            start, span = 0, self.headers["Range"]
            if served.ranges and span and self.headers["If-Range"] == served.etag:
                start = int(span.removeprefix("bytes=").removesuffix("-"))
            headers = {"ETag": served.etag} if served.etag else {}
            if start >= len(served.data) and start:
                self.give(416, b"", {"Content-Range": f"bytes */{len(served.data)}"})
            elif start:
                last = len(served.data) - 1
                headers["Content-Range"] = f"bytes {start}-{last}/{len(served.data)}"
                self.give(206, served.data[start:], headers)
            else:
                self.give(200, served.data, headers)

        def give(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            self.send_header("Content-Type", served.kind)
            if served.length:
                self.send_header("Content-Length", str(len(body)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: served.breaks.pop(0)] if served.breaks and status < 300 else body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def serving(served: Served) -> Iterator[Served]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(served))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_port}/files.tar.gz"
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
