"""A training script as the problem of a benchmark: what is run for a trial, where, and with which share of the machine.

The script may be in any language. It is started as a list of words, never through a shell, and reads its configuration
from options `--NAME VALUE` or from a JSON file. `core.trial_call` makes the words and the environment of one trial,
`core.report_lines` and `core.trial_rows` read what it reports.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hpoctl.core.credentials import check_values, check_words
from hpoctl.core.errors import UsageError

Arguments = Literal["options", "json"]

REPORT_NUMBER = "report_number"
"""The resource of a benchmark that names none: the number of a report in its trial, from 1. hpoctl counts it."""

OWN_PYTHON = "python"
"""As the interpreter of a script: the Python that runs hpoctl."""

RESERVED = "HPOCTL_"
"""How the environment variables begin that hpoctl sets for a trial."""


@dataclass(frozen=True)
class Script:
    """The training script of a benchmark.

    Attributes:
        folder: The folder that its paths are relative to, absolute.
        command: The words that start it, before its options. With `python`, the first one is a file in the folder.
            Without, it is a program: one with a `/` is relative to the folder, another is looked up in PATH.
        python: The interpreter before the command: `python` (the one that runs hpoctl), the name of a program, the
            path of one, or the folder of a virtual environment; paths are relative to the folder. None: there is none.
        working_folder: Where it runs, relative to the folder.
        files: Patterns of the files that belong to it, relative to the folder; none: those that git would not ignore.
        arguments: How it gets its configuration: `options` as `--NAME VALUE`, `json` as `--config FILE`.
        syne_tune_arguments: Whether it gets the arguments that Syne Tune gives: `--st_checkpoint_dir DIR`, and with
            `json` the configuration as `--st_config_json_filename FILE`.
        environment: Environment variables that it gets besides those of hpoctl's own process.
        checkpoints: Whether it saves its state in the folder HPOCTL_CHECKPOINT_DIR and continues from there. Otherwise
            a resumed trial starts over, and the levels that are known already do not count again.
        cpus: Cores for each trial.
        gpus: GPUs for each trial.
        backend_options: Options of trial backends, by the name of the backend. They say where and with what trials run,
            not what they compute, and are not part of the script's hash.
    """

    folder: Path
    command: tuple[str, ...]
    python: str | None = None
    working_folder: str = "."
    files: tuple[str, ...] = ()
    arguments: Arguments = "options"
    syne_tune_arguments: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    checkpoints: bool = False
    cpus: int = 1
    gpus: int = 0
    backend_options: Mapping[str, Mapping[str, bool | int | float | str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.folder.is_absolute():
            raise UsageError(f"The folder {str(self.folder)!r} of a script is relative.", "Give an absolute path.")
        if not self.command or not self.command[0]:
            raise UsageError("A script has no command.", 'Name it: script = "train.py", or command = ["./train"].')
        if self.cpus < 1:
            raise UsageError(f"cpus is {self.cpus}.", "Give each trial at least one core.")
        if self.gpus < 0:
            raise UsageError(f"gpus is {self.gpus}.", "Use a whole number >= 0.")
        for word in (*self._words(), *self.environment, *self.environment.values()):
            if "\0" in word:
                raise UsageError(f"{word!r} holds a null character.", "Remove it: no program can be given one.")
        check_values("the script's environment", self.environment)
        check_words("The script's command", self.command)
        for name, values in self.backend_options.items():
            check_values(f"[backends.{name}]", values)
        for name in self.environment:
            if not name or "=" in name or name.startswith(RESERVED):
                raise UsageError(
                    f"The environment variable {name!r} cannot be set.",
                    f"Use a name without '=' that does not begin with {RESERVED}.",
                )

    def _words(self) -> tuple[str, ...]:
        return (*self.command, self.python or "", self.working_folder)

    @property
    def runs_in(self) -> Path:
        """The folder in which trials run."""
        return self.folder / self.working_folder
