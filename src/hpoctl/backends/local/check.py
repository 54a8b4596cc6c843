"""What would stop trials on this machine, for `hpoctl doctor`."""

import platform
from collections.abc import Iterator
from pathlib import Path

from hpoctl.backends.local.slots import VISIBLE, usable_devices
from hpoctl.core.errors import UsageError
from hpoctl.core.findings import Finding
from hpoctl.core.machine import usable_cores


def check_local() -> Iterator[Finding]:
    """Look at the system, the cores and the GPUs that trials can use."""
    if platform.system() != "Linux" or not Path("/proc/self/stat").exists():
        text = f"trials of scripts need Linux with /proc, and this is {platform.system()}"
        yield Finding("trials here", "problem", text, "Run them on Linux; simulated experiments run anywhere.")
        return
    cores = usable_cores()
    try:
        devices = usable_devices("")
    except UsageError as error:
        yield Finding("trials here", "problem", error.what, error.fix)
        return
    gpus = f"GPUs {', '.join(devices)}" if devices else f"no GPU ({VISIBLE} names none, and there is no NVIDIA driver)"
    yield Finding("trials here", "ok", f"{len(cores)} cores, {gpus}")
