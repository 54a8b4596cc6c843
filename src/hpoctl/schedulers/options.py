"""The options of the built-in methods: frozen dataclasses, checked when made, set with `--set METHOD.option=value`.

This module imports nothing heavy, so that listing methods and their options stays fast.
"""

from dataclasses import dataclass, field
from typing import Literal

from hpoctl.core.errors import UsageError


def _check(condition: bool, what: str, fix: str) -> None:
    if not condition:
        raise UsageError(what, fix)


@dataclass(frozen=True, slots=True)
class AshaOptions:
    """When ASHA promotes or stops trials."""

    type: Literal["promotion", "stopping"] = field(
        default="promotion", metadata={"help": "pause at each rung and promote the best, or stop the worst"}
    )
    grace_period: int = field(default=1, metadata={"help": "lowest rung level, in units of the resource"})
    reduction_factor: int = field(default=3, metadata={"help": "each rung level is this many times the one below"})
    brackets: int = field(default=1, metadata={"help": "how many lowest rung levels trials may start from"})

    def __post_init__(self) -> None:
        _check(self.grace_period >= 1, f"grace_period is {self.grace_period}.", "Use a whole number >= 1.")
        _check(self.reduction_factor >= 2, f"reduction_factor is {self.reduction_factor}.", "Use at least 2.")
        _check(self.brackets >= 1, f"brackets is {self.brackets}.", "Use a whole number >= 1.")


@dataclass(frozen=True, slots=True)
class BoOptions:
    """How Bayesian optimization suggests configurations."""

    num_initial: int = field(default=4, metadata={"help": "random configurations before the model decides"})

    def __post_init__(self) -> None:
        _check(self.num_initial >= 1, f"num_initial is {self.num_initial}.", "Use a whole number >= 1.")


@dataclass(frozen=True, slots=True)
class MobsterOptions(AshaOptions):
    """When MOBSTER promotes or stops trials, and how it suggests configurations."""

    num_initial: int = field(default=6, metadata={"help": "random configurations before the model decides"})
    random_every: int = field(
        default=4, metadata={"help": "every so many suggestions one is random; 0: only the initial ones are"}
    )

    def __post_init__(self) -> None:
        AshaOptions.__post_init__(self)
        _check(self.num_initial >= 1, f"num_initial is {self.num_initial}.", "Use a whole number >= 1.")
        _check(self.random_every >= 0, f"random_every is {self.random_every}.", "Use 0 or a larger whole number.")
