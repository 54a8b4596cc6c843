"""Options as frozen dataclasses, and `--set NAME.field=value` that changes one of them, type-checked.

Option fields are bool, int, float, str, a Literal of them, or a union with None.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from hpoctl.core.credentials import check_values, check_variable
from hpoctl.core.errors import UsageError, unknown_name
from hpoctl.core.places import expanded

PLAIN = (bool, int, float, str)
SECRET = "secret"  # noqa: S105 - the name of an entry, no secret
"""The entry of a field's metadata for an option that takes the name of an environment variable which has a secret."""

FILE = "file"
"""The entry of a field's metadata for an option that takes the path of a file which is read."""

OptionsT = TypeVar("OptionsT")
NONE_WORDS = frozenset({"none", "null"})
BOOL_WORDS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


@dataclass(frozen=True, slots=True)
class NoOptions:
    """For entries that have nothing to set."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One `--set` option.

    Attributes:
        owner: The method whose option it is.
        field: The option.
        text: Its value, as typed.
    """

    owner: str
    field: str
    text: str


def parse_setting(text: str) -> Setting:
    """Read `NAME.field=value`.

    Raises:
        UsageError: It has another form.
    """
    target, equals, value = text.partition("=")
    owner, dot, name = target.strip().rpartition(".")
    if not (equals and dot and owner and name):
        raise UsageError(f"{text!r} is not a setting.", "Write METHOD.option=value, as in ASHA.grace_period=3.")
    return Setting(owner, name.strip(), value.strip())


def check_options(owner: str, options: Any) -> None:
    """Refuse options that could not be set, recorded or compared.

    Raises:
        UsageError: `options` is not an instance of a frozen dataclass whose fields have plain types.
    """
    parameters = getattr(options, "__dataclass_params__", None)
    if not is_dataclass(options) or isinstance(options, type) or parameters is None or not parameters.frozen:
        raise UsageError(f"The options of {owner} are not a frozen dataclass.", "Use @dataclass(frozen=True).")
    for name, kind in option_types(options).items():
        if not all(choice in PLAIN for choice in _plain_types(kind)):
            raise UsageError(
                f"Option {name} of {owner} has the type {kind}.",
                "Use bool, int, float, str, a Literal of them, or one of them or None.",
            )
    check_values(owner, option_values(options))


def option_types(options: Any) -> dict[str, Any]:
    """The type of each option, in the order of the fields."""
    hints = get_type_hints(type(options))
    return {entry.name: hints[entry.name] for entry in fields(options)}


def option_values(options: Any) -> dict[str, bool | int | float | str | None]:
    """The value of each option."""
    return {entry.name: getattr(options, entry.name) for entry in fields(options)}


def option_help(options: Any) -> dict[str, str]:
    """What each option does, from the `help` entry of the field's metadata."""
    return {entry.name: str(entry.metadata.get("help", "")) for entry in fields(options)}


def apply_settings(owner: str, options: OptionsT, settings: Iterable[Setting]) -> OptionsT:
    """The options with some of them changed.

    Raises:
        UsageError: There is no such option, or the value has the wrong type or range, or is a credential.
    """
    return with_values(options, _typed(owner, options, settings))


def _typed(owner: str, options: Any, settings: Iterable[Setting]) -> dict[str, Any]:
    """Values by name, each of the type that the option has."""
    types = option_types(options)
    changes: dict[str, Any] = {}
    for setting in settings:
        if setting.field not in types:
            if not types:
                raise UsageError(f"{owner} has no options.", f"Leave out --set {owner}.{setting.field}.")
            raise unknown_name(f"option of {owner}", setting.field, types, f"hpoctl methods {owner}")
        check_values(owner, {setting.field: setting.text})
        changes[setting.field] = parse_value(f"{owner}.{setting.field}", types[setting.field], setting.text)
    return changes


def named_options(owner: str, name: str, options: OptionsT, values: Mapping[str, bool | int | float | str]) -> OptionsT:
    """The options of a launcher or a trial backend with some of them changed; see `named_values`.

    Raises:
        UsageError: There is no such option, or the value has the wrong type or range.
    """
    return with_values(options, named_values(owner, name, options, values))


