"""Writes docs/reference from the code: commands and their options, hooks, entries, exit codes.

python tools/generate_reference.py            write the pages
python tools/generate_reference.py --check    fail if a page is not what the code says
"""

import inspect
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import typer

from hpoctl import builtins
from hpoctl.cli.app import app
from hpoctl.core.entries import Benchmark, ExtraResults, LauncherEntry, Method, Study
from hpoctl.core.errors import HpoctlError
from hpoctl.core.options import option_help, option_values
from hpoctl.plugins import hookspecs

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
HEADER = "<!-- Written by tools/generate_reference.py from the code: edit the docstrings, then run `make docs`. -->\n\n"


def commands_page() -> str:
    """All commands with their arguments and options."""
    group: Any = typer.main.get_command(app)
    lines = ["# Commands", "", str(group.help or ""), ""]
    lines += [f"`hpoctl [OPTIONS] COMMAND`; options before the command: {_option_names(group)}.", ""]
    lines += [str(group.epilog or ""), ""]
    for name, command in group.commands.items():
        lines += [f"## hpoctl {name}", "", inspect.cleandoc(command.help or ""), ""]
        arguments = [entry for entry in command.params if entry.param_type_name == "argument"]
        options = [entry for entry in command.params if entry.param_type_name == "option" and entry.name != "help"]
        for argument in arguments:
            lines += [f"* `{argument.make_metavar(_context(command))}`: {argument.help or ''}"]
        if options:
            lines += ["", "| option | value | what it does |", "|---|---|---|"]
            lines += [_option_row(option, command) for option in options]
        lines += [""]
    return "\n".join(lines)


def hooks_page() -> str:
    """The hooks, what they return, and the built-in methods with their options."""
    lines = ["# Hooks", "", _prose(hookspecs), ""]
    for name, hook in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("hpoctl_"):
            lines += [f"## {name}{inspect.signature(hook)}", "", _prose(hook), ""]
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


def _context(command: Any) -> Any:
    return command.context_class(command)


def _option_names(command: Any) -> str:
    return ", ".join(f"`{max(entry.opts, key=len)}`" for entry in command.params)


def _option_row(option: Any, command: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    flag = getattr(option, "is_flag", False)
    value = "" if flag else f"`{option.make_metavar(_context(command))}`".replace("|", "\\|")
    default = ""
    if option.required:
        default = " Required."
    elif not flag and option.default not in (None, [], ()):
        default = f" Default: `{option.default}`."
    return f"| {names} | {value} | {' '.join((option.help or '').split())}{default} |"


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
