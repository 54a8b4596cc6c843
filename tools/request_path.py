"""Which modules a command's request passes: `python tools/request_path.py launch --study study.toml --results DIR`.

The command runs in this process, to its end, under `sys.setprofile`. A record is an instance of a dataclass of hpoctl.
The path consists of the modules of src/hpoctl in which a function gets one of these records as an argument:

* the request: an instance of a class whose name ends in `Request`, and the records that its fields hold,
* a record that holds a record of the path, or that a function has made which had got a record of the path.

An argument counts if it is such a record, or a list, tuple, set or dictionary that holds some; `self` is an argument,
too. Functions that dataclasses generate do not count. Other processes, threads and plugins are not looked at.
"""

import contextlib
import inspect
import io
import sys
from collections.abc import Iterable, Iterator
from dataclasses import is_dataclass
from types import FrameType
from typing import Any

from hpoctl.cli.app import app

PACKAGE = "hpoctl"
GENERATED = "<string>"
"""The file of functions that dataclasses generate."""

INNER = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "<lambda>"})
"""Functions that are parts of others."""

CONTAINERS: frozenset[type] = frozenset({list, tuple, set, frozenset, type(vars().keys()), type(vars().values())})
DEPTH = 3
"""How many containers inside one another are looked into."""


def records_in(value: object, depth: int = DEPTH) -> Iterator[object]:
    """The records that a value is or holds, without those in fields of records."""
    kind = type(value)
    if kind.__module__.partition(".")[0] == PACKAGE and is_dataclass(kind):
        yield value
    elif depth and isinstance(value, dict):
        for item in (*value.keys(), *value.values()):
            yield from records_in(item, depth - 1)
    elif depth and kind in CONTAINERS and isinstance(value, Iterable):
        for item in tuple(value):
            yield from records_in(item, depth - 1)


def module_of(frame: FrameType) -> str:
    """The module of hpoctl that has the code of a frame; empty: none."""
    name = str(frame.f_globals.get("__name__", ""))
    own = name.partition(".")[0] == PACKAGE and frame.f_code.co_filename != GENERATED
    return name if own else ""


def arguments_of(frame: FrameType) -> dict[str, Any]:
    """The arguments of a function that has just been called, by name."""
    code = frame.f_code
    more = bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + more]
    return {name: frame.f_locals[name] for name in names if name in frame.f_locals}


class RequestPath:
    """The path of a request, to be called with the events of a profile.

    Attributes:
        modules: Its modules in the order in which they are entered, each with the first function.
    """

    def __init__(self) -> None:
        self.modules: dict[str, str] = {}
        self._records: dict[int, object] = {}  # kept, so that no other object gets the id of one
        self._got: dict[int, bool] = {}  # whether a running function has got one, by the id of its frame

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:  # noqa: ARG002 - a profile's signature
        """Look at a call, or at the end of one."""
        if event == "return":
            self._got.pop(id(frame), None)
        elif event == "call":
            given = arguments_of(frame)
            got = any(id(record) in self._records for value in given.values() for record in records_in(value))
            self._got[id(frame)] = got
            if frame.f_code.co_filename == GENERATED and frame.f_code.co_name == "__init__":
                self._notice(given.pop("self"), given, made_from_one=got or self._maker_got_one(frame))
            elif got and module_of(frame):
                self.modules.setdefault(module_of(frame), frame.f_code.co_qualname)

    def _notice(self, record: object, given: dict[str, Any], *, made_from_one: bool) -> None:
        """A record is made from values."""
        if type(record).__name__.endswith("Request"):
            self._records |= {id(part): part for part in (record, *records_in(given))}
        elif made_from_one:
            self._records[id(record)] = record

    def _maker_got_one(self, frame: FrameType) -> bool:
        """Whether the function of hpoctl that makes a record has got one of the path."""
        maker = frame.f_back
        while maker is not None and (not module_of(maker) or maker.f_code.co_name in INNER):
            maker = maker.f_back
        return maker is not None and self._got.get(id(maker), False)


def main(words: list[str]) -> None:
    """Run a command and print the modules that its request passes."""
    sys.argv = ["hpoctl", *words]
    path = RequestPath()
    sys.setprofile(path)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            app(prog_name="hpoctl", standalone_mode=False)
    finally:
        sys.setprofile(None)
    for module, function in path.modules.items():
        print(f"{module:40} {function}")
    print(f"{len(path.modules)} modules")


if __name__ == "__main__":
    main(sys.argv[1:])
