"""What a decision of a scheduler rests on, in numbers: what `hpoctl why` shows.

A scheduler or searcher that can tell has a method `explain`. It is asked right after a decision, and only by those who
want to know: an experiment that nobody asks about costs nothing more.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a trial stands among those it is compared with. Values are to be minimised.

    Attributes:
        level: The resource level of the comparison.
        value: The value that counts for the trial.
        entries: How many trials are compared, this one included.
        rule: The rule, in words.
        place: Its place, the best one first; None: the rule ranks no trials.
        cutoff: The value that a trial must not exceed to continue; None: there is none yet, or the rule has none.
        ahead: The trials ahead of it and their values, the best one first.
    """

    level: int
    value: float
    entries: int
    rule: str
    place: int | None = None
    cutoff: float | None = None
    ahead: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """How a model chose a configuration. The model predicts standardised values: mean 0, variance 1, small is good.

    Attributes:
        data: Reports that the model is conditioned on.
        total: Reports that there were.
        pending: Pending reports, taken to turn out as predicted.
        candidates: Configurations among which it chose.
        log_ei: The logarithm of the expected improvement, the largest among the candidates.
        mean: The predicted mean of the configuration.
        sd: The standard deviation of the prediction.
        best: The smallest predicted mean of a configuration that was tried: what is to be improved on.
        level: The resource level of the prediction; None: there is one level only.
        chosen: The number of the choice among those that one update of the model served, from 1 on.
    """

    data: int
    total: int
    pending: int
    candidates: int
    log_ei: float
    mean: float
    sd: float
    best: float
    level: int | None = None
    chosen: int = 1


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the latest decision on a trial rests on.

    Attributes:
        rank: Where the trial stands at the level that it reached last; None: it has reached none, or none counts.
        model: How a model chose its configuration; None: no model did.
        notes: What else counted, a sentence each.
    """

    rank: Rank | None = None
    model: ModelChoice | None = None
    notes: tuple[str, ...] = ()


class Explains(Protocol):
    """What a scheduler can have besides its contract, and a searcher likewise."""

    def explain(self, trial_id: int) -> Grounds:
        """What the latest decision on a trial rests on, and where it stands now. It changes nothing."""
        ...


def grounds_of(decider: object, trial_id: int) -> Grounds:
    """What a scheduler or searcher tells about a trial; nothing, if it cannot explain itself."""
    explain = getattr(decider, "explain", None)
    found = explain(trial_id) if callable(explain) else None
    return found if isinstance(found, Grounds) else Grounds()
