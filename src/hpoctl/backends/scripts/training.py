"""One start of a trial while it runs, with its unread reports."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hpoctl.backends.scripts.files import MAX_OUTPUT, output_of
from hpoctl.backends.scripts.starts import StartFolder
from hpoctl.backends.scripts.workers import Exit, Growing, Output, Slot
from hpoctl.core.protocols import Plain, Report
from hpoctl.core.report_lines import Parsed, ReportLines
from hpoctl.core.trial_backends import TrialLimits
from hpoctl.core.trial_rows import TrialRow, TrialRows


class Written:
    """Reads the rows that a start of a trial has written, from its file of reports and from its standard output.

    Args:
        output: What the start writes.
        rows: Makes rows of reports.

    Attributes:
        first_problem: What is wrong with the first report that could not be used; empty: all could.
        trouble: Why a file cannot be read, such as one that the script has replaced; empty: all can be.
    """

    def __init__(self, output: Output, rows: TrialRows) -> None:
        self.output = output
        self._rows = rows
        self._streams = ((output.reports, ReportLines(marked=False)), (output.out, ReportLines(marked=True)))
        self._errors = output.err
        self._problems = 0
        self.first_problem = ""
        self.trouble = ""

    def read(self) -> list[TrialRow]:
        """The rows written since, so far as they fit one look.

        The file of reports is read last and counts first: what a script has reported before it printed something is
        never behind that.
        """
        (reports, reported), (out, printed) = self._streams
        output = self._bytes(out)
        found: list[TrialRow] = []
        if data := self._bytes(reports):  # most looks find nothing new
            found += self._made(reported.feed(data))
        if output:
            found += self._made(printed.feed(output))
        return found

    def rest(self, *, cut_off: bool = False) -> list[TrialRow]:
        """All rows written since; nothing comes after.

        Args:
            cut_off: Whether it was made to leave: a report that it could not finish is not a problem then.
        """
        found: list[TrialRow] = []
        for file, lines in self._streams:
            while data := self._bytes(file):
                found += self._made(lines.feed(data))
            reports, problems = lines.close()
            found += self._made((reports, [] if cut_off else problems))
            file.close()
        self._errors.close()
        return found

    def give_back(self) -> None:
        """Give back the middle of large outputs, so far as they have been read."""
        try:
            self._errors.skip()
        except OSError as error:
            self._unreadable(error)
        for file in (self._streams[1][0], self._errors):
            file.give_back()

    @property
    def too_much(self) -> bool:
        """Whether it prints more than can be kept."""
        return max(self._streams[1][0].size, self._errors.size) > MAX_OUTPUT

    @property
    def left_out(self) -> str:
        """How many reports could not be used, and what is wrong with the first one; empty: all could."""
        if self.trouble:
            return self.trouble
        count = self._problems + sum(lines.untold for _, lines in self._streams)
        if count == 0:
            return ""
        told = "a report was left out" if count == 1 else f"{count:,} reports were left out, the first one"
        return f"{told}: {self.first_problem}"

    def _bytes(self, file: Growing) -> bytes:
        try:
            return file.read()
        except OSError as error:
            self._unreadable(error)
            return b""

    def _unreadable(self, error: OSError) -> None:
        """A file that cannot be read is the trouble of this trial alone."""
        self.trouble = self.trouble or f"its output cannot be read: {error.strerror or error}: {error.filename}"

    def _made(self, parsed: Parsed) -> Iterator[TrialRow]:
        reports, problems = parsed
        for problem in problems:
            self._has_problem(str(problem))
        for report in reports:
            made = self._rows.add(report)
            if isinstance(made, TrialRow):
                yield made
            elif made is not None:
                self._has_problem(f"line {report.line}: {made}")

    def _has_problem(self, text: str) -> None:
        self._problems += 1
        self.first_problem = self.first_problem or text


def unread_rows(
    starts: Iterable[StartFolder], known: int, but: StartFolder | None, rows: Callable[[int, int], TrialRows]
) -> list[TrialRow]:
    """The rows above a resource that starts of a trial have written and that were not handed over; mostly none.

    All starts but one are read: a controller may have died several times before it handed a row over.

    Args:
        starts: The starts of the trial, the first one first.
        known: The last resource that was handed over.
        but: The start that is not read; None: all are read.
        rows: Makes rows of a start's reports, from the last known resource and the one that the start began after.
    """
    found: list[TrialRow] = []
    for start in starts:
        if start == but:
            continue
        last = found[-1].resource if found else known
        found += Written(output_of(start), rows(last, start.after)).rest()
    return found


@dataclass(slots=True)
class Training:
    """A start of a trial.

    Attributes:
        trial_id: The trial.
        key: What the start is called among processes.
        folder: Its folder.
        slot: Its share of the machine.
        written: What it writes.
        until: The resource of the scheduler's next question.
        begin: When it was started.
        base: Seconds of training before that.
        last_report: When it last reported, or was started.
        known: The last resource that was handed over.
        ready: Rows that the scheduler has not asked for yet, with their elapsed seconds and times.
        asked: Whether the scheduler waits for rows.
        pause: Whether it was told to pause (True) or to stop (False); None: neither.
        finishing: Whether it has nothing more to report and may end by itself.
        failing: Why it has to leave without being told to; empty: it has not.
        exit: How its processes ended; None: they run.
        give_up: When it is made to leave, if it does not by itself; None: never.
        waits: Whether it has yet to begin.
    """

    trial_id: int
    key: str
    folder: StartFolder
    slot: Slot
    written: Written
    until: int | None
    begin: float
    base: float
    last_report: float
    known: int
    ready: deque[tuple[TrialRow, float, float]] = field(default_factory=deque)
    asked: bool = True
    pause: bool | None = None
    finishing: bool = False
    failing: str = ""
    exit: Exit | None = None
    give_up: float | None = None
    closed: bool = False
    waits: bool = False

    def began(self, now: float, devices: tuple[str, ...]) -> None:
        """It has begun only now: waiting for a worker is not training."""
        self.begin = self.last_report = now
        self.waits = False
        self.slot = replace(self.slot, devices=devices)

    def seconds(self, now: float) -> float:
        """Seconds for which it has trained."""
        return 0.0 if self.waits else now - self.begin

    def fault(self, limits: TrialLimits, now: float) -> str:
        """Why it has to leave without being told to: it takes too long, or prints too much; empty: it may stay."""
        if limits.report_timeout is not None and now - self.last_report > limits.report_timeout:
            return f"no report for {limits.report_timeout:g} s"
        if limits.trial_timeout is not None and self.base + self.seconds(now) > limits.trial_timeout:
            return f"it took longer than {limits.trial_timeout:g} s"
        return "it prints too much" if self.written.too_much else self.written.trouble

    def look(self, now: float) -> None:
        """Read its new reports."""
        if self.closed:
            return
        if self.exit is None:
            rows = self.written.read()
        else:
            rows = self.written.rest(cut_off=self.pause is not None or bool(self.failing) or self.exit.code is None)
            self.closed = True
        if rows:
            self.last_report = now
            self.add(rows, now)

    def add(self, rows: Sequence[TrialRow], now: float) -> None:
        """Take in rows that have just been read."""
        elapsed = self.base + max(0.0, self.seconds(now))
        self.ready.extend((row, elapsed, now) for row in rows)

    def report(self) -> Report | None:
        """The rows that answer the scheduler's question, or lead to it; None: no such rows."""
        if not self.asked or not self.ready:
            return None
        count = 0
        for row, _, _ in self.ready:
            count += 1
            if self.until is None or row.resource >= self.until:
                break
        self.asked = False
        return self.take(count)

    def take(self, count: int) -> Report:
        """The next rows."""
        taken = [self.ready.popleft() for _ in range(count)]
        self.known = taken[-1][0].resource
        extra: list[Mapping[str, Plain]] = [row.extra for row, _, _ in taken]
        return Report(
            self.trial_id,
            np.array([row.resource for row, _, _ in taken], dtype=np.int64),
            np.array([row.metrics for row, _, _ in taken], dtype=np.float64),
            np.array([elapsed for _, elapsed, _ in taken]),
            np.array([time for _, _, time in taken]),
            extra if any(extra) else (),
        )
