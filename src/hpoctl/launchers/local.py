"""The local launcher: warm worker processes on this machine, each running one experiment at a time.

A worker that crashes costs its experiment one attempt and nothing else: another worker takes its place. Whatever the
launcher itself dies of, its workers find their input closed, finish their experiments, and exit.
"""

import selectors
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hpoctl.core.errors import HpoctlError
from hpoctl.core.jobs import MOST_TRAINING, Activity, Failure, Job, JobState, JobStatus, Task
from hpoctl.engine.attempts import record_end
from hpoctl.launchers.options import LocalOptions
from hpoctl.launchers.process import WorkerProcess, gist
from hpoctl.stores.opening import open_results

GRACE = 1.2
"""Seconds that a worker gets to record an interruption before it is killed."""

FAREWELL = 5.0
"""Seconds that an idle worker gets to exit by itself."""

START_LIMIT = 120.0
"""Seconds after which a worker that has not started is taken for hanging, in the import of a plugin for example."""

MOST_AT_ONCE = 5.0
"""Most seconds without progress that one check counts: where the machine was suspended, workers were, too."""

FIRST_CHECK, LONGEST_CHECK = 0.1, 2.0
"""Seconds until a check whether another launch has finished an experiment: at first, and at most."""


@dataclass(slots=True)
class _QueuedTask:
    """A task on its way."""

    job: Job
    task: Task
    tries: int = 0
    patience: float = FIRST_CHECK
    not_before: float = 0.0


@dataclass(slots=True)
class _JobProgress:
    """What has become of a job's tasks."""

    job: Job
    begun: bool = False
    done: int = 0
    failures: list[Failure] = field(default_factory=list)


