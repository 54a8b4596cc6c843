"""Experiments that continue: a backend that answers from the journal first, and from real trials when that is over.

A scheduler's state is a fold over the events it receives, so the loop runs again from the beginning with the events of
the journal; each request to the backend is compared with the recorded one. At the end of the journal, trials that ran
when the last process died are taken over, and the experiment continues. Results are a function of the journal, because
the loop has no other input, not even the time.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

from hpoctl.core.clock import RealClock, VirtualClock
from hpoctl.core.errors import HpoctlError
from hpoctl.core.protocols import Bill, BilledBackend, Ended, Outcome, RecoverableBackend, Report
from hpoctl.core.space import Config
from hpoctl.core.trial_backends import TrialLimits
from hpoctl.engine.journal import record_text
from hpoctl.engine.journal_records import Record, bills_of, bills_to_json, from_json, to_json
from hpoctl.engine.journaled_trials import JournaledTrials
from hpoctl.engine.tuner import Limits

TICK = 5.0
"""Seconds of silence after which the journal notes the time: no more is lost of the budget's account in a crash."""

ENDED = "the experiment ended"
REPLAYED = ("max_num_trials", "trial_retries")
"""The limits that the loop itself acts on and that may change when an experiment continues."""


class Appendable(Protocol):
    """What `Journaled` needs of a journal."""

    path: Path

    def append(self, record: Record, *, durable: bool) -> None:
        """Append a record; `durable`: it is on the disk when this returns."""
        ...


