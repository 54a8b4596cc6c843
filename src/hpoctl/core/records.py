"""Records: frozen dataclasses from the plain values of TOML and JSON files, and back.

msgspec checks and converts the values of fields; this module puts records together, so that an error can name the path
of what is wrong, what would be right and a close match for an unknown key. It recurses as deep as the types are nested,
never as deep as the data.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from reprlib import Repr
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from hpoctl.core.errors import UsageError, did_you_mean

T = TypeVar("T")
Path = tuple[str | int, ...]

EMBEDDED: Mapping[str, bool] = {"embedded": True}
"""Metadata of a field that holds another record, whose keys stand in the table of this one."""

NOUNS: Mapping[Any, tuple[str, str]] = {
    bool: ("true or false", "values true or false"),
    int: ("a whole number", "whole numbers"),
    float: ("a finite number", "finite numbers"),
    str: ("a text", "texts"),
}
EXAMPLES: Mapping[Any, str] = {bool: "true", int: "1", float: "1.0", str: '"NAME"'}

EXACT = 2.0**53
"""Up to here each whole number is a float."""

_SHORT = Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_SHORT.maxlevel = 3


class RecordError(ValueError):
    """A value does not fit its record.

    Attributes:
        subject: What the message is about: keys and places in lists.
        what: What is wrong with it, such as ` cannot be 0`, or a message after a colon.
        fix: What to do, in one line.
        path: Where a reader has to look.
    """

    def __init__(self, subject: Path, what: str, fix: str, *, key: str | None = None) -> None:
        super().__init__(subject, what, fix)
        self.subject = subject
        self.what = what
        self.fix = fix
        self.path = subject if key is None else (*subject, key)

    def text(self, where: str = "") -> str:
        """What is wrong, in one line without a full stop.

        Args:
            where: The file; empty: it is named elsewhere.
        """
        subject = path_text(self.subject)
        head = f"{where}: {subject}" if where and subject else where or subject
        return f"{head or 'it'}{self.what}".removeprefix("it: ").removesuffix(".")

    def __str__(self) -> str:
        return self.text()


def from_plain(kind: type[T], values: object, *, strict: bool = True, given: Mapping[str, Any] | None = None) -> T:
    """The record that plain values describe.

    Args:
        kind: A dataclass. Its fields are plain values, `Annotated` ones with bounds, records, tuples or mappings of
            them, or one of these or None. A dataclass with `from_json` and `to_json` reads and writes itself.
        values: The plain values.
        strict: Whether keys that the record does not have are errors.
        given: Fields that do not stand in the file, by name.

    Raises:
        RecordError: A key is unknown or missing, or a value does not fit.
    """
    return cast("T", _record(kind, values, (), strict=strict, given=given or {}))


def to_plain(record: Any, *, defaults: bool = True) -> dict[str, Any]:
    """A record as plain values, in the order of its fields.

    Args:
        record: A dataclass instance.
        defaults: Whether fields that have their default are written, too.
    """
    table: dict[str, Any] = {}
    for entry in fields(record):
        if not entry.init:
            continue
        value = getattr(record, entry.name)
        if _embeds(entry):
            table |= _plain(value, defaults=defaults)
        elif defaults or value != default_of(entry):
            table[entry.name] = _plain(value, defaults=defaults)
    return table


def check_keys(values: Mapping[str, Any], known: Sequence[str], path: Path = ()) -> None:
    """Refuse keys that a table does not have.

    Raises:
        RecordError: There is one.
    """
    for key in map(str, values):
        if key not in known:
            raise RecordError(path, f" has an unknown key {key!r}", did_you_mean(key, known), key=key)


def keys_of(kind: Any) -> tuple[str, ...]:
    """The keys that a record has in a file."""
    return tuple(key for entry, hint in entries_of(kind) for key in (keys_of(hint) if _embeds(entry) else [entry.name]))


def default_of(entry: Field[Any]) -> Any:
    """The default of a field; MISSING without one. A property of a base class with its name is not a default."""
    if entry.default_factory is not MISSING:
        return entry.default_factory()
    return MISSING if isinstance(entry.default, property) else entry.default


def path_text(path: Path) -> str:
    """A path as people write it: `tasks[1].seed`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def _read(kind: Any, value: object, path: Path, *, strict: bool) -> Any:
    base, origin, arguments = _parts(kind)
    if is_dataclass(base):
        return _own(base, value, path) if hasattr(base, "from_json") else _record(base, value, path, strict=strict)
    if origin in {Union, UnionType} and value is not None:
        known = [each for each in arguments if each is not NoneType]
        own = [each for each in known if hasattr(each, "from_json")]
        if own or len(known) == 1:
            return _read((own or known)[0], value, path, strict=strict)
    if origin is tuple and arguments[-1] is ... and isinstance(value, list | tuple):
        return tuple(_read(arguments[0], item, (*path, at), strict=strict) for at, item in enumerate(value))
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        return {str(key): _read(arguments[1], item, (*path, str(key)), strict=strict) for key, item in value.items()}
    try:
        converted = msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError):
        if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
            return _read(kind, int(value), path, strict=strict)  # a whole number that is written as a float
        raise _unfit(kind, value, path) from None
    if isinstance(converted, float) and not math.isfinite(converted):
        raise _unfit(kind, value, path)
    return converted


