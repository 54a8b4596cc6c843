"""The built-in trial backends: where the trials of a table execute, and those of a script, unless another is chosen."""

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from hpoctl.backends.simulator import Delays, Simulator
from hpoctl.core.clock import VirtualClock
from hpoctl.core.errors import UsageError
from hpoctl.core.findings import Finding
from hpoctl.core.machine import usable_cores
from hpoctl.core.options import NoOptions
from hpoctl.core.protocols import TrialBackend
from hpoctl.core.trial_backends import BackendContext, BackendEntry


def _simulator(context: BackendContext, options: Delays) -> TrialBackend:
    clock = cast("VirtualClock", context.clock)
    deadline = context.limits.deadline
    return Simulator(context.needed_table, clock, context.streams, deadline, context.settings, options)


def _local(context: BackendContext, options: NoOptions) -> TrialBackend:  # noqa: ARG001 - settings say it
    from hpoctl.backends.local.workers import local_backend  # noqa: PLC0415 - simulated experiments do without it

    return local_backend(context)


def _check_local(options: NoOptions) -> Iterator[Finding]:  # noqa: ARG001 - there is nothing to set
    """Look at the system, the cores and the GPUs that trials can use, for `hpoctl doctor`."""
    from hpoctl.backends.local.slots import VISIBLE, usable_devices  # noqa: PLC0415 - see above

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


SIMULATOR = BackendEntry(
    "simulator",
    "A virtual clock; learning curves come from the benchmark's table",
    _simulator,
    Delays(),
    "table",
)
LOCAL = BackendEntry("local", "Training scripts on this machine", _local, NoOptions(), "script", check=_check_local)
