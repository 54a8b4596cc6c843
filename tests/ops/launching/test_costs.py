"""What experiments are expected to cost: measured where this machine has run some, else a guess, never an error."""

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.cells import Cell
from hpoctl.ops.launching.costs import HOUR, MEMORY, MODEL, Costs, Expected, read_costs, write_costs
from hpoctl.stores.ledger import Attempt

ATTEMPT = Attempt("d", Cell("ASHA", "toy", 0), "completed", 0.0, "id", "", 10, "here", 3.0, 1800.0)
NONE = Costs({})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate cache."""
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_without_measurements_the_model_of_its_kind_says_it() -> None:
    for kind, seconds in MODEL.items():
        assert NONE.expected("X", kind, "toy", HOUR) == Expected(seconds, "modelled")
        assert NONE.expected("X", kind, "toy", HOUR / 2).seconds == pytest.approx(seconds / 2)
    unknown = NONE.expected("X", "of a plugin", "toy", HOUR)
    assert NONE.expected("X", "asha", "script", 1800.0, trains=True) == Expected(1800.0, "modelled")
    assert unknown.basis == "modelled"
    assert unknown.seconds > 0.0


def test_what_was_measured_counts_for_its_method_and_benchmark_only() -> None:
    costs = NONE.with_attempts([ATTEMPT], "here")
    assert costs.expected("ASHA", "asha", "toy", 1800.0) == Expected(3.0, "measured")
    assert costs.expected("ASHA", "asha", "toy", 3600.0) == Expected(6.0, "measured")
    assert costs.expected("ASHA", "asha", "other", 1800.0).basis == "modelled"
    assert costs.expected("RS", "asha", "toy", 1800.0).basis == "modelled"
    assert NONE.measured == {}


@pytest.mark.parametrize(
    "change",
    [
        {"recorded": "damaged"},
        {"recorded": "failed"},
        {"host": "elsewhere"},
        {"cell": None},
        {"seconds": None},
        {"seconds": -1.0},
        {"budget": 0.0},
    ],
    ids=str,
)
def test_what_says_nothing_about_this_machine_does_not_count(change: dict[str, object]) -> None:
    assert NONE.with_attempts([replace(ATTEMPT, **change)], "here") == NONE  # type: ignore[arg-type]


def test_several_measurements_give_their_mean_whatever_their_budgets() -> None:
    attempts = [replace(ATTEMPT, seconds=seconds) for seconds in (1.0, 2.0, 6.0)]
    attempts.append(replace(ATTEMPT, seconds=6.0, budget=3600.0))
    assert NONE.with_attempts(attempts, "here").expected("ASHA", "asha", "toy", 1800.0).seconds == pytest.approx(3.0)


def test_old_measurements_fade() -> None:
    slow = [replace(ATTEMPT, seconds=100.0)] * 1000
    fast = [replace(ATTEMPT, seconds=1.0)] * (10 * MEMORY)
    costs = NONE.with_attempts([*slow, *fast], "here")
    assert costs.expected("ASHA", "asha", "toy", 1800.0).seconds == pytest.approx(1.0, rel=0.02)


def test_what_is_written_can_be_read() -> None:
    assert read_costs() == NONE
    costs = NONE.with_attempts([ATTEMPT, replace(ATTEMPT, cell=Cell("RS", "toy", 0), seconds=0.1)], "here")
    write_costs(costs)
    assert read_costs() == costs
    write_costs(NONE)
    assert read_costs() == NONE


def test_writing_leaves_nothing_else_behind(cache: Path) -> None:
    write_costs(NONE.with_attempts([ATTEMPT], "here"))
    assert [path.name for path in cache.iterdir()] == ["costs.json"]


def test_a_cache_that_cannot_be_written_is_no_error(cache: Path) -> None:
    cache.write_text("a file")
    write_costs(NONE.with_attempts([ATTEMPT], "here"))
    assert read_costs() == NONE
    assert cache.read_text() == "a file"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)
NUMBERS = st.integers(-2, 2) | st.floats()
ENTRIES = st.lists(st.tuples(st.sampled_from(["ASHA", "RS"]), st.just("toy"), NUMBERS, NUMBERS), max_size=3)


@settings(deadline=None)
@given(st.one_of(JSON, ENTRIES).map(json.dumps).map(str.encode) | st.binary())
def test_a_damaged_cache_costs_a_better_guess_and_nothing_else(data: bytes) -> None:
    write_costs(NONE)  # makes the folder
    file = cache_file()
    file.write_bytes(data)
    costs = read_costs()
    for method, benchmark in [*costs.measured, ("ASHA", "toy")]:
        seconds = costs.expected(method, "asha", benchmark, HOUR).seconds
        assert seconds >= 0.0
        assert math.isfinite(seconds)
    assert costs.with_attempts([ATTEMPT], "here").expected("ASHA", "asha", "toy", HOUR).seconds >= 0.0


def cache_file() -> Path:
    from hpoctl.core.places import cache_directory

    return cache_directory() / "costs.json"
