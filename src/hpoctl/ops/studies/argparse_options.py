"""What a Python script says about itself: its argparse options and what it reports, read without running it."""

import ast
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import decode_source
from typing import Any

from hpoctl.core.errors import UsageError

WITHOUT_VALUE = frozenset(
    {"store_true", "store_false", "store_const", "append", "append_const", "count", "help", "version", "extend"}
)
TYPES: Mapping[str, type] = {"int": int, "float": float, "str": str, "bool": bool}
REPORTERS = frozenset({"report", "reporter"})
ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: operator.pow,
}
MOST = 1e6
"""The largest number in arithmetic that is computed: a script may hold anything."""

MOST_CHOICES = 1000


@dataclass(frozen=True, slots=True)
class ScriptOption:
    """An option of a script that takes a value.

    Attributes:
        name: Its name without dashes, as hpoctl would pass it.
        type: int, float, str or bool; None: it is converted by something else.
        default: Its default; None: none that can be read.
        choices: The values that it allows; none: any.
        required: Whether it has to be given.
        line: Where it stands.
    """

    name: str
    type: type | None
    default: Any
    choices: tuple[Any, ...]
    required: bool
    line: int


@dataclass(frozen=True, slots=True)
class ScriptFacts:
    """What can be read of a script.

    Attributes:
        options: Its options that take one value.
        unread: What could not be read or used, a line each.
        reported: The names that it reports, in order.
        text: The source.
    """

    options: tuple[ScriptOption, ...]
    unread: tuple[str, ...]
    reported: tuple[str, ...]
    text: str


def read_script(source: bytes, where: str) -> ScriptFacts:
    """What a Python script says about its options and reports.

    Raises:
        UsageError: It is not Python.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # they are about the script, such as for a "\d" in it
            tree = ast.parse(source)
        text = decode_source(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UsageError(
            f"{where} is not Python of version 3{line}: {reason}.", "For another language give --command."
        ) from error
    known = _module_constants(tree)
    options: dict[str, ScriptOption] = {}
    unread: list[str] = []
    reported: dict[str, None] = {}
    for call in _calls(tree):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name == "add_argument":
            read = _option(call, known)
            if isinstance(read, str):
                unread.append(f"line {call.lineno}: {read}")
            else:
                options[read.name] = read
        elif name in REPORTERS:
            reported.update(dict.fromkeys(keyword.arg for keyword in call.keywords if keyword.arg is not None))
    return ScriptFacts(tuple(options.values()), tuple(unread), tuple(reported), text)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    """All calls, in the order of the text."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return iter(sorted(calls, key=lambda call: (call.lineno, call.col_offset)))


def _module_constants(tree: ast.Module) -> Mapping[str, Any]:
    """The values of names that the module sets once, to something that can be read."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None]
    found: dict[str, Any] = {}
    for node in assigned:
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            if isinstance(target, ast.Name) and node.value is not None:
                again = target.id in found
                found[target.id] = None if again else _constant(node.value, found)
    return found


def _option(call: ast.Call, known: Mapping[str, Any]) -> ScriptOption | str:
    """The option that a call adds, or why it cannot be used."""
    names = [_constant(argument, known) for argument in call.args]
    if not names or not all(isinstance(name, str) for name in names):
        return "the name of an option is computed"
    long = [str(name) for name in names if str(name).startswith("--")]
    shown = " ".join(map(str, names))
    if not long:
        return f"{shown} is {'a short option only' if str(names[0]).startswith('-') else 'a positional argument'}"
    keywords = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}
    if any(keyword.arg is None for keyword in call.keywords):
        return f"{shown}: its properties are computed"
    choices = _choices(keywords["choices"], known) if "choices" in keywords else ()
    unusable = _unusable(keywords, known)
    if unusable or choices is None:
        return f"{shown}{unusable or ': its choices are computed'}"
    return ScriptOption(
        name=long[0].removeprefix("--"),
        type=_type(keywords.get("type")),
        default=_constant(keywords["default"], known) if "default" in keywords else None,
        choices=choices,
        required=_constant(keywords["required"], known) is True if "required" in keywords else False,
        line=call.lineno,
    )


def _unusable(keywords: Mapping[str, ast.expr], known: Mapping[str, Any]) -> str:
    """Why an option does not take one value; empty: it does."""
    action = _action(keywords.get("action"))
    if action is not None:
        return f" takes no value ({action})"
    several = "nargs" in keywords and _constant(keywords["nargs"], known) != "?"
    return " takes several values (nargs)" if several else ""


def _action(node: ast.expr | None) -> str | None:
    """The action of an option that takes no value; None: it takes one."""
    if node is None or _constant(node, {}) == "store":
        return None
    value = _constant(node, {})
    if isinstance(value, str):
        return value if value in WITHOUT_VALUE else f"action {value}"
    return ast.unparse(node).rpartition(".")[2]


def _type(node: ast.expr | None) -> type | None:
    """The type of an option's value; argparse takes text where none is given."""
    if node is None:
        return str
    return TYPES.get(node.id) if isinstance(node, ast.Name) else None


def _choices(node: ast.expr, known: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The allowed values, also those of a `range`; None: they are computed."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        bounds = [_constant(argument, known) for argument in node.args]
        if not 1 <= len(bounds) <= 3 or not all(type(bound) is int for bound in bounds) or 0 in bounds[2:]:
            return None
        values = range(*bounds)
        return tuple(values) if len(values) <= MOST_CHOICES else None
    value = _constant(node, known)
    if isinstance(value, set):
        return tuple(sorted(value, key=repr))
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else None


def _constant(node: ast.expr, known: Mapping[str, Any]) -> Any:
    """The value of a literal, of arithmetic on numbers, or of a known name; None: it is computed."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    try:
        if isinstance(node, ast.BinOp):
            return _computed(node, known)
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def _computed(node: ast.BinOp, known: Mapping[str, Any]) -> int | float | None:
    """The value of arithmetic such as `10**-3`; None: it is more than that."""
    act = ARITHMETIC.get(type(node.op))
    sides = [_constant(side, known) for side in (node.left, node.right)]
    small = all(type(side) in (int, float) and abs(side) <= MOST for side in sides)
    if act is None or not small or (isinstance(node.op, ast.Pow) and abs(sides[1]) > 64):
        return None
    try:
        value: int | float = act(*sides)
    except ArithmeticError:
        return None
    return value if type(value) in (int, float) else None
