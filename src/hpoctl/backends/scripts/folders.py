"""The folders of a trial: its configuration, its checkpoints, and one folder for each start.

trials/7/config.json
         checkpoints/
         starts/0/...   see `starts`
"""

import re
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hpoctl.backends.scripts.starts import SMALL, StartFolder
from hpoctl.core.cells import CHECKPOINTS
from hpoctl.core.files import read_regular
from hpoctl.core.space import Config
from hpoctl.core.trial_call import config_text

TRIALS, STARTS, CONFIG = "trials", "starts", "config.json"
NUMBER = re.compile(r"[0-9]{1,18}")


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

    def starts(self) -> list[StartFolder]:
        """The folders of its starts, the first one first."""
        with suppress(FileNotFoundError, NotADirectoryError):
            names = sorted(int(entry.name) for entry in (self.path / STARTS).iterdir() if NUMBER.fullmatch(entry.name))
            return [StartFolder(self.path / STARTS / str(name)) for name in names]
        return []

    def next_start(self) -> StartFolder:
        """The folder of its next start, which is not there yet."""
        earlier = self.starts()
        number = int(earlier[-1].path.name) + 1 if earlier else 0
        return StartFolder(self.path / STARTS / str(number))

    def new_start(self, config: Config, after: int) -> StartFolder:
        """Make the folder of its next start after a known resource, and what is needed beside it.

        Raises:
            OSError: It cannot be made: the disk is full, or the script has put something else in its place.
        """
        self.checkpoints.mkdir(parents=True, exist_ok=True)
        if not self.config.exists():  # whole or not at all: the disk may be full
            unfinished = self.config.with_suffix(".unfinished")
            unfinished.write_text(config_text(config), encoding="utf-8")
            unfinished.replace(self.config)
        folder = self.next_start()
        folder.path.mkdir(parents=True)
        folder.begins_after(after)
        return folder


def trial_folder(root: Path, trial_id: int) -> TrialFolder:
    """The folder of a trial below that of the experiment."""
    return TrialFolder(root / TRIALS / str(trial_id))


def trial_folders(root: Path) -> list[TrialFolder]:
    """The folders of all trials below that of the experiment."""
    place = root / TRIALS
    return [TrialFolder(path) for path in place.iterdir()] if place.is_dir() else []


def lasting_name(folder: Path, file: str) -> str:
    """What names an experiment elsewhere, the same for each process that continues it: a random text, in a file.

    Args:
        folder: The working folder of the experiment.
        file: The name of the file.

    Raises:
        OSError: It cannot be written.
    """
    path = folder / file
    with suppress(FileNotFoundError):
        return read_regular(path, SMALL).decode("ascii")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    unfinished.write_text(uuid.uuid4().hex, encoding="ascii")
    unfinished.replace(path)
    return read_regular(path, SMALL).decode("ascii")
