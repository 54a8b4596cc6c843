"""Workers on SageMaker: each start of a trial is a training job, which outlives its controller.

The name of a job follows from the experiment and the start, and a name can be used once: a controller that takes over
asks for the same jobs again, and finds those that are there. What a controller has to know of a job lies beside the
files of its start.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from hpoctl.backends.local.slots import Slots
from hpoctl.backends.scripts.files import output_of
from hpoctl.backends.scripts.folders import TrialFolder
from hpoctl.backends.scripts.starts import StartFolder
from hpoctl.backends.scripts.workers import Began, Command, Exit, Output, Slot, StartBill
from hpoctl.core.errors import HpoctlError
from hpoctl.core.script import Script
from hpoctl.core.trial_backends import BackendContext
from hpoctl.core.trial_call import TrialCall
from hpoctl.stores.opening import open_results
from hpoctl_sagemaker.api import SagemakerApi
from hpoctl_sagemaker.errors import BusyError
from hpoctl_sagemaker.request import CHECKPOINTS, NO_ROLE
from hpoctl_sagemaker.sessions import BRIEF
from hpoctl_sagemaker.trial_bills import Bills
from hpoctl_sagemaker.trial_job import TrialJob, kept_job
from hpoctl_sagemaker.trial_options import SagemakerTrialOptions
from hpoctl_sagemaker.trial_place import in_container, make_place
from hpoctl_sagemaker.trial_poll import TrialPoll, keep_log
from hpoctl_sagemaker.trial_pools import end_pools
from hpoctl_sagemaker.trial_queue import TrialQueue
from hpoctl_sagemaker.trial_reports import ArrivingReports
from hpoctl_sagemaker.trial_request import job_name
from hpoctl_sagemaker.trial_requests import Requests
from hpoctl_sagemaker.trial_waiting import Waiting, busy_trials

STOPPING = 600.0
"""Seconds that jobs get to end when their experiment does; AWS gives a container two minutes."""

GRACE = 100.0
"""Seconds between SIGTERM and SIGKILL for a script, at most: AWS ends the container after two minutes."""


class SagemakerWorkers:
    """The workers of one experiment on SageMaker; see `Workers`.

    Args:
        context: The experiment.
        options: Where, how, and with what limits.

    Raises:
        UsageError: An option is wrong.
        HpoctlError: S3 cannot be used.
    """

    def __init__(self, context: BackendContext, options: SagemakerTrialOptions) -> None:
        if options.role is None:
            raise NO_ROLE  # before anything is written
        script, _ = context.needed_script
        self._options, self._say = options, context.say
        self._environment = options.chosen_environment()
        self._api = SagemakerApi(options.region, BRIEF)
        self._store = open_results(options.s3).store
        self._place, self._folder = make_place(context, options, self._store, self._api.region)
        grace, price = min(context.limits.grace_period, GRACE), context.settings.price_per_hour
        fixed = {*script.environment, *self._environment}
        self._requests = Requests(self._place, options, self._api.model_of_requests(), fixed, grace, price)
        self._poll = TrialPoll(self._api, self._store, self._folder, self._place.mark, logs=options.read_logs)
        self._queue = TrialQueue(self._api, options.poll_interval)
        self._priced = price is not None or bool(options.price_values)
        self._slots = Slots(context.n_workers, (), (), 0)
        self._jobs: dict[str, TrialJob] = {}
        self._left_behind: dict[str, TrialJob] = {}  # by earlier controllers, and not taken over yet
        self._bills = Bills()
        self._removing: set[str] = set()
        self._stopping: set[str] = set()  # jobs that SageMaker was too busy to stop
        self._pools: dict[str, TrialJob] = {}  # ended jobs whose machines are kept
        self._happened: list[Began | Exit] = []
        self._next = float("-inf")
        self._waiting = Waiting(context.say)

    @property
    def python(self) -> str:
        """Empty: the Python of the container."""
        return ""

    @property
    def inherited(self) -> Mapping[str, str]:
        """The environment variables that the options name."""
        return self._environment

    def recover(self, starts: Sequence[StartFolder]) -> int:
        """Find the jobs of an earlier controller; they run on. Returns 0: none are ended."""
        for start in starts:
            job = kept_job(start)
            if job is None:
                continue
            if job.phase == "closed":
                self._bills.ended(job)
                if self._options.keep_alive:
                    self._pools[job.name] = job
            elif job.left:
                self._take_over(job)
            else:
                self._left_behind[job.key] = job
        if self._left_behind:
            self._say(f"{len(self._left_behind)} training jobs of an earlier run of this experiment continue")
        return 0

    def continues(self, start: StartFolder) -> bool:
        """Whether a job of an earlier controller was left to run, or has completed without it."""
        return f"{start.path.parents[1].name}/{start.path.name}" in self._left_behind

    def seen(self, script: Script, call: TrialCall) -> tuple[Script, TrialCall]:
        """The script and the call with the paths of the container."""
        return in_container(script, call)

    def take(self) -> Slot:
        """A free slot."""
        return self._slots.take()

    def release(self, slot: Slot) -> None:
        """Take a slot back."""
        self._slots.release(slot)

    def start(self, key: str, start: StartFolder, slot: Slot, command: Command) -> Output:  # noqa: ARG002 - see `Workers`
        """Start a trial, as soon as SageMaker takes its job; one of an earlier controller is taken over."""
        taken = self._left_behind.pop(key, None)
        job = TrialJob(key, job_name(self._place.mark, key), start, "", 1, None, ArrivingReports(start.reports))
        self._jobs[key] = job
        job.reports.begin()
        try:
            self._requests.make(job, command)
        except HpoctlError as error:
            self._end(job, Exit(key, None, None, why=f"{error.what} {error.fix}"))
            return replace(output_of(start), begun=False)
        job.keep()
        if taken is not None:
            self._find(job)
        self._submit()
        return replace(output_of(start), begun=False)

    def leave(self, key: str) -> None:
        """Ask a trial to leave. Its job takes minutes; with `start_jobs_without_delay` its worker is free now."""
        job = self._jobs.get(key)
        if job is None or job.left:
            return
        job.left = True
        if job.phase == "queued" and not self._queue.asked(job):
            self._end(job, Exit(key, None, None))
            return
        job.keep()
        job.phase = "sent" if job.phase == "queued" else job.phase
        self._stop(job)
        if self._options.start_jobs_without_delay:
            self._tell(job, Exit(key, None, None))

    def hold(self, *, go_on: bool) -> None:
        """Nothing: trials do not write to this disk."""

    def listen(self, seconds: float) -> Sequence[Began | Exit]:
        """Wait so long at most for something to happen. SageMaker is asked every few seconds only."""
        for job in self._left_behind.values():  # all that continue are started by now
            job.left = True
            self._take_over(job)
        self._left_behind.clear()
        now = time.monotonic()
        if not self._happened and now < self._next:
            time.sleep(max(0.0, min(seconds, self._next - now)))
        if time.monotonic() >= self._next:
            self._look()
        happened, self._happened = self._happened, []
        return happened

    def remove_checkpoints(self, folder: TrialFolder) -> None:
        """Remove the checkpoints of a trial, as soon as its job has ended."""
        self._removing.add(folder.path.name)
        self._remove()

    def cost(self) -> float | None:
        """What all starts have cost up to now."""
        if not self._priced:
            return None
        return self._bills.cost(self._jobs.values())

    def bills(self) -> Sequence[StartBill]:
        """What jobs are billed that have ended since the last call."""
        return self._bills.take()

    def close(self) -> None:
        """End all trials, and wait until their jobs have stopped, so that nothing is lost and all bills are known."""
        for key in list(self._jobs):
            self.leave(key)
        end = time.monotonic() + STOPPING
        waiting = self._open()
        if waiting:
            self._say(f"waiting for {len(waiting)} training jobs to stop")
        while self._open() and time.monotonic() < end:
            self.listen(self._options.poll_interval)
        if self._options.keep_alive:
            self._bills.changed(end_pools(self._api, self._place.mark, self._pools, self._options.poll_interval))
            self._pools.clear()
        self._jobs.clear()

    def _open(self) -> list[TrialJob]:
        return [job for job in self._jobs.values() if job.phase != "closed"]

    def _submit(self) -> None:
        """Ask for the jobs that wait."""
        waiting = [job for job in self._jobs.values() if job.phase == "queued"]
        busy = busy_trials(list(self._jobs.values()))
        for key, why in self._queue.submit(waiting, busy).items():
            self._end(self._jobs[key], Exit(key, None, None, why=why))

    def _find(self, job: TrialJob) -> None:
        """Look whether SageMaker has the job of an earlier controller; otherwise it is asked for again."""
        with suppress(BusyError):
            if self._api.ending(job.name) is not None:
                job.phase = "sent"
        self._next = float("-inf")

    def _stop(self, job: TrialJob) -> None:
        try:
            self._api.stop(job.name)
            self._stopping.discard(job.key)
        except BusyError:
            self._stopping.add(job.key)

    def _take_over(self, job: TrialJob) -> None:
        """End a job of an earlier controller; what it has reported is read when it has stopped."""
        self._jobs[job.key] = job
        job.announced = True
        job.reports.begin()
        job.keep()
        self._stop(job)

    def _tell(self, job: TrialJob, exit_: Exit) -> None:
        if not job.told:
            job.told = True
            self._happened.append(exit_)

    def _end(self, job: TrialJob, exit_: Exit) -> None:
        """A job that SageMaker has never had is over."""
        job.phase, job.seconds = "closed", 0
        self._bills.ended(job)
        job.keep()
        self._tell(job, exit_)
        self._jobs.pop(job.key, None)

    def _look(self) -> None:
        """Ask SageMaker how far jobs are, and what they have reported; ask for those that wait."""
        trouble = ""
        self._next = time.monotonic() + self._options.poll_interval
        for key in list(self._stopping):
            self._stop(self._jobs[key])
        try:
            self._poll.look(list(self._jobs.values()))
        except BusyError as error:
            trouble = error.what
        for job in list(self._jobs.values()):
            if (job.began or job.reports.any or job.phase == "closed") and not job.announced:
                job.announced = True
                if not job.began:
                    job.began, job.since = True, time.monotonic()
                if not job.told:
                    self._happened.append(Began(job.key))
            if job.phase == "closed":
                self._finish(job)
        self._submit()
        if self._poll.more:
            self._next = float("-inf")
        troubles, jobs = [trouble, self._poll.trouble], list(self._jobs.values())
        self._waiting.tell(troubles, self._queue.why, len(self._poll.interrupted), jobs)

    def _finish(self, job: TrialJob) -> None:
        """A job has ended, and all that it has reported is here."""
        if job.why and job.began:
            keep_log(self._api, job)
        self._tell(job, Exit(job.key, 0 if job.completed else None, None, why=job.why))
        self._bills.ended(job)
        job.keep()
        del self._jobs[job.key]
        self._stopping.discard(job.key)
        if self._options.keep_alive:
            self._pools[job.name] = job
        self._queue.room()
        self._remove()

    def _remove(self) -> None:
        """Remove checkpoints of trials that are over and whose jobs have ended."""
        busy = {job.trial for job in self._jobs.values()}
        for trial in list(self._removing - busy):
            self._store.delete(f"{self._folder}/{CHECKPOINTS}/{trial}")
            self._removing.discard(trial)
