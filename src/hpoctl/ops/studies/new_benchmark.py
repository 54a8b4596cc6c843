"""`hpoctl benchmark new`: a first benchmark file, from what a script says about itself.

What is guessed is marked as a guess in the file: ranges around the defaults of options, which metric is tuned, what the
resource is called. The script is read, never imported or run.
"""

import json
import math
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpoctl.core.columns import check_columns, check_hyperparameters
from hpoctl.core.errors import UsageError
from hpoctl.core.files import read_regular
from hpoctl.core.script_benchmark import OPTION
from hpoctl.core.space import Space
from hpoctl.core.text import printable
from hpoctl.ops.studies.argparse_options import ScriptFacts, ScriptOption, read_script

FILE = "benchmark.toml"
RESOURCES = ("epoch", "step", "iteration", "iter", "stage", "round", "update", "batch")
LARGEST = re.compile(
    r"(max_?|num_?|n_?)?(epochs?|steps?|iter(ation)?s?|stages?|rounds?|estimators|updates?)", re.IGNORECASE
)
METRIC = re.compile(
    r"loss|error|err$|rmse|mse|mae|acc|score|auc|f1|r2|reward|perplexity|metric|objective", re.IGNORECASE
)
TO_MAXIMISE = re.compile(r"acc|score|auc|f1|r2|reward|precision|recall", re.IGNORECASE)
SHARES = re.compile(r"drop|momentum|beta|gamma|alpha|ratio|frac|prob", re.IGNORECASE)
NOT_TUNED = re.compile(
    r"seed|path|dir|file|data|log|verbos|device|gpu|cpu|worker|thread|port|host|name|save|load|output|input|every|print",
    re.IGNORECASE,
)
SYNE_TUNE = frozenset({"st_checkpoint_dir", "st_config_json_filename"})
CHECKPOINTS = re.compile(r"HPOCTL_CHECKPOINT_DIR|st_checkpoint_dir")
BUDGET = 600


@dataclass(frozen=True, slots=True)
class NewBenchmark:
    """A first benchmark file.

    Attributes:
        path: Where it is written.
        text: Its content.
        tuned: The hyperparameters that it tunes.
        notes: What has to be completed or checked by hand, a line each.
    """

    path: Path
    text: str
    tuned: tuple[str, ...]
    notes: tuple[str, ...]


def new_benchmark(script: Path, output: Path | None, command: Sequence[str] = ()) -> NewBenchmark:
    """Make a first benchmark file for a script; nothing is written yet.

    Args:
        script: The script.
        output: The file; None: `benchmark.toml` beside the script.
        command: What runs the script, if it is not Python: the words before its path.

    Raises:
        UsageError: There is no such script, it cannot be read, or the file is there already.
    """
    try:
        source = read_regular(script)
    except OSError as error:
        raise UsageError(f"Cannot read the script {script}: {error.strerror}.", "Check the path.") from error
    path = output if output is not None else script.with_name(FILE)
    if path.exists():
        raise _taken(path)
    python = script.suffix == ".py" and not command
    if python:
        facts = read_script(source, str(script))
    else:
        unread = ("options are read from Python scripts only: complete [space] by hand",)
        facts = ScriptFacts((), unread, (), source.decode(errors="replace"))
    return _Draft(script, path, command, facts, python=python).made()


def write_new(made: NewBenchmark) -> None:
    """Write the file.

    Raises:
        UsageError: There is one already, or it cannot be written.
    """
    try:
        data = made.text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"The path of {made.path} is no UTF-8 text.", "Rename the script or its folder.") from error
    try:
        with made.path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise _taken(made.path) from error
    except OSError as error:
        raise UsageError(f"Cannot write {made.path}: {error.strerror}.", "Name another file with --output.") from error


def _taken(path: Path) -> UsageError:
    return UsageError(f"There is a file {path} already.", "Name another one with --output, or remove it.")


