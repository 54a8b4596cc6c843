"""Result files of Syne Tune: metadata and rows of one tuner, read into a table and written from one.

<tuner name>/metadata.json     as its Tuner writes it
            /results.csv.zip   or results.csv: one row a report, in the order in which reports arrived

Nothing else in such a folder is opened; `tuner.dill` least of all, because unpickling runs code.
"""

import io
import json
import os
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import METADATA, RESULTS
from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.files import check_json, read_regular
from hpoctl.ops.exchange.syne_tune_rows import LEAVE_OUT, ROWS, UTF_8, in_short

ROWS_ZIP = "results.csv.zip"
MOST_BYTES = 2**31 - 1
"""The largest table that is read as one block."""

FORKS = "__MACOSX/"
"""What an archiver of macOS adds to each file."""

ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""Equal rows are equal bytes, whenever they are written."""


@dataclass(frozen=True)
class TunerFiles:
    """The files of one tuner.

    Attributes:
        folder: Its folder.
        text: Its metadata, as they were written.
        metadata: The same, parsed.
        rows: Its rows, as CSV.
    """

    folder: Path
    text: str
    metadata: Mapping[str, Any]
    rows: bytes

    @property
    def digests(self) -> dict[str, str]:
        """The hashes of what the files say."""
        return {"metadata": content_hash(self.text.encode()), "rows": content_hash(self.rows)}


def tuner_folders(folder: Path) -> Iterator[Path]:
    """The folders below one that have metadata or rows in them, in the order of their names; links are not followed.

    Raises:
        HpoctlError: A folder cannot be read.
    """
    for place, folders, files in os.walk(folder, onerror=_unreadable):
        if {METADATA, ROWS, ROWS_ZIP} & set(files):
            yield Path(place)
        if {ROWS, ROWS_ZIP} & set(files):
            folders.clear()  # what its trials left behind is not a result
        folders.sort()


def read_files(folder: Path) -> TunerFiles:
    """The files of a tuner.

    Raises:
        IncompleteError: One is missing, damaged or cannot be read.
    """
    try:
        text = _read(folder / METADATA).decode(UTF_8)
        check_json(text.encode())
        metadata = json.loads(text)
        json.dumps(metadata, ensure_ascii=False).encode()  # refuses half of a character, which no name can have
    except FileNotFoundError:
        raise IncompleteError(f"There is no {METADATA} beside its rows.", LEAVE_OUT) from None
    except (ValueError, RecursionError) as error:
        raise IncompleteError(f"{METADATA} is damaged: {in_short(error)}.", LEAVE_OUT) from error
    if not isinstance(metadata, dict):
        raise IncompleteError(f"{METADATA} is no object.", LEAVE_OUT)
    return TunerFiles(folder, text, metadata, _rows_of(folder))


def _rows_of(folder: Path) -> bytes:
    try:
        if (folder / ROWS_ZIP).exists():
            return unzipped(_read(folder / ROWS_ZIP))
        return _read(folder / ROWS)
    except FileNotFoundError:
        if (folder / RESULTS).exists():
            raise IncompleteError("It is a result of hpoctl itself.", "Name its root with --results.") from None
        raise IncompleteError(f"There is neither {ROWS_ZIP} nor {ROWS}.", LEAVE_OUT) from None


def unzipped(data: bytes) -> bytes:
    """The rows in the bytes of a `results.csv.zip`.

    Raises:
        IncompleteError: It is damaged, or there is something else in it.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [member for member in archive.infolist() if not member.filename.startswith(FORKS)]
            if len(members) != 1:
                raise IncompleteError(f"{ROWS_ZIP} has {len(members)} files in it, not one.", LEAVE_OUT)
            _check_size(members[0].file_size)
            return archive.read(members[0])
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise IncompleteError(f"{ROWS_ZIP} is damaged: {in_short(error)}.", LEAVE_OUT) from error


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, MOST_BYTES)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise IncompleteError(
            f"{path.name} cannot be read: {error.strerror or error}.", "Check the file and its permissions."
        ) from error


def _check_size(size: int) -> None:
    if size > MOST_BYTES:
        raise IncompleteError(f"Its rows take {size:,} bytes.", f"At most {MOST_BYTES:,} can be read.")


def zipped(rows: bytes) -> bytes:
    """What `results.csv.zip` holds."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        member = zipfile.ZipInfo(ROWS, ZIP_DATE)
        member.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(member, rows)
    return sink.getvalue()


def _unreadable(error: OSError) -> None:
    raise HpoctlError(
        f"Cannot read {error.filename}: {error.strerror or error}.", "Check the folder and its permissions."
    ) from error
