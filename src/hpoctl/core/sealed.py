"""JSON files that know when they are damaged: their last entry is the SHA-256 of all the text before it."""

import json
from collections.abc import Mapping
from typing import Any

from hpoctl.core.canonical import content_hash

CHECKSUM = "checksum"
_SEAM = f',\n  "{CHECKSUM}": "'


class DamagedError(ValueError):
    """The bytes are not what was written."""


def seal(values: Mapping[str, Any]) -> bytes:
    """The values as a JSON object that people can read, an entry a line, with its checksum.

    Raises:
        ValueError: A value is no JSON value, or there are no values.
    """
    if not values or CHECKSUM in values:
        raise ValueError(f"nothing to seal, or {CHECKSUM!r} among the keys")
    lines = (f"  {json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in values.items())
    text = "{\n" + ",\n".join(lines)
    return f'{text}{_SEAM}{content_hash(text.encode())}"\n}}\n'.encode()


def unseal(data: bytes) -> dict[str, Any]:
    """The values that were sealed.

    Raises:
        DamagedError: A byte is missing or changed.
    """
    if not data:
        raise DamagedError("it is empty")
    text, seam, rest = data.rpartition(_SEAM.encode())
    if not seam or rest != f'{content_hash(text)}"\n}}\n'.encode():
        raise DamagedError("its checksum does not match")
    values: dict[str, Any] = json.loads(text + b"\n}")
    return values