def named_values(owner: str, name: str, options: Any, values: Mapping[str, bool | int | float | str]) -> dict[str, Any]:
    """Values of options of a launcher or a trial backend, each of the type that the option has.

    Args:
        owner: What it is called in messages, such as `launcher slurm`.
        name: Its name.
        options: Its options.
        values: The values by name, as they are or as typed.

    Raises:
        UsageError: There is no such option, or a value has the wrong type. Ranges are checked by the options.
    """
    known = option_types(options)
    for option in values:
        if option not in known:
            close = get_close_matches(option, known, n=1)
            hint = f"Did you mean {close[0]}? " if close else ""
            listed = f"It has: {', '.join(known)}." if known else "It has no options."
            raise UsageError(f"Unknown option {option!r} of {owner}.", f"{hint}{listed}")
    texts = {option: str(value).lower() if isinstance(value, bool) else str(value) for option, value in values.items()}
    return _typed(name, options, [Setting(name, option, text) for option, text in texts.items()])


def in_folder(folder: Path, options: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of options with the paths of files relative to a folder."""
    files = {entry.name for entry in fields(options) if entry.metadata.get(FILE)}
    return {name: str(folder / expanded(value)) if name in files and value else value for name, value in values.items()}


def check_secrets(owner: str, options: Any) -> None:
    """Refuse values of secret options that do not name an environment variable which is set: they would be stored.

    Raises:
        UsageError: There is one.
    """
    for entry in fields(options):
        if entry.metadata.get(SECRET) and getattr(options, entry.name):
            check_variable(owner, entry.name, getattr(options, entry.name))


def with_values(options: OptionsT, changes: Mapping[str, Any]) -> OptionsT:
    """The options with some of them changed; the dataclass itself checks ranges."""
    return replace(options, **changes)  # type: ignore[type-var]


def parse_value(target: str, kind: Any, text: str) -> Any:
    """Read the value of an option as typed.

    Args:
        target: The option, for the error.
        kind: Its type.
        text: The value as typed.

    Raises:
        UsageError: The text is not a value of that type.
    """
    choices = _choices(kind)
    if choices is not None:
        for choice in choices:
            if str(choice) == text:
                return choice
        listed = ", ".join(str(choice) for choice in choices)
        raise UsageError(f"{target} cannot be {text!r}.", f"Use one of: {listed}.")
    plain = _plain_types(kind)
    if _allows_none(kind) and text.casefold() in NONE_WORDS:
        return None
    for reader in (_read_bool, _read_int, _read_float, _read_str):
        value = reader(plain, text)
        if value is not None:
            return value
    wanted = " or ".join({bool: "true or false", int: "a whole number", float: "a number"}[k] for k in plain)
    raise UsageError(f"{target} cannot be {text!r}.", f"Use {wanted}{' or none' if _allows_none(kind) else ''}.")


def _read_bool(plain: tuple[type, ...], text: str) -> bool | None:
    return BOOL_WORDS.get(text.casefold()) if bool in plain else None


def _read_int(plain: tuple[type, ...], text: str) -> int | None:
    try:
        return int(text) if int in plain else None
    except ValueError:
        return None


def _read_float(plain: tuple[type, ...], text: str) -> float | None:
    try:
        value = float(text) if float in plain else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None


def _read_str(plain: tuple[type, ...], text: str) -> str | None:
    return text if str in plain else None


def _members(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _allows_none(kind: Any) -> bool:
    return NoneType in _members(kind)


def _choices(kind: Any) -> tuple[Any, ...] | None:
    for member in _members(kind):
        if get_origin(member) is Literal:
            return get_args(member)
    return None


def _plain_types(kind: Any) -> tuple[type, ...]:
    choices = _choices(kind)
    if choices is not None:
        return tuple({type(choice) for choice in choices})
    return tuple(member for member in _members(kind) if member is not NoneType)
