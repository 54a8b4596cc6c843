"""A benchmark made from a training script, as it stands in a benchmark.toml or as a plugin registers it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from hpoctl.core.columns import check_columns
from hpoctl.core.credentials import check_values
from hpoctl.core.entries import Benchmark
from hpoctl.core.errors import UsageError
from hpoctl.core.names import check_entry_name
from hpoctl.core.protocols import Mode
from hpoctl.core.script import OWN_PYTHON, REPORT_NUMBER, Arguments, Script
from hpoctl.core.settings import OF_BENCHMARK, check_all
from hpoctl.core.space import Fixed, Space
from hpoctl.core.toml_files import Document

OPTION = re.compile(r"[^\W\d]([\w.-]*\w)?|[^\W\d]")
"""The names of hyperparameters that a command line can have as options."""

PROVENANCE = {"curves": "measured while training"}


@dataclass(frozen=True)
class ScriptBenchmark:
    """A training script and its configuration space: the keys of a benchmark.toml.

    Attributes:
        metric: The metric to tune.
        max_wallclock_time: The budget of an experiment in seconds.
        space: The hyperparameters: a domain for each, or a fixed value.
        folder: The folder that paths are relative to: that of the file. Only a plugin gives it, as an absolute path.
        name: What people type. Left out, the file's name, or that of its folder if the file is called benchmark.toml.
        summary: A summary in one line.
        script: The Python file to run. Either this or `command`.
        command: The program to run and its first arguments, in any language: `["./train"]`, `["Rscript", "train.R"]`.
            One with a `/` is relative to the file, another is looked up in PATH. There is no shell.
        args: Arguments that come before the hyperparameters.
        python: The Python that runs `script`: `python` (the one that runs hpoctl), another program, the path of one,
            or the folder of a virtual environment.
        working_folder: The folder in which trials run.
        files: Patterns of the files that belong to the script besides itself: when one changes, it is another
            benchmark. Left out, all files of the folder that git would not ignore, without those that tools keep
            credentials in, such as `.env`.
        arguments: How the script gets its configuration: `options` as `--NAME VALUE`, `json` as `--config FILE`.
        syne_tune_arguments: Whether it also gets what Syne Tune gives: `--st_checkpoint_dir DIR`, and with `json`
            the configuration as `--st_config_json_filename FILE`.
        environment: Environment variables that the script gets.
        mode: Whether the metric is to be minimised or maximised, `min` or `max`.
        metrics: Further metrics to record as such.
        resource_attr: What the script calls its resource in its reports, such as `epoch`. Left out, they are
            counted.
        max_resource_attr: The fixed value of the space that holds the largest resource, such as `epochs`. Left out, a
            trial ends by itself, and methods that decide at resource levels (ASHA, MOBSTER) cannot be used.
        n_workers: How many trials run at a time.
        max_num_evaluations: The budget of an experiment in reports. Left out: none.
        checkpoints: Whether the script saves its state in HPOCTL_CHECKPOINT_DIR and continues from there. Otherwise a
            trial that is resumed trains from the start again.
        cpus: Cores for each trial.
        gpus: GPUs for each trial.
        backends: Options of trial backends, a table for each, such as `[backends.sagemaker]`. `--backend-option` and
            the `backend_options` of a study go before them. They are not part of what is tuned: with other options it
            is the same benchmark.
    """

    metric: Annotated[str, Meta(examples=["loss"])]
    max_wallclock_time: Annotated[float, Meta(description="a number of seconds", examples=[600])]
    space: Annotated[Space | Mapping[str, Any], Meta(description="a table with a line for each hyperparameter")]
    folder: Path
    name: str = ""
    summary: str = ""
    script: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    python: str = OWN_PYTHON
    working_folder: str = "."
    files: tuple[str, ...] = ()
    arguments: Arguments = "options"
    syne_tune_arguments: bool = False
    environment: Annotated[Mapping[str, str], Meta(description="a table of texts")] = field(default_factory=dict)
    mode: Mode = "min"
    metrics: tuple[str, ...] = ()
    resource_attr: str | None = None
    max_resource_attr: str | None = None
    n_workers: int = 1
    max_num_evaluations: int | None = None
    checkpoints: bool = False
    cpus: int = 1
    gpus: int = 0
    backends: Annotated[
        Mapping[str, Mapping[str, bool | int | float | str]], Meta(description="a table for each backend")
    ] = field(default_factory=dict)

    def benchmark(self) -> Benchmark:
        """The benchmark.

        Raises:
            UsageError: It cannot be run, recorded, or tuned.
        """
        if bool(self.script) == bool(self.command):
            raise UsageError(
                f"Give {'one of script and command, not both' if self.script else 'script or command'}.",
                'Write script = "train.py" for Python, command = ["./train"] for anything else.',
            )
        check_all({key: value for key in OF_BENCHMARK if (value := getattr(self, key)) is not None})
        space = self.space if isinstance(self.space, Space) else Space.from_json(self.space)
        if all(isinstance(space[name], Fixed) for name in space):
            raise UsageError("All hyperparameters of the space are fixed.", "Give one of them a domain at least.")
        check_values("the space", space.fixed)
        if self.arguments == "options":
            check_options_of(space)
        metrics = tuple(dict.fromkeys((self.metric, *self.metrics)))
        self._check_columns(metrics)
        return Benchmark(
            name=check_entry_name("benchmark", self.name),
            summary=self.summary,
            space=space,
            metrics=metrics,
            metric=self.metric,
            mode=self.mode,
            resource_attr=REPORT_NUMBER if self.resource_attr is None else self.resource_attr,
            max_resource_attr=self.max_resource_attr,
            n_workers=self.n_workers,
            max_wallclock_time=float(self.max_wallclock_time),
            max_num_evaluations=self.max_num_evaluations,
            provenance=PROVENANCE,
            script=Script(
                folder=self.folder,
                command=(self.script, *self.args) if self.script else (*self.command, *self.args),
                python=self.python if self.script else None,
                working_folder=self.working_folder,
                files=self.files,
                arguments=self.arguments,
                syne_tune_arguments=self.syne_tune_arguments,
                environment=dict(self.environment),
                checkpoints=self.checkpoints,
                cpus=self.cpus,
                gpus=self.gpus,
                backend_options={name: dict(values) for name, values in self.backends.items()},
            ),
        )

    def _check_columns(self, metrics: tuple[str, ...]) -> None:
        """Refuse names that results could not have as columns, or could not tell apart."""
        if self.max_resource_attr is not None and self.resource_attr is None:
            raise UsageError(
                f"max_resource_attr is {self.max_resource_attr!r}, but resource_attr is missing.",
                'Name what the script reports: resource_attr = "epoch".',
            )
        if self.resource_attr in metrics:
            raise UsageError(f"{self.resource_attr!r} is both a metric and the resource.", "Use two names.")
        columns = [("metric", name) for name in metrics]
        if self.resource_attr is not None:
            columns.append(("resource", self.resource_attr))
        check_columns(f"Benchmark {self.name}", columns, reports=True)


def check_options_of(space: Space) -> None:
    """Refuse hyperparameters that no command line can hold.

    Raises:
        UsageError: There is one.
    """
    fix = 'Rename it, or pass the configuration as a file: arguments = "json".'
    for name in space:
        if not OPTION.fullmatch(name):
            raise UsageError(f"The hyperparameter {name!r} cannot be an option of a command.", fix)
        values = getattr(space[name], "values", ()) or [space.fixed.get(name)]
        if any(isinstance(value, str) and "\0" in value for value in values):
            raise UsageError(f"A value of {name!r} holds a null character.", fix)


def benchmark_from_table(document: Document, *, folder: Path, name: str) -> Benchmark:
    """The benchmark that a table describes.

    Args:
        document: The table.
        folder: The folder that its paths are relative to, absolute.
        name: The benchmark's name if the table has none.

    Raises:
        UsageError: A key is unknown, missing, or has a value that does not fit.
    """
    described = document.with_default("name", name).read(ScriptBenchmark, {"folder": folder})
    try:
        return described.benchmark()
    except UsageError as error:
        raise UsageError(f"{document.name}: {error.what}", error.fix) from error
