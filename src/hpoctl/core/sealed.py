"""JSON files that know when they are damaged: their last entry is the SHA-256 of all the text before it."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from hpoctl.core.canonical import content_hash
from hpoctl.core.files import check_json
from hpoctl.core.records import RecordError, from_plain, to_plain

CHECKSUM = "checksum"
FORMAT = "format"

T = TypeVar("T")
_SEAM = f',\n  "{CHECKSUM}": "'
_ESCAPE = re.compile(r"\\(?:ud[89ab][0-9a-f]{2}\\ud[c-f][0-9a-f]{2}|(ud[89a-f][0-9a-f]{2})|.)")


class DamagedError(ValueError):
    """The bytes are not what was written."""


@dataclass(frozen=True, slots=True)
class RecordType(Generic[T]):
    """A kind of sealed file, and the record that it holds.

    Attributes:
        name: What it is, in words.
        kind: The record.
        format: The number of its format, the first entry of the file.
        strict: Whether a key that the record does not have is damage. Otherwise it is one of a later version.
        defaults: Whether fields that have their default are written, too.
    """

    name: str
    kind: type[T]
    format: int = 1
    strict: bool = False
    defaults: bool = True

    def seal(self, record: T) -> bytes:
        """The bytes of a file with a record."""
        return seal({FORMAT: self.format, **to_plain(record, defaults=self.defaults)})

    def unseal(self, data: bytes) -> T:
        """The record in the bytes of a file.

        Raises:
            DamagedError: It is not what was written, or of another format.
        """
        values = unseal(data)
        found = values.pop(FORMAT, self.format)
        if found != self.format:
            raise DamagedError(f"its format is {found!r}, and this version reads {self.format}")
        try:
            return from_plain(self.kind, values, strict=self.strict)
        except RecordError as error:
            raise DamagedError(str(error)) from error


def seal(values: Mapping[str, Any]) -> bytes:
    """The values as a JSON object that people can read, an entry a line, with its checksum.

    What is not Unicode, such as a byte of a file name that is not UTF-8, is written as its code.

    Raises:
        ValueError: A value is not a JSON value, or there are no values.
    """
    if not values or CHECKSUM in values:
        raise ValueError(f"nothing to seal, or {CHECKSUM!r} among the keys")
    text = "{\n" + ",\n".join(f"  {_json(key)}: {_json(value)}" for key, value in values.items())
    return f'{text}{_SEAM}{content_hash(text.encode())}"\n}}\n'.encode()


def unseal(data: bytes) -> dict[str, Any]:
    """The values that were sealed.

    Raises:
        DamagedError: A byte is missing or changed, or the values are beyond the bounds of `check_json`.
    """
    values: dict[str, Any] = read_json(_checked(data), dict[str, Any])
    return values


def unseal_as(data: bytes, kind: type[T]) -> T:
    """Some of the values that were sealed: others cost little time.

    Args:
        data: The bytes.
        kind: A dataclass of plain types, with the keys that are wanted.

    Raises:
        DamagedError: A byte is missing or changed, or a value has another type.
    """
    text = _checked(data)
    with suppress(msgspec.MsgspecError, RecursionError):
        return msgspec.json.decode(text, type=kind)
    try:
        return from_plain(kind, read_json(text, dict[str, Any]), strict=False)
    except RecordError as error:
        raise DamagedError(str(error)) from error


def read_json(data: bytes, kind: Any) -> Any:
    """What JSON without a checksum says.

    Args:
        data: The JSON.
        kind: What it is: plain types, lists, mappings, and dataclasses of them.

    Raises:
        DamagedError: It is not JSON, a value has another type, or the values are beyond the bounds of `check_json`.
    """
    try:
        check_json(data)
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise DamagedError(str(error).replace("`", "")) from error


def _checked(data: bytes) -> bytes:
    if not data:
        raise DamagedError("it is empty")
    text, seam, rest = data.rpartition(_SEAM.encode())
    if not seam or rest != f'{content_hash(text)}"\n}}\n'.encode():
        raise DamagedError("its checksum does not match")
    return text + b"\n}"


def _json(value: Any) -> str:
    text = json.dumps(value, allow_nan=False)
    return _ESCAPE.sub(lambda found: f"\\\\{found[1]}" if found[1] else found[0], text) if "\\ud" in text else text
