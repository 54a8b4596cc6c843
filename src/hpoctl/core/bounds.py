"""Bounds of what is read from files, checked before anything recurses over it or converts a number."""

import re

MAX_DEPTH = 100
"""How deep lists and tables may be nested."""

MAX_DIGITS = 300
"""How many digits a number may have: more than any float has before its point."""

_AS_ZEROS = bytes(ord("0") if chr(byte).isdecimal() and byte < 128 else byte for byte in range(256))
_JSON_TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_TOML_TEXTS = re.compile(
    rb'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*+"|\'[^\'\n]*+\'|#[^\n]*+', re.DOTALL
)
_BRACKETS = re.compile(rb"[^][{}]+")


def check_json(data: bytes) -> None:
    """Refuse JSON that is nested too deeply or has a number that is too long.

    Raises:
        ValueError: It is.
    """
    _check(data, _JSON_TEXTS)


def check_toml(data: bytes) -> None:
    """Refuse TOML that is nested too deeply or has a number that is too long.

    Raises:
        ValueError: It is.
    """
    _check(data.replace(b"_", b""), _TOML_TEXTS)


def _check(data: bytes, texts: re.Pattern[bytes]) -> None:
    digits = b"0" * (MAX_DIGITS + 1)
    many_brackets = data.count(b"[") + data.count(b"{") > MAX_DEPTH
    if not many_brackets and digits not in data.translate(_AS_ZEROS):
        return  # most files: nothing else is to be looked at
    bare = texts.sub(b"", data)
    if digits in bare.translate(_AS_ZEROS):
        raise ValueError(f"it has a number of more than {MAX_DIGITS} digits")
    depth = deepest = 0
    for byte in _BRACKETS.sub(b"", bare):
        depth += 1 if byte in b"[{" else -1
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
