"""Which sets have imported curves, and where. A look at the file system, without numpy: every command takes it.

    <data>/fcnet/<set>.current      the name of the directory that counts
                /<set>-<hash>/      the table; the files are those of `table_files`

`<set>.current` is replaced in one step, so another import of the same set counts at once and completely. A set whose
directory has been removed is not imported any more.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from hpoctl.core.files import read_regular
from hpoctl.core.places import data_directory

FORMAT = 1
"""Changes when the same imported files stand for another table."""


def imports_directory() -> Path:
    """Where imported tables lie."""
    return data_directory() / "fcnet"


def pointer(name: str) -> Path:
    """The file that names the directory of a set's imported table."""
    return imports_directory() / f"{name}.current"


def imported_directory(name: str) -> Path | None:
    """Where the imported table of a set is; None: it has not been imported.

    If the file that says so is damaged, it is that file: opening the table then reports it.
    """
    file = pointer(name)
    try:
        target = read_regular(file).decode("ascii").removesuffix("\n")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        return file
    if not re.fullmatch(rf"{name}-[0-9a-f]{{16}}", target):
        return file
    directory = file.parent / target
    try:
        directory.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        pass  # it is there, and opening it says what is wrong
    return directory


def content_hash(name: str, hashes: Mapping[str, str]) -> str:
    """A hash of an imported table, from the SHA-256 of each of its files."""
    listed = " ".join(f"{file_name}={digest}" for file_name, digest in sorted(hashes.items()))
    return sha256(f"hpoctl-fcnet imported {FORMAT} {name} {listed}".encode()).hexdigest()


def directory_name(name: str, hashes: Mapping[str, str]) -> str:
    """The name of the directory of an imported table."""
    return f"{name}-{content_hash(name, hashes)[:16]}"
