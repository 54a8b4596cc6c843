"""TOML files that people write, read with errors that name the file, the line and the path of what is wrong."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from hpoctl.core import records
from hpoctl.core.errors import UsageError
from hpoctl.core.files import check_toml, read_regular
from hpoctl.core.records import RecordError, from_plain

MOST_BYTES = 2**24
"""The largest TOML file: more than anyone writes by hand."""

T = TypeVar("T")
MARK = b"\xef\xbb\xbf"
_TABLE = re.compile(r"\s*\[{1,2}\s*([^]#]+?)\s*\]{1,2}\s*(?:#.*)?")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=.*""", re.DOTALL)
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


@dataclass(frozen=True, slots=True)
class Document:
    """A table of plain values that a person wrote.

    Attributes:
        values: The table.
        name: What it is, for messages, such as the path of its file.
        text: The text of the file; empty: there is none, or it is not TOML.
        path: Where the table stands in the file.
    """

    values: Mapping[str, Any]
    name: str
    text: str = ""
    path: records.Path = ()

    def read(self, kind: type[T], given: Mapping[str, Any] | None = None) -> T:
        """The record that the table describes.

        Args:
            kind: The record.
            given: Fields that do not stand in the table, by name.

        Raises:
            UsageError: A key is unknown or missing, or a value does not fit.
        """
        try:
            return from_plain(kind, self.values, given=given)
        except RecordError as error:
            raise self.error(error) from error

    def error(self, error: RecordError) -> UsageError:
        """What is wrong with the table, with the name of the file and, where that can be told, the line."""
        line = _line(self.text, (*self.path, *error.path))
        return UsageError(f"{error.text(self.name)}{f' (line {line})' if line else ''}.", error.fix)

    def with_default(self, key: str, value: object) -> "Document":
        """The table with an entry, if it does not have one of that key."""
        return replace(self, values={key: value, **self.values})

    def table(self, key: str) -> "Document | None":
        """A table of the table, if there is one."""
        values = self.values.get(key)
        return replace(self, values=values, path=(*self.path, key)) if isinstance(values, Mapping) else None

    def without(self, *keys: str) -> "Document":
        """The table without some of its keys."""
        return replace(self, values={key: value for key, value in self.values.items() if key not in keys})


def read_toml(path: Path) -> Document:
    """The table in a TOML file.

    Raises:
        FileNotFoundError: There is no such file.
        UsageError: It cannot be read, is not TOML, or is beyond the bounds of `check_toml`.
    """
    try:
        data = read_regular(path, MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(path) from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have, such as one with a NUL
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"Cannot read {str(path)!r}: {reason}.", "Check the file and its permissions.") from error
    if data.startswith(MARK):
        raise UsageError(f"{path} begins with a byte order mark.", "Save it as UTF-8 without one.")
    try:
        check_toml(data)
        text = data.decode()
        return Document(tomllib.loads(text), str(path), text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path} is no UTF-8 text (at line {line}).", "Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        last = data.count(b"\n") + 1
        reason = str(error).replace("at end of document", f"at line {last}, the end")
        fix = "Correct the file; https://toml.io has the rules."
        raise UsageError(f"{path} is not TOML: {reason}.", fix) from error


def _line(text: str, path: records.Path) -> int | None:
    """The line where something begins, as far as that can be told without the rules of TOML; None: it cannot.

    Args:
        text: The TOML.
        path: Keys and places in lists. The last keys may be missing: the line of the table counts then.
    """
    keys = [step for step in path if isinstance(step, str)]
    table: list[str] = []
    best, found = 0, None
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.fullmatch(line):
            here = table = _keys(header[1])
        elif pair := _KEY.fullmatch(line):
            here = [*table, *_keys(pair[1])]
        else:
            continue
        common = min(len(here), len(keys))
        if common > best and here[:common] == keys[:common]:
            best, found = common, number
    return found


def _keys(text: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(text)]
