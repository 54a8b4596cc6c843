"""What tests of trial backends do with them: run trials to their end, and look at what is left."""

from pathlib import Path

from hpoctl.backends.local.leftovers import processes
from hpoctl.backends.local.supervisor import owner_of
from hpoctl.core.protocols import Ended, Report, TrialBackend


def levels(events: list[Report | Ended]) -> list[int]:
    """All levels of reports, in their order."""
    return [level for event in events if isinstance(event, Report) for level in event.resources.tolist()]


def to_the_end(backend: TrialBackend) -> list[Report | Ended]:
    """Everything that happens until no trial runs; trials continue after each report."""
    found: list[Report | Ended] = []
    while happened := backend.wait():
        found += happened
        for event in happened:
            if isinstance(event, Report):
                backend.proceed(event.trial_id, until=None)
    return found


def until_level(backend: TrialBackend, trial_id: int, level: int) -> list[Report | Ended]:
    """Everything that happens until a trial has reported at a level; it waits for an answer then."""
    found: list[Report | Ended] = []
    while levels(found)[-1:] != [level]:
        found += backend.wait()
        if levels(found)[-1:] != [level]:
            backend.proceed(trial_id, until=None)
    return found


def left(folder: Path) -> list[int]:
    """The living processes of trials whose reports lie below a folder."""
    owners = [(pid, owner_of(pid)) for pid, state, _ in processes() if state != "Z"]
    return [pid for pid, owner in owners if owner is not None and owner.startswith(str(folder))]
