"""Trial backends as entries: what a plugin registers so that trials can execute somewhere."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from hpoctl.core.blackbox import Blackbox
from hpoctl.core.clock import Clock
from hpoctl.core.errors import HpoctlError
from hpoctl.core.findings import Finding
from hpoctl.core.names import check_entry_name
from hpoctl.core.options import check_options
from hpoctl.core.protocols import TrialBackend
from hpoctl.core.rng import Streams
from hpoctl.core.script import Script
from hpoctl.core.settings import Settings

Problem = Literal["table", "script"]


def _nothing() -> None:
    """What happens in between by default."""


@dataclass(frozen=True, slots=True)
class TrialLimits:
    """When a trial, or all of them, have run long enough. Seconds are those of the experiment's clock.

    Attributes:
        deadline: When the experiment is over.
        trial_timeout: Seconds of training that a trial may take in all, resumes included; None: any number.
        report_timeout: Seconds that a trial may take from one report to the next; None: any number.
        training_seconds: Seconds of training that all trials together may take; None: any number.
        grace_period: Seconds that a trial gets to save its state when it has to leave.
        cost: What all trials together may cost, in money, where the backend knows what they cost; None: any amount.
    """

    deadline: float
    trial_timeout: float | None = None
    report_timeout: float | None = None
    training_seconds: float | None = None
    grace_period: float = 10.0
    cost: float | None = None


@dataclass(frozen=True)
class BackendContext:
    """What a trial backend needs to be made for one experiment.

    Attributes:
        name: What the experiment is called in messages.
        metrics: The names of the benchmark's metrics.
        metric: The tuned one.
        resource_attr: The name of the resource in reports.
        max_resource: The largest resource level; None: trials end by themselves.
        n_workers: How many trials run at a time.
        limits: When trials have run long enough.
        clock: The experiment's clock: a `VirtualClock` for a backend that simulates, which advances it.
        streams: The experiment's random streams.
        blackbox: The table; None: the benchmark is a script.
        script: The script; None: the benchmark is a table.
        folder: A folder on this machine for what trials write; None for a table.
        settings: The settings of the experiment.
        idle: To be called every few seconds while nothing happens.
        say: Tells a person something about the whole experiment, in one line.
    """

    name: str
    metrics: tuple[str, ...]
    metric: str
    resource_attr: str
    max_resource: int | None
    n_workers: int
    limits: TrialLimits
    clock: Clock
    streams: Streams
    blackbox: Blackbox | None = None
    script: Script | None = None
    folder: Path | None = None
    settings: Settings = field(default_factory=Settings)
    idle: Callable[[], None] = _nothing
    say: Callable[[str], None] = field(default=lambda text: None)  # noqa: ARG005 - a signature

    @property
    def needed_script(self) -> tuple[Script, Path]:
        """The script and the folder, for a backend that needs them.

        Raises:
            HpoctlError: The benchmark is a table.
        """
        if self.script is None or self.folder is None:
            raise HpoctlError(f"{self.name} has no script to run.", "Use the backend `simulator`.")
        return self.script, self.folder

    @property
    def needed_table(self) -> Blackbox:
        """The table, for a backend that needs one.

        Raises:
            HpoctlError: The benchmark is a script.
        """
        if self.blackbox is None:
            raise HpoctlError(f"{self.name} has no table to look trials up in.", "Use the backend `local`.")
        return self.blackbox


@dataclass(frozen=True)
class BackendEntry:
    """A trial backend under its name.

    Attributes:
        name: What people type after `--backend`.
        summary: One line of where trials execute.
        make: Makes the backend for an experiment from its context and the options. A backend for scripts has to be a
            `RecoverableBackend`.
        options: The options with their defaults, a frozen dataclass instance.
        needs: Which problems it runs: tables or scripts.
        check: What would stop an experiment with these options, for `hpoctl doctor`; None: nothing could.
    """

    name: str
    summary: str
    make: Callable[[BackendContext, Any], TrialBackend]
    options: Any
    needs: Problem
    check: Callable[[Any], Iterable[Finding]] | None = None

    def __post_init__(self) -> None:
        check_entry_name("trial backend", self.name)
        check_options(self.name, self.options)