class Journaled:
    """A trial backend that keeps a journal, and answers from it as far as it goes.

    Args:
        journal: The journal, with its first record read already.
        records: The records after that.
        make: Makes the real backend with a clock; called when the journal is used up.
        limits: When the experiment is over.
        counts: The limits in trials and retries; what an earlier process had of them holds while its part is replayed.
        facts: What is recorded of this process.
    """

    def __init__(
        self,
        journal: Appendable,
        records: Iterator[Record],
        make: Callable[[RealClock], RecoverableBackend],
        limits: TrialLimits,
        counts: Limits,
        facts: Record,
    ) -> None:
        self.clock = VirtualClock()  # the time of what happened last
        self.resumed = 0  # trials that ran when an earlier process died, and were taken over
        self._journal = journal
        self._records = records
        self._make = make
        self._limits = limits
        self._counts = counts
        self._facts = {**facts, **{name: getattr(counts, name) for name in REPLAYED}}
        self._in_force = counts
        self._backend: RecoverableBackend | None = None
        self._billing: BilledBackend | None = None
        self._real = RealClock()
        self._trials = JournaledTrials()
        self._waiting: list[Report | Ended] = []  # events of an ending that was not the end: the journal has them
        self._left: list[Report | Ended] = []  # ends of trials that had been told to leave: the journal gets them
        self._next: Record | None = None
        self._time = 0.0  # of the last record
        self.resumed_at: float | None = None
        self._over = False
        self._closed = False
        self.bills: list[Bill] = []
        self._advance()

    @property
    def now(self) -> float:
        """Seconds of the experiment's clock, up to this moment."""
        return self._real.now() if self.live else self.clock.now()

    @property
    def live(self) -> bool:
        """Whether the journal is used up."""
        return self._backend is not None

    def in_force(self, limits: Limits) -> Limits:
        """The limits that held when what is replayed now happened; at the end of a part, those of the next one."""
        while not self.live and self._next is not None and self._next["kind"] in ("tick", "session"):
            self._pass_over(self._next)
        if self.live or self._next is None:
            return limits
        if self._next["kind"] != "close":
            return self._in_force
        following = next(self._records, None)
        if following is None:
            return limits
        self._records = chain([following], self._records)
        return self._of_session(following) if following["kind"] == "session" else self._in_force

    def suggested(self) -> None:
        """The scheduler has suggested something: that took time."""
        if self.live:
            self.clock.advance_to(self._real.now())
        elif (record := self._peek()) is not None and record["kind"] == "start":
            self.clock.advance_to(record["t"])

    def idle(self) -> None:
        """Note the time, if nothing was noted for a while."""
        if self.live and self._real.now() - self._time >= TICK:
            self._append({"kind": "tick", "t": self._real.now()}, durable=False)

    def start(self, trial_id: int, config: Config, *, resume_from: int | None, until: int | None) -> None:
        """Start or resume a trial, or see that the journal says so."""
        record: dict[str, Any] = {"kind": "start", "trial": trial_id, "from": resume_from or 0, "until": until}
        if trial_id not in self._trials:
            record["config"] = dict(config)
        self._take(record)
        if self._backend is not None:
            self._backend.start(trial_id, config, resume_from=resume_from, until=until)
        self._trials.start(trial_id, config, until, self.clock.now())

    def proceed(self, trial_id: int, *, until: int | None) -> None:
        """Continue a trial."""
        self._trials[trial_id].until = until
        if self._backend is not None and self._trials[trial_id].running:
            self._backend.proceed(trial_id, until=until)

    def stop(self, trial_id: int, *, pause: bool) -> None:
        """Stop or pause a trial, or see that the journal says so."""
        was_live = self.live
        self._trials[trial_id].pause = pause
        self._take({"kind": "stop", "trial": trial_id, "pause": pause})
        if self._backend is not None and was_live:
            self._backend.stop(trial_id, pause=pause)

    def wait(self) -> Sequence[Report | Ended]:
        """What happened next, or happens next; empty: nothing runs, or the time is over."""
        record = self._peek()
        if self._waiting:
            events, self._waiting = self._waiting, []
            return events
        if record is not None:
            if record["kind"] == "close":
                return []
            if record["kind"] != "events":
                raise self._differs(record, "the method waits for trials")
            self._advance()
            self.clock.advance_to(record["t"])
            return self._trials.noted(from_json(record["events"]))
        backend = self._backend or self._go_live(restart=True)
        if self._left:
            events, self._left = self._left, []
        else:
            events = list(backend.wait())
        if not events:
            self._over = True
            return []
        now = self._real.now()
        self._append({"kind": "events", "t": now, "events": to_json(events), **self._billed()}, durable=False)
        self.clock.advance_to(now)
        return self._trials.noted(events)

    def close(self) -> Sequence[Report | Ended]:
        """End all trials, or see how they ended."""
        if self._closed:
            return []
        self._closed = True
        record = self._peek()
        if record is not None and record["kind"] == "close":
            self.clock.advance_to(record["t"])
            self._advance()
            return from_json(record["events"])
        if record is not None:
            return []  # the replay was given up
        backend = self._backend or self._go_live(restart=False)
        events = [*self._left, *backend.close()]
        now = self._real.now()
        told = {event.trial_id for event in events if isinstance(event, Ended)}
        events += [
            Ended(trial_id, Outcome.STOPPED, now, ENDED) for trial_id in self._trials.running if trial_id not in told
        ]
        limits = {"deadline": self._limits.deadline, "training_seconds": self._limits.training_seconds}
        record = {"kind": "close", "t": now, "over": self._over, **limits, "events": to_json(events)}
        self._append({**record, **self._billed()}, durable=True)
        self.clock.advance_to(now)
        return events

    def _take(self, record: Record) -> None:
        """Compare a request with the journal, or append it when that is used up."""
        known = self._peek(beyond_the_end=True)
        if known is None:
            if self._backend is None:
                self._go_live(restart=True)
            self._append({**record, "t": self.clock.now()}, durable=True)
            return
        if {**known, "t": 0} != {**record, "t": 0}:
            raise self._differs(known, record_text(record))
        self._advance()
        self.clock.advance_to(known["t"])

    def _peek(self, *, beyond_the_end: bool = False) -> Record | None:
        """The next record that the loop has to do with. An ending that was not the end is passed over.

        Args:
            beyond_the_end: Whether the loop is known to continue, because it asks for something.
        """
        while self._next is not None and self._next["kind"] in ("tick", "session", "close"):
            record = self._next
            if record["kind"] == "close":
                if not beyond_the_end and (self._closed or self._is_the_end(record)):
                    return record
                events = [event for event in from_json(record["events"]) if not self._is_cut_off(event)]
                self._waiting += self._trials.noted(events)
            self._pass_over(record)
        return self._next

    def _pass_over(self, record: Record) -> None:
        if record["kind"] == "session":
            self._in_force = self._of_session(record)
        self._advance()

    def _of_session(self, record: Record) -> Limits:
        return replace(self._counts, **{name: record[name] for name in REPLAYED})

    def _is_the_end(self, record: Record) -> bool:
        """Whether the time was over, and is with the present limits."""
        limits = self._limits
        seconds = record["training_seconds"]
        more_seconds = seconds is not None and (limits.training_seconds is None or limits.training_seconds > seconds)
        return bool(record["over"]) and limits.deadline <= record["deadline"] and not more_seconds

    def _is_cut_off(self, event: Report | Ended) -> bool:
        """Whether a trial was only ended because the experiment was; it continues."""
        return isinstance(event, Ended) and event.reason == ENDED

    def _billed(self) -> dict[str, Any]:
        """The bills that have become known, for a record."""
        bills = () if self._billing is None else self._billing.bills()
        self.bills += bills
        return bills_to_json(bills)

    def _advance(self) -> None:
        if self._next is not None:
            self.bills += bills_of(self._next)
            self._time = max(self._time, float(self._next.get("t", 0.0)))
        self._next = next(self._records, None)

    def _append(self, record: Record, *, durable: bool) -> None:
        self._journal.append(record, durable=durable)
        self._time = float(record["t"])

    def _go_live(self, *, restart: bool) -> RecoverableBackend:
        """The journal is used up: take over what ran when the last process died."""
        self._real = RealClock(self._time)
        self.resumed_at = self._time
        backend = self._make(self._real)
        self._backend = backend
        self._billing = backend if isinstance(backend, BilledBackend) else None
        self.clock.advance_to(self._time)
        self._append({"kind": "session", "t": self._time, **self._facts}, durable=True)
        running = self._trials.running
        backend.recover(self._trials.known(), self._trials.spent(self._time))
        if not restart:
            return backend
        for trial_id, trial in running.items():
            if trial.pause is None:
                self.resumed += 1
                backend.start(trial_id, trial.config, resume_from=trial.resource or None, until=trial.until)
        self._left = [*self._trials.left(self._time)]
        return backend

    def _differs(self, known: Record, now: str) -> HpoctlError:
        return HpoctlError(
            f"{self._journal.path} does not fit: then {record_text(known)}, now {now}.",
            "Use the versions of hpoctl and its plugins that began the experiment; `hpoctl clean` removes the attempt.",
        )
