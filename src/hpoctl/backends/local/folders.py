"""The folders of a trial: its configuration, its checkpoints, and one folder for each start.

trials/7/config.json
         checkpoints/
         starts/0/reports.jsonl   what it reports
                  std.out         what it prints
                  std.err
                  process.json    its first process, while it runs
"""

import json
import platform
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hpoctl.backends.local.processes import Started
from hpoctl.core.cells import CHECKPOINTS
from hpoctl.core.space import Config
from hpoctl.core.trial_call import config_text

TRIALS, STARTS, CONFIG = "trials", "starts", "config.json"
REPORTS, OUT, ERR, PROCESS, AFTER = "reports.jsonl", "std.out", "std.err", "process.json", "after"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class TrialFolder:
    """The folder of a trial.

    Attributes:
        path: Where it is.
    """

    path: Path

    @property
    def checkpoints(self) -> Path:
        """Where the trial keeps its state."""
        return self.path / CHECKPOINTS

    @property
    def config(self) -> Path:
        """Its configuration, as JSON."""
        return self.path / CONFIG

    def starts(self) -> list["StartFolder"]:
        """The folders of its starts, the first one first."""
        with suppress(FileNotFoundError):
            names = sorted(int(entry.name) for entry in (self.path / STARTS).iterdir() if entry.name.isdigit())
            return [StartFolder(self.path / STARTS / str(name)) for name in names]
        return []

    def new_start(self, config: Config, after: int) -> "StartFolder":
        """Make the folder of its next start after a known resource, and what is needed beside it."""
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        if not self.config.exists():
            self.config.write_text(config_text(config), encoding="utf-8")
        earlier = self.starts()
        number = int(earlier[-1].path.name) + 1 if earlier else 0
        folder = StartFolder(self.path / STARTS / str(number))
        folder.path.mkdir(parents=True)
        if after:
            (folder.path / AFTER).write_text(str(after), encoding="ascii")
        return folder


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
        facts = {"pid": started.pid, "born": started.born, "host": platform.node(), "boot": boot_id()}
        (self.path / PROCESS).write_text(json.dumps(facts), encoding="utf-8")

    def recorded(self) -> Started | None:
        """Its first process, if it was started on this machine since that was booted; it may have ended."""
        try:
            facts = json.loads((self.path / PROCESS).read_text(encoding="utf-8"))
            if (facts["host"], facts["boot"]) == (platform.node(), boot_id()):
                return Started(int(facts["pid"]), int(facts["born"]))
        except (OSError, ValueError, KeyError, TypeError):
            pass  # it was not started, or is known to have ended
        return None

    def forget(self) -> None:
        """Its processes have ended."""
        (self.path / PROCESS).unlink(missing_ok=True)

    @property
    def after(self) -> int:
        """The resource that was known when it began."""
        try:
            return int((self.path / AFTER).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0


def trial_folder(root: Path, trial_id: int) -> TrialFolder:
    """The folder of a trial below that of the experiment."""
    return TrialFolder(root / TRIALS / str(trial_id))


def boot_id() -> str:
    """What names the present run of this machine; process ids and start times mean nothing in another one."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
