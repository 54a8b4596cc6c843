"""TOML files that people write, read with errors that name the file and the line."""

import tomllib
from pathlib import Path
from typing import Any

from hpoctl.core.errors import UsageError
from hpoctl.core.regular_files import read_regular

MOST_BYTES = 2**24
"""The largest TOML file: nobody writes more by hand."""


def read_toml(path: Path) -> dict[str, Any]:
    """The table in a TOML file.

    Raises:
        FileNotFoundError: There is no such file.
        UsageError: It cannot be read, or is not TOML.
    """
    try:
        data = read_regular(path, MOST_BYTES)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError(path) from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have, such as one with a NUL
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"Cannot read {str(path)!r}: {reason}.", "Check the file and its permissions.") from error
    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path} is no UTF-8 text (at line {line}).", "Save it as UTF-8.") from error
    except (ValueError, RecursionError) as error:
        last = data.count(b"\n") + 1
        reason = str(error).replace("at end of document", f"at line {last}, the end")
        fix = "Correct the file; https://toml.io has the rules."
        raise UsageError(f"{path} is not TOML: {reason}.", fix) from error
