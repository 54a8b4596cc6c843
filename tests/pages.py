"""Pages that are executed: their files are written, their commands run in order, what they show is what is printed.

A fenced block says what it is for by what stands behind its language:

    python trip-wire/trip_wire.py    a file to write
    sh                               commands, which end with exit code 0
    sh exit 1                        commands; the last one ends with this code
    text                             what the commands before it print, `...` for lines that are left out
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GAP = "..."
PREAMBLE = f"""set -e
hpoctl() {{ {sys.executable} -W error -m hpoctl "$@"; }}
python() {{ {sys.executable} "$@"; }}
pip() {{ :; }}
"""
"""Commands are those of this environment; the caller installs the requirements of a page."""

MASKS = (
    (re.compile(r"\d{8}-\d{6}-\d{6}"), "STAMP"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "DATE"),
    (re.compile(r"on \S+, process \d+"), "on HOST, process PID"),
    (re.compile(r"(?<![\d.\[])\d+(\.\d+)? s\b|\b\d+:\d\d(:\d\d)?\b"), "DURATION"),
    (re.compile(r"\b[\d.,]+ [kMG]?B\b"), "SIZE"),
    (re.compile(r"\d+ at a time"), "SOME at a time"),
    (re.compile(r'"[^"]*/hpoctl/|line \d+'), "PLACE"),
    (re.compile(r"[─━]+"), "─"),
    (re.compile(r"\s+"), " "),
)
"""What differs from run to run and from machine to machine, and how a page and a run show it alike."""

NEWS = re.compile(r"^\S+  \d+/\d+(  .*)? left$")
"""How far a launch is, now and then."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    purpose: str
    content: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = FENCE.findall(page.read_text(encoding="utf-8"))
    return [Block(language, purpose.strip(), content) for language, purpose, content in found]


@dataclass(frozen=True)
class Folder:
    """The folder in which a page is executed.

    Attributes:
        path: Where it is.
        shown: How the page calls it.
        environment: The environment of its commands.
    """

    path: Path
    shown: str
    environment: dict[str, str]

    def write(self, name: str, content: str) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")

    def run(self, commands: str) -> tuple[int, str]:
        """The exit code of some commands, and all that they print."""
        done = subprocess.run(
            ["bash", "-c", PREAMBLE + commands],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=600,
            cwd=self.path,
            env=os.environ | self.environment,
        )
        return done.returncode, done.stdout.replace(str(self.path), self.shown)


def missing_lines(shown: str, printed: str) -> list[str]:
    """The first run of lines that a page shows and that was not printed there; empty: all were."""
    lines = [masked(line) for line in printed.splitlines() if not NEWS.match(line)]
    place, adjacent = 0, True
    for part in split_at_gaps(shown):
        starts = range(place, len(lines) + 1) if not adjacent else [place]
        wanted = [masked(line) for line in part]
        found = next((start for start in starts if lines[start : start + len(wanted)] == wanted), None)
        if found is None:
            return part
        place, adjacent = found + len(wanted), False
    at_end = not shown.rstrip().endswith(GAP)
    return lines[place:] if at_end else []


def split_at_gaps(shown: str) -> list[list[str]]:
    """The lines between the gaps; the first part is empty where a gap comes first."""
    parts: list[list[str]] = [[]]
    for line in shown.splitlines():
        if line.strip() == GAP:
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def masked(line: str) -> str:
    """A line without what differs from run to run."""
    for pattern, word in MASKS:
        line = pattern.sub(word, line)
    return line.strip()
