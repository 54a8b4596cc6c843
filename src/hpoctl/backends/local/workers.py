"""Workers of this machine: a share of its cores and GPUs each."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress

from hpoctl.backends.local.leftovers import end_starts
from hpoctl.backends.local.processes import Processes
from hpoctl.backends.local.slots import make_slots, usable_devices
from hpoctl.backends.scripts.backend import ScriptBackend
from hpoctl.backends.scripts.files import output_of
from hpoctl.backends.scripts.folders import TrialFolder
from hpoctl.backends.scripts.room import Room
from hpoctl.backends.scripts.starts import StartFolder
from hpoctl.backends.scripts.workers import Command, Exit, Output, Slot, StartBill
from hpoctl.core.machine import usable_cores
from hpoctl.core.script import Script
from hpoctl.core.trial_backends import BackendContext
from hpoctl.core.trial_call import THREADS, TrialCall


def local_backend(context: BackendContext) -> ScriptBackend:
    """The backend that runs the trials of an experiment on this machine.

    Raises:
        UsageError: There are fewer GPUs than trials need.
    """
    return ScriptBackend(context, LocalWorkers(context))


class LocalWorkers:
    """The workers of one experiment on this machine; see `Workers`.

    Args:
        context: The experiment.

    Raises:
        UsageError: There are fewer GPUs than trials need.
    """

    def __init__(self, context: BackendContext) -> None:
        script, _ = context.needed_script
        devices = usable_devices(context.settings.gpus_to_use or "") if script.gpus else ()
        self._slots = make_slots(context.n_workers, script.cpus, script.gpus, devices, usable_cores())
        self._grace = context.limits.grace_period
        self._processes = Processes(self._grace)
        self._room = Room(context, self)
        self._failed: list[Exit] = []

    @property
    def python(self) -> str:
        """The Python that runs hpoctl."""
        return sys.executable

    @property
    def inherited(self) -> Mapping[str, str]:
        """The environment of this process, but for numbers of threads: those follow from the cores of a trial."""
        return {name: value for name, value in os.environ.items() if name not in THREADS}

    def recover(self, starts: Sequence[StartFolder]) -> int:
        """End what an earlier controller has left on this machine."""
        return end_starts(starts, self._grace)

    def continues(self, start: StartFolder) -> bool:  # noqa: ARG002 - see below
        """No: what an earlier controller has started ends with it."""
        return False

    def seen(self, script: Script, call: TrialCall) -> tuple[Script, TrialCall]:
        """All paths are the same here."""
        return script, call

    def take(self) -> Slot:
        """A free slot."""
        return self._slots.take()

    def release(self, slot: Slot) -> None:
        """Take a slot back."""
        self._slots.release(slot)

    def start(self, key: str, start: StartFolder, slot: Slot, command: Command) -> Output:  # noqa: ARG002 - see below
        """Start a trial; the command says which cores and devices it has."""
        started = self._processes.start(key, command)
        if isinstance(started, str):
            self._failed.append(Exit(key, None, None, why=started))
        else:
            with suppress(FileNotFoundError, NotADirectoryError):  # its script has removed its folder already
                self._room.write(lambda: start.record(started))
        return output_of(start)

    def leave(self, key: str) -> None:
        """Ask a trial to leave."""
        self._processes.leave(key)

    def hold(self, *, go_on: bool) -> None:
        """Suspend all trials, or let them continue."""
        self._processes.hold(go_on=go_on)

    def listen(self, seconds: float) -> Sequence[Exit]:
        """Wait so long at most for trials to end; returns those that have."""
        failed, self._failed = self._failed, []
        return [*failed, *self._processes.listen(0.0 if failed else seconds)]

    def remove_checkpoints(self, folder: TrialFolder) -> None:
        """Remove the checkpoints of a trial."""
        shutil.rmtree(folder.checkpoints, ignore_errors=True)

    def cost(self) -> None:
        """Costs follow from the seconds of training."""

    def bills(self) -> Sequence[StartBill]:
        """None."""
        return ()

    def close(self) -> None:
        """End all trials."""
        self._processes.close()
