"""A real S3 server for tests: SeaweedFS on loopback, one for all test processes of a run, gone when the last one ends.

The first test that asks for it starts a keeper process, which starts the server. Whoever uses it holds a shared lock on
a file; when the keeper gets the lock for itself, nobody is left, however they ended, and it ends the server.
"""

import ctypes
import fcntl
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

BUCKET = "results"
KEY, SECRET = "test", "testtest"
READY = 60.0
"""Seconds that it may take to be ready."""

GRACE = 2.0
"""Seconds that it may take to end."""


@dataclass(frozen=True)
class Server:
    """A running server."""

    endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to use it, and no other."""
        return {
            "AWS_ENDPOINT_URL_S3": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """The server of all processes that name the same folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users").open("a+b") as users, (folder / "starting").open("a+b") as starting:
        fcntl.flock(starting, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_SH)  # a keeper that is about to leave has it to itself, and leaves first
        if not (folder / "ready").exists():
            _start_keeper(folder)
        fcntl.flock(starting, fcntl.LOCK_UN)
        yield Server((folder / "ready").read_text())


def _start_keeper(folder: Path) -> None:
    log = folder / "keeper.log"
    with log.open("wb") as output:
        # It forks, and its child is the keeper: this process need not wait for it.
        subprocess.run(
            [sys.executable, __file__, str(folder)], stdout=output, stderr=output, check=True, start_new_session=True
        )
    end = time.monotonic() + READY
    while not (folder / "ready").exists():
        if (folder / "failed").exists() or time.monotonic() > end:
            raise RuntimeError(f"SeaweedFS does not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def keep(folder: Path) -> None:
    """The keeper: start the server, and end it when it is not used any more."""
    data = Path(tempfile.mkdtemp(prefix="seaweedfs-"))
    server, endpoint = _start_server(data)
    try:
        _wait(server, endpoint)
        os.environ.update(Server(endpoint).environment)
        _make_bucket(endpoint)
        (folder / "new").write_text(endpoint)
        (folder / "new").rename(folder / "ready")
        with (folder / "users").open("a+b") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            (folder / "ready").unlink()
    except BaseException:
        (folder / "failed").touch()
        raise
    finally:
        _end(server)
        shutil.rmtree(data, ignore_errors=True)


def _start_server(data: Path) -> tuple[subprocess.Popen[bytes], str]:
    weed = Path(sys.executable).with_name("weed")
    ports = _free_ports(4)
    identity = {"name": "ci", "credentials": [{"accessKey": KEY, "secretKey": SECRET}]}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    (data / "s3.json").write_text(json.dumps({"identities": [{**identity, "actions": actions}]}))
    words = [
        str(weed if weed.exists() else "weed"), "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3",
        f"-s3.port={ports[0]}", f"-s3.config={data / 's3.json'}", "-s3.iam=false",
        "-s3.port.iceberg=0", "-s3.port.lance=0",
        f"-master.port={ports[1]}", f"-volume.port={ports[2]}", f"-filer.port={ports[3]}",
        "-volume.max=20", "-master.volumeSizeLimitMB=64", "-master.telemetry=false",
    ]  # fmt: skip
    return subprocess.Popen(words, cwd=data, preexec_fn=_end_with_parent), f"http://127.0.0.1:{ports[0]}"


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _free_ports(count: int) -> list[int]:
    """Free ports; each needs the one 10,000 above it, too."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(12_000, 22_000)  # below those that the system gives out itself
        if port not in found and all(_is_free(one) for one in (port, port + 10_000)):
            found.append(port)
    return found


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _wait(server: subprocess.Popen[bytes], endpoint: str) -> None:
    end = time.monotonic() + READY
    while time.monotonic() < end and server.poll() is None:
        with suppress(OSError), urllib.request.urlopen(f"{endpoint}/healthz", timeout=1) as answer:
            if answer.status == 200:
                return
        time.sleep(0.05)
    raise RuntimeError("SeaweedFS is not ready in time, or has ended")


def _make_bucket(endpoint: str) -> None:
    import boto3

    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket=BUCKET)
    end = time.monotonic() + READY
    while True:  # the first volume is grown by the first write
        try:
            client.put_object(Bucket=BUCKET, Key="ready", Body=b"x")
        except client.exceptions.ClientError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            client.delete_object(Bucket=BUCKET, Key="ready")
            return


def _end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(GRACE)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__" and not os.fork():
    keep(Path(sys.argv[1]))
