"""The contract of a launcher whose jobs outlive their launch: later launches find them, and none is run twice.

What no launcher can be asked for, such as the crash of a job, is done to the other side by functions of the caller.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial

from hpoctl.core.errors import HpoctlError
from hpoctl.core.jobs import Job, Launcher
from hpoctl.testing.contract import require
from hpoctl.testing.polling import complete, finish, launching, poll_until, states
from hpoctl.testing.toy_jobs import ToyJobs

Check = Callable[[Callable[[], Launcher], ToyJobs], None]


@dataclass(frozen=True, slots=True)
class OtherSide:
    """What a test can do to the other side of a launcher; None: it cannot, and what needs it is not checked.

    Attributes:
        kill: Kills all processes of a job, given its name, as a crash of its machine would.
        lose_reply: While it is entered, the other side takes submissions in, and its answers are lost.
        forget: Makes the other side forget all jobs that have ended.
        submissions: How many jobs the other side has ever taken in, or larger units that hold jobs.
        stops: Seconds within which cancelled jobs have stopped there.
    """

    kill: Callable[[str], None] | None = None
    lose_reply: Callable[[], AbstractContextManager[None]] | None = None
    forget: Callable[[], None] | None = None
    submissions: Callable[[], int] | None = None
    stops: float = 20.0


def checks_of(other: OtherSide) -> Sequence[Check]:
    """The checks that can be done, in the order in which they should be."""
    checks: list[Check] = [_check_found, partial(_check_twice, other.submissions)]
    checks += [partial(_check_crash, other.kill)] if other.kill else []
    checks += [partial(_check_lost_reply, other.lose_reply, other.submissions)] if other.lose_reply else []
    checks += [partial(_check_forgotten, other.forget)] if other.forget else []
    return checks


def _jobs(toys: ToyJobs, count: int = 1) -> tuple[Job, ...]:
    """One or two jobs with two experiments each."""
    return toys.jobs(toys.cells("RS-EACH"))[:count]


def _check_found(make: Callable[[], Launcher], toys: ToyJobs) -> None:
    """Jobs outlive the launcher that submitted them; another one finds and cancels them."""
    jobs = _jobs(toys, 2)
    held = jobs[0].tasks[0].cell
    toys.set_wire(held, "wait")
    stranger = make()
    require(
        states(stranger.poll(stranger.find(jobs), 0.0)) == ["unknown"] * len(jobs),
        "a job that was never submitted is not unknown",
    )
    require(not toys.attempts(), "to find jobs submits them")
    make().submit(jobs)
    other = make()
    receipts = list(other.find(jobs))
    try:
        require(len(receipts) == len(jobs), "find does not give a receipt for each job")
        found = states(other.poll(receipts, 0.0))
        require("unknown" not in found, f"jobs of another launcher are {found}")
        poll_until(other, receipts, lambda: held in toys.running(), "jobs end with the launcher that submitted them")
        require("unknown" not in states(other.poll(receipts, 0.0)), "a running job of another launcher is unknown")
        require(isinstance(other.log(receipts[0]), str), "the log of a job is no text")
        toys.cut_wire(held)
        ended = states(finish(other, receipts))
        require(ended == ["done"] * len(jobs), f"jobs of another launcher end as {ended}")
    finally:
        other.cancel(receipts)
    late = make()
    found = states(late.poll(late.find(jobs), 0.0))
    require(found == ["done"] * len(jobs), f"jobs that ended before a launcher was made are {found}")


def _check_twice(submissions: Callable[[], int] | None, make: Callable[[], Launcher], toys: ToyJobs) -> None:
    """The same jobs, submitted again by the same launcher, by another one, and after their end."""
    jobs = _jobs(toys)
    before = submissions() if submissions else 0
    with launching(make, jobs) as (one, receipts):
        one.submit(jobs)
        with launching(make, jobs) as (other, others):
            finish(one, receipts)
            finish(other, others)
    with launching(make, jobs) as (late, receipts):
        ended = states(finish(late, receipts))
        require(ended == ["done"] * len(jobs), f"jobs that are submitted again after their end are {ended}")
    _require_attempts(toys, jobs, "a job that was submitted twice runs its experiments again")
    if submissions:
        require(submissions() - before <= len(jobs), "the other side was given the same job twice")


def _check_crash(kill: Callable[[str], None], make: Callable[[], Launcher], toys: ToyJobs) -> None:
    """A killed job fails or continues; its completed experiments are kept, the rest can be run later."""
    jobs = _jobs(toys, 2)
    held = jobs[0].tasks[0].cell  # in a job that runs one at a time, the last one
    toys.set_wire(held, "wait")
    with launching(make, jobs) as (launcher, receipts):
        poll_until(launcher, receipts, lambda: held in toys.running(), "an experiment does not begin")
        kill(jobs[0].name)
        toys.cut_wire(held)
        statuses = finish(launcher, receipts)
    killed, *others = statuses
    require(killed.state != "failed" or killed.reason.strip(), "nothing says why a job that was killed has failed")
    require(killed.state == "failed" or held in complete(toys), "a job that was killed is done, and it is not")
    require(states(others) == ["done"] * len(others), "the crash of a job costs another one")
    missing = [task.cell for task in jobs[0].tasks if task.cell not in complete(toys)]
    again = toys.jobs(missing, attempt=1)
    with launching(make, again) as (launcher, receipts):
        ended = states(finish(launcher, receipts))
    require(ended == ["done"] * len(again), f"what a job that was killed has left ends as {ended}")
    completed = [attempt.cell for attempt in toys.attempts() if attempt.recorded == "completed" and attempt.cell]
    expected = [task.cell for job in jobs for task in job.tasks]
    require(sorted(completed) == sorted(expected), "after a crash, an experiment is completed twice, or not at all")


def _check_lost_reply(
    lose_reply: Callable[[], AbstractContextManager[None]],
    submissions: Callable[[], int] | None,
    make: Callable[[], Launcher],
    toys: ToyJobs,
) -> None:
    """A submission that was taken in and not answered is not done again, by another launcher."""
    jobs = _jobs(toys)
    before = submissions() if submissions else 0
    with lose_reply(), suppress(HpoctlError):
        make().submit(jobs)
    if submissions:
        require(submissions() > before, "the answer was to be lost, not the submission")
    with launching(make, jobs) as (launcher, receipts):
        ended = states(finish(launcher, receipts))
        require(ended == ["done"] * len(jobs), f"jobs whose submission was not answered end as {ended}")
    _require_attempts(toys, jobs, "a job whose submission was not answered runs its experiments again")
    if submissions:
        require(submissions() - before <= len(jobs), "the other side was given a job again whose answer was lost")


def _check_forgotten(forget: Callable[[], None], make: Callable[[], Launcher], toys: ToyJobs) -> None:
    """When the other side knows nothing any more, the results say how jobs have ended."""
    jobs = _jobs(toys, 2)
    failing = jobs[0].tasks[0].cell
    toys.set_wire(failing, "fail")
    with launching(make, jobs) as (launcher, receipts):
        before = states(finish(launcher, receipts))
    forget()
    late = make()
    receipts = list(late.find(jobs))
    statuses = late.poll(receipts, 0.0)
    require(states(statuses) == before, f"forgotten jobs are {states(statuses)}, and were {before}")
    named = [failure.cell for status in statuses for failure in status.failures]
    require(named == [failing], "failures of a job that is forgotten do not name what failed")
    late.submit(jobs)
    finish(late, receipts)
    _require_attempts(toys, jobs, "a job that is forgotten runs its experiments again")


def _require_attempts(toys: ToyJobs, jobs: Sequence[Job], otherwise: str) -> None:
    require(len(toys.attempts()) == sum(len(job.tasks) for job in jobs), otherwise)
