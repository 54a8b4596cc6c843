"""The slots of an experiment on Ray, and calls to their actors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpoctl.backends.scripts.starts import StartFolder
from hpoctl_ray.trial_files import ArrivingFile, KeptFile


@dataclass(slots=True)
class Place:
    """A slot, with the actor that runs its trials.

    Attributes:
        actor: The actor; None: no actor now.
        up: Whether it is known to run: it had to wait for resources.
        last_event: The number of its last event that is known here.
        key: The start that it runs; empty: none.
        start: The folder of that start.
        files: What that start writes: reports, standard output, standard error.
        since: When the start was asked for.
        command: What the actor was told to start.
        left: Whether the start was asked to leave.
        actors: How many actors were made for the start.
        lost: Why the start's actor is gone; empty: it is not.
        gone_at: When the start's processes are taken to have ended, where nothing can be asked.
    """

    actor: Any = None
    up: bool = False
    last_event: int = 0
    key: str = ""
    start: StartFolder = field(default_factory=lambda: StartFolder(Path()))
    files: tuple[ArrivingFile | KeptFile, ...] = ()
    since: float = 0.0
    command: Mapping[str, Any] = field(default_factory=dict)
    left: bool = False
    actors: int = 0
    lost: str = ""
    gone_at: float | None = None

    def arrive(self, pieces: Sequence[bytes], sizes: Sequence[int]) -> None:
        """Take in what the start has written: the next bytes of its files, and the sizes of both outputs."""
        for file, piece in zip(self.files, pieces, strict=True):
            file.arrive(piece)
        for file, size in zip(self.files[1:], sizes, strict=True):
            file.grow(size)


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was not answered yet."""

    place: Place
    actor: Any
    method: str
    arguments: tuple[Any, ...]
