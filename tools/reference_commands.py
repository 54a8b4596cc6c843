"""The page of commands in the reference, for generate_reference.py."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from hpoctl.cli.app import app
from hpoctl.cli.commands import COMMANDS, application


def commands_page() -> str:
    """All commands with their arguments and options, from the signatures behind them."""
    callback = app.registered_callback
    lines = ["# Commands", "", f"{app.info.help}", "", f"{app.info.epilog}", ""]
    lines += ["## hpoctl", "", "Options before the command:", "", *_parameters(callback.callback if callback else None)]
    for entry in COMMANDS:
        found = application(entry)
        if found.registered_callback is None:
            lines += _commands(found, "hpoctl")
            continue
        function = found.registered_callback.callback
        lines += [f"## hpoctl {entry.name}", "", prose(function), "", *_parameters(function)]
        lines += _commands(found, f"hpoctl {entry.name}")
    return "\n".join(lines)


def _commands(parent: typer.Typer, words: str) -> Iterator[str]:
    """The commands of an application."""
    for command in parent.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        yield from [f"## {words} {name}", "", prose(command.callback), "", *_parameters(command.callback)]


def prose(thing: object) -> str:
    """The docstring of a thing."""
    return inspect.getdoc(thing) or ""


def _parameters(function: Callable[..., Any] | None) -> list[str]:
    """A table of the arguments and options of a command."""
    if function is None:
        return []
    hints = get_type_hints(function, include_extras=True)
    rows = []
    for name, parameter in inspect.signature(function).parameters.items():
        if hints[name] is typer.Context:
            continue
        kind, info = get_args(hints[name])[:2]
        if info.hidden:
            continue
        if isinstance(info, ArgumentInfo):
            rows.append(f"| `{info.metavar or name.upper()}` | | {info.help} |")
        else:
            rows.append(_option_row(name, kind, info, parameter.default))
    return ["| option | value | what it does |", "|---|---|---|", *rows, ""] if rows else []


def _option_row(name: str, kind: Any, info: OptionInfo, default: object) -> str:
    flag = f"--{name.replace('_', '-')}"
    # Within Annotated, Typer takes the first name for a default.
    declared = [str(word) for word in (info.default, *(info.param_decls or ())) if str(word).startswith("-")]
    words = [word for names in declared for word in names.split("/")] or (
        [flag, flag.replace("--", "--no-", 1)] if kind is bool else [flag]
    )
    required = " Required." if default is inspect.Parameter.empty else ""
    shown = isinstance(default, (int, float, str)) and not isinstance(default, bool)
    listed = ", ".join(f"`{word}`" for word in words)
    value = f"`{info.metavar}`".replace("|", "\\|") if info.metavar else _value(kind)
    help_text = " ".join((info.help or "").split()) + required + (f" Default: `{default}`." if shown else "")
    return f"| {listed} | {value} | {help_text} |"


def _value(kind: Any) -> str:
    """What a person types after the option; nothing after a flag."""
    if get_origin(kind) is Literal:
        return "`" + "`, `".join(map(str, get_args(kind))) + "`"
    names = {int: "whole number", float: "number", str: "text", Path: "path"}
    inner = [member for member in (get_args(kind) or (kind,)) if member is not NoneType]
    if get_origin(inner[0]) is Literal:
        return _value(inner[0])
    if any(get_origin(member) is list for member in (*inner, kind)):
        return "text, repeatable"
    return names.get(inner[0], "")
