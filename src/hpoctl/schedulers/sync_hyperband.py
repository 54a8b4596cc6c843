"""Synchronous Hyperband: rungs of a fixed size; trials are promoted when the whole rung has reported.

Successive halving is Jamieson and Talwalkar 2016 (AISTATS), its brackets are Li et al. 2018 (JMLR 18). Who waits does
not idle: a worker for whom a bracket has nothing begins with the next bracket, as in Syne Tune.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hpoctl.core.entries import MethodContext
from hpoctl.core.grounds import Grounds, grounds_of
from hpoctl.core.protocols import Action, Decision, Outcome, Report, Resume, RungState, Start
from hpoctl.schedulers.options import SyncHyperbandOptions
from hpoctl.schedulers.rungs import RungEntry, bracket_starts, on_the_way, rank_among
from hpoctl.schedulers.searcher import Searcher

BracketPlan = tuple[tuple[int, int], ...]
"""The size and level of each rung of a bracket; the last level is the largest resource."""


def bracket_plans(starts: tuple[int, ...], reduction_factor: int) -> list[BracketPlan]:
    """The rungs of each bracket, from the most aggressive one on.

    A bracket with s halvings begins with floor((s_max + 1) / (s + 1)) eta^s trials, the sizes in table 1 of Li et al.
    2018, and each of its rungs keeps one in eta.

    Args:
        starts: Where brackets start, see `bracket_starts`.
        reduction_factor: One trial out of this number is promoted: eta.
    """
    plans = []
    for number in range(len(starts)):
        halvings = len(starts) - 1 - number
        last = len(starts) // (halvings + 1)
        sizes = [last * reduction_factor**left for left in range(halvings, -1, -1)]
        plans.append(tuple(zip(sizes, starts[number:], strict=True)))
    return plans


@dataclass(slots=True)
class _Bracket:
    number: int
    plan: BracketPlan
    free: int  # trials that the first rung still has room for
    place: int = 0  # the current rung
    running: int = 0  # trials on their way to it, or reported there and still with their worker
    results: list[RungEntry] = field(default_factory=list)
    promoted: deque[tuple[int, str]] = field(default_factory=deque)  # trials to resume, and why

    @property
    def level(self) -> int:
        return self.plan[self.place][1]

    @property
    def done(self) -> bool:
        """Whether no trial is left in it."""
        return not (self.free or self.promoted or self.results or self.running)

    @property
    def last(self) -> bool:
        return self.place == len(self.plan) - 1


@dataclass(frozen=True, slots=True)
class _Settled:
    """A rung at which everybody has reported."""

    level: int
    size: int  # the number of promoted trials
    entries: list[RungEntry]

    @property
    def cutoff(self) -> float | None:
        """The value of the last one that is promoted; None: none is."""
        finite = sorted(value for value, _, _ in self.entries if math.isfinite(value))[: self.size]
        return finite[-1] if finite else None


class SyncHyperband:
    """Brackets of successive halving, one after the other, round and round.

    The best n trials of a rung are promoted, n being the size of the next rung, as soon as no trial is on its way to
    the rung. Trials that failed, and those with NaN or infinite values, are never promoted. Where the space is
    exhausted, a bracket begins with fewer trials.

    Args:
        searcher: Picks the configurations of new trials.
        context: The goal, the largest resource.
        options: See `SyncHyperbandOptions`.

    Raises:
        UsageError: There is no level below the largest resource.
    """

    def __init__(self, searcher: Searcher, context: MethodContext, options: SyncHyperbandOptions) -> None:
        self._searcher = searcher
        self._goal = context.goal
        self._max_resource = context.largest
        starts = bracket_starts(options.grace_period, options.reduction_factor, context.largest)
        self._share = 1 / options.reduction_factor
        self._plans = bracket_plans(starts, options.reduction_factor)[: options.brackets]
        self._opened = 0
        self._open: list[_Bracket] = []
        self._bracket_of: dict[int, _Bracket] = {}
        self._entries = dict.fromkeys(starts[:-1], 0)
        self._settled: dict[int, _Settled] = {}  # by trial, the last of its rungs that everybody has reported at

    def suggest(self, trial_id: int) -> Start | Resume | None:
        """Resume a promoted trial of the oldest bracket that has one, or start a trial; None: neither is possible."""
        return self._promotion() or self._new_trial(trial_id) or self._promotion()

    def on_report(self, report: Report) -> Decision:
        """A trial that has reached or passed its rung waits for the others."""
        trial_id, resource = report.trial_id, min(int(report.resources[-1]), self._max_resource)
        bracket = self._bracket_of[trial_id]
        level = bracket.level
        early = on_the_way(resource, level)
        if early is not None:
            return early
        value = self._goal.last(report.metrics)
        self._searcher.observe(trial_id, resource, value)
        if resource >= self._max_resource:
            return Decision(Action.STOP, f"reached {resource}")
        self._entries[level] += 1
        self._settled.pop(trial_id, None)
        bracket.results.append((value, len(bracket.results), trial_id))
        waiting = len(bracket.results), bracket.plan[bracket.place][0]
        return Decision(Action.PAUSE, f"waits at level {level}, number {waiting[0]} of {waiting[1]}")

    def on_end(self, trial_id: int, outcome: Outcome) -> None:
        """A trial has left its worker: perhaps the last one that its rung waited for."""
        self._searcher.ended(trial_id)
        bracket = self._bracket_of[trial_id]
        bracket.running -= 1
        if outcome is not Outcome.PAUSED:
            bracket.results = [entry for entry in bracket.results if entry[2] != trial_id]
        self._settle(bracket)

    def explain(self, trial_id: int) -> Grounds:
        """Where a trial stands at the last rung that it has reached, and how its configuration was chosen."""
        bracket, settled = self._bracket_of[trial_id], self._settled.get(trial_id)
        rank = None
        if settled is not None:
            rule = f"the best {settled.size} of {len(settled.entries)} at level {settled.level} are promoted"
            rank = rank_among(settled.entries, trial_id, settled.level, rule, settled.cutoff)
        elif any(entry[2] == trial_id for entry in bracket.results):
            room = bracket.plan[bracket.place][0]
            rule = f"no trial is promoted before all trials at level {bracket.level} have reported, {room} at most"
            rank = rank_among(bracket.results, trial_id, bracket.level, rule)
        found = grounds_of(self._searcher, trial_id)
        levels = " to ".join(f"{size} at {level}" for size, level in bracket.plan)
        return replace(found, rank=rank, notes=(*found.notes, f"it belongs to {_name(bracket)}: {levels}"))

    def rungs(self) -> Sequence[RungState]:
        """The rungs from the largest level down, entries of all brackets together."""
        return tuple(RungState(level, self._entries[level], self._share) for level in sorted(self._entries)[::-1])

    def _promotion(self) -> Resume | None:
        for bracket in self._open:
            if bracket.promoted:
                trial_id, reason = bracket.promoted.popleft()
                bracket.running += 1
                self._searcher.pending(trial_id, bracket.level)
                return Resume(trial_id, bracket.level, reason)
        return None

    def _new_trial(self, trial_id: int) -> Start | None:
        """A trial for the newest bracket, or for a new one. Older ones are full: else there were no newer one."""
        newest = self._open[-1] if self._open and self._open[-1].free else None
        suggestion = self._searcher.suggest(trial_id)
        if suggestion is None:
            if newest is not None:
                newest.free = 0
                self._settle(newest)
            return None
        bracket = newest or self._new_bracket()
        bracket.free -= 1
        bracket.running += 1
        self._bracket_of[trial_id] = bracket
        self._searcher.pending(trial_id, bracket.level)
        return Start(suggestion.config, bracket.level, f"{suggestion.origin}, {_name(bracket)}", suggestion.note)

    def _new_bracket(self) -> _Bracket:
        plan = self._plans[self._opened % len(self._plans)]
        bracket = _Bracket(self._opened, plan, free=plan[0][0])
        self._opened += 1
        self._open.append(bracket)
        return bracket

    def _settle(self, bracket: _Bracket) -> None:
        """Promote the best of a rung if no trial is on its way to the rung."""
        if not (bracket.free or bracket.promoted or bracket.running or bracket.last):
            size, level = bracket.plan[bracket.place + 1][0], bracket.level
            ranked = sorted(entry for entry in bracket.results if math.isfinite(entry[0]))
            settled = _Settled(level, size, bracket.results)
            self._settled.update((entry[2], settled) for entry in bracket.results)
            for rank, (value, _, trial_id) in enumerate(ranked[:size], 1):
                shown = f"{self._goal.sign * value:.6g} is number {rank} of {len(bracket.results)}"
                bracket.promoted.append((trial_id, f"{_name(bracket)}, level {level}: {shown}, {size} promoted"))
            bracket.results = []
            bracket.place += 1
        self._open = [bracket for bracket in self._open if not bracket.done]


def _name(bracket: _Bracket) -> str:
    return f"bracket {bracket.number}"
