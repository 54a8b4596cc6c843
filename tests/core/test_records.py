"""Records: what is written comes back, hostile input is one error that names the path, nothing recurses over data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from hpoctl.core.errors import UsageError
from hpoctl.core.records import EMBEDDED, RecordError, from_plain, keys_of, to_plain
from hpoctl.core.sealed import DamagedError, RecordType, read_json, seal, unseal, unseal_as
from hpoctl.core.space import Space, Uniform
from hpoctl.core.toml_files import Document, read_toml


@dataclass(frozen=True, slots=True)
class Wheel:
    """A part of a record, and a separate record."""

    size: Annotated[int, Meta(ge=1, lt=2**31, description="a whole number from 1 on", examples=[28])]
    tubeless: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """A part whose keys stand in the table of the whole."""

    colour: Literal["red", "blue"]
    weight: float = 2.0

    def __post_init__(self) -> None:
        if self.weight <= 0.0:
            raise UsageError("A frame has a weight.", "Give it one.")


@dataclass(frozen=True, slots=True)
class Bike:
    """One of everything that a record may have."""

    name: str
    frame: Frame = field(metadata=EMBEDDED)
    wheels: tuple[Wheel, ...] = ()
    spare: Wheel | None = None
    tags: tuple[str, ...] = ()
    pairs: tuple[tuple[str, float], ...] = ()
    options: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    spares: Mapping[str, Wheel] = field(default_factory=dict)
    speed: Literal["slow", "fast"] | float = "slow"
    space: Space = field(default_factory=lambda: Space({"lr": Uniform(0.0, 1.0)}))


BIKE = {"name": "b", "colour": "red", "wheels": [{"size": 28}, {"size": 26, "tubeless": True}]}
BIKES = RecordType("bike", Bike, strict=True)

texts = st.text(max_size=5)
numbers = st.floats(allow_nan=False, allow_infinity=False)
wheels = st.builds(Wheel, st.integers(1, 2**31 - 1), st.booleans())
bikes = st.builds(
    Bike,
    name=texts,
    frame=st.builds(Frame, st.sampled_from(["red", "blue"]), st.floats(0.1, 1e300)),
    wheels=st.lists(wheels, max_size=3).map(tuple),
    spare=st.none() | wheels,
    tags=st.lists(texts, max_size=3).map(tuple),
    pairs=st.lists(st.tuples(texts, numbers), max_size=3).map(tuple),
    options=st.dictionaries(texts, st.booleans() | st.integers(-(2**63), 2**63) | numbers | texts, max_size=3),
    spares=st.dictionaries(texts, wheels, max_size=2),
    speed=st.sampled_from(["slow", "fast"]) | numbers,
)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(keys_of(Bike)) | texts, inner),
    max_leaves=12,
)


@settings(deadline=None)
@given(bikes)
def test_what_is_written_comes_back(bike: Bike) -> None:
    assert from_plain(Bike, to_plain(bike)) == bike
    assert from_plain(Bike, to_plain(bike, defaults=False)) == bike
    assert BIKES.unseal(BIKES.seal(bike)) == bike
    assert from_plain(Bike, json.loads(json.dumps(to_plain(bike)))) == bike


def test_the_keys_of_a_part_stand_in_the_table_of_the_whole() -> None:
    bike = from_plain(Bike, BIKE)
    assert bike == Bike("b", Frame("red"), (Wheel(28), Wheel(26, True)))
    assert list(to_plain(bike))[:4] == ["name", "colour", "weight", "wheels"]
    assert to_plain(bike, defaults=False) == BIKE | {"wheels": [{"size": 28}, {"size": 26, "tubeless": True}]}


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"name": 3}, "name cannot be 3", "Give a text."),
    ({"name": None}, "name cannot be None", "Give a text."),
    ({"wheels": [{"size": 28}, {"size": "x"}]}, "wheels[1].size cannot be 'x'", "Give a whole number from 1 on."),
    ({"wheels": [{"size": 28.5}]}, "wheels[0].size cannot be 28.5", "Give a whole number from 1 on."),
    ({"wheels": [{"size": 1e300}]}, "wheels[0].size cannot be 1e+300", "Give a whole number from 1 on."),
    ({"wheels": [{"size": -1.0}]}, "wheels[0].size cannot be -1", "Give a whole number from 1 on."),
    ({"wheels": [{"size": True}]}, "wheels[0].size cannot be True", "Give a whole number from 1 on."),
    ({"wheels": [{"size": 10**400}]}, "wheels[0].size cannot be 1000", "Give a whole number from 1 on."),
    ({"wheels": [{}]}, "wheels[0] has no size", "Add a line such as size = 28."),
    ({"wheels": [3]}, "wheels[0] cannot be 3", "Give a table."),
    ({"wheels": {}}, "wheels cannot be {}", "Give a list."),
    ({"spare": {"size": 1, "tubless": True}}, "spare has an unknown key 'tubless'", "Did you mean tubeless?"),
    ({"spares": {"left": {"size": 0}}}, "spares.left.size cannot be 0", "Give a whole number from 1 on."),
    ({"tags": ["a", "b", 3]}, "tags[2] cannot be 3", "Give a text."),
    ({"tags": "abc"}, "tags cannot be 'abc'", "Give a list of texts."),
    ({"pairs": [["a"]]}, "pairs[0] cannot be ['a']", "Give a list of a text and a finite number."),
    ({"options": {"a": [1]}}, "options.a cannot be [1]", "Give a text, a finite number, or true or false."),
    ({"options": {"a": float("inf")}}, "options.a cannot be inf", "Give a text, a finite number, or true or false."),
    ({"options": []}, "options cannot be []", "Give a table."),
    ({"speed": "fst"}, "speed cannot be 'fst'", 'Give "slow" or "fast" or a finite number.'),
    ({"colour": "green"}, "colour cannot be 'green'", 'Give "red" or "blue".'),
    ({"weight": float("nan")}, "weight cannot be nan", "Give a finite number."),
    ({"weight": 0}, "A frame has a weight", "Give it one."),
    ({"colur": "red"}, "it has an unknown key 'colur'", "Did you mean colour?"),
    ({"space": {"lr": {"type": "unifrm"}}}, "space: Hyperparameter 'lr': unknown type 'unifrm'", "Did you mean unif"),
]


@pytest.mark.parametrize(("change", "what", "fix"), WRONG, ids=[what for _, what, _ in WRONG])
def test_an_error_names_the_path_and_what_would_be_right(change: dict[str, Any], what: str, fix: str) -> None:
    with pytest.raises(RecordError) as caught:
        from_plain(Bike, BIKE | change)
    assert str(caught.value).startswith(what)
    assert caught.value.fix.startswith(fix)


def test_what_is_missing_is_named_with_an_example() -> None:
    with pytest.raises(RecordError, match="it has no colour") as caught:
        from_plain(Bike, {"name": "b"})
    assert caught.value.fix == 'Add a line such as colour = "red".'


def test_other_keys_may_be_those_of_a_later_version() -> None:
    lenient = RecordType("bike", Bike)
    sealed = seal({"format": 1, **BIKE, "bell": True, "wheels": [{"size": 28, "brand": "x"}]})
    assert lenient.unseal(sealed) == Bike("b", Frame("red"), (Wheel(28),))
    with pytest.raises(DamagedError, match="unknown key 'bell'"):
        BIKES.unseal(sealed)
    with pytest.raises(DamagedError, match="its format is 2, and this version reads 1"):
        lenient.unseal(seal({"format": 2, **BIKE}))


@settings(deadline=None)
@given(PLAIN)
def test_any_plain_value_is_read_or_refused_in_one_line(values: object) -> None:
    refused = error_of(values)
    assert refused is None or (refused.text("here") and len(refused.text("here")) < 500)
    assert refused is None or refused.fix.endswith((".", "?"))


def error_of(values: object) -> RecordError | None:
    """Why no record can be read."""
    try:
        from_plain(Bike, values)
    except RecordError as error:
        return error
    return None


@settings(deadline=None)
@given(bikes, st.data())
def test_one_wrong_value_in_a_right_record_is_named(bike: Bike, data: st.DataObject) -> None:
    table = to_plain(bike)
    key = data.draw(st.sampled_from(sorted(table)))
    table[key] = data.draw(PLAIN)
    refused = error_of(table)
    assert refused is None or refused.text().startswith((key, "A frame"))


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


HOSTILE = {
    "3,000 levels": (b'{"a": %s}' % nested(3000), "nested more than 100 levels deep"),
    "3,000 levels that do not end": (b'{"a": ' + b"[" * 3000, "nested more than 100 levels deep"),
    "300,000 objects": (b'{"a":' * 300_000, "nested more than 100 levels deep"),
    "a number of 5,000 digits": (b'{"a": %s}' % (b"9" * 5000), "more than 300 digits"),
    "a fraction of 5,000 digits": (b'{"a": 0.%s}' % (b"9" * 5000), "more than 300 digits"),
    "a number beyond all floats": (b'{"a": 1e999}', "range"),
    "no number": (b'{"a": NaN}', "malformed"),
    "half a surrogate pair": (b'{"a": "\\ud800"}', "surrogate|truncated"),
    "the other half": (b'{"a": "\\udc00"}', "surrogate"),
    "half a pair in a key": (b'{"\\ud800": 1}', "surrogate|truncated"),
    "a byte order mark": (b'\xef\xbb\xbf{"a": 1}', "malformed"),
    "no UTF-8": (b'{"a": "\xff"}', "utf-8"),
    "half of it": (b'{"a": "', "truncated"),
    "a list": (b"[1]", "Expected object"),
    "nothing": (b"", "truncated"),
}


@pytest.mark.parametrize(("data", "words"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_json_is_damaged(data: bytes, words: str) -> None:
    with pytest.raises(DamagedError, match=words):
        read_json(data, dict[str, Any])


def test_brackets_and_digits_in_texts_are_no_levels_and_no_numbers() -> None:
    text = "[{" * 500 + "9" * 5000 + '\\"'
    values = {"a": text, "b": [[i] for i in range(500)]}
    assert read_json(json.dumps(values).encode(), dict[str, Any]) == values
    assert unseal(seal(values)) == values


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_json_or_damaged(data: bytes) -> None:
    try:
        read_json(data, dict[str, Any])
    except DamagedError:
        return
    json.loads(data)


def test_what_is_no_unicode_is_written_as_its_code() -> None:
    words = {"a": "caf\udce9 \\udce9 \U0001f40d \ud800", "b": 1}
    assert unseal(seal(words)) == {"a": "caf\\udce9 \\udce9 \U0001f40d \\ud800", "b": 1}


@dataclass(frozen=True, slots=True)
class Narrow:
    """Two entries of many."""

    name: str
    seed: int | None = None


def test_some_entries_of_many() -> None:
    others = {"x": [1, {"y": "\u00e9"}], "deep": {"a": {"b": {}}}}
    assert unseal_as(seal({**others, "name": "n", "seed": 3}), Narrow) == Narrow("n", 3)
    with pytest.raises(DamagedError, match="it has no name"):
        unseal_as(seal(others), Narrow)
    with pytest.raises(DamagedError, match="seed cannot be '3'"):
        unseal_as(seal({"name": "n", "seed": "3"}), Narrow)


TOML = """\
# A bike.
name = "b"
colour = "red"
tags = [
    "a",
    "b",
]

