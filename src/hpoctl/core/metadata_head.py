"""The entries of metadata.json that say which experiment it is, where it comes from and how far it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from hpoctl.core.cells import Cell
from hpoctl.core.sealed import unseal_as

ORIGIN = "origin"
"""The key of the origin in metadata; results of hpoctl itself do not have it."""

OWN = "hpoctl"
SYNE_TUNE = "imported: syne-tune"

Exchange = Literal["syne-tune"]


Status = Literal["completed", "running", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class TrialProgress:
    """How far an experiment with real trials is, as its metadata say every few seconds.

    Attributes:
        trials: How many trials were started.
        outcomes: How many of them stand how: completed, stopped, paused, failed, running.
        rows: How many rows were reported.
        seconds: Seconds of its clock.
        best: The best value so far; None: there is no finite one.
        failures: Why trials failed, by number; the last ones.
    """

    trials: int
    outcomes: Mapping[str, int]
    rows: int
    seconds: float
    best: float | None = None
    failures: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """Some entries of metadata.json, under the names that they have there.

    Attributes:
        algorithm: The method.
        benchmark: The benchmark.
        seed: The seed.
        status: How far it is.
        st_tuner_start_timestamp: When it began, in seconds since 1970.
        max_wallclock_time: Its budget in seconds of the experiment's clock.
        identity: Its identity; None if it did not get that far.
        host: The machine that it ran on.
        pid: Its process; None: unknown.
        wall_seconds: How long it took; None if it is not complete.
        results_bytes: The size of its results; None if it is not complete.
        results_sha256: The hash of its results; None if it is not complete.
        error: Why it failed; None or empty: it did not.
        origin: Where it comes from; `ORIGIN`.
        progress: How far an experiment with real trials is or came; None: it is simulated, or has just begun.
    """

    algorithm: str
    benchmark: str
    seed: int
    status: Status
    st_tuner_start_timestamp: float
    max_wallclock_time: float
    identity: str | None = None
    host: str = ""
    pid: int | None = None
    wall_seconds: float | None = None
    results_bytes: int | None = None
    results_sha256: str | None = None
    error: str | None = None
    origin: str | None = None
    progress: TrialProgress | None = None

    @property
    def cell(self) -> Cell:
        """The experiment."""
        return Cell(self.algorithm, self.benchmark, self.seed)

    @property
    def made_by(self) -> str:
        """Where it comes from: hpoctl itself unless it says otherwise."""
        return self.origin or OWN


def read_head(data: bytes) -> Head:
    """What metadata.json says of its experiment.

    Raises:
        DamagedError: It is not what was written, or lacks an entry.
    """
    return unseal_as(data, Head)
