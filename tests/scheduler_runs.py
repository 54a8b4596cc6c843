"""Drives a scheduler with made-up workers: who reports next, what, and who fails is chosen by the test."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import strategies as st

from hpoctl.core.protocols import Action, Outcome, Resume, Scheduler, Start
from support import report


@dataclass(frozen=True)
class Promotion:
    """A resumed trial, the level it had paused at, and the one it was sent to."""

    trial: int
    level: int
    until: int
    known: dict[int, dict[int, float]]  # what each level knew then: values by trial, in the order of arrival
    busy: frozenset[int]


@dataclass
class Driver:
    """Workers, what they run, and what happened. Values are those of the metric."""

    scheduler: Scheduler
    workers: int
    max_resource: int = 27
    endless: bool = True  # the space cannot be exhausted: a free worker always gets something
    starts: list[int] = field(default_factory=list)  # by trial: the level it was first sent to
    promotions: list[Promotion] = field(default_factory=list)
    reports: dict[int, dict[int, float]] = field(default_factory=dict)  # by level, then by trial
    failed: set[int] = field(default_factory=set)
    running: dict[int, int] = field(default_factory=dict)
    paused: dict[int, int] = field(default_factory=dict)

    def fill(self) -> None:
        """Give every free worker something to do."""
        while len(self.running) < self.workers:
            step = self.scheduler.suggest(len(self.starts))
            if step is None:
                assert not self.endless
                return
            assert step.until is not None
            assert step.reason
            assert step.until <= self.max_resource
            if isinstance(step, Start):
                self.running[len(self.starts)] = step.until
                self.starts.append(step.until)
                continue
            assert isinstance(step, Resume)
            level = self.paused.pop(step.trial_id)  # paused, and not resumed since
            assert step.until > level
            known = {resource: dict(values) for resource, values in self.reports.items()}
            busy = frozenset(self.running)
            self.promotions.append(Promotion(step.trial_id, level, step.until, known, busy))
            self.running[step.trial_id] = step.until

    def reach(self, trial: int, value: float) -> Action:
        """A trial reaches the level it was sent to and leaves its worker, if it is to."""
        level = self.running.pop(trial)
        decision = self.scheduler.on_report(report(trial, level, value))
        self.reports.setdefault(level, {})[trial] = value
        assert decision.reason
        if level == self.max_resource:
            self.scheduler.on_end(trial, Outcome.COMPLETED)  # its training is over, for any decision
        elif decision.action is Action.CONTINUE:
            assert decision.until is not None
            assert level < decision.until <= self.max_resource
            self.running[trial] = decision.until
        elif decision.action is Action.PAUSE:
            self.paused[trial] = level
            self.scheduler.on_end(trial, Outcome.PAUSED)
        else:
            self.scheduler.on_end(trial, Outcome.STOPPED)
        return decision.action

    def fail(self, trial: int, *, reported: float | None = None) -> None:
        """A trial fails on its way, or after its report when it was about to pause."""
        level = self.running.pop(trial)
        if reported is not None:
            self.scheduler.on_report(report(trial, level, reported))
            self.reports.setdefault(level, {})[trial] = reported
        self.failed.add(trial)
        self.scheduler.on_end(trial, Outcome.FAILED)

    def counts(self) -> list[tuple[int, int]]:
        """How many trials have reported at each level, from the top down."""
        return [(level, len(self.reports.get(level, {}))) for level in sorted(self.reports, reverse=True)]


VALUES = st.one_of(
    st.integers(0, 6).map(lambda n: n / 4), st.floats(0, 1), st.sampled_from([float("nan"), float("inf")])
)
FATES = st.sampled_from(["reaches"] * 8 + ["fails", "fails after its report"])
STREAMS = st.lists(st.tuples(st.integers(0, 63), VALUES, FATES), min_size=1, max_size=150)


def drive(driver: Driver, stream: list[tuple[int, float, str]]) -> Iterator[None]:
    """Let a stream of events happen; yields after each one."""
    for choice, value, fate in stream:
        driver.fill()
        if not driver.running:
            return
        trial = list(driver.running)[choice % len(driver.running)]
        if fate == "reaches":
            driver.reach(trial, value)
        else:
            driver.fail(trial, reported=value if fate == "fails after its report" else None)
        yield
