"""What the completion in shells keeps: the commands with their options and arguments, and the registered names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from hpoctl.cli.app import app
from hpoctl.cli.commands import all_commands
from hpoctl.core.settings import DEFINITIONS

if TYPE_CHECKING:
    from hpoctl.plugins import Registered

NAMES = {
    "method": "methods",
    "benchmark": "benchmarks",
    "study": "studies",
    "on": "launchers",
    "settings": "settings",
    "tag": "tags",
}
"""The kinds of names that options and arguments take, by their parameter."""

OF_COMMANDS = {"methods": "methods", "benchmarks": "benchmarks", "show": "studies", "info": "benchmarks"}
"""The kinds of names that the argument NAME takes, by the command."""


def commands() -> dict[str, Any]:
    """All commands with their options and arguments, as plain values.

    A command has `help`, `options` by name, `arguments`, and `commands` if it is a group. An option has `flag`,
    `repeats`, `help` and `takes`; an argument is what it takes: the kind of its names, or its values with their help.
    """
    root = typer.main.get_command(app)
    inner = {name: _command(command) for name, command in all_commands().items()}
    return {**_command(root), "commands": inner}


def _command(command: Any) -> dict[str, Any]:
    context = typer.Context(command)
    shown = [parameter for parameter in command.get_params(context) if not getattr(parameter, "hidden", False)]
    options = [parameter for parameter in shown if parameter.param_type_name == "option"]
    table = {
        "help": (command.help or "").strip().split("\n\n")[0],
        "options": {
            name: {
                "flag": bool(option.is_flag),
                "repeats": bool(option.multiple),
                "help": option.help or "",
                "takes": NAMES.get(option.name) or _choices(option, context),
            }
            for option in options
            for name in (*option.opts, *option.secondary_opts)
        },
        "arguments": [
            NAMES.get(argument.name) or OF_COMMANDS.get(command.name) or _choices(argument, context)
            for argument in shown
            if argument not in options
        ],
    }
    if hasattr(command, "commands"):
        table["commands"] = {name: _command(inner) for name, inner in command.commands.items()}
    return table


def _choices(parameter: Any, context: typer.Context) -> dict[str, str]:
    """The values that a parameter lists, without help; nothing if it takes any text, number or path."""
    setting = DEFINITIONS.get(parameter.name)
    words = setting.words if setting else ()
    listed = (item.value for item in parameter.shell_complete(context, "") if item.type == "plain")
    return dict.fromkeys((*words, *listed), "")


def names() -> dict[str, Mapping[str, str]]:
    """The registered names of each kind, with their summaries."""
    from hpoctl.builtins import open_registry
    from hpoctl.ops.studies.listing import list_methods

    registry = open_registry()
    options = {
        f"{method.name}.{option.name}=": option.help for method in list_methods(registry) for option in method.options
    }
    tables: dict[str, Mapping[str, Registered[Any]]] = {
        "methods": registry.methods,
        "benchmarks": registry.benchmarks,
        "studies": registry.studies,
        "launchers": registry.launchers,
    }
    return {
        "settings": options,
        **{kind: {name: found.entry.summary for name, found in table.items()} for kind, table in tables.items()},
    }
