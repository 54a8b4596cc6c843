"""The reports of a training job as they arrive, from its log or from S3, each once and in their order.

Both ways number the lines of a run; SageMaker runs a job again after an interruption. Lines go to the start's file of
reports, from which they are read as those of a trial on this machine.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from hpoctl_sagemaker.api import REPORT

LINE = re.compile(re.escape(REPORT) + r" (?P<run>\d+) (?P<number>\d+)\]: (?P<text>\{.*\})\s*")
END = re.compile(r"\[hpoctl-end (?P<run>\d+) (?P<count>\d+)\]\s*")


class ArrivingReports:
    """Writes the reports of a start into its file.

    Args:
        path: The file. What an earlier controller has written into it is written again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: dict[str, dict[int, bytes]] = {}
        self._written: dict[str, int] = {}
        self._bytes: dict[str, int] = {}
        self._complete: dict[str, int] = {}
        self._over: set[str] = set()

    def begin(self) -> None:
        """Begin with an empty file."""
        self._path.unlink(missing_ok=True)

    @property
    def any(self) -> bool:
        """Whether there was any word of the job."""
        return bool(self._written)

    def arrive_in_log(self, text: str) -> None:
        """Take in a line of the log, if it is a report."""
        if match := LINE.fullmatch(text):
            self._waiting.setdefault(match["run"], {})[int(match["number"])] = match["text"].encode()
            self._write()
        elif match := END.fullmatch(text):
            self._complete[match["run"]] = int(match["count"])

    def behind(self, run: str, size: int) -> bool:
        """Whether the reports of a run on S3, of so many bytes, are more than what has arrived."""
        return size > self._bytes.get(run, 0)

    def arrive_on_s3(self, run: str, data: bytes) -> None:
        """Take in all reports of a run that are on S3."""
        lines = data.split(b"\n")[:-1]
        known = self._waiting.setdefault(run, {})
        known.update({number: line for number, line in enumerate(lines) if number >= self._written.get(run, 0)})
        self._write()

    def settle(self, sizes: Mapping[str, int]) -> None:
        """Runs that another one has followed are over: what is on S3 of them is all.

        Args:
            sizes: The bytes of each run that are on S3, listed after the last line of the log was taken in.
        """
        self._over |= {run for run in sorted(self._waiting)[:-1] if not self.behind(run, sizes.get(run, 0))}
        self._write()

    @property
    def ended(self) -> bool:
        """Whether the log says that the last run has ended, and all of its reports have arrived."""
        last = max(self._waiting, default="")
        return last in self._complete and self._written.get(last, 0) >= self._complete[last]

    def finish(self) -> None:
        """Nothing more arrives: write what waits for reports that are lost."""
        self._write(last=True)

    def _write(self, *, last: bool = False) -> None:
        """Write what comes next. The reports of a run wait until all of those of the run before are written."""
        data = b""
        for run in sorted(self._waiting):
            waiting, number, before = self._waiting[run], self._written.get(run, 0), len(data)
            while number in waiting or (last and waiting):
                number = number if number in waiting else min(waiting)
                data += waiting.pop(number) + b"\n"
                number += 1
            self._written[run] = number
            self._bytes[run] = self._bytes.get(run, 0) + len(data) - before
            if run not in self._over and not last:
                break
        if data:
            self._append(data)

    def _append(self, data: bytes) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            while data:
                data = data[os.write(descriptor, data) :]
        finally:
            os.close(descriptor)
