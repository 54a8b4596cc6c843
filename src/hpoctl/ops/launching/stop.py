"""`hpoctl stop`: end what runs of a tag: launches on this machine, and jobs that launchers have in hand."""

import os
import platform
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hpoctl.core.errors import IncompleteError
from hpoctl.core.jobs import Launcher
from hpoctl.core.names import check_tag
from hpoctl.ops.launching.launchers import SubmittedJob, launchers_of, manifests_of, submitted_jobs
from hpoctl.ops.launching.launches import Launch, running_launches
from hpoctl.ops.studies.config import Root
from hpoctl.plugins import Registry

PATIENCE = 15.0
"""Seconds that a launch gets to end its workers."""


@dataclass(frozen=True, slots=True)
class Running:
    """What runs of a tag.

    Attributes:
        tag: The tag.
        launches: Launches on this machine.
        elsewhere: Launches on other machines, which can be stopped there only.
        jobs: Jobs that launchers have in hand, running or waiting.
    """

    tag: str
    launches: tuple[Launch, ...]
    elsewhere: tuple[Launch, ...]
    jobs: tuple[SubmittedJob, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a stop did.

    Attributes:
        tag: The tag.
        launches: The launches that have ended.
        jobs: The names of the jobs that were cancelled.
        left: What still runs, a line each.
    """

    tag: str
    launches: tuple[Launch, ...]
    jobs: tuple[str, ...]
    left: tuple[str, ...]


def find_running(root: Root, tag: str, registry: Registry) -> Running:
    """What runs of a tag; nothing is stopped.

    Raises:
        UsageError: The tag is not a valid name, or one of its launchers is not registered.
        IncompleteError: Nothing of it runs.
    """
    launches = running_launches(root.store, root.claims, check_tag(tag))
    here = tuple(launch for launch in launches if launch.host == platform.node())
    jobs, _ = _live_jobs(root, tag, registry)
    elsewhere = tuple(launch for launch in launches if launch not in here)
    if not launches and not jobs:
        raise IncompleteError(
            f"Nothing of tag {tag} runs in {root.store.location('')}.",
            f"`{root.command('status', '--tag', tag)}` shows its experiments.",
        )
    return Running(tag, here, elsewhere, jobs)


def stop(root: Root, running: Running, registry: Registry) -> Stopped:
    """Stop launches first, so that they submit nothing more, then all jobs. What is complete is kept.

    Args:
        root: Where the results are.
        running: What `find_running` has found.
        registry: What names stand for.

    Raises:
        HpoctlError: A launcher cannot be asked.
    """
    left = [f"the launch on {launch.host}, process {launch.pid}: stop it there" for launch in running.elsewhere]
    left += _end_launches(root, running)
    # The jobs are listed again: a launch can submit more of them until it has ended.
    live, launchers = _live_jobs(root, running.tag, registry)
    cancelled = []
    for name, launcher in launchers.items():
        jobs = [job.manifest.job for job in live if job.manifest.launcher == name]
        if jobs:
            launcher.cancel(launcher.find(jobs))
            cancelled += [job.name for job in jobs]
    ended = tuple(launch for launch in running.launches if not _runs(root, running.tag, launch))
    return Stopped(running.tag, ended, tuple(cancelled), tuple(left))


def _live_jobs(root: Root, tag: str, registry: Registry) -> tuple[tuple[SubmittedJob, ...], Mapping[str, Launcher]]:
    """The jobs that run or wait, and the launchers that have been given jobs of the tag."""
    manifests = manifests_of(root.store, tag)
    launchers = launchers_of(manifests, registry)
    return tuple(job for job in submitted_jobs(manifests, launchers) if job.status.live), launchers


def _end_launches(root: Root, running: Running) -> Sequence[str]:
    """End the launches of this machine as Ctrl-C would; returns what does not end."""
    left = []
    for launch in running.launches:
        try:
            os.kill(launch.pid, signal.SIGTERM)
        except ProcessLookupError:
            continue  # it has just ended
        except PermissionError:
            left.append(f"process {launch.pid} belongs to another person")
    deadline = time.monotonic() + PATIENCE
    waiting = list(running.launches)
    while waiting and time.monotonic() < deadline:
        waiting = [launch for launch in waiting if _runs(root, running.tag, launch)]
        time.sleep(0.05 if waiting else 0.0)
    return [*left, *(f"process {launch.pid} still runs" for launch in waiting)]


def _runs(root: Root, tag: str, launch: Launch) -> bool:
    return any(other.name == launch.name for other in running_launches(root.store, root.claims, tag))
