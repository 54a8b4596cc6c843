"""The commands of `hpoctl`. A command's module is imported when the command is used, so that the others start fast."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

RUN_EXAMPLE = """
Example: one seed of ASHA, a line for each event:
  hpoctl run --method ASHA --benchmark fcnet-protein --verbose
"""
LAUNCH_EXAMPLE = """
Example: 20 seeds of a study file, with 8 experiments at a time:
  hpoctl launch --study study.toml --tag docs-2 --num-seeds 20 -j 8
Run it again to continue after a failure or an interruption.
"""
EXPERIMENTS, PROGRESS, ANSWERS, RESULTS, NAMES = "Run experiments", "Watch", "Compare", "Results", "Names and plugins"


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """A command, or a group of commands.

    Attributes:
        name: Its name on the command line.
        target: Its function, or the Typer application of a group, as `module:name`.
        panel: The part of `hpoctl --help` that lists it.
        summary: Its line in `hpoctl --help`: the first paragraph of the docstring.
        epilog: The end of its help.
    """

    name: str
    target: str
    panel: str
    summary: str
    epilog: str = ""


COMMANDS = (
    CommandEntry(
        "run",
        "hpoctl.cli.run:run",
        EXPERIMENTS,
        "Run experiments in this process, one after another.",
        RUN_EXAMPLE,
    ),
    CommandEntry(
        "launch",
        "hpoctl.cli.launch:launch",
        EXPERIMENTS,
        "Run the experiments of a study that are neither complete nor running.",
        LAUNCH_EXAMPLE,
    ),
    CommandEntry(
        "stop",
        "hpoctl.cli.stop:stop",
        EXPERIMENTS,
        "Stop the launches and jobs of a tag, on this machine, on Slurm or elsewhere.",
    ),
    CommandEntry(
        "status",
        "hpoctl.cli.status:status",
        PROGRESS,
        "Show the progress of a study: what is done, running, failed or missing, why, and how to mend it.",
    ),
    CommandEntry(
        "trials",
        "hpoctl.cli.trials:trials",
        PROGRESS,
        "List the trials of experiments, also while they train: configuration, outcome, values, resource, time, why.",
    ),
    CommandEntry(
        "why",
        "hpoctl.cli.why:why",
        PROGRESS,
        "Show why a trial was suggested, promoted, paused, stopped or passed over.",
    ),
    CommandEntry(
        "logs",
        "hpoctl.cli.logs:logs",
        PROGRESS,
        "Show the output of an experiment, and its traceback if it failed; or the output of a job.",
    ),
    CommandEntry(
        "doctor",
        "hpoctl.cli.doctor:doctor",
        PROGRESS,
        "Find what would prevent a launch from this folder: versions, plugins, results, credentials, launchers.",
    ),
    CommandEntry(
        "compare",
        "hpoctl.cli.compare:compare",
        ANSWERS,
        "Compare methods, paired by seed, per benchmark and over all: which differ, and which are undecided.",
    ),
    CommandEntry(
        "plot",
        "hpoctl.cli.plot:plot",
        ANSWERS,
        "Plot the best value so far of each setup with a band over seeds; or rungs, profiles, one experiment.",
    ),
    CommandEntry(
        "report",
        "hpoctl.cli.report:report",
        ANSWERS,
        "Write a report of a study: one HTML file that opens offline.",
    ),
    CommandEntry(
        "sync",
        "hpoctl.cli.sync:sync",
        RESULTS,
        "Copy missing and newer results between a folder and a root such as s3://bucket/prefix.",
    ),
    CommandEntry(
        "export",
        "hpoctl.cli.exchange:export",
        RESULTS,
        "Export completed experiments: trees that Syne Tune reads, or one table as CSV or Parquet.",
    ),
    CommandEntry(
        "import",
        "hpoctl.cli.exchange:import_results",
        RESULTS,
        "Import results of Syne Tune as experiments of a tag.",
    ),
    CommandEntry(
        "clean",
        "hpoctl.cli.clean:clean",
        RESULTS,
        "Move matching results, or a whole tag, into the trash.",
    ),
    CommandEntry(
        "methods",
        "hpoctl.cli.listing:methods",
        NAMES,
        "List methods; with --wide their options and origin, too.",
    ),
    CommandEntry(
        "benchmarks",
        "hpoctl.cli.listing:benchmarks",
        NAMES,
        "List benchmarks with their data and budget; with --wide metric, resource, workers and origin, too.",
    ),
    CommandEntry(
        "studies",
        "hpoctl.cli.studies:studies_app",
        NAMES,
        "List studies: methods, benchmarks, number of seeds and missing names; with --wide all of it.",
    ),
    CommandEntry(
        "benchmark",
        "hpoctl.cli.benchmark:benchmark_app",
        NAMES,
        "Write and check benchmark files of training scripts.",
    ),
    CommandEntry(
        "blackbox",
        "hpoctl.cli.blackbox:blackbox_app",
        NAMES,
        "List, import and check blackboxes: learning curves that stand in for training.",
    ),
    CommandEntry(
        "plugins",
        "hpoctl.cli.listing:plugins",
        NAMES,
        "List plugins: what each registers, its origin, and why one failed.",
    ),
)


class Commands(TyperGroup):
    """The group of all commands. Its own help takes their names and summaries from `COMMANDS`."""

    def __init__(self, **attributes: Any) -> None:
        listed = {
            entry.name: TyperCommand(entry.name, help=entry.summary, rich_help_panel=entry.panel) for entry in COMMANDS
        }
        super().__init__(**{**attributes, "commands": listed})

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """The command that the words name, imported, and the words after it."""
        name, _, rest = super().resolve_command(ctx, args)
        entry = next(entry for entry in COMMANDS if entry.name == name)
        return name, typer.main.get_command(application(entry)), rest


def application(entry: CommandEntry) -> typer.Typer:
    """The Typer application of a group, or one with a single command."""
    from hpoctl.cli.help import Command

    module, name = entry.target.split(":")
    found = getattr(import_module(module), name)
    if isinstance(found, typer.Typer):
        return found
    single = typer.Typer(add_completion=False)
    single.command(name=entry.name, cls=Command, epilog=entry.epilog or None)(found)
    return single


def all_commands() -> dict[str, Any]:
    """All commands and groups by name, imported."""
    return {entry.name: typer.main.get_command(application(entry)) for entry in COMMANDS}