class LocalLauncher:
    """Runs jobs on this machine. Their experiments run side by side, those that take longest first.

    Args:
        options: How many at a time, how often, how long.
    """

    def __init__(self, options: LocalOptions) -> None:
        self._options = options
        self._jobs: dict[str, _JobProgress] = {}
        self._queue: list[_QueuedTask] = []  # the next one is the last
        self._waiting: list[_QueuedTask] = []  # for another launch, which runs them
        self._workers: list[WorkerProcess] = []
        self._running: dict[int, _QueuedTask] = {}  # by the id of the worker
        self._overdue: dict[int, str] = {}  # why a worker was killed, by its id
        self._checked_at = time.monotonic()
        self._failed_starts = 0

    def submit(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Take in jobs; one that was submitted before is not taken twice."""
        for job in jobs:
            if job.name not in self._jobs:
                self._jobs[job.name] = _JobProgress(job)
                self._queue.extend(_QueuedTask(job, task) for task in job.tasks)
        self._queue.sort(key=lambda entry: entry.task.seconds)
        return [job.name for job in jobs]

    def find(self, jobs: Sequence[Job]) -> Sequence[str]:
        """Nothing that another process has submitted: jobs end with their launch."""
        return [job.name for job in jobs]

    def poll(self, receipts: Sequence[str], seconds: float) -> Sequence[JobStatus]:
        """The states of jobs. Work continues only while `poll` is called.

        Raises:
            HpoctlError: Workers cannot be started.
        """
        self._hand_out()
        self._listen(seconds)
        self._hand_out()
        if not self._running and not self._queue and not self._waiting:
            self._close(FAREWELL)
        return [self._status(receipt) for receipt in receipts]

    def activity(self) -> Sequence[Activity]:
        """A line for each worker, and one for what other launches run."""
        lines = []
        for place, worker in enumerate(self._workers, 1):
            what = str(worker.cell) if worker.cell else "idle" if worker.ready else "starting"
            lines.append(Activity(f"worker {place}", what, worker.share, worker.seconds, worker.trials))
        if self._waiting:
            text = f"{len(self._waiting)} experiments that another launch runs"
            lines.append(Activity("waiting for", text, None, 0.0))
        return lines

    def cancel(self, receipts: Sequence[str]) -> None:
        """Stop jobs. What they were running is recorded as interrupted."""
        names = set(receipts)
        self._queue = [entry for entry in self._queue if entry.job.name not in names]
        self._waiting = [entry for entry in self._waiting if entry.job.name not in names]
        stopped = [worker for worker in self._workers if self._job_of(worker) in names]
        for worker in stopped:
            worker.interrupt()
        try:
            self._await_stop(stopped, time.monotonic() + GRACE)
        except KeyboardInterrupt:  # a second interruption ends at once
            self._await_stop([worker for worker in stopped if worker in self._workers], time.monotonic())
            self._close(0.0)
            raise
        if not self._running and not self._queue and not self._waiting:
            self._close(0.0)

    def log(self, receipt: str) -> str:  # noqa: ARG002 - the contract's signature
        """Nothing: what an experiment prints is kept beside its results."""
        return ""

    def _await_stop(self, workers: Sequence[WorkerProcess], deadline: float) -> None:
        for worker in workers:
            entry, directory = self._running[id(worker)], worker.directory
            _, log = self._remove(worker, deadline - time.monotonic())
            if directory is not None:
                record_end(open_results(entry.job.results).store, directory, {"status": "interrupted"}, log)

    def _job_of(self, worker: WorkerProcess) -> str | None:
        return self._running[id(worker)].job.name if id(worker) in self._running else None

    def _status(self, receipt: str) -> JobStatus:
        progress = self._jobs.get(receipt)
        if progress is None:
            return JobStatus("unknown")
        ended = progress.done + len(progress.failures) >= len(progress.job.tasks)
        state: JobState = "running" if progress.begun else "waiting"
        if ended:
            state = "failed" if progress.failures else "done"
        return JobStatus(state, progress.done, tuple(progress.failures))

    def _hand_out(self) -> None:
        """Give tasks to idle workers, and start workers while more tasks wait than workers are idle."""
        now = time.monotonic()
        for entry in [entry for entry in self._waiting if entry.not_before <= now]:
            self._waiting.remove(entry)
            self._queue.insert(0, entry)
        for worker in self._workers:
            following = self._next() if worker.ready and worker.cell is None else None
            if following is not None:
                self._running[id(worker)] = following
                self._jobs[following.job.name].begun = True
                worker.give(following.task)
        idle = sum(worker.cell is None for worker in self._workers)
        missing = min(self._options.workers - len(self._workers), len(self._queue) - idle)
        for _ in range(missing):
            # All jobs of a launch have the same command: any of them will do.
            self._workers.append(WorkerProcess(self._queue[-1].job.command))

    def _next(self) -> _QueuedTask | None:
        """Take the next task that this machine has room for: the last one that fits.

        Experiments whose trials train here run on separate cores, `MOST_TRAINING` at a time: simulated ones run beside
        them on the cores that are left.
        """
        in_hand = [entry.task.cores for entry in self._running.values()]
        load = sum(max(1, cores) for cores in in_hand)
        for place in range(len(self._queue) - 1, -1, -1):
            cores = self._queue[place].task.cores
            fits = not in_hand or load + max(1, cores) <= self._options.workers
            if fits and not (cores and sum(map(bool, in_hand)) >= MOST_TRAINING):
                return self._queue.pop(place)
        return None

    def _listen(self, seconds: float) -> None:
        """Wait for messages of workers, and act on them."""
        wait = min([seconds, *(max(0.0, entry.not_before - time.monotonic()) for entry in self._waiting)])
        if not self._workers:
            if self._waiting:
                time.sleep(wait)
            return
        with selectors.DefaultSelector() as selector:
            for worker in self._workers:
                selector.register(worker.descriptor, selectors.EVENT_READ, worker)
            readable = [key.data for key, _ in selector.select(wait)]
        for worker in [worker for worker in self._workers if worker in readable or worker.ended]:
            messages = worker.messages() if worker in readable else None
            if messages is None:
                self._handle_exit(worker)
            else:
                for message in messages:
                    self._act(worker, message)
        self._stop_overdue()

    def _act(self, worker: WorkerProcess, message: Mapping[str, Any]) -> None:
        event = message["event"]
        if event == "ready":
            worker.ready = True
            self._failed_starts = 0
        elif event == "began":
            worker.directory = message["directory"]
        elif event == "progress":
            worker.progresses(message)
        elif event == "ended":
            worker.drop()
            entry = self._running.pop(id(worker))
            if message["outcome"] == "held":
                self._wait_for(entry)
            elif message["outcome"] == "failed":
                self._fail(entry, message["error"])
            else:
                self._jobs[entry.job.name].done += 1

    def _wait_for(self, entry: _QueuedTask) -> None:
        entry.not_before = time.monotonic() + entry.patience
        entry.patience = min(2 * entry.patience, LONGEST_CHECK)
        self._waiting.append(entry)

    def _fail(self, entry: _QueuedTask, error: str) -> None:
        entry.tries += 1
        if entry.tries <= self._options.retries:
            self._queue.insert(0, entry)
        else:
            self._jobs[entry.job.name].failures.append(Failure(entry.task.cell, error))

    def _stop_overdue(self) -> None:
        """End workers that exceed the timeout; without one, those that make no progress for too long."""
        now = time.monotonic()
        passed, self._checked_at = min(now - self._checked_at, MOST_AT_ONCE), now
        limit = self._options.timeout
        for worker in self._workers:
            worker.silent += passed
            entry = self._running.get(id(worker))
            patience = None if entry is None else entry.task.patience
            if not worker.ready and worker.silent > START_LIMIT:
                self._end_overdue(worker, f"it did not start within {START_LIMIT:g} s")
            elif entry is not None and limit is not None and worker.seconds > limit:
                self._end_overdue(worker, f"it took longer than --timeout {limit:g} s")
            elif entry is not None and limit is None and patience is not None and worker.silent > patience:
                self._end_overdue(worker, f"it made no progress for {patience:,.0f} s")

    def _end_overdue(self, worker: WorkerProcess, why: str) -> None:
        self._overdue.setdefault(id(worker), why)
        worker.kill()

    def _handle_exit(self, worker: WorkerProcess) -> None:
        """A worker has died: record why beside its experiment, if it had one."""
        entry, directory = self._running.get(id(worker)), worker.directory
        overdue = self._overdue.get(id(worker))
        how, log = self._remove(worker, FAREWELL)
        if entry is None:
            self._failed_starts += 1
            hangs = overdue is not None and not any(other.ready for other in self._workers)
            if hangs or self._failed_starts > self._options.workers:
                what = f"Workers cannot start: {overdue or how}: {gist(log)}"
                raise HpoctlError(what, "`hpoctl plugins` shows what is loaded.")
            return
        reason = overdue or how
        closing = {"status": "failed", "error": reason}
        if directory is not None and record_end(open_results(entry.job.results).store, directory, closing, log):
            self._jobs[entry.job.name].done += 1
        else:
            self._fail(entry, reason)

    def _remove(self, worker: WorkerProcess, seconds: float) -> tuple[str, bytes]:
        """Take a worker off the list, after its end; returns how it ended, and what it printed."""
        how = worker.end(seconds)
        log = worker.log()
        worker.close()
        self._workers.remove(worker)
        self._running.pop(id(worker), None)
        self._overdue.pop(id(worker), None)
        return how, log

    def _close(self, seconds: float) -> None:
        for worker in self._workers:
            worker.dismiss()
        deadline = time.monotonic() + seconds
        for worker in list(self._workers):
            self._remove(worker, deadline - time.monotonic())
