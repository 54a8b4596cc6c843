"""The help of a command: options in panels, names never cut, and the names of methods and launchers that are known."""

from collections.abc import Mapping
from textwrap import wrap
from typing import Any, get_args

from rich.text import Text
from typer.core import TyperCommand

from hpoctl.cli.output import out
from hpoctl.core.errors import HpoctlError
from hpoctl.core.setting_definition import Panel

INDENT, NAMES, GAP = 2, 31, 1
"""Columns before, of and after the names of an option; longer names have a separate line."""

WIDEST = 110
METAVARS = {"int": "N", "int range": "N", "float": "NUMBER", "float range": "NUMBER", "path": "PATH"}
CALLED = frozenset({"method", "benchmark", "study", "tag", "seed"})
"""Options whose value is shown by their name."""

KNOWN = {"METHOD": "methods", "BENCHMARK": "benchmarks", "STUDY": "studies", "LAUNCHER": "launchers"}
"""What is registered under the names that an option takes."""


class Command(TyperCommand):
    """A command whose help is legible in 80 columns."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature; it prints itself, too
        """Print the help."""
        console = out()
        width = min(console.width, WIDEST)
        options = [option for option in self.get_params(ctx) if not getattr(option, "hidden", False)]
        known = _registered(options)
        lines = [Text(self.get_usage(ctx), style="bold"), Text()]
        lines += [Text(line) for line in wrap((self.help or "").strip(), width)]
        for title, shown in _panels(options).items():
            lines += [Text(), Text(title, style="bold")]
            lines += [line for option in shown for line in _lines(option, ctx, known, width)]
        if self.epilog:
            lines += [Text(), *map(Text, self.epilog.strip().splitlines())]
        for line in lines:
            console.print(line, soft_wrap=True)


def _panels(options: list[Any]) -> dict[str, list[Any]]:
    """The options by panel, in the order of the panels; all in one panel if some have no panel."""
    titles = {option.name: getattr(option, "rich_help_panel", None) for option in options}
    arguments = [option for option in options if option.param_type_name == "argument"]
    own = [option for option in options if option not in arguments]
    titles["help"] = titles.get("help") or "Output"
    if not all(titles[option.name] for option in own) or len(set(titles.values())) == 1:
        return {title: shown for title, shown in (("Arguments", arguments), ("Options", own)) if shown}
    panels = {title: [option for option in own if titles[option.name] == title] for title in get_args(Panel)}
    return {title: shown for title, shown in {"Arguments": arguments, **panels}.items() if shown}


def _lines(option: Any, ctx: Any, known: Mapping[str, str], width: int) -> list[Text]:
    """One option: its names and its help beside them, or below where they are long."""
    names = _names(option, ctx)
    left = INDENT + NAMES + GAP
    helps = wrap(_help(option, known), max(width - left, NAMES), break_long_words=False, break_on_hyphens=False)
    beside = len(names) <= NAMES
    first = Text(" " * INDENT).append_text(names)
    if beside and helps:
        first.append(" " * (left - len(first)) + helps.pop(0))
    return [first, *(Text(" " * left + line) for line in helps)]


def _names(option: Any, ctx: Any) -> Text:
    if option.param_type_name == "argument":
        return Text(option.metavar or option.name.upper(), style="cyan")
    words = sorted(option.opts, key=len)
    if option.secondary_opts:
        words = [word.replace("--", "--[no-]", 1) if word.startswith("--") else word for word in words]
    text = Text(", ".join(words), style="cyan")
    return text if option.is_flag else text.append(f" {_metavar(option, ctx)}", style="yellow")


def _metavar(option: Any, ctx: Any) -> str:
    if option.metavar or option.name in CALLED:
        return option.metavar or str(option.name).upper()
    shown = str(option.display_type(ctx)).strip("<>")
    return shown if "|" in shown else METAVARS.get(shown, "TEXT")


def _help(option: Any, known: Mapping[str, str]) -> str:
    sentences = [" ".join((option.help or "").split())]
    if option.required:
        sentences.append("Required.")
    elif option.default is not None and option.default is not False and option.default != "":
        sentences.append(f"Default: {option.default}.")
    if option.metavar in known:
        sentences.append(f"Known: {known[option.metavar]}.")
    return " ".join(sentence for sentence in sentences if sentence)


def _registered(options: list[Any]) -> dict[str, str]:
    """The names that options take, as far as they are registered and any option asks for them."""
    asked = {option.metavar for option in options} & set(KNOWN)
    if not asked:
        return {}
    from hpoctl.builtins import open_registry

    try:
        registry = open_registry()
    except HpoctlError:  # the help is there all the same; a command says what is wrong
        return {}
    names = {metavar: ", ".join(getattr(registry, kind)) for metavar, kind in KNOWN.items() if metavar in asked}
    return {metavar: listed for metavar, listed in names.items() if listed}
