"""Which Ray cluster is meant: the one that is named, that runs on this machine, or that is started here."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl_ray.options import Where, host_and_port

CONNECT = 5.0
"""Seconds for the first answer of a cluster. Ray itself would try for minutes."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
KEEP_LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Ray replaces a loopback address by one of the network, unless this variable is 0 when Ray is imported."""

START_WAIT = "RAY_raylet_start_wait_time_s"
"""Seconds that Ray waits for a node that it starts: thirty otherwise, too short on a loaded machine."""

NOT_FOUND = UsageError(
    "No Ray cluster runs on this machine, and none is named.",
    "Set RAY_ADDRESS to HOST:PORT, or start one on this machine: `ray start --head`, or the option start=true.",
)


def find_address(options: Where) -> str:
    """The address of the cluster; a cluster is started where the options say so and none is found.

    Raises:
        UsageError: There is no address.
        HpoctlError: One cannot be started.
    """
    named = options.address or os.environ.get("RAY_ADDRESS")
    if named and named != "auto":
        host_and_port(named)
        return named
    running = _running_here()
    if running is None and options.start:
        _start_here()
        running = _running_here()
    if running is None:
        raise NOT_FOUND
    return running


def resolved(address: str) -> tuple[str, int]:
    """An address with the number of its host, where that is known."""
    host, port = host_and_port(address)
    try:
        return socket.gethostbyname(host), port
    except OSError:
        return host, port


def _running_here() -> str | None:
    """The address of the cluster that was started last on this machine, if it answers."""
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or tempfile.gettempdir()
    try:
        address = (Path(folder) / "ray" / "ray_current_cluster").read_text(encoding="utf-8").strip()
        socket.create_connection(host_and_port(address), CONNECT).close()
    except (OSError, UsageError):
        return None
    return address


def _start_here() -> None:
    """Start a cluster of this machine alone, which stays until `ray stop`."""
    words = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--node-ip-address=127.0.0.1"]
    words += ["--include-dashboard=false", "--disable-usage-stats"]
    environment = {START_WAIT: "120", **os.environ, KEEP_LOOPBACK: "0"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise HpoctlError(f"A Ray cluster cannot be started here: {' '.join(last)}", "Try `ray start --head` yourself.")
