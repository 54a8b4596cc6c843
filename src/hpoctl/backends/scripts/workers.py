"""The contract of workers: where the processes of an experiment's trials run, each with a share of some machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hpoctl.backends.scripts.folders import TrialFolder
from hpoctl.backends.scripts.starts import StartFolder
from hpoctl.core.script import Script
from hpoctl.core.trial_call import TrialCall


@dataclass(frozen=True, slots=True)
class Slot:
    """A share of a machine.

    Attributes:
        number: Its number, from 0.
        cores: The cores that a trial may use; empty: all.
        devices: The GPUs that a trial may use.
    """

    number: int
    cores: tuple[int, ...] = ()
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Command:
    """What a trial runs.

    Attributes:
        words: The program and its arguments.
        environment: Environment variables, besides those that the worker has by itself.
        folder: Where it runs.
        out: The file that standard output is appended to.
        err: The file that standard error is appended to.
        cores: The cores that it may use; empty: all.
    """

    words: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    out: Path
    err: Path
    cores: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Began:
    """A trial has begun, on a worker that was not free, or not there, when it was asked for.

    Attributes:
        key: The trial's start.
        devices: The GPUs that it has.
    """

    key: str
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exit:
    """A trial's processes have ended, all of them.

    Attributes:
        key: The trial's start.
        code: The exit status of its first process; None: a signal ended it, or it is not known.
        signal: That signal.
        killed: Whether SIGKILL was needed after the grace period.
        why: What else went wrong; empty: nothing.
        left: Whether it left processes behind, which were ended.
    """

    key: str
    code: int | None
    signal: int | None
    killed: bool = False
    why: str = ""
    left: bool = False


class Growing(Protocol):
    """A file that a trial writes, read as it grows."""

    def read(self) -> bytes:
        """What has been written since; after the trial's end, nothing means that all is read."""
        ...

    def skip(self) -> None:
        """Pass over what has been written since."""
        ...

    @property
    def size(self) -> int:
        """How large it is."""
        ...

    def give_back(self) -> None:
        """Give the middle of what was read back to the file system, so far as it can take it."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


@dataclass(frozen=True, slots=True)
class StartBill:
    """What a start of a trial is billed.

    Attributes:
        start: Its folder.
        seconds: Billed seconds, over all machines that it had.
        cost: What they cost, in money; None: no price is known.
    """

    start: StartFolder
    seconds: float
    cost: float | None


@dataclass(frozen=True, slots=True)
class Output:
    """What a start of a trial writes.

    Attributes:
        reports: Its file of reports.
        out: Its standard output.
        err: Its standard error.
        begun: Whether it has begun; otherwise `listen` tells when it does.
    """

    reports: Growing
    out: Growing
    err: Growing
    begun: bool = True


class Workers(Protocol):
    """Where the processes of an experiment's trials run."""

    @property
    def python(self) -> str:
        """The Python of scripts that run with that of hpoctl."""
        ...

    @property
    def inherited(self) -> Mapping[str, str]:
        """The environment variables that trials get from here."""
        ...

    def recover(self, starts: Sequence[StartFolder]) -> int:
        """End the processes that starts of an earlier controller have left; returns how many there were.

        Where trials outlive their controller, their starts may be taken over instead: see `continues`.
        """
        ...

    def continues(self, start: StartFolder) -> bool:
        """Whether a start of an earlier controller can be taken over, by starting it again under the same key."""
        ...

    def seen(self, script: Script, call: TrialCall) -> tuple[Script, TrialCall]:
        """The script and the call with the paths that trials see."""
        ...

    def take(self) -> Slot:
        """A free slot. Its number is the smallest one.

        Raises:
            RuntimeError: All are taken.
        """
        ...

    def release(self, slot: Slot) -> None:
        """Take a slot back."""
        ...

    def start(self, key: str, start: StartFolder, slot: Slot, command: Command) -> Output:
        """Start a trial; returns what it writes. `listen` tells of its end, also of one that cannot be started."""
        ...

    def leave(self, key: str) -> None:
        """Ask a trial to leave; it is killed after the grace period."""
        ...

    def hold(self, *, go_on: bool) -> None:
        """Suspend all trials, or let them continue."""
        ...

    def listen(self, seconds: float) -> Sequence[Began | Exit]:
        """Wait so long at most for something to happen; returns which trials have begun late, and which have ended."""
        ...

    def remove_checkpoints(self, folder: TrialFolder) -> None:
        """Remove the checkpoints of a trial that is over."""
        ...

    def cost(self) -> float | None:
        """What all starts have cost up to now, in money; None: that follows from the seconds of training."""
        ...

    def bills(self) -> Sequence[StartBill]:
        """The bills that have become known since the last call; what was told then is recorded by now."""
        ...

    def close(self) -> None:
        """End all trials. Closing twice is not an error."""
        ...
