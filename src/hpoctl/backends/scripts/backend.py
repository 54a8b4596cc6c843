"""The trial backend of training scripts: each trial trains in a separate process group and folder, on some worker."""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from hpoctl.backends.scripts.endings import ended
from hpoctl.backends.scripts.files import output_of, shorten
from hpoctl.backends.scripts.folders import TrialFolder, trial_folder, trial_folders
from hpoctl.backends.scripts.room import Room
from hpoctl.backends.scripts.starts import StartFolder
from hpoctl.backends.scripts.training import Training, Written, unread_rows
from hpoctl.backends.scripts.workers import Began, Command, Exit, Workers
from hpoctl.core.protocols import Bill, Ended, Known, Outcome, Report
from hpoctl.core.space import Config
from hpoctl.core.trial_backends import BackendContext
from hpoctl.core.trial_call import TrialCall, trial_command, trial_environment
from hpoctl.core.trial_rows import TrialRows

IDLE = 1.0
"""Seconds between two calls of `idle`, and between two looks at the disk."""

FINISH = 60.0
"""Seconds that a trial gets to end by itself after it has reported at the largest resource."""

ENDED = "the experiment ended"


class ScriptBackend:
    """Runs the trials of one experiment on a script.

    Rows are handed over when they are asked for: what a trial writes after it was told to pause waits until it resumes,
    what it writes after it was told to stop is handed over as late.

    Args:
        context: What is to be run, and where its files are.
        workers: Where the processes of trials run.
    """

    def __init__(self, context: BackendContext, workers: Workers) -> None:
        self._context = context
        self._script, self._folder = context.needed_script
        self._workers = workers
        self._room = Room(context, workers)
        self._running: dict[int, Training] = {}
        self._elapsed: dict[int, float] = {}
        self._starts: Counter[int] = Counter()
        self._spent = 0.0  # seconds of training of starts that have ended
        self._ended: list[tuple[Training, Outcome]] = []  # told, and not cleaned up yet
        self._told: list[Ended] = []
        self._idled = -IDLE

    def recover(self, trials: Sequence[Known], training_seconds: float) -> None:
        """End what an earlier process has left behind; see `RecoverableBackend.recover`."""
        self._elapsed = {trial.trial_id: trial.elapsed for trial in trials}
        self._starts = Counter({trial.trial_id: trial.starts for trial in trials})
        self._spent = training_seconds
        self._folder.mkdir(parents=True, exist_ok=True)
        starts = [start for trial in trial_folders(self._folder) for start in trial.starts()]
        count = self._workers.recover(starts)
        if count:
            self._context.say(f"{count} processes of an earlier run of this experiment were ended")
        for start in starts:
            start.forget()

    def start(self, trial_id: int, config: Config, *, resume_from: int | None, until: int | None) -> None:
        """Start a trial, or continue it after the resource `resume_from`."""
        now = self._context.clock.now()
        folder = trial_folder(self._folder, trial_id)
        known = resume_from or 0
        earlier = folder.starts()
        continued = earlier[-1] if earlier and self._workers.continues(earlier[-1]) else None
        unread = unread_rows(earlier, known, continued, self._rows)
        last = unread[-1].resource if unread else known
        after = last if continued is None else continued.after
        start, trouble = (continued, "") if continued else self._new_start(folder, config, last, trial_id)
        self._starts[trial_id] += 1
        slot = self._workers.take()
        key = f"{trial_id}/{start.path.name}"
        # The trial's seed is the same for all methods of the experiment's seed, and over resumes.
        seed = int(self._context.streams.get("trial-seeds", trial_id).integers(2**31))
        call = TrialCall(trial_id, seed, last, folder.config, folder.checkpoints, start.reports)
        script, call = self._workers.seen(self._script, replace(call, devices=slot.devices))
        command = Command(
            trial_command(script, config, call, self._workers.python),
            trial_environment(script, call, self._workers.inherited),
            script.runs_in,
            start.out,
            start.err,
            slot.cores,
        )
        output = output_of(start) if trouble else self._workers.start(key, start, slot, command)
        training = Training(
            trial_id,
            key,
            start,
            slot,
            Written(output, self._rows(last, after)),
            until,
            now,
            self._elapsed.get(trial_id, 0.0),
            now,
            known,
            waits=not output.begun,
        )
        if trouble:
            training.exit = Exit(key, None, None, why=trouble)
        training.add(unread, now)
        self._running[trial_id] = training

    def _new_start(self, folder: TrialFolder, config: Config, after: int, trial_id: int) -> tuple[StartFolder, str]:
        """The folder of the next start of a trial, and why it could not be made; empty: it was.

        A script may have put something else in the place of its folders: that fails this trial alone.
        """

        def make() -> StartFolder:
            made = folder.new_start(config, after)
            made.belongs_to(self._starts[trial_id])
            return made

        try:
            return self._room.write(make), ""
        except OSError as error:
            return folder.next_start(), f"its folder cannot be used: {error.strerror or error}: {error.filename}"

    def proceed(self, trial_id: int, *, until: int | None) -> None:
        """Continue a trial after a report; it has not waited for that."""
        training = self._running[trial_id]
        training.until = until
        training.asked = True

    def stop(self, trial_id: int, *, pause: bool) -> None:
        """Stop or pause a trial; one that has reached the largest resource may end by itself."""
        training = self._running[trial_id]
        training.pause = pause
        largest = self._context.max_resource
        if not pause and largest is not None and training.known >= largest:
            training.finishing = True
            training.give_up = self._context.clock.now() + FINISH
        else:
            self._workers.leave(training.key)

    def wait(self) -> Sequence[Report | Ended]:
        """Wait for what happens next; empty: nothing runs, or the time is over."""
        self._clean_up()
        while True:
            happened = self._look()
            if happened:
                return happened
            if not self._running or self._over():
                return []
            self._in_between()
            self._note(self._workers.listen(self._context.settings.trial_poll_interval))

    def bills(self) -> Sequence[Bill]:
        """What starts are billed, where that is known; see `BilledBackend.bills`."""
        return [
            Bill(
                int(bill.start.path.parents[1].name), bill.start.run, int(bill.start.path.name), bill.seconds, bill.cost
            )
            for bill in self._workers.bills()
        ]

    def close(self) -> Sequence[Report | Ended]:
        """End all trials; returns their unread reports, and their ends."""
        for training in self._running.values():
            self._workers.leave(training.key)
        patience = time.monotonic() + self._context.limits.grace_period + FINISH
        while any(training.exit is None for training in self._running.values()) and time.monotonic() < patience:
            self._note(self._workers.listen(self._context.settings.trial_poll_interval))
        self._workers.close()
        happened: list[Report | Ended] = []
        now = self._context.clock.now()
        for training in list(self._running.values()):
            if training.exit is None:
                training.exit = Exit(training.key, None, None, why="it could not be ended")
            training.look(now)
            if training.pause is None and training.ready:
                happened.append(training.take(len(training.ready)))
            if training.pause is None and not training.failing:
                happened.append(replace(ended(training, now), outcome=Outcome.STOPPED, reason=ENDED))
                self._leave(training, Outcome.PAUSED)  # a larger budget may resume it
            else:
                event = ended(training, now)
                happened.append(event)
                self._leave(training, event.outcome)
        self._ended.clear()  # whether the last events were recorded is not known: files stay as they are
        return happened

    def _look(self) -> list[Report | Ended]:
        """What has happened since."""
        now = self._context.clock.now()
        happened: list[Report | Ended] = []
        for training in list(self._running.values()):
            training.look(now)
            report = training.report() if training.pause is None else None
            if report is not None:
                happened.append(report)
            elif training.closed and (training.pause is not None or not training.ready):
                if training.pause is False and training.ready:
                    happened.append(training.take(len(training.ready)))  # late: the engine counts them
                event = ended(training, now)
                happened.append(event)
                self._leave(training, event.outcome)
            elif training.exit is None:
                self._hurry(training, now)
        return happened

    def _hurry(self, training: Training, now: float) -> None:
        """Make a trial leave that takes too long, or prints too much."""
        if training.give_up is not None:
            if now >= training.give_up:
                training.give_up = None
                self._workers.leave(training.key)
            return
        if training.pause is not None or training.failing or training.waits:
            return
        training.failing = training.fault(self._context.limits, now)
        if training.failing:
            self._workers.leave(training.key)

    def _leave(self, training: Training, outcome: Outcome) -> None:
        """A trial has left its slot; its files stay until the engine has recorded that."""
        del self._running[training.trial_id]
        self._workers.release(training.slot)
        now = self._context.clock.now()
        self._spent += training.seconds(now)
        self._elapsed[training.trial_id] = training.base + training.seconds(now)
        self._ended.append((training, outcome))

    def _clean_up(self) -> None:
        """What was told is recorded by now: forget what is not needed any more."""
        for training, outcome in self._ended:
            folder = training.folder
            folder.forget()
            shorten(folder.err)
            if outcome is not Outcome.PAUSED:  # the rows that a paused trial has written since wait in its files
                shorten(folder.out)
                with suppress(OSError):  # there is none, or the script has put something else in its place
                    folder.reports.unlink()
            if self._context.settings.delete_checkpoints and outcome in (Outcome.COMPLETED, Outcome.STOPPED):
                self._workers.remove_checkpoints(trial_folder(self._folder, training.trial_id))
        self._ended.clear()
        for training in self._running.values():
            if not training.ready:
                training.written.give_back()

    def _over(self) -> bool:
        limits, now = self._context.limits, self._context.clock.now()
        if now >= limits.deadline:
            return True
        if limits.cost is not None and (cost := self._workers.cost()) is not None:
            return cost >= limits.cost
        if limits.training_seconds is None:
            return False
        running = sum(training.seconds(now) for training in self._running.values())
        return self._spent + running >= limits.training_seconds

    def _note(self, happened: Sequence[Began | Exit]) -> None:
        if not happened:  # most of the time
            return
        by_key = {training.key: training for training in self._running.values()}
        for event in happened:
            training = by_key.get(event.key)
            if training is None:
                continue
            if isinstance(event, Exit):
                training.exit = event
            else:
                training.began(self._context.clock.now(), event.devices)
                self._read_late_rows(training)

    def _in_between(self) -> None:
        """Once in a while: look at the disk, and let others act."""
        now = time.monotonic()
        if now - self._idled < IDLE:
            return
        self._idled = now
        self._room.check()
        self._context.idle()

    def _read_late_rows(self, training: Training) -> None:
        """Rows that earlier starts have written while this one waited for a worker."""
        starts = trial_folder(self._folder, training.trial_id).starts()
        last = training.ready[-1][0].resource if training.ready else training.known
        rows = unread_rows(starts, last, training.folder, self._rows)
        if rows:
            training.add(rows, self._context.clock.now())
            last = rows[-1].resource
            training.folder.begins_after(last)
            training.written = Written(training.written.output, self._rows(last, last))

    def _rows(self, known: int, after: int) -> TrialRows:
        """Makes rows of what a start reports that began after a resource."""
        context = self._context
        counted = after if self._script.checkpoints else 0
        return TrialRows(context.metrics, context.metric, context.resource_attr, known, counted)