class _Draft:
    """Puts a benchmark file together.

    Args:
        script: The script.
        path: The file.
        command: What runs the script.
        facts: What the script says about itself.
        python: Whether it is Python.
    """

    def __init__(self, script: Path, path: Path, command: Sequence[str], facts: ScriptFacts, *, python: bool) -> None:
        self._script = script
        self._path = path
        self._command = command
        self._facts = facts
        self._python = python
        self._notes = list(facts.unread)

    def made(self) -> NewBenchmark:
        """The file."""
        options = [option for option in self._facts.options if option.name not in SYNE_TUNE]
        usable = [option for option in options if OPTION.fullmatch(option.name)]
        largest = next((option for option in usable if _is_largest(option)), None)
        lines, tuned, kept = self._space([option for option in usable if option is not largest], largest)
        text = "\n".join([*self._head(), *self._reporting(largest), *self._budget(), "", "[space]", *lines])
        if kept:
            text += f"\n# The script's own defaults hold for: {', '.join(kept)}."
        if not tuned:
            self._notes.append("no option to tune was found: add a line to [space] for each hyperparameter")
        return NewBenchmark(self._path, text + "\n", tuple(tuned), tuple(self._notes))

    def _head(self) -> list[str]:
        try:
            relative = self._script.resolve().relative_to(self._path.resolve().parent).as_posix()
        except ValueError:
            relative = str(self._script.resolve())
        words = [*self._command, relative if self._command or "/" in relative else f"./{relative}"]
        run = f"script = {_toml(relative)}" if self._python else f"command = {_toml(words)}"
        lines = [
            f"# How hpoctl tunes {printable(self._script.name)}. Lines with a question mark are guesses: check them.",
            "# All keys: docs/reference/benchmark-file.md. Try it out: hpoctl benchmark check FILE",
            run,
        ]
        if self._python and SYNE_TUNE & {option.name for option in self._facts.options}:
            lines.append("syne_tune_arguments = true")
        if CHECKPOINTS.search(self._facts.text):
            lines.append("checkpoints = true")
        return lines

    def _reporting(self, largest: ScriptOption | None) -> list[str]:
        names = [name for name in self._facts.reported if _is_column(name)]
        resource = next((name for name in names if name.rstrip("s").lower() in RESOURCES), None)
        metric = next((name for name in names if name != resource and METRIC.search(name)), None)
        metric = metric or next((name for name in names if name != resource), None)
        if metric is None:
            what = "what it reports cannot be read from it" if names or not self._python else "it reports nothing yet"
            how = "add `hpoctl.report(epoch=epoch, loss=loss)`" if self._python else "let it print or write reports"
            self._notes.append(f"{what}: {how} and correct metric, mode and resource_attr")
        metric = metric or "loss"
        mode = "max" if TO_MAXIMISE.search(metric) and "loss" not in metric.lower() else "min"
        lines = [f"metric = {_toml(metric)}  # ?", f'mode = "{mode}"  # ?']
        if largest is not None:
            lines.append(f"resource_attr = {_toml(resource or 'epoch')}{'' if resource else '  # ?'}")
            lines.append(f"max_resource_attr = {_toml(largest.name)}")
        elif resource is not None:
            lines.append(f"resource_attr = {_toml(resource)}")
            self._notes.append(
                "no option for the largest resource was found: methods that stop trials early (ASHA, MOBSTER) need "
                "max_resource_attr"
            )
        return lines

    def _budget(self) -> list[str]:
        return ["n_workers = 1", f"max_wallclock_time = {BUDGET}  # ? seconds for one experiment"]

    def _space(
        self, options: Sequence[ScriptOption], largest: ScriptOption | None
    ) -> tuple[list[str], list[str], list[str]]:
        """The lines of the space, the hyperparameters that are tuned, and those that are left to the script."""
        lines, tuned, kept = [], [], []
        for option in options:
            domain = _domain(option)
            problem = "" if domain is None else _problem(option.name, domain)
            if problem:
                self._notes.append(f"--{option.name}, line {option.line}: {problem}")
            if domain is not None and not problem:
                lines.append(f"{_key(option.name)} = {domain}  # ? default {_comment(option.default)}")
                tuned.append(option.name)
            elif option.required:
                lines.append(f"# {_key(option.name)} =   # required by the script, line {option.line}: give it a value")
                self._notes.append(f"--{option.name} is required, and what it may be cannot be read: complete [space]")
            else:
                kept.append(option.name)
        if largest is not None:
            lines.append(f"{_key(largest.name)} = {int(largest.default)}")
        if not tuned:
            lines.append('# lr = { type = "loguniform", lower = 0.0001, upper = 1.0 }')
        return lines, tuned, kept


def _is_largest(option: ScriptOption) -> bool:
    whole = isinstance(option.default, int) and not isinstance(option.default, bool)
    return whole and option.default >= 2 and LARGEST.fullmatch(option.name.replace("-", "_")) is not None


def _domain(option: ScriptOption) -> str | None:
    """A domain around the default, as TOML; None: it is not one to tune."""
    if option.choices and len(set(option.choices)) > 1 and _one_type(option.choices):
        return f'{{ type = "choice", values = {_toml(list(dict.fromkeys(option.choices)))} }}'
    value = option.default
    number = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
    if not number or NOT_TUNED.search(option.name):
        return None
    if option.type is int and isinstance(value, int) and 4 * value < 2**40:
        return f'{{ type = "lograndint", lower = {max(1, value // 4)}, upper = {max(4 * value, 2)} }}'
    if option.type is float and 1e-200 < value < 1e200:
        if SHARES.search(option.name) and value < 1:
            return '{ type = "uniform", lower = 0.0, upper = 0.99 }'
        return f'{{ type = "loguniform", lower = {float(f"{value / 10:.3g}")}, upper = {float(f"{value * 10:.3g}")} }}'
    return None


def _one_type(values: Sequence[Any]) -> bool:
    return len({type(value) for value in values}) == 1 and isinstance(values[0], int | float | str)


def _is_column(name: str) -> bool:
    """Whether a benchmark may have a metric or resource of this name."""
    try:
        check_columns("It", [("metric", name)], reports=True)
    except UsageError:
        return False
    return True


def _problem(name: str, domain: str) -> str:
    """Why a hyperparameter cannot be in a space; empty: it can."""
    try:
        domain.encode()
        check_hyperparameters("It", [name])
        Space.from_json({name: tomllib.loads(f"domain = {domain}")["domain"]})
    except UnicodeEncodeError:
        return "its choices are no text"
    except UsageError as error:
        return error.what
    return ""


def _comment(value: Any) -> str:
    """A value in a comment."""
    return "none" if value is None else printable(json.dumps(value, ensure_ascii=False, default=repr))


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _toml(name)


def _toml(value: Any) -> str:
    """Texts, numbers and lists of them as TOML: they look as in JSON, which leaves one control character as it is."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
