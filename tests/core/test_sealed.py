"""Sealed files: what was written comes back, and no damage goes unseen."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.builtins import ASHA
from hpoctl.core.sealed import CHECKSUM, DamagedError, seal, unseal
from hpoctl.engine.metadata import Provenance, opening_metadata
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.testing import toy_benchmark

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)
KEYS = st.text().filter(lambda key: key != CHECKSUM)


@pytest.fixture(scope="module")
def metadata() -> dict[str, Any]:
    """What an experiment writes, with an error in it that quotes a sealed file."""
    spec = ExperimentSpec("docs-2", ASHA, toy_benchmark(), 0, 7)
    error = f'Traceback:\n  "{CHECKSUM}": "0"\n}}\nValueError: \u00e9\0'
    return opening_metadata(spec, Provenance({"hpoctl": "0"}, None, "hpoctl run"), 1e9) | {"error": error}


@settings(deadline=None)
@given(st.dictionaries(KEYS, JSON, min_size=1, max_size=5))
def test_what_was_sealed_comes_back_and_any_reader_of_json_can_read_it(values: dict[str, Any]) -> None:
    sealed = seal(values)
    plain = json.loads(sealed)
    assert len(plain.pop(CHECKSUM)) == 64
    back = unseal(sealed)
    assert plain == values
    assert back == values
    assert list(back) == list(values)
    assert json.dumps(back) == json.dumps(values), "1, 1.0 and True are not the same"


def test_an_entry_is_a_line(metadata: dict[str, Any]) -> None:
    assert len(seal(metadata).splitlines()) == len(metadata) + 3


@pytest.mark.parametrize("values", [{}, {CHECKSUM: "x", "a": 1}, {"a": math.nan}, {"a": math.inf}], ids=str)
def test_what_could_not_be_read_again_is_not_sealed(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - not DamagedError
        seal(values)


def damages(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Every truncation, every flip of one bit, every byte left out, and more."""
    yield from ((f"cut at {end}", data[:end]) for end in range(len(data)))
    for place, byte in enumerate(data):
        for bit in range(8):
            yield f"bit {bit} of byte {place}", data[:place] + bytes([byte ^ 1 << bit]) + data[place + 1 :]
        yield f"without byte {place}", data[:place] + data[place + 1 :]
        yield f"cut before {place}", data[place + 1 :]
    for more in (b"\n", b" ", b"\0", b"}", b"\0" * 4096, data):
        yield f"and {more[:20]!r}", data + more
        yield f"after {more[:20]!r}", more + data
    yield "zeros", bytes(len(data))
    yield "line ends of another system", data.replace(b"\n", b"\r\n")
    yield "written again by another tool", json.dumps(json.loads(data)).encode()


def test_no_damage_goes_unseen(metadata: dict[str, Any]) -> None:
    unseen = []
    for what, data in damages(seal(metadata)):
        try:
            values = unseal(data)
        except DamagedError:
            continue
        unseen.append((what, values == metadata))
    assert unseen == []


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_refused_with_the_same_error(data: bytes) -> None:
    with pytest.raises(DamagedError):
        unseal(data)


def test_an_empty_file_says_that_it_is_empty() -> None:
    with pytest.raises(DamagedError, match="empty"):
        unseal(b"")
