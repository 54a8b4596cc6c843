"""The options of the built-in methods: frozen dataclasses, checked when made, set with `--set METHOD.option=value`.

This module imports nothing heavy, so that listing methods and their options stays fast.
"""

from dataclasses import dataclass, field
from typing import Literal

from hpoctl.core.errors import UsageError


def _check(condition: bool, what: str, fix: str) -> None:
    if not condition:
        raise UsageError(what, fix)


def _check_halving(grace_period: int, reduction_factor: int, brackets: int | None) -> None:
    _check(grace_period >= 1, f"grace_period is {grace_period}.", "Use a whole number >= 1.")
    _check(reduction_factor >= 2, f"reduction_factor is {reduction_factor}.", "Use at least 2.")
    _check(brackets is None or brackets >= 1, f"brackets is {brackets}.", "Use a whole number >= 1.")


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
        _check_halving(self.grace_period, self.reduction_factor, self.brackets)


@dataclass(frozen=True, slots=True)
class HyperbandOptions:
    """When HYPERBAND promotes or stops trials, and how many brackets share the budget."""

    type: Literal["promotion", "stopping"] = field(
        default="promotion", metadata={"help": "pause at each rung and promote the best, or stop the worst"}
    )
    grace_period: int = field(default=1, metadata={"help": "lowest rung level of the first bracket"})
    reduction_factor: int = field(default=3, metadata={"help": "each rung level is this many times the one below"})
    brackets: int | None = field(
        default=None, metadata={"help": "how many brackets, from the most aggressive one on; none: all there are"}
    )

    def __post_init__(self) -> None:
        _check_halving(self.grace_period, self.reduction_factor, self.brackets)


@dataclass(frozen=True, slots=True)
class SyncHyperbandOptions:
    """The rungs of SYNCHB, and how many brackets take turns."""

    grace_period: int = field(default=1, metadata={"help": "lowest rung level of the first bracket"})
    reduction_factor: int = field(default=3, metadata={"help": "at each rung, one trial of this many is promoted"})
    brackets: int | None = field(
        default=None, metadata={"help": "how many brackets, from the most aggressive one on; none: all there are"}
    )

    def __post_init__(self) -> None:
        _check_halving(self.grace_period, self.reduction_factor, self.brackets)


@dataclass(frozen=True, slots=True)
class MedianOptions:
    """When MEDIAN stops trials."""

    grace_period: int = field(default=1, metadata={"help": "the first level at which trials are judged"})
    level_factor: int = field(default=2, metadata={"help": "each level of judgement is this many times the one before"})
    min_trials: int = field(default=5, metadata={"help": "how many others have to be there before a trial is stopped"})

    def __post_init__(self) -> None:
        _check(self.grace_period >= 1, f"grace_period is {self.grace_period}.", "Use a whole number >= 1.")
        _check(self.level_factor >= 2, f"level_factor is {self.level_factor}.", "Use at least 2.")
        _check(self.min_trials >= 1, f"min_trials is {self.min_trials}.", "Use a whole number >= 1.")


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
        default=4, metadata={"help": "every n-th suggestion is random; 0: only the initial ones are"}
    )
    min_rank_correlation: float = field(
        default=0.6,
        metadata={"help": "new trials pass rungs whose rank correlation with the next one is lower; -1: none"},
    )

    def __post_init__(self) -> None:
        AshaOptions.__post_init__(self)
        _check(self.num_initial >= 1, f"num_initial is {self.num_initial}.", "Use a whole number >= 1.")
        _check(
            -1.0 <= self.min_rank_correlation <= 1.0,
            f"min_rank_correlation is {self.min_rank_correlation}.",
            "Use a number from -1 to 1.",
        )
        _check(self.random_every >= 0, f"random_every is {self.random_every}.", "Use 0 or a larger whole number.")
