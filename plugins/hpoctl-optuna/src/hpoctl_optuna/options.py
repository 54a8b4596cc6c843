"""The options of the methods. Where Optuna has such an option, too, the default is Optuna's."""

from dataclasses import dataclass, field

from hpoctl.core.errors import UsageError
from hpoctl.schedulers.options import AshaOptions

STARTUP_HELP = "number of reported trials before which configurations are random"


def _check_at_least(least: int, name: str, value: int | None) -> None:
    if value is not None and value < least:
        raise UsageError(f"{name} is {value}.", f"Use a whole number >= {least}.")


@dataclass(frozen=True)
class TpeOptions:
    """How the tree-structured Parzen estimator suggests configurations."""

    n_startup_trials: int = field(default=10, metadata={"help": STARTUP_HELP})
    n_ei_candidates: int = field(default=24, metadata={"help": "draws among which the best one is chosen"})
    multivariate: bool = field(default=True, metadata={"help": "one density of all hyperparameters, not one of each"})
    constant_liar: bool = field(default=True, metadata={"help": "keep away from configurations that are running"})

    def __post_init__(self) -> None:
        _check_at_least(1, "n_startup_trials", self.n_startup_trials)
        _check_at_least(1, "n_ei_candidates", self.n_ei_candidates)


@dataclass(frozen=True)
class TpeAshaOptions(TpeOptions, AshaOptions):
    """When trials are promoted or stopped, and how the tree-structured Parzen estimator suggests configurations."""

    def __post_init__(self) -> None:
        TpeOptions.__post_init__(self)
        AshaOptions.__post_init__(self)


@dataclass(frozen=True)
class GpOptions:
    """How Optuna's Gaussian process suggests configurations."""

    n_startup_trials: int = field(default=10, metadata={"help": STARTUP_HELP})

    def __post_init__(self) -> None:
        _check_at_least(1, "n_startup_trials", self.n_startup_trials)


@dataclass(frozen=True)
class CmaEsOptions:
    """How CMA-ES suggests configurations."""

    n_startup_trials: int = field(default=1, metadata={"help": STARTUP_HELP})
    popsize: int | None = field(
        default=None, metadata={"help": "size of a generation; none: 4 + 3 log(number of hyperparameters)"}
    )
    with_margin: bool = field(
        default=False, metadata={"help": "keep whole numbers from collapsing to one value (experimental in Optuna)"}
    )

    def __post_init__(self) -> None:
        _check_at_least(1, "n_startup_trials", self.n_startup_trials)
        _check_at_least(2, "popsize", self.popsize)
