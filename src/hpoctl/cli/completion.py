"""Completion in a shell, from a cache of the commands and of what is registered.

A person waits for each answer, so this module imports neither Typer nor plugins while the cache holds: while the same
packages are installed, for a day at most. The protocols are those of the scripts that Typer installs in shells.
"""

import json
import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpoctl import __version__
from hpoctl.core.files import read_regular
from hpoctl.core.places import cache_directory, data_directory, is_address, results_root

FILE = "completion.json"
LASTS = 86_400.0
"""Seconds for which the cache holds."""

CACHED = {"key": list, "time": float, "commands": dict, "names": dict}
"""The parts of the cache."""

Values = Mapping[str, str]
"""What may stand in a place, each with a line of help."""

Tree = Mapping[str, Any]
"""A command as plain values: `options`, `arguments` and, of a group, `commands`. See `completion_cache`."""


@dataclass(frozen=True, slots=True)
class Line:
    """A command line up to the cursor.

    Attributes:
        words: The complete words after `hpoctl`.
        incomplete: The word at the cursor, as far as it is typed.
        whole: Whether the shell replaces `--option=value` as one word; bash replaces what follows the `=`.
    """

    words: Sequence[str]
    incomplete: str
    whole: bool = True


def answer(instruction: str) -> bool:
    """Print what completes the command line that a shell has put into the environment.

    Args:
        instruction: What the shell asks for: `complete_SHELL`.

    Returns:
        Whether it was answered; otherwise Typer answers, such as with the script that a shell has to load.

    Raises:
        SystemExit: Fish asks whether there is an answer: with 0 or 1.
    """
    shell = instruction.removeprefix("complete_")
    if shell not in SHELLS or shell == instruction:
        return False
    # The shell is in the middle of a line: an error would be printed into it, and there is nothing to complete.
    try:
        found = complete(_line(shell))
    except Exception:  # noqa: BLE001
        found = {}
    if os.environ.get("_TYPER_COMPLETE_FISH_ACTION") == "is-args":
        sys.exit(not found)
    sys.stdout.write(SHELLS[shell](found))
    return True


def complete(line: Line) -> Values:
    """What can stand at the cursor of a command line, with a line of help for each."""
    known = _known()
    command, option, after = _place(known["commands"], line.words)
    typed = line.incomplete
    if option is None and typed.startswith("-") and "--" not in line.words:
        name, equals, value = typed.partition("=")
        option = command["options"].get(name) if equals else None
        if option is None:
            return _options(command, line.words, typed)
        start = f"{name}=" if line.whole else ""
        return {f"{start}{found}": text for found, text in _values(option["takes"], known, line, value).items()}
    if option is not None:
        return _values(option["takes"], known, line, "" if typed == "=" else typed)
    if not after and "commands" in command:
        return _starting({name: inner["help"] for name, inner in command["commands"].items()}, typed)
    takes = command["arguments"]
    return _values(takes[min(after, len(takes) - 1)], known, line, typed) if takes else {}


def _place(command: Tree, words: Sequence[str]) -> tuple[Tree, Mapping[str, Any] | None, int]:
    """The command that is being typed, the option whose value comes next, and how many arguments there are already."""
    option, arguments, options_end = None, 0, False
    for word in words:
        if option is not None:
            option = option if word == "=" else None  # bash makes a word of the = between an option and its value
        elif word == "--":
            options_end = True
        elif word.startswith("-") and not options_end:
            found = command["options"].get(word)
            option = found if found is not None and not found["flag"] else None
        elif not arguments and word in command.get("commands", {}):
            command = command["commands"][word]
        else:
            arguments += 1
    return command, option, arguments


def _options(command: Tree, words: Sequence[str], typed: str) -> Values:
    """The options of a command, less those that are there already and cannot be repeated."""
    names = {
        name: option["help"] for name, option in command["options"].items() if option["repeats"] or name not in words
    }
    return _starting(names, typed)


