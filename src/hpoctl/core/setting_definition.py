"""What there is to say about a setting, and what follows from that: its option, its check, its words."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hpoctl.core.errors import UsageError

Value = bool | int | float | str


Given = Mapping[str, Value]
"""Some settings by name, from options or a file."""


Panel = Literal["What", "How many", "Budget", "Trials", "Clock", "Where", "Output"]
"""The parts that the help of a command has."""


Group = Literal["budget", "clock", ""]
"""The parts of what determines an experiment that settings are in; empty: it determines nothing by itself."""


@dataclass(frozen=True, slots=True)
class About:
    """The description of a setting, besides its name, type and default.

    Attributes:
        help: What it is, without a full stop.
        panel: The part of a command's help that it is in.
        unit: The unit of its value, such as `seconds`; empty: it is a count or has none.
        least: The smallest value that it may have; None: any.
        above: What its value has to be larger than; None: any.
        most: The largest value that it may have, where there is a smallest one; None: any.
        default: What holds where nothing is set, in words; empty: the field's default says it.
        of_benchmark: Whether the benchmark has a field of the same name, which is the default.
        group: The part of what determines an experiment, and so of its identity, that it is in.
        always: Whether it is in there, and in the metadata, where it is the default, too. Not so for settings that were
            added later: the identities of earlier experiments stay as they are.
    """

    help: str
    panel: Panel
    unit: str = ""
    least: float | None = None
    above: float | None = None
    most: float | None = None
    default: str = ""
    of_benchmark: bool = False
    group: Group = ""
    always: bool = False


@dataclass(frozen=True, slots=True)
class Definition:
    """A setting: the name, type and default of the field, and its description.

    Attributes:
        name: Its name: the field, the key of study files and of metadata.
        types: The types of its values: bool, int, float, or str for a text.
        words: Words that stand for a value.
        default: Its default; None: the benchmark's or the method's, or no limit.
        about: The rest.
    """

    name: str
    types: tuple[type, ...]
    words: tuple[str, ...]
    default: Value | None
    about: About

    @property
    def option(self) -> str:
        """The option of the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def is_flag(self) -> bool:
        """Whether it is a pair of options, --NAME and --no-NAME."""
        return bool in self.types

    @property
    def is_text(self) -> bool:
        """Whether its value is a text."""
        return str in self.types

    @property
    def wanted(self) -> str:
        """What its value may be, in words."""
        about = self.about
        if self.is_flag:
            return "true or false"
        if self.is_text:
            return "a text"
        number = "a whole number" if self.types == (int,) else f"a number{f' of {about.unit}' if about.unit else ''}"
        bounds = f" >= {about.least:g}" if about.least is not None else ""
        bounds += f" > {about.above:g}" if about.above is not None else ""
        if about.least is not None and about.most is not None:
            bounds = f" from {about.least:g} to {about.most:,.0f}"
        return ", ".join([*self.words, f"or {number}{bounds}" if self.words else f"{number}{bounds}"])

    @property
    def metavar(self) -> str:
        """What the help shows for its value."""
        if self.is_text:
            return "TEXT"
        number = self.about.unit.upper() or ("X" if float in self.types else "N")
        return "|".join([*self.words, number])

    @property
    def default_text(self) -> str:
        """What holds where nothing is set, in words."""
        about = self.about
        if about.default or about.of_benchmark:
            return about.default or "the benchmark's"
        if isinstance(self.default, float):
            return f"{self.default:g}"
        return "none" if self.default is None else str(self.default).lower()

    def check(self, value: object, called: str = "") -> Value:
        """The value as the field has it: whole numbers become floats where the field is one.

        Args:
            value: The value.
            called: What the setting is called in the error; empty: its name.

        Raises:
            UsageError: It has the wrong type or is out of range.
        """
        if isinstance(value, bool):
            if self.is_flag:
                return value
        elif isinstance(value, str):
            if value in self.words or (self.is_text and value.strip()):
                return value
        elif isinstance(value, int | float) and (number := self._number(value)) is not None:
            return number
        raise UsageError(f"{called or self.name} cannot be {value!r}.", f"Use {self.wanted}.")

    def parse(self, text: str) -> Value:
        """The value that was typed after the option.

        Raises:
            UsageError: It is no such value.
        """
        for reader in () if self.is_text else (int, float):
            try:
                return self.check(reader(text), self.option)
            except ValueError:
                continue
        return self.check(text, self.option)

    def option_words(self, value: Value) -> tuple[str, ...]:
        """The words that say it on a command line."""
        if self.is_flag:
            return (self.option if value else self.option.replace("--", "--no-", 1),)
        return self.option, str(value)

    def _number(self, value: float) -> int | float | None:
        """The number as the field has it; None: it has the wrong type or is out of range."""
        least, above = self.about.least, self.about.above
        if (least is not None and value < least) or (above is not None and value <= above):
            return None
        if self.about.most is not None and value > self.about.most:
            return None
        if float not in self.types:
            return value if isinstance(value, int) and int in self.types else None
        try:
            return float(value) if math.isfinite(value) else None
        except OverflowError:  # no float is that large
            return None
