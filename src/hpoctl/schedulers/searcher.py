"""The contract of a searcher: the part of a scheduler that picks the configurations of new trials.

A scheduler decides when trials start, pause and stop; its searcher decides what they try. Random search and
Bayesian optimization are one scheduler (`single_fidelity`) with two searchers, ASHA and MOBSTER are one scheduler
(`asha`) with two searchers.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from hpoctl.core.space import Config

Origin = Literal["initial", "random", "model"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The configuration of a new trial.

    Attributes:
        config: The configuration, fixed values included.
        origin: Where it comes from: the initial design, a random draw, or a model.
        note: If a model was fitted for this suggestion, what a person watching would like to know about the fit.
    """

    config: Config
    origin: Origin
    note: str = ""


class Searcher(Protocol):
    """Picks configurations. Deterministic: its state is a fold over the events, with keyed randomness."""

    def suggest(self, trial_id: int) -> Suggestion | None:
        """The configuration of the new trial `trial_id`, or None: the space is exhausted."""
        ...

    def pending(self, trial_id: int, resource: int) -> None:
        """A trial has been started, resumed or continued and will report at `resource` next."""
        ...

    def observe(self, trial_id: int, resource: int, value: float) -> None:
        """A trial has reported at a resource level that counts: a rung level or the largest level.

        Args:
            trial_id: The trial.
            resource: The resource level.
            value: The metric, to be minimised; NaN or infinite where training diverged.
        """
        ...

    def ended(self, trial_id: int) -> None:
        """A trial has left its worker; it has no pending report any more."""
        ...
