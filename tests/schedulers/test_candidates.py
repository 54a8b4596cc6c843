import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.space import (
    Choice,
    FinRange,
    Fixed,
    LogRandInt,
    LogUniform,
    Ordinal,
    RandInt,
    Space,
    TableSpace,
    Uniform,
)
from hpoctl.schedulers.candidates import ALL_ROWS, Neighbourhood, Suggested, candidates

FINITE = Space({"a": Choice(("x", "y", "z")), "f": Fixed(3), "b": Ordinal((1, 2, 4, 8), kind="nn-log")})
MIXED = Space({"a": Choice(("x", "y")), "u": Uniform(0.0, 1.0), "n": RandInt(1, 1000), "m": LogRandInt(1, 4)})
CONTINUOUS = Space({"u": Uniform(-1.0, 1.0), "v": LogUniform(1e-5, 1.0)})
SPACES = [FINITE, MIXED, CONTINUOUS, Space({"f": Fixed(1), "g": Fixed("x")}), Space({"one": FinRange(0.0, 1.0, 30)})]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def changed(space: Space, point: np.ndarray, row: np.ndarray) -> set[str]:
    """Which hyperparameters differ between the configurations of two points."""
    before, after = space.configs(np.stack([point, row]))
    return {name for name in space.names if before[name] != after[name]}


def test_all_one_exchanges_are_there() -> None:
    point = FINITE.units({"a": "y", "f": 3, "b": 2})
    around = Neighbourhood.of(FINITE).around(point, 0, rng())
    found = {FINITE.key(config) for config in FINITE.configs(around)}
    assert found == {("x", 3, 2), ("y", 3, 2), ("z", 3, 2), ("y", 3, 1), ("y", 3, 4), ("y", 3, 8)}


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000))
def test_two_exchanges_change_two_hyperparameters_at_most(seed: int) -> None:
    point = FINITE.units({"a": "y", "f": 3, "b": 2})
    around = Neighbourhood.of(FINITE).around(point, 8, rng(seed))
    assert len(around) == 7 + 8
    assert all(changed(FINITE, point, row) <= {"a", "b"} for row in around)


def test_two_exchanges_reach_what_one_exchange_cannot() -> None:
    point = FINITE.units({"a": "y", "f": 3, "b": 2})
    around = Neighbourhood.of(FINITE).around(point, 200, rng())
    assert len({FINITE.key(config) for config in FINITE.configs(around)}) == FINITE.size


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000))
def test_perturbations_move_the_hyperparameters_of_many_values(seed: int) -> None:
    point = MIXED.units({"a": "x", "u": 0.5, "n": 500, "m": 2})
    neighbourhood = Neighbourhood.of(MIXED)
    perturbed = neighbourhood.around(point, 20, rng(seed))[-20:]
    assert ((perturbed >= 0.0) & (perturbed <= 1.0)).all()
    assert all(changed(MIXED, point, row) <= {"u", "n"} for row in perturbed)
    assert (perturbed != point).any(axis=1).all()
    assert np.abs(perturbed - point).max() < 1.0


def test_perturbations_are_small_and_some_are_tiny() -> None:
    point = np.array([0.5, 0.5])
    moves = np.abs(Neighbourhood.of(CONTINUOUS).around(point, 4000, rng()) - point).max(axis=1)
    assert 0.03 < np.median(moves) < 0.12
    assert (moves < 0.02).mean() > 0.05


@pytest.mark.parametrize("space", SPACES)
def test_candidates_stand_for_their_configurations(space: Space) -> None:
    best = space.snap(rng(1).random((3, len(space))))
    points = candidates(space, Neighbourhood.of(space), best, 50, 10, rng())
    assert points.shape[1] == len(space)
    assert len(points) >= 50
    np.testing.assert_array_equal(space.snap(points), points)
    again = candidates(space, Neighbourhood.of(space), best, 50, 10, rng())
    np.testing.assert_array_equal(points, again)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 11), max_size=30), st.lists(st.integers(0, 11), max_size=30))
def test_fresh_points_are_those_not_suggested_each_once_in_order(before: list[int], now: list[int]) -> None:
    suggested = Suggested()
    for index in before:
        suggested.add(FINITE.units(FINITE.at(index)))
    points = np.array([FINITE.units(FINITE.at(index)) for index in now]).reshape(-1, 3)
    expected = [index for index in dict.fromkeys(now) if index not in before]
    fresh = [FINITE.index(config) for config in FINITE.configs(suggested.fresh(points))]
    assert fresh == expected


def test_a_random_point_and_its_configuration_are_the_same_point() -> None:
    """Points from units and points from configurations compare equal, to the last bit, in finite spaces."""
    space = Space({**FINITE.domains, "n": RandInt(1, 77), "m": LogRandInt(1, 99), "g": FinRange(0.1, 0.7, 7)})
    points = space.snap(rng().random((300, len(space))))
    from_configs = np.stack([space.units(config) for config in space.configs(points)])
    np.testing.assert_array_equal(points, from_configs)


PLANE = Space({"u": Uniform(0.0, 1.0), "v": Uniform(0.0, 1.0), "f": Fixed(1)})


def plane_table(size: int) -> TableSpace:
    return TableSpace.from_numbers(PLANE, np.column_stack([rng(3).random((size, 2)), np.zeros(size)]))


def test_all_rows_of_a_short_table_are_candidates() -> None:
    table = plane_table(60)
    points = candidates(table, Neighbourhood.of(table), table.rows[:3], 10, 5, rng())
    np.testing.assert_array_equal(points, table.rows)


def test_of_a_long_table_random_rows_and_the_nearest_ones_are_candidates() -> None:
    table = plane_table(ALL_ROWS + 1)
    best = table.rows[[7, 70, 700]]
    points = candidates(table, Neighbourhood.of(table), best, 100, 5, rng())
    assert len(points) == 100 + 3 * 15
    np.testing.assert_array_equal(table.snap(points), points)
    for place, point in enumerate(best):
        gaps = ((table.rows - point) ** 2).sum(axis=1)
        around = points[100 + 15 * place : 115 + 15 * place]
        np.testing.assert_array_equal(around, table.rows[np.argsort(gaps)[:15]])
    spread = points[:100, 0]
    assert (spread.min(), spread.max()) == (pytest.approx(0.0, abs=0.1), pytest.approx(1.0, abs=0.1))
    np.testing.assert_array_equal(points, candidates(table, Neighbourhood.of(table), best, 100, 5, rng()))