def _values(takes: str | Mapping[str, str], known: Tree, line: Line, typed: str) -> Values:
    """The values of an option or argument: those that it lists, or the names of a kind."""
    if not isinstance(takes, str):
        return _starting(takes, typed)
    return _starting(_tags(line.words) if takes == "tags" else known["names"].get(takes, {}), typed)


def _starting(values: Values, typed: str) -> Values:
    return {name: text for name, text in values.items() if name.startswith(typed)}


def _tags(words: Sequence[str]) -> Values:
    """The tags of the root of results, if that is a folder."""
    if "--results" in words[:-1]:
        root = os.path.expanduser(words[words.index("--results") + 1])  # noqa: PTH111 - a text, maybe an address
    elif any(Path(name).exists() for name in ("hpoctl.toml", "pyproject.toml")):
        from hpoctl.ops.studies.config import read_config, results_address

        root = results_address(None, read_config(Path.cwd()))
    else:
        root = results_root()
    if is_address(root):
        return {}
    return {entry.name: "" for entry in sorted(Path(root).iterdir()) if entry.is_dir() and entry.name[0] != "."}


def _known() -> Tree:
    """The commands and the registered names, from the cache if it holds."""
    file, key = cache_directory() / FILE, _key()
    kept = _read(file)
    if kept and kept["key"] == key and 0.0 <= time.time() - kept["time"] <= LASTS:
        return kept
    from hpoctl.cli.completion_cache import commands, names

    known = {"key": key, "time": time.time(), "commands": commands(), "names": names()}
    _write(file, known)
    return known


def _key() -> list[str]:
    """What changes when another package is installed, selected, or edited at its top level, or a table is imported."""
    folders = [*map(Path, sys.path), Path(__file__).parent, data_directory()]
    here = Path.cwd()  # with `python -m` it is in `sys.path`, and it changes while people work in it
    seen = [f"{folder} {folder.stat().st_mtime_ns}" for folder in folders if folder.is_dir() and folder != here]
    return [__version__, os.environ.get("HPOCTL_PLUGINS", ""), *seen]


def _read(file: Path) -> Mapping[str, Any]:
    try:
        kept = json.loads(read_regular(file))
        return kept if all(isinstance(kept[name], kind) for name, kind in CACHED.items()) else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(file: Path, kept: Mapping[str, Any]) -> None:
    """Replace the cache in one step, so that another shell reads the old one or this one; a failure is harmless."""
    beside = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(kept), encoding="utf-8")
        beside.replace(file)
    except OSError:
        return


def _line(shell: str) -> Line:
    """The command line, from the variables that the script of a shell sets."""
    if shell == "bash":
        words, at = _split(os.environ["COMP_WORDS"]), int(os.environ["COMP_CWORD"])
        return Line(words[1:at], words[at] if at < len(words) else "", whole=False)
    text = os.environ["_TYPER_COMPLETE_ARGS"]
    words = _split(text)
    return Line(words[1:-1], words[-1]) if words[1:] and not text.endswith(" ") else Line(words[1:], "")


def _split(text: str) -> list[str]:
    """The words of a command line; quotes that are still open end with it."""
    for end in ("", '"', "'"):
        try:
            return shlex.split(text + end)
        except ValueError:
            continue
    return text.split()


def _bash(values: Values) -> str:
    return "\n".join([*values, ""])


def _zsh(values: Values) -> str:
    """Code that the script evaluates: without an answer zsh completes files."""
    if not values:
        return "_files"
    kind = "-o option" if all(name.startswith("-") for name in values) else "value"
    shown = [name.replace("\\", "\\\\").replace(":", "\\:") + _help(text, ":") for name, text in values.items()]
    end = " -S ''" if all(name.endswith("=") for name in values) else ""  # a value follows: no space
    return f"local -a found; found=({' '.join(map(shlex.quote, shown))}); _describe {kind} found{end}"


def _fish(values: Values) -> str:
    return "".join(f"{name}{_help(text, chr(9))}\n" for name, text in values.items())


def _help(text: str, separator: str) -> str:
    return separator + " ".join(text.split()) if text else ""


SHELLS = {"bash": _bash, "zsh": _zsh, "fish": _fish}
"""The shells, each with the form of its answer."""
