"""The built-in trial backends: where the trials of a table execute, and those of a script, unless another is chosen."""

from collections.abc import Iterable
from typing import cast

from hpoctl.backends.simulator import Delays, Simulator
from hpoctl.core.clock import VirtualClock
from hpoctl.core.findings import Finding
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


def _check_local(options: NoOptions) -> Iterable[Finding]:  # noqa: ARG001 - there is nothing to set
    from hpoctl.backends.local.check import check_local  # noqa: PLC0415 - see above

    return check_local()


SIMULATOR = BackendEntry(
    "simulator",
    "A virtual clock; learning curves come from the benchmark's table",
    _simulator,
    Delays(),
    "table",
)
LOCAL = BackendEntry("local", "Training scripts on this machine", _local, NoOptions(), "script", check=_check_local)
