"""How a script is started for one trial: the words of its command, and the environment variables that it gets.

Words go to the operating system as they are: no shell sees them, so that spaces, quotes and line breaks in a value are
harmless.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpoctl.core.errors import UsageError
from hpoctl.core.places import expanded
from hpoctl.core.script import OWN_PYTHON, Script
from hpoctl.core.space import Config, Value
from hpoctl.reporting import REPORTS

CONFIG_OPTION = "--config"
SYNE_TUNE_CONFIG_OPTION, SYNE_TUNE_CHECKPOINT_OPTION = "--st_config_json_filename", "--st_checkpoint_dir"

TRIAL_ID, CHECKPOINT_DIR, RESUME_FROM = "HPOCTL_TRIAL_ID", "HPOCTL_CHECKPOINT_DIR", "HPOCTL_RESUME_FROM"
CONFIG, SEED = "HPOCTL_CONFIG", "HPOCTL_SEED"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
DEVICES = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True, slots=True)
class TrialCall:
    """What one start of a trial is given.

    Attributes:
        trial_id: The trial.
        seed: A seed for what is random in the trial, the same over its resumes.
        resume_from: The level that is known already; 0: none.
        config_file: The configuration as a JSON file; see `config_text`.
        checkpoints: The folder in which the trial may keep its state.
        reports: The file that reports go to, a JSON object a line.
        devices: The GPUs that the trial may use; none where the benchmark asks for none.
    """

    trial_id: int
    seed: int
    resume_from: int
    config_file: Path
    checkpoints: Path
    reports: Path
    devices: Sequence[str] = ()


def config_text(config: Config) -> str:
    """The content of the configuration file: a JSON object with the hyperparameters in the order of the space."""
    return json.dumps(dict(config), indent=1) + "\n"


def trial_command(script: Script, config: Config, call: TrialCall, python: str = sys.executable) -> list[str]:
    """The words that start a trial.

    Args:
        script: The script.
        config: The configuration.
        call: What the trial is given.
        python: The Python of scripts that run with that of hpoctl.

    Raises:
        UsageError: The script is not there.
    """
    words = [*_program(script, python), *script.command[1:]]
    if script.arguments == "json":
        option = SYNE_TUNE_CONFIG_OPTION if script.syne_tune_arguments else CONFIG_OPTION
        words += [option, str(call.config_file)]
    else:
        words += option_words(config, python_words=script.syne_tune_arguments)
    if script.syne_tune_arguments:
        words += [SYNE_TUNE_CHECKPOINT_OPTION, str(call.checkpoints)]
    return words


def trial_environment(script: Script, call: TrialCall, inherited: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of a trial.

    Threads of numerical libraries are as many as its cores, unless the benchmark or the inherited environment sets
    them; output of Python is not buffered, so that reports arrive when they are printed.

    Args:
        script: The script.
        call: What the trial is given.
        inherited: The environment of the process that starts it.
    """
    variables = {name: str(script.cpus) for name in THREADS}
    variables |= {"PYTHONUNBUFFERED": "1", **inherited, **script.environment}
    variables |= {
        TRIAL_ID: str(call.trial_id),
        CHECKPOINT_DIR: str(call.checkpoints),
        RESUME_FROM: str(call.resume_from if script.checkpoints else 0),
        CONFIG: str(call.config_file),
        REPORTS: str(call.reports),
        SEED: str(call.seed),
    }
    if script.gpus:
        variables[DEVICES] = ",".join(call.devices)
    return variables


def option_words(config: Config, *, python_words: bool = False) -> list[str]:
    """A configuration as the options of a command line.

    Args:
        config: The configuration.
        python_words: Whether true and false are `True` and `False`, as Syne Tune passes them.
    """
    return [word for name, value in config.items() for word in _option(name, _text(value, python_words=python_words))]


def _text(value: Value, *, python_words: bool) -> str:
    if isinstance(value, bool):
        return str(value) if python_words else str(value).lower()
    return str(value)


def missing_program(script: Script) -> UsageError | None:
    """What is missing of the files that the command names by a path; None: nothing."""
    if not script.runs_in.is_dir():
        return UsageError(f"There is no folder {script.runs_in}.", "Correct working_folder.")
    named = script.folder / script.command[0]
    if script.python is not None and not named.is_file():
        return UsageError(f"There is no script {named}.", "Correct the path; it is relative to the benchmark file.")
    program = Path(_program(script, sys.executable)[0])
    if len(program.parts) > 1 and not program.is_file():
        what = "interpreter" if script.python is not None else "program"
        return UsageError(f"There is no {what} {program}.", "Correct the path; it is relative to the benchmark file.")
    return None


def _program(script: Script, python: str) -> list[str]:
    """The program and, for an interpreter, the file that it runs."""
    first = script.command[0]
    if script.python is None:
        return [str(script.folder / first) if "/" in first else first]
    file = str(script.folder / first)
    if script.python == OWN_PYTHON:
        return [python, file]
    if "/" not in script.python and not (script.folder / script.python).is_dir():
        return [script.python, file]
    path = script.folder / expanded(script.python)
    return [str(path / "bin" / "python" if path.is_dir() else path), file]


def _option(name: str, text: str) -> list[str]:
    """The words of an option. A text that looks like an option itself is joined to the name, as parsers expect it."""
    if text.startswith("-") and not _is_number(text):
        return [f"--{name}={text}"]
    return [f"--{name}", text]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
