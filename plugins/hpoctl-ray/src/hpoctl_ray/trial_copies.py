"""Trials whose files lie on the disk of their node, with a copy on S3: by it, they resume on any node.

    <folder>/trials/7/config.json
                      checkpoints/
                      starts/0/reports.jsonl   what the trial reports
                               std.out         the lines of its output that hold reports
             printed/7-0.out, 7-0.err          what it prints

A copy is that of the folder `trials/7`. Its reports are read after its checkpoints, so that a trial that continues from
a checkpoint has the rows that led to it. Ray sends this module to the nodes by value, as it does `trial_node`.
"""

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NODE = "/.hpoctl-node"
"""What stands for the folder of an experiment on any node, in words, environment variables and paths."""

CODE, TRIALS, PRINTED = "code", "trials", "printed"
CONFIG, CHECKPOINTS, PROCESS = "config.json", "checkpoints", "process.json"
OUT = "std.out"
SESSION = "session"
"""The blob that names the controller that may start trials of an experiment."""

MAX_LINE = 300_000
"""Bytes of a line that are kept until it ends; no report is so long."""


@dataclass(slots=True)
class _Start:
    """A start of a trial on this node.

    Attributes:
        folder: The folder of the trial.
        copier: Copies that folder.
        marked: The file of the lines that hold reports.
        parts: What the copy has: the checkpoints, and the rest.
        copying: Copies again and again.
        rest: A line that has not ended yet.
    """

    folder: Path
    copier: Any
    marked: Path
    parts: tuple[Any, Any]
    copying: Any = None
    rest: bytes = field(default=b"")


class TrialCopies:
    """The files of an experiment's trials on this node.

    Args:
        folder: Where they are on this node.
        code: Where the files of the script are on this node.
        modules: Modules of hpoctl: `folder_copier`, `folder_copies`, `report_lines`.
        store: Where copies go.
        token: What names the controller.
    """

    def __init__(self, folder: Path, code: Path, modules: Mapping[str, Any], store: Any, token: str) -> None:
        self._folder, self._code, self._store, self._token = folder, code, store, token
        self._copier, self._copies = modules["folder_copier"], modules["folder_copies"]
        self._mark: bytes = modules["report_lines"].MARK
        self._starts: dict[str, _Start] = {}

    def here(self, text: str) -> str:
        """A text with the paths of this node."""
        return text.replace(f"{NODE}/{CODE}", str(self._code)).replace(NODE, str(self._folder))

    def session(self) -> str:
        """What names the controller that may start trials now; empty: no controller may.

        Raises:
            HpoctlError: S3 cannot be read.
        """
        try:
            return str(self._store.get(SESSION).decode("ascii"))
        except FileNotFoundError:
            return ""

    def begin(self, key: str, files: Mapping[str, str]) -> None:
        """Bring what earlier starts of a trial have left, wherever they ran, and make the folders of a new one.

        Args:
            key: The start.
            files: Small files of the trial's folder that the controller has written.

        Raises:
            HpoctlError: S3 cannot be used, or the copy is damaged.
            OSError: A file cannot be written.
        """
        trial, _, number = key.partition("/")
        folder = self._folder / TRIALS / trial
        start = folder / "starts" / number
        copier = self._copier.FolderCopier(self._store, trial, folder, f"{self._token} {key}")
        copier.take_over()
        if self._copies.fetch(self._store, trial, folder) is None:
            shutil.rmtree(folder, ignore_errors=True)
        for place in (folder / CHECKPOINTS, start, self._folder / PRINTED):
            place.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        empty = self._copier.Part()
        self._starts[key] = _Start(folder, copier, start / OUT, (empty, empty))

    def keep(self, key: str, read: Callable[[], None]) -> None:
        """Copy the folder of a trial from now on, again and again.

        Args:
            key: The start.
            read: Reads what the trial has printed until now.
        """
        start = self._starts[key]

        def copy() -> None:
            checkpoints = start.copier.settled(CHECKPOINTS, start.parts[0])
            read()
            rest = start.copier.sent(start.copier.files("", _left_out), start.parts[1])
            start.parts = (checkpoints, rest)
            start.copier.replace(start.parts)

        start.copying = self._copier.RepeatedCopy(copy, _say)

    def printed(self, key: str, data: bytes) -> None:
        """Take in what a trial has printed: keep the lines that hold reports."""
        start = self._starts[key]
        *lines, rest = (start.rest + data).split(b"\n")
        start.rest = rest if len(rest) <= MAX_LINE else b""
        found = b"".join(line + b"\n" for line in lines if self._mark in line)
        if found:
            with start.marked.open("ab") as file:
                file.write(found)

    def end(self, key: str) -> str:
        """Copy the folder of a trial a last time, and remove it here; returns why that failed, or an empty text."""
        start = self._starts.pop(key, None)
        if start is None:
            return ""
        problem = start.copying.end() if start.copying is not None else None
        if problem is not None and not isinstance(problem, self._copier.TakenOverError):
            return f"what it has saved is not on S3, and stays in {start.folder}: {problem}"
        shutil.rmtree(start.folder, ignore_errors=True)
        for name in ("out", "err"):
            (self._folder / PRINTED / f"{key.replace('/', '-')}.{name}").unlink(missing_ok=True)
        return ""


def _say(text: str) -> None:
    sys.stderr.write(f"hpoctl: {text}\n")  # into Ray's log of the worker


def _left_out(path: Path) -> bool:
    return path.name in (CHECKPOINTS, PROCESS)
