"""Options of the Ray launcher, and of trials on Ray."""

import math
import os
from dataclasses import dataclass, field
from typing import Protocol

from hpoctl.core.errors import UsageError
from hpoctl.launchers.options import LocalOptions

OWN = frozenset({"CPU", "GPU", "memory", "object_store_memory"})
"""Resources that Ray itself defines."""


class Where(Protocol):
    """Options that say which cluster is meant."""

    @property
    def address(self) -> str | None:
        """The cluster, as HOST:PORT; None: it is found."""
        ...

    @property
    def start(self) -> bool:
        """Whether a cluster is started on this machine if none is found."""
        ...


@dataclass(frozen=True, slots=True)
class RayTrialOptions:
    """How trials run on a Ray cluster. Their CPUs and GPUs are those of the benchmark."""

    address: str | None = field(
        default=None,
        metadata={"help": "The cluster, as HOST:PORT; none: RAY_ADDRESS, else the cluster that runs on this machine"},
    )
    start: bool = field(
        default=False,
        metadata={"help": "Start a cluster on this machine, on its loopback interface only, if none is found"},
    )
    s3: str | None = field(
        default=None,
        metadata={
            "help": "Where checkpoints go, s3://BUCKET/PREFIX, if nodes share no file system; none: they share one"
        },
    )
    resources: str | None = field(
        default=None, metadata={"help": "Custom resources of each trial: NAME=AMOUNT, separated by commas"}
    )
    environment: str | None = field(
        default=None,
        metadata={"help": "Names of environment variables that trials get from this process, separated by commas"},
    )

    def __post_init__(self) -> None:
        if self.address is not None:
            host_and_port(self.address)
        if self.s3 is not None and not self.s3.startswith("s3://"):
            raise _wrong("s3", self.s3, "Use s3://BUCKET/PREFIX.")
        amounts(self.resources)


@dataclass(frozen=True, slots=True)
class RayOptions:
    """How jobs run on a Ray cluster."""

    address: str | None = field(
        default=None,
        metadata={
            "help": "The cluster, as HOST:PORT; none: RAY_ADDRESS, else the cluster that runs on this machine",
            "runs_code": True,
        },
    )
    start: bool = field(
        default=False,
        metadata={"help": "Start a cluster on this machine, on its loopback interface only, if none is found"},
    )
    cpus: float = field(default=1.0, metadata={"help": "CPUs of each job"})
    gpus: float = field(default=0.0, metadata={"help": "GPUs of each job"})
    resources: str | None = field(
        default=None, metadata={"help": "Custom resources of each job: NAME=AMOUNT, separated by commas"}
    )
    restarts: int = field(default=3, metadata={"help": "How often a job starts again whose node or process has died"})
    requirements: str | None = field(
        default=None,
        metadata={"help": "A requirements file of pip: what to install on the nodes, besides", "runs_code": True},
    )
    environment: str | None = field(
        default=None,
        metadata={
            "help": "Names of environment variables that jobs get from this process, separated by commas",
            "runs_code": True,
        },
    )
    jobs: int | None = field(default=None, metadata={"help": "Experiments at a time in each job; none: its CPUs"})
    retries: int = field(default=0, metadata={"help": "How often an experiment that fails is tried again at once"})
    timeout: float | None = field(
        default=None, metadata={"help": "Seconds that an experiment may take; none: any number while it makes progress"}
    )
    poll_interval: float = field(default=1.0, metadata={"help": "Seconds between two questions to Ray"})
    patience: float = field(default=30.0, metadata={"help": "Seconds for which the cluster may be out of reach"})

    def __post_init__(self) -> None:
        LocalOptions(self.jobs, self.retries, self.timeout)  # the same ranges, and the same words
        for name in ("cpus", "gpus"):
            value = getattr(self, name)
            if not (value >= 0.0 and math.isfinite(value)):
                raise _wrong(name, value, "Use a number >= 0.")
        if self.restarts < 0:
            raise _wrong("restarts", self.restarts, "Use a whole number >= 0.")
        for name in ("poll_interval", "patience"):
            value = getattr(self, name)
            if not (value > 0.0 and math.isfinite(value)):
                raise _wrong(name, value, "Use a positive number of seconds.")
        if self.address is not None:
            host_and_port(self.address)
        _ = self.resource_amounts

    @property
    def resource_amounts(self) -> dict[str, float]:
        """The custom resources."""
        return amounts(self.resources)

    @property
    def demand(self) -> dict[str, float]:
        """All resources that a job needs, in Ray's names."""
        named = {"CPU": self.cpus, "GPU": self.gpus, **self.resource_amounts}
        return {name: amount for name, amount in named.items() if amount > 0.0}

    @property
    def workers(self) -> int:
        """Experiments at a time in each job."""
        return self.jobs if self.jobs is not None else max(1, int(self.cpus))


def amounts(resources: str | None) -> dict[str, float]:
    """The amounts of custom resources.

    Raises:
        UsageError: They are written in another way.
    """
    found = {}
    for text in listed(resources):
        name, _, amount = (part.strip() for part in text.partition("="))
        try:
            value = float(amount)
        except ValueError:
            value = math.nan
        if not name or name in OWN or not (value > 0.0 and math.isfinite(value)):
            raise _wrong("resources", resources, "Write NAME=AMOUNT, separated by commas, as in a100=1,fast_disk=0.5.")
        found[name] = value
    return found


def listed(text: str | None) -> list[str]:
    """The parts of a text with commas between them."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def chosen(names: str | None) -> dict[str, str]:
    """Environment variables of this process.

    Raises:
        UsageError: One is not set.
    """
    missing = [name for name in listed(names) if name not in os.environ]
    if missing:
        raise UsageError(f"Option environment of ray names {missing[0]}, which is not set.", "Set it, or leave it out.")
    return {name: os.environ[name] for name in listed(names)}


def host_and_port(address: str) -> tuple[str, int]:
    """The host and the port of a cluster's address.

    Raises:
        UsageError: It is not an address.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise _wrong("address", address, "Write HOST:PORT, as in 10.0.0.5:6379.")
    return host.strip("[]"), int(port)


def _wrong(name: str, value: object, fix: str) -> UsageError:
    return UsageError(f"Option {name} of ray is {value}.", fix)
