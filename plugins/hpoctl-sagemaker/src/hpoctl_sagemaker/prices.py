"""What machines of SageMaker cost, as far as it is known here, and what jobs on them are expected to cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hpoctl.core.jobs import Estimate
from hpoctl_sagemaker.options import HOUR, SagemakerOptions

DATE = "January 2025"
REGION = "us-east-1"
STARTUP = 120.0
"""Seconds of each job, paid for, before its first experiment begins: a guess."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A kind of machine.

    Attributes:
        dollars: What an hour costs, on demand, in dollars.
        cores: How many virtual processors it has.
    """

    dollars: float
    cores: int


MACHINES = {
    "ml.t3.medium": Machine(0.05, 2),
    "ml.t3.large": Machine(0.10, 2),
    "ml.t3.xlarge": Machine(0.20, 4),
    "ml.t3.2xlarge": Machine(0.399, 8),
    "ml.m5.large": Machine(0.115, 2),
    "ml.m5.xlarge": Machine(0.23, 4),
    "ml.m5.2xlarge": Machine(0.461, 8),
    "ml.m5.4xlarge": Machine(0.922, 16),
    "ml.m5.12xlarge": Machine(2.765, 48),
    "ml.m5.24xlarge": Machine(5.53, 96),
    "ml.c5.xlarge": Machine(0.204, 4),
    "ml.c5.2xlarge": Machine(0.408, 8),
    "ml.c5.4xlarge": Machine(0.816, 16),
    "ml.c5.9xlarge": Machine(1.836, 36),
    "ml.c5.18xlarge": Machine(3.672, 72),
    "ml.g4dn.xlarge": Machine(0.736, 4),
    "ml.g5.xlarge": Machine(1.408, 4),
}
"""A few usual machines, on demand, in `REGION`, as of `DATE`."""


def estimate(options: Any, seconds: Sequence[float]) -> Estimate:
    """What jobs are expected to take and to cost, from the expected seconds of each, one experiment after another."""
    machine = MACHINES.get(options.instance_type)
    at_a_time = options.jobs or (machine.cores if machine else 1)
    expected = sum(STARTUP + each / at_a_time for each in seconds) / HOUR
    capped = len(seconds) * options.max_run / HOUR
    expected = min(expected, capped)
    if machine is None:
        note = f"no price of {options.instance_type} is known here: see AWS's page of SageMaker prices"
        return Estimate(expected, capped, None, None, note)
    return Estimate(expected, capped, expected * machine.dollars, capped * machine.dollars, _note(options, machine))


def _note(options: SagemakerOptions, machine: Machine) -> str:
    what = (
        f"{options.instance_type} at ${machine.dollars:g} an hour: on demand, {REGION}, as of {DATE}, not checked since"
    )
    spot = "; spot capacity costs less, and its price is not known here" if options.use_spot else ""
    left_out = f"{STARTUP:g} s to start each job are a guess; disks, S3 and logs are left out"
    return f"{what}{spot}; {left_out}; check AWS's price page"
