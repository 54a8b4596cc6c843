"""Writes docs/reference from the code: commands and their options, hooks, entries, exit codes.

python tools/generate_reference.py            write the pages
python tools/generate_reference.py --check    fail if a page is not what the code says
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from hpoctl import builtins
from hpoctl.cli.app import app
from hpoctl.core.entries import Benchmark, ExtraResults, LauncherEntry, Method, Study
from hpoctl.core.errors import HpoctlError
from hpoctl.core.options import option_help, option_values
from hpoctl.plugins import hookspecs

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
HEADER = "<!-- Written by tools/generate_reference.py from the code: edit the docstrings, then run `make docs`. -->\n\n"


def commands_page() -> str:
    """All commands with their arguments and options, from the signatures behind them."""
    callback = app.registered_callback
    lines = ["# Commands", "", f"{app.info.help}", "", f"{app.info.epilog}", ""]
    lines += ["## hpoctl", "", "Options before the command:", "", *_parameters(callback.callback if callback else None)]
    for command in app.registered_commands:
        function = command.callback
        name = command.name or getattr(function, "__name__", "")
        lines += [f"## hpoctl {name}", "", _prose(function), "", *_parameters(function)]
    return "\n".join(lines)


def hooks_page() -> str:
    """The hooks, what they return, and the built-in methods with their options."""
    lines = ["# Hooks", "", _prose(hookspecs), ""]
    for name, hook in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("hpoctl_"):
            entry = get_args(get_type_hints(hook)["return"])[0].__name__
            lines += [f"## {name}() -> Iterable[{entry}]", "", _prose(hook), ""]
    lines += ["# Entries", ""]
    for entry in (Method, Benchmark, ExtraResults, LauncherEntry, Study):
        lines += [f"## {entry.__name__}", "", *_attributes(entry), ""]
    lines += ["# Built-in methods", ""]
    for method in builtins.hpoctl_methods():
        lines += [f"## {method.name}", "", f"{method.summary}.", ""]
        values, helps = option_values(method.options), option_help(method.options)
        if values:
            lines += ["| option | default | what it does |", "|---|---|---|"]
            lines += [f"| `{method.name}.{name}` | {value} | {helps[name]} |" for name, value in values.items()]
            lines += [""]
    return "\n".join(lines)


def errors_page() -> str:
    """The exit codes."""
    lines = ["# Exit codes", "", "| code | error | when |", "|---|---|---|", "| 0 | | everything is done |"]
    for kind in _family(HpoctlError):
        lines += [f"| {kind.exit_code} | {kind.__name__} | {inspect.getdoc(kind).splitlines()[0]} |"]  # type: ignore[union-attr]
    lines += ["| 130 | | interrupted (Ctrl-C); what is complete is saved |", ""]
    return "\n".join(lines)


def _family(kind: type[HpoctlError]) -> Iterator[type[HpoctlError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def _parameters(function: Callable[..., Any] | None) -> list[str]:
    """A table of the arguments and options of a command."""
    if function is None:
        return []
    hints = get_type_hints(function, include_extras=True)
    rows = []
    for name, parameter in inspect.signature(function).parameters.items():
        kind, info = get_args(hints[name])[:2]
        if isinstance(info, ArgumentInfo):
            rows.append(f"| `{info.metavar or name.upper()}` | | {info.help} |")
        else:
            rows.append(_option_row(name, kind, info, parameter.default))
    return ["| option | value | what it does |", "|---|---|---|", *rows, ""]


def _option_row(name: str, kind: Any, info: OptionInfo, default: object) -> str:
    flag = f"--{name.replace('_', '-')}"
    # Within Annotated, Typer takes the first name for a default.
    declared = [word for word in (info.default, *(info.param_decls or ())) if str(word).startswith("-")]
    words = declared or ([flag, flag.replace("--", "--no-", 1)] if kind is bool else [flag])
    required = " Required." if default is inspect.Parameter.empty else ""
    shown = isinstance(default, (int, float, str)) and not isinstance(default, bool)
    listed = ", ".join(f"`{word}`" for word in words)
    value = _value(kind)
    help_text = " ".join((info.help or "").split()) + required + (f" Default: `{default}`." if shown else "")
    return f"| {listed} | {value} | {help_text} |"


def _value(kind: Any) -> str:
    """What a person types after the option; nothing after a flag."""
    if get_origin(kind) is Literal:
        return "`" + "`, `".join(map(str, get_args(kind))) + "`"
    names = {int: "whole number", float: "number", str: "text", Path: "path"}
    inner = [member for member in (get_args(kind) or (kind,)) if member is not NoneType]
    if any(get_origin(member) is list for member in (*inner, kind)):
        return "text, repeatable"
    return names.get(inner[0], "")


def _prose(thing: object) -> str:
    return inspect.getdoc(thing) or ""


def _attributes(entry: type) -> list[str]:
    """The docstring's first line and its attributes as a table."""
    text = _prose(entry)
    head, _, attributes = text.partition("\n\nAttributes:\n")
    names = {field.name for field in fields(entry)}
    rows: list[str] = []
    for line in attributes.splitlines():
        name, colon, what = line.strip().partition(": ")
        if colon and name in names and line.startswith("    ") and not line.startswith("     "):
            rows.append(f"| `{name}` | {what}")
        elif rows and line.strip():
            rows[-1] += f" {line.strip()}"
    return [head, "", "| field | meaning |", "|---|---|", *(f"{row} |" for row in rows)]


PAGES = {"commands.md": commands_page, "hooks.md": hooks_page, "exit-codes.md": errors_page}


def main() -> int:
    """Write or check the pages."""
    check = "--check" in sys.argv
    stale = []
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        text = HEADER + page().rstrip() + "\n"
        path = REFERENCE / name
        if check and (not path.exists() or path.read_text(encoding="utf-8") != text):
            stale.append(str(path))
        elif not check:
            path.write_text(text, encoding="utf-8")
    if stale:
        print(f"not what the code says: {', '.join(stale)}; run `make docs`")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
