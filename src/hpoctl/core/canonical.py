"""Canonical JSON and content hashes: equal values give equal bytes, on every machine."""

import json
from hashlib import sha256
from typing import Any


def canonical_json(value: Any) -> bytes:
    """Equal JSON values as equal bytes: sorted keys, no spaces, shortest exact floats, no NaN or infinity."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True).encode()


def content_hash(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    return sha256(data).hexdigest()