[options]
"bell" = true

[spares.left]
size = 28

[spares."my right one"]
size = 0
"""


def toml(path: Path, text: str | bytes) -> Document:
    file = path / "bike.toml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_toml(file)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (("", ""), "spares.my right one.size cannot be 0 (line 16)."),
        (('colour = "red"\n', ""), "bike.toml has no colour."),
        (('colour = "red"', "color = 1"), "bike.toml has an unknown key 'color' (line 3)."),
        (('"b",\n', "3,\n"), "tags[1] cannot be 3 (line 4)."),
        (("true", "[]"), "options.bell cannot be [] (line 10)."),
        (("size = 28", "sizes = 28"), "spares.left has an unknown key 'sizes' (line 13)."),
        (("size = 28", ""), "spares.left has no size (line 12)."),
    ],
)
def test_an_error_in_toml_names_the_line(tmp_path: Path, change: tuple[str, str], what: str) -> None:
    with pytest.raises(UsageError) as caught:
        toml(tmp_path, TOML.replace(*change) if change[0] else TOML).read(Bike)
    assert caught.value.what.endswith(what)


HOSTILE_TOML = {
    "3,000 levels": (b"a = %s" % nested(3000), "nested more than 100 levels deep"),
    "3,000 inline tables": (b"a = " + b"{a = " * 3000 + b"}" * 3000, "nested more than 100 levels deep"),
    "a number of 5,000 digits": (b"a = %s" % (b"9" * 5000), "more than 300 digits"),
    "5,000 digits with gaps": (b"a = %s" % b"_".join([b"99"] * 2500), "more than 300 digits"),
    "a byte order mark": (b'\xef\xbb\xbfname = "b"', "byte order mark"),
    "half a surrogate pair": (b'a = "\\ud800"', "not TOML"),
    "another encoding": ("a = 'ä'".encode("latin-1"), "no UTF-8 text"),
}


@pytest.mark.parametrize(("data", "words"), HOSTILE_TOML.values(), ids=HOSTILE_TOML)
def test_hostile_toml_is_one_error(tmp_path: Path, data: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        toml(tmp_path, data)


def test_3_000_levels_by_dots_are_read_without_recursion(tmp_path: Path) -> None:
    data = b'name = "b"\ncolour = "red"\noptions.%s = 1' % b".".join([b"a"] * 3000)
    with pytest.raises(UsageError, match=r"options\.a cannot be \{'a': \{'a': \{'a': \{\.\.\.\}\}\}\} \(line 3\)"):
        toml(tmp_path, data).read(Bike)


def test_brackets_and_digits_in_texts_and_comments_of_toml_do_not_count(tmp_path: Path) -> None:
    more = "[" * 200 + "9" * 400
    text = f'name = \'{more}\'\ncolour = "red"  # {more}\ntags = ["""{more}\\"""", \'\'\'{more}\'\'\', "{more}\\""]\n'
    assert toml(tmp_path, text).read(Bike).name == more


def test_a_whole_number_that_is_written_as_a_float_is_one() -> None:
    size = from_plain(Bike, BIKE | {"wheels": [{"size": 28.0}]}).wheels[0].size
    assert (size, type(size)) == (28, int)
