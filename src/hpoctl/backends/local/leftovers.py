"""Finding and ending processes of trials whose controller has died, without touching any other process.

A process is taken for a trial's if its environment names the trial's file of reports, or if it is in the process group
of the trial's first process, and that one is the process that was started: a reused id has another start time.
"""

import os
import signal
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from hpoctl.backends.local.supervisor import born, owner_of, send
from hpoctl.backends.scripts.starts import StartFolder

SOON = 0.02
"""Seconds between two checks of processes that are about to end."""

PATIENCE = 10.0
"""Seconds after SIGKILL within which a process is expected to be gone."""


def end_starts(starts: Iterable[StartFolder], grace: float) -> int:
    """End all processes of starts that were recorded on this machine; see `end_processes`."""
    recorded = [(start, process) for start in starts if (process := start.recorded()) is not None]
    if not recorded:
        return 0
    groups = {process.pid: process.born for _, process in recorded}
    return end_processes(groups, [str(start.reports) for start, _ in recorded], grace)


def end_processes(groups: Mapping[int, int], owners: Collection[str], grace: float) -> int:
    """End all processes of some trials.

    Args:
        groups: The process groups of the trials, and when their first processes were started, in ticks.
        owners: Their files of reports, as in their environment.
        grace: Seconds between SIGTERM and SIGKILL.

    Returns:
        How many processes there were.
    """
    found = find_processes(groups, owners)
    count = len(found)
    began = time.monotonic()
    signalled = signal.SIGTERM if grace > 0 else signal.SIGKILL
    for pid in found:
        send(pid, signalled)
        send(pid, signal.SIGCONT)
    while found and time.monotonic() - began < grace + PATIENCE:
        if time.monotonic() - began >= grace:
            for pid in found:
                send(pid, signal.SIGKILL)
        time.sleep(SOON)
        found = find_processes(groups, owners)
    return count


def find_processes(groups: Mapping[int, int], owners: Collection[str]) -> list[int]:
    """The living processes of some trials; see `end_processes`."""
    ours = {group for group, start in groups.items() if born(group) == start}
    return [
        pid
        for pid, state, group in processes()
        if state != "Z" and pid != os.getpid() and (group in ours or (owners and owner_of(pid) in owners))
    ]


def processes() -> Iterator[tuple[int, str, int]]:
    """All processes that can be seen: id, state, process group."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                words = (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            yield int(folder.name), words[0], int(words[2])
