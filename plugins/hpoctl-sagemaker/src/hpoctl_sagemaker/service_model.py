"""Checks a request against botocore's own model of a service, before it is sent.

botocore itself checks types and what is required; it does not check patterns, lengths and lists of values, which the
service refuses one by one, after a while.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

CLASSES = {"Alnum": "a-zA-Z0-9", "L": r"\w", "N": r"\d", "Z": r"\s"}
"""What Java's classes of characters are to us, at least; a pattern with another one is not checked."""

SHOWN = 6
"""How many values are shown of a long list."""


def check_request(shape: Any, request: Mapping[str, Any]) -> list[str]:
    """What is wrong with a request, a line each; nothing: the service's model allows it.

    Args:
        shape: What the model says of such requests: the input shape of the operation.
        request: The request.
    """
    from botocore.validate import ParamValidator  # noqa: PLC0415 - heavy

    report = ParamValidator().validate(request, shape).generate_report()
    if report:
        return [" ".join(line.split()) for line in report.splitlines()]
    return list(_mistakes(shape, request, ""))


def _mistakes(shape: Any, value: Any, where: str) -> Iterator[str]:
    """What is wrong with a value that has the right type."""
    if shape.type_name == "structure":
        for name, entry in value.items():
            yield from _mistakes(shape.members[name], entry, f"{where}.{name}" if where else name)
        return
    if shape.type_name == "list":
        yield from _size(shape, len(value), where, "entries")
        for place, entry in enumerate(value):
            yield from _mistakes(shape.member, entry, f"{where}[{place}]")
    elif shape.type_name == "map":
        yield from _size(shape, len(value), where, "entries")
        for key, entry in value.items():
            yield from _mistakes(shape.key, key, f"the key {key!r} of {where}")
            yield from _mistakes(shape.value, entry, f"{where}[{key!r}]")
    elif shape.type_name == "string":
        yield from _string(shape, value, where)
    elif shape.type_name in {"integer", "long", "float", "double"}:
        most = shape.metadata.get("max")
        if most is not None and value > most:
            yield f"{where} is {value}, and can be at most {most}"


def _string(shape: Any, value: str, where: str) -> Iterator[str]:
    choices = shape.metadata.get("enum")
    if choices and value not in choices:
        more = f", and {len(choices) - SHOWN} more" if len(choices) > SHOWN else ""
        yield f"{where} is {value!r}, and can be one of {', '.join(choices[:SHOWN])}{more}"
    yield from _size(shape, len(value), where, "characters")
    pattern = _pattern(shape.metadata.get("pattern"))
    if pattern is not None and not pattern.fullmatch(value):
        yield f"{where} is {value!r}, which does not match {pattern.pattern}"


def _size(shape: Any, size: int, where: str, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield f"{where} has {size} {what}, and needs {least}"
    if most is not None and size > most:
        yield f"{where} has {size} {what}, and can have {most}"


def _pattern(text: str | None) -> re.Pattern[str] | None:
    if not text:
        return None
    python = re.sub(r"\\p\{(\w+)\}", _class, text)
    try:
        return re.compile(python)
    except re.error:  # Java's, in a way that is not known here
        return None


def _class(match: re.Match[str]) -> str:
    return CLASSES.get(match[1], match[0])
