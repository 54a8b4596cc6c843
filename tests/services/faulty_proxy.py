"""A loopback proxy before an S3 server that answers some calls wrongly: the weather that S3 has on bad days.

What it does to a call follows from a seed: an error of the server (500, 503, slow down), a connection that is closed
before the call is passed on, one that is closed after it (the call has got through, and nobody knows), or an answer
that is cut in the middle.
"""

import http.client
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

OUTAGE = ("500", "503", "slow down", "closed before")
KINDS = ("500", "503", "slow down", "closed before", "closed after", "cut")
CODES = {"500": (500, "InternalError"), "503": (503, "ServiceUnavailable"), "slow down": (503, "SlowDown")}
HOP = {"connection", "keep-alive", "transfer-encoding"}


class Weather:
    """What happens to calls.

    Args:
        share: Which share of them fails.
        seed: Decides which, and how.
        kinds: What may happen; `OUTAGE`: no call gets through.
    """

    def __init__(self, share: float, seed: int = 0, kinds: tuple[str, ...] = KINDS) -> None:
        self.kinds = kinds
        self.share = share
        self.calls = 0
        self.faults: Counter[str] = Counter()
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def next(self) -> str:
        """What happens to the next call; empty: nothing."""
        with self._lock:
            self.calls += 1
            if self._random.random() >= self.share:
                return ""
            kind = self._random.choice(self.kinds)
            self.faults[kind] += 1
            return kind


@contextmanager
def faulty(endpoint: str, weather: Weather) -> Iterator[str]:
    """The address of a proxy before a server, until the end of the block."""
    host = urlsplit(endpoint).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            body = self._body()
            kind = weather.next()
            if kind in CODES:
                self._refuse(*CODES[kind])
                return
            if kind == "closed before":
                self.close_connection = True
                return
            status, headers, data = self._pass_on(body)
            if kind == "closed after":
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in HOP | {"content-length", "date", "server"}:
                    self.send_header(name, value)
            length = next((value for name, value in headers if name.lower() == "content-length"), str(len(data)))
            self.send_header("Content-Length", length)
            self.end_headers()
            if kind == "cut":
                data = data[: len(data) // 2]
                self.close_connection = True
            self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward

        def _body(self) -> bytes:
            # boto3 waits for a word before it sends a body.
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _pass_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
            server = http.client.HTTPConnection(host, timeout=30)
            try:
                server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                for name, value in self.headers.items():
                    if name.lower() not in {"expect", "connection"}:
                        server.putheader(name, value)
                server.putheader("Connection", "close")
                server.endheaders(body)
                answer = server.getresponse()
                return answer.status, answer.getheaders(), answer.read()
            finally:
                server.close()

        def _refuse(self, status: int, code: str) -> None:
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>bad weather</Message></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        def log_message(self, *args: object) -> None:
            """Nothing is said."""

    class Proxy(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Whoever called has gone."""

    proxy = Proxy(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{proxy.server_port}"
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
