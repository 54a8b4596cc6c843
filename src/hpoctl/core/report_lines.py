"""What a trial reports, from bytes to JSON objects: lines on standard output, or the lines of a file of reports.

On standard output a report is `[tune-metric]: {json}`, as Syne Tune's Reporter prints it; all else is output. In the
file that the environment variable HPOCTL_REPORTS names, every line is a report. Bytes come in pieces of any size. Time
is linear and memory is bounded, whatever a script prints.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hpoctl import reporting
from hpoctl.core.files import MAX_DEPTH, check_depth
from hpoctl.core.text import one_line

MARK = reporting.MARK.encode()
MAX_LINE = 200_000
"""Bytes of the longest line that can hold a report; Syne Tune's Reporter prints 50,000 at most."""

MAX_PROBLEMS = 10
"""How many problems of a stream are told; the others are counted."""

SHOWN = 60
"""Characters of a text that a problem quotes."""

FACTS = "st_"
"""How the keys begin that Syne Tune's Reporter adds, such as st_worker_time: facts about a report, not values of it."""


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One report.

    Attributes:
        line: Its line in the stream, from 1.
        values: What was reported, by name: numbers (NaN and infinite ones, too), texts, true and false, lists, objects.
            Values that are null are left out.
        facts: What a reporter adds by itself: the keys that begin with `st_`.
    """

    line: int
    values: Mapping[str, Any]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LineProblem:
    """A line that looks like a report and is not.

    Attributes:
        line: Its line in the stream, from 1.
        why: What is wrong with it.
        text: How it begins.
    """

    line: int
    why: str
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}: {self.text}"


Parsed = tuple[list[ReportLine], list[LineProblem]]


class ReportLines:
    """Reads the reports in a stream of bytes.

    Args:
        marked: Whether a report stands behind a mark, as on standard output. Otherwise every line is one.

    Attributes:
        untold: How many problems were not told, because there were many before.
    """

    def __init__(self, *, marked: bool) -> None:
        self._marked = marked
        self._line = 1
        self._rest = bytearray()
        self._skipping = False
        self._begin = b""
        self._told = 0
        self.untold = 0

    def feed(self, data: bytes) -> Parsed:
        """The reports and problems in the lines that these bytes complete. More problems than a few are counted."""
        parsed: Parsed = ([], [])
        start = 0
        while True:
            start = self._pass_over(data, start)
            end = data.find(b"\n", start)
            self._add(data[start:] if end < 0 else data[start:end])
            if end < 0:
                return parsed
            self._end_line(parsed)
            start = end + 1

    def close(self) -> Parsed:
        """The report in the last line, if it has no line break. One that is cut off is a problem."""
        parsed: Parsed = ([], [])
        if self._rest or self._skipping:
            self._end_line(parsed)
        return parsed

    def _pass_over(self, data: bytes, start: int) -> int:
        """Go to the next line with a mark, or the last line: a script may print millions of lines without one."""
        if not self._marked or self._rest or self._skipping:
            return start
        place = data.find(MARK, start)
        line = data.rfind(b"\n", start, place if place >= 0 else len(data)) + 1
        if line <= start:
            return start
        self._line += data.count(b"\n", start, line)
        return line

    def _add(self, piece: bytes) -> None:
        if self._skipping:
            return
        self._rest += piece
        if len(self._rest) > MAX_LINE:
            self._begin = bytes(self._rest[:MAX_LINE])
            self._skipping = True
            self._rest.clear()

    def _end_line(self, parsed: Parsed) -> None:
        if self._skipping:
            self._too_long(parsed)
        else:
            for text in self._texts(bytes(self._rest)):
                self._parse(text, parsed)
        self._rest.clear()
        self._skipping, self._begin = False, b""
        self._line += 1

    def _too_long(self, parsed: Parsed) -> None:
        """A line beyond the bound: what stands complete in its beginning counts, a report that is cut off does not."""
        texts = list(self._texts(self._begin))
        for text in texts[:-1]:
            self._parse(text, parsed)
        if texts:
            self._problem(parsed, f"longer than {MAX_LINE:,} bytes", texts[-1])

    def _texts(self, line: bytes) -> Iterator[bytes]:
        """The texts in a line that should be reports."""
        if not self._marked:
            if line.strip():
                yield line.strip()
            return
        place = line.find(MARK)
        while place >= 0:
            following = line.find(MARK, place + len(MARK))
            yield line[place + len(MARK) : following if following >= 0 else len(line)].strip()
            place = following

    def _parse(self, text: bytes, parsed: Parsed) -> None:
        try:
            check_depth(text)
        except ValueError:
            self._problem(parsed, f"nested more than {MAX_DEPTH} levels deep", text)
            return
        try:
            value, end = DECODER.raw_decode(text.decode())
        except UnicodeDecodeError:
            self._problem(parsed, "not UTF-8", text)
            return
        except ValueError:
            self._problem(parsed, "not JSON", text)
            return
        if not isinstance(value, dict):
            self._problem(parsed, "not a JSON object", text)
        elif not self._marked and end < len(text.decode().rstrip()):
            self._problem(parsed, "more than one JSON object", text)
        else:
            values = {key: entry for key, entry in value.items() if entry is not None and not key.startswith(FACTS)}
            facts = {key: entry for key, entry in value.items() if key.startswith(FACTS)}
            parsed[0].append(ReportLine(self._line, values, facts))

    def _problem(self, parsed: Parsed, why: str, text: bytes) -> None:
        if self._told >= MAX_PROBLEMS:
            self.untold += 1
        else:
            self._told += 1
            parsed[1].append(LineProblem(self._line, why, shown(text)))


def shown(text: bytes) -> str:
    """The beginning of a text, as far as it can be printed."""
    return one_line(text[: 4 * SHOWN].decode(errors="replace"), SHOWN)


def _whole(text: str) -> int | float:
    """A whole number of JSON; one that no column can hold is a float, infinite if need be."""
    return int(text) if len(text) <= 18 else float(text)


DECODER = json.JSONDecoder(parse_int=_whole)
