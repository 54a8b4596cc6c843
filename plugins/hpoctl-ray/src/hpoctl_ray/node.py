"""What runs on a node of the cluster for each job: an actor that fetches the bundle, starts the job and watches it.

Ray sends this module to the nodes by value, because hpoctl is not installed there. It needs the standard library and
Ray; for results on S3 boto3, too, which it installs where it is missing.
"""

import contextlib
import fcntl
import importlib
import importlib.util
import json
import os
import platform
import runpy
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ENTRY = "entry.py"
ENDED = b"hpoctl: the job has ended\n"
"""What the job's supervisor prints last; without it, the job was killed."""

KILLED_WITHIN = 60.0
"""Seconds within which Ray ends an actor that has asked for it."""

CRASHED = 1
"""The exit code after which Ray starts an actor again."""


class JobActor:
    """A job. It exists until the job has ended; Ray starts it again, elsewhere, if its node or process dies.

    Args:
        spec: `bundle`, the address of the bundle's folder; `digest`, its name; `boto3`, the version to install;
            `environment`, variables of the job; `setup`, what the supervisor is told.

    Raises:
        RuntimeError: The bundle cannot be read or installed.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        os.environ.update(spec["environment"])
        site = installed(spec["bundle"], spec["digest"], spec["boto3"])
        path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            [sys.executable, "-P", str(site / ENTRY), json.dumps(spec["setup"])],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,  # closes when this process dies, however it does
            stdout=subprocess.PIPE,
        )
        threading.Thread(target=self._watch, daemon=True).start()

    def ready(self) -> bool:
        """Whether the job has been started; fails with the reason why it could not be."""
        return True

    def _watch(self) -> None:
        """Wait for the supervisor's end, and end this actor: for good, or to be started again."""
        printed = self._process.stdout.read() if self._process.stdout else b""
        self._process.wait()
        if printed.endswith(ENDED):
            ray = importlib.import_module("ray")
            ray.kill(ray.get_runtime_context().current_actor, no_restart=True)
            time.sleep(KILLED_WITHIN)
        os._exit(CRASHED)


def probe() -> dict[str, str]:
    """What a node is, for `hpoctl doctor`."""
    return {"host": platform.node(), "python": platform.python_version(), "executable": sys.executable}


def installed(bundle: str, digest: str, boto3: str) -> Path:
    """The folder where a bundle is installed on this node; it is installed once.

    Raises:
        RuntimeError: It cannot be read or installed.
    """
    folder = scratch() / digest
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            new = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
            try:
                _install(bundle, new, boto3)
                new.rename(folder)
            except BaseException:
                shutil.rmtree(new, ignore_errors=True)
                raise
    return folder


def _install(bundle: str, site: Path, boto3: str) -> None:
    printed: list[bytes] = []
    with tempfile.TemporaryDirectory(prefix="hpoctl-bundle-") as text:
        source = _fetched(bundle, Path(text), site, boto3) if bundle.startswith("s3://") else Path(bundle)
        script = source / "unpack.py"
        if not script.exists():
            raise RuntimeError(
                f"{bundle} cannot be read on node {platform.node()}: results have to be on S3, or on a file system "
                "that all nodes share"
            )
        unpack = runpy.run_path(str(script))
        try:
            unpack["install"](source, site, printed.append)
        except unpack["InstallError"] as error:
            last = b"".join(printed).decode(errors="replace").strip().splitlines()[-1:]
            raise RuntimeError(f"on node {platform.node()}: {error}: {' '.join(last)}") from None
        shutil.copy(source / ENTRY, site / ENTRY)


def _fetched(bundle: str, folder: Path, site: Path, boto3: str) -> Path:
    """A copy of a bundle on S3."""
    need(site, {"boto3": boto3})
    sdk = importlib.import_module("boto3")
    config = importlib.import_module("botocore.config").Config
    own_endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    client = sdk.client("s3", config=config(s3={"addressing_style": "path" if own_endpoint else "auto"}))
    bucket, _, prefix = bundle.removeprefix("s3://").partition("/")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/"):
        for entry in page.get("Contents", ()):
            file = folder / entry["Key"].removeprefix(f"{prefix}/")
            file.parent.mkdir(parents=True, exist_ok=True)
            client.download_file(bucket, entry["Key"], str(file))
    return folder


def need(site: Path, requirements: Mapping[str, str]) -> None:
    """Install what this node does not have, below a folder that is on the path from then on.

    Args:
        site: The folder.
        requirements: What pip is told to install, by the module that is missing otherwise.

    Raises:
        RuntimeError: It cannot be installed.
    """
    if site.is_dir() and str(site) not in sys.path:
        sys.path.append(str(site))
    missing = [wanted for module, wanted in requirements.items() if importlib.util.find_spec(module) is None]
    if not missing:
        return
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(site), *missing]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode:
        what = " and ".join(missing)
        raise RuntimeError(f"{what} cannot be installed on node {platform.node()}: {done.stderr.strip()}")
    if str(site) not in sys.path:
        sys.path.append(str(site))
    importlib.invalidate_caches()


def scratch() -> Path:
    """A folder of this user on this node."""
    folder = Path(tempfile.gettempdir()) / f"hpoctl-bundles-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.stat()
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise RuntimeError(f"{folder} on node {platform.node()} can be written by other users: remove it")
    return folder


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock of this node meanwhile."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