def _record(
    kind: Any, values: object, path: Path, *, strict: bool, given: Mapping[str, Any] = MappingProxyType({})
) -> Any:
    if not isinstance(values, Mapping):
        raise _unfit(kind, values, path)
    known = [key for key in keys_of(kind) if key not in given]
    if strict:
        check_keys(values, known, path)
    read = dict(given)
    for entry, hint in entries_of(kind):
        if entry.name in given:
            continue
        if _embeds(entry):
            own = {key: values[key] for key in keys_of(hint) if key in values}
            read[entry.name] = _embedded(hint, own, path, strict=strict)
        elif entry.name in values:
            read[entry.name] = _read(hint, values[entry.name], (*path, entry.name), strict=strict)
        elif default_of(entry) is MISSING:
            raise RecordError(path, f" has no {entry.name}", f"Add {_example(entry.name, hint)}.")
    try:
        return kind(**read)
    except UsageError as error:
        raise RecordError(path, f": {error.what}", error.fix) from error


def _embedded(kind: Any, values: Mapping[str, Any], path: Path, *, strict: bool) -> Any:
    if not hasattr(kind, "from_json"):
        return _record(kind, values, path, strict=strict)
    for key in values:
        _own(kind, {key: values[key]}, path, key)  # so that an error can name the entry
    return _own(kind, values, path)


def _own(kind: Any, value: object, path: Path, key: str | None = None) -> Any:
    try:
        return kind.from_json(value)
    except UsageError as error:
        raise RecordError(path, f": {error.what}", error.fix, key=key) from error


def _plain(value: Any, *, defaults: bool) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return value.to_json() if hasattr(value, "to_json") else to_plain(value, defaults=defaults)
    if isinstance(value, list | tuple):
        return [_plain(item, defaults=defaults) for item in value]
    if isinstance(value, Mapping):
        return {key: _plain(item, defaults=defaults) for key, item in value.items()}
    return value


@cache
def entries_of(kind: Any) -> tuple[tuple[Field[Any], Any], ...]:
    """The fields of a record and their types."""
    hints = get_type_hints(kind, include_extras=True)
    return tuple((entry, hints[entry.name]) for entry in fields(kind) if entry.init)


def _embeds(entry: Field[Any]) -> bool:
    return bool(entry.metadata.get("embedded"))


def _parts(kind: Any) -> tuple[Any, Any, tuple[Any, ...]]:
    """A type without its annotations, its origin, and its arguments."""
    base = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return base, get_origin(base), get_args(base)


def _metas(kind: Any) -> Iterator[msgspec.Meta]:
    if get_origin(kind) is Annotated:
        yield from (entry for entry in get_args(kind)[1:] if isinstance(entry, msgspec.Meta))


def _unfit(kind: Any, value: object, path: Path) -> RecordError:
    return RecordError(path, f" cannot be {_SHORT.repr(value)}", f"Give {wanted(kind)}.")


def wanted(kind: Any) -> str:
    """What a value of a type has to be, in words."""
    for meta in _metas(kind):
        if meta.description:
            return meta.description
    base, origin, arguments = _parts(kind)
    if base in NOUNS:
        return NOUNS[base][0]
    if origin is Literal:
        return " or ".join(f'"{choice}"' if isinstance(choice, str) else str(choice) for choice in arguments)
    if set(arguments) >= NOUNS.keys():
        return "a text, a finite number, or true or false"
    if origin in {Union, UnionType}:
        return " or ".join(wanted(member) for member in arguments if member is not NoneType)
    return _wanted_list(arguments) if origin is tuple else "a table"


def _wanted_list(members: tuple[Any, ...]) -> str:
    if members[-1] is not ...:
        return f"a list of {' and '.join(map(wanted, members))}"
    item = _parts(members[0])[0]
    return f"a list of {NOUNS[item][1]}" if item in NOUNS else "a list"


def _example(key: str, kind: Any) -> str:
    for meta in _metas(kind):
        for example in meta.examples or ():
            return f"a line such as {key} = {_toml(example)}"
    base, origin, arguments = _parts(kind)
    if origin is Literal:
        return f"a line such as {key} = {_toml(arguments[0])}"
    if origin is tuple:
        return f"a line such as {key} = [{EXAMPLES.get(_parts(arguments[0])[0], '...')}]"
    return f"a line such as {key} = {EXAMPLES[base]}" if base in EXAMPLES else f"a table [{key}]"


def _toml(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
