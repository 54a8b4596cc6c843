"""The folder of one start of a trial, and its first process. It needs the standard library only.

trials/7/starts/0/reports.jsonl   what it reports
                  std.out         what it prints
                  std.err
                  process.json    its first process, while it runs
                  after           the resource that was known when it began
                  run             which start or resume of the trial it belongs to, where that is not its number
"""

import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpoctl.core.files import read_regular

REPORTS, OUT, ERR, PROCESS, AFTER, RUN = "reports.jsonl", "std.out", "std.err", "process.json", "after", "run"
SMALL = 2**16
"""Bytes that a file with a few facts may have."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Started:
    """A trial's first process, which is also the number of its process group.

    Attributes:
        pid: Its id.
        born: When it was started, in ticks since the machine was.
    """

    pid: int
    born: int


@dataclass(frozen=True, slots=True)
class StartFolder:
    """The folder of one start of a trial.

    Attributes:
        path: Where it is.
    """

    path: Path

    @property
    def reports(self) -> Path:
        """What the trial reports."""
        return self.path / REPORTS

    @property
    def out(self) -> Path:
        """Its standard output."""
        return self.path / OUT

    @property
    def err(self) -> Path:
        """Its standard error."""
        return self.path / ERR

    def record(self, started: Started) -> None:
        """Remember its first process, for a controller that comes after this one."""
        self.keep({"pid": started.pid, "born": started.born, "host": platform.node(), "boot": boot_id()})

    def keep(self, facts: Mapping[str, Any]) -> None:
        """Remember what another machine has recorded of its first process: its `facts` there."""
        (self.path / PROCESS).write_text(json.dumps(facts), encoding="utf-8")

    def recorded(self) -> Started | None:
        """Its first process, if it was started on this machine since that was booted; it may have ended."""
        facts = self.facts
        try:
            if (facts["host"], facts["boot"]) == (platform.node(), boot_id()):
                return Started(int(facts["pid"]), int(facts["born"]))
        except (ValueError, KeyError, TypeError):
            pass  # the file is damaged
        return None

    @property
    def host(self) -> str:
        """The machine on which it was started, unless it is known to have ended; empty: not known."""
        return str(self.facts.get("host", ""))

    def forget(self) -> None:
        """Its processes have ended."""
        with suppress(FileNotFoundError, NotADirectoryError):  # its script may have removed its folder
            (self.path / PROCESS).unlink()

    @property
    def after(self) -> int:
        """The resource that was known when it began."""
        try:
            return int(read_regular(self.path / AFTER, SMALL))
        except (OSError, ValueError):
            return 0

    def begins_after(self, resource: int) -> None:
        """Remember the resource that was known when it began."""
        if resource:
            (self.path / AFTER).write_text(str(resource), encoding="ascii")

    @property
    def run(self) -> int:
        """Which start or resume of the trial it belongs to: one that was taken over has several folders."""
        try:
            return int(read_regular(self.path / RUN, SMALL))
        except (OSError, ValueError):
            return int(self.path.name)

    def belongs_to(self, run: int) -> None:
        """Remember which start or resume of the trial it belongs to."""
        if run != int(self.path.name):
            (self.path / RUN).write_text(str(run), encoding="ascii")

    @property
    def facts(self) -> Mapping[str, Any]:
        """What is recorded of its first process; nothing: it was not started, or is known to have ended."""
        try:
            facts = json.loads(read_regular(self.path / PROCESS, SMALL))
        except (OSError, ValueError):
            return {}
        return facts if isinstance(facts, dict) else {}


def boot_id() -> str:
    """What names the present run of this machine; process ids and start times mean nothing in another one."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
