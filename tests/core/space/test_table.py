"""Spaces restricted to listed configurations: round trips, the nearest row, uniform draws, fixed values, errors."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.space.strategies import UNITS, spaces
from hpoctl.core.errors import UsageError
from hpoctl.core.space import Choice, Config, FinRange, Fixed, LogUniform, Ordinal, RandInt, Space, TableSpace, Uniform

GRID = Space(
    {"a": Choice(("x", "y", "z")), "b": Ordinal((1, 2, 4, 8), "nn-log"), "u": Uniform(-1.0, 1.0), "f": Fixed(3)}
)
CONFIGS: list[Config] = [
    {"a": "x", "b": 2, "u": 0.5, "f": 3},
    {"a": "y", "b": 2, "u": 0.5, "f": 3},
    {"a": "z", "b": 8, "u": -1.0, "f": 3},
    {"a": "x", "b": 1, "u": 0.25, "f": 3},
]
TABLE = TableSpace.of(GRID, CONFIGS)


@st.composite
def tables(draw, kinds=None):
    """A space, and a table of up to 12 of its configurations."""
    space = draw(spaces(kinds))
    units = draw(arrays(np.float64, (draw(st.integers(1, 12)), len(space)), elements=UNITS))
    configs = list({space.key(config): config for config in space.configs(units)}.values())
    return space, configs, TableSpace.of(space, configs)


def test_rows_are_the_configurations_in_their_order() -> None:
    assert [TABLE.at(row) for row in range(4)] == CONFIGS
    assert [TABLE.index(config) for config in CONFIGS] == [0, 1, 2, 3]
    assert (TABLE.size, len(TABLE), TABLE.names) == (4, 4, GRID.names)
    assert TABLE.around() == GRID
    assert TABLE.to_json() == GRID.to_json()


@given(tables())
def test_configurations_units_and_rows_are_three_faces_of_one_thing(drawn) -> None:
    space, configs, table = drawn
    assert table.size == len(configs)
    for row, config in enumerate(configs):
        assert table.at(row) == config
        assert [type(value) for value in table.at(row).values()] == [type(value) for value in config.values()]
        assert table.index(config) == table.find(config) == row
        assert table.find_nearest(config) == (row, 0.0)
        np.testing.assert_array_equal(table.units(config), space.units(config))
    np.testing.assert_array_equal(table.snap(table.rows), table.rows)
    # Two values may be too close for the unit cube to tell apart: then the first row stands for both.
    rows = table.rows.tolist()
    first = [rows.index(row) for row in rows]
    assert table.nearest(table.rows).tolist() == first
    assert table.configs(table.rows) == [configs[row] for row in first]


def test_values_too_close_for_the_unit_cube_are_two_configurations_and_the_first_stands_for_both() -> None:
    close = [{"x": 3.0000000000000004}, {"x": 3.0}]
    table = TableSpace.of(Space({"x": LogUniform(3.0, 4.0)}), close)
    assert [table.index(config) for config in close] == [0, 1]
    assert table.configs(table.rows) == [close[0], close[0]]


@given(tables(), st.data())
def test_any_point_stands_for_the_nearest_row(drawn, data) -> None:
    """Against a loop; rows whose distances differ in the last digits only count as equally near."""
    space, _, table = drawn
    points = data.draw(arrays(np.float64, (data.draw(st.integers(0, 4)), len(space)), elements=UNITS))
    encoded = space.encode(table.rows)
    found, distances = table.nearest(points), table.distances(points)
    for point, row, distance in zip(space.encode(points), found, distances, strict=True):
        each = [float(np.sqrt(sum((a - b) ** 2 for a, b in zip(point, other, strict=True)))) for other in encoded]
        assert distance == pytest.approx(min(each), abs=1e-12)
        assert each[row] == pytest.approx(min(each), abs=1e-12)
    np.testing.assert_array_equal(table.snap(points), table.rows[found])
    assert table.configs(points) == [table.at(row) for row in found]


@given(tables(), st.data())
def test_any_configuration_of_the_space_has_a_nearest_row(drawn, data) -> None:
    space, configs, table = drawn
    point = data.draw(arrays(np.float64, (1, len(space)), elements=UNITS))
    config = space.configs(point)[0]
    row, distance = table.find_nearest(config)
    listed = config in configs
    assert (table.find(config) is not None) == listed
    if listed:
        assert (row, distance) == (configs.index(config), 0.0)
    else:
        units = space.units(config)[None, :]
        assert distance == table.distances(units)[0]
        assert distance == pytest.approx(np.linalg.norm(space.encode(units)[0] - space.encode(table.rows)[row]))


def test_of_equally_near_rows_the_first_is_taken() -> None:
    space = Space({"u": Uniform(0.0, 1.0), "c": Choice(("a", "b", "c"))})
    table = TableSpace.of(space, [{"u": 0.75, "c": "b"}, {"u": 0.25, "c": "a"}, {"u": 0.25, "c": "b"}])
    assert table.find_nearest({"u": 0.5, "c": "b"}) == (0, 0.25)
    assert table.find_nearest({"u": 0.25, "c": "c"})[0] == 1
    # 0.1 + 0.2 is not 0.3: without a tolerance, which is nearer would be a matter of rounding.
    thirds = TableSpace.of(Space({"u": Uniform(0.0, 1.0)}), [{"u": 0.3}, {"u": 0.1}])
    assert thirds.find_nearest({"u": 0.2})[0] == 0


def test_near_sorts_rows_by_their_distance() -> None:
    space = Space({"u": Uniform(0.0, 1.0)})
    table = TableSpace.of(space, [{"u": value} for value in (0.9, 0.1, 0.4, 0.6)])
    assert table.near(np.array([0.5]), 3).tolist() == [2, 3, 0]
    assert table.near(np.array([0.0]), 10).tolist() == [1, 2, 3, 0]


def test_draws_are_uniform_over_the_rows() -> None:
    rows = TABLE.sample(40_000, np.random.default_rng(0))
    assert rows.shape == (40_000, 4)
    counts = np.bincount(TABLE.nearest(rows), minlength=4)
    # Binomial: 10,000 expected, standard deviation 87.
    assert (abs(counts - 10_000) < 500).all()
    again = TABLE.sample(40_000, np.random.default_rng(0))
    np.testing.assert_array_equal(rows, again)


def test_the_middle_is_the_row_nearest_to_the_middle() -> None:
    assert TABLE.middle() == {"a": "x", "b": 2, "u": 0.5, "f": 3}
    assert TABLE.around().middle() not in CONFIGS


@given(tables(), st.data())
def test_fixed_values_keep_the_rows_that_have_them_in_order(drawn, data) -> None:
    space, configs, table = drawn
    wanted = data.draw(st.sampled_from(configs))
    names = data.draw(st.lists(st.sampled_from(space.names), unique=True))
    values = {name: wanted[name] for name in names}
    kept = table.with_fixed(values)
    expected = [config for config in configs if all(config[name] == value for name, value in values.items())]
    assert [kept.at(row) for row in range(kept.size)] == expected
    assert kept.around() == space.with_fixed(values)
    assert kept == TableSpace.of(space.with_fixed(values), expected)
    np.testing.assert_array_equal(kept.rows, TableSpace.of(kept.around(), expected).rows)


def test_equal_tables_are_equal_and_others_are_not() -> None:
    same = TableSpace.of(GRID, CONFIGS)
    assert (same, hash(same)) == (TABLE, hash(TABLE))
    assert TableSpace.of(GRID, CONFIGS[:3]) != TABLE
    assert TableSpace.of(GRID, CONFIGS[::-1]) != TABLE
    assert TABLE != GRID
    assert GRID != TABLE


@given(tables())
def test_numbers_make_the_same_table(drawn) -> None:
    space, _, table = drawn
    again = TableSpace.from_numbers(space, table.numbers)
    assert again == table
    np.testing.assert_array_equal(again.rows, table.rows)


@given(tables(), st.data())
def test_a_configuration_off_the_table_is_refused(drawn, data) -> None:
    space, configs, table = drawn
    config = space.configs(data.draw(arrays(np.float64, (1, len(space)), elements=UNITS)))[0]
    assume(config not in configs)
    for refused in (table.index, table.validate, table.units):
        with pytest.raises(UsageError, match="The table has no configuration"):
            refused(config)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda: TableSpace.of(GRID, []), "A table without configurations is no space"),
        (lambda: TableSpace.of(GRID, [*CONFIGS, CONFIGS[1]]), "listed twice"),
        (lambda: TableSpace.of(GRID, [{**CONFIGS[0], "b": 3}]), "'b' cannot be 3"),
        (lambda: TableSpace.of(GRID, [{"a": "x"}]), "'b' is missing"),
        (lambda: TableSpace.from_numbers(GRID, np.zeros((2, 3))), "shape \\(2, 3\\)"),
        (lambda: TableSpace.from_numbers(GRID, np.array([[3.0, 0.0, 0.0, 0.0]])), "'a' cannot have the number 3.0"),
        (lambda: TableSpace.from_numbers(GRID, np.array([[0.5, 0.0, 0.0, 0.0]])), "'a' cannot have the number 0.5"),
        (lambda: TableSpace.from_numbers(GRID, np.array([[0.0, -1.0, 0.0, 0.0]])), "'b' cannot have the number -1.0"),
        (lambda: TableSpace.from_numbers(GRID, np.array([[0.0, np.nan, 0.0, 0.0]])), "'b' cannot have the number nan"),
        (lambda: TableSpace.from_numbers(GRID, np.array([[0.0, 0.0, np.inf, 0.0]])), "'u' cannot have the number inf"),
        (lambda: TableSpace(GRID.domains, TABLE.numbers, TABLE.rows[:2]), "does not fit its space"),
        (lambda: TABLE.at(4), "There is no row 4"),
        (lambda: TABLE.at(-1), "There is no row -1"),
        (lambda: TABLE.find({**CONFIGS[0], "a": "w"}), "'a' cannot be 'w'"),
        (lambda: TABLE.nearest(np.zeros((1, 2))), "do not fit"),
        (lambda: TABLE.configs(np.full((1, 4), 2.0)), "outside"),
        (lambda: TABLE.with_fixed({"a": "z", "b": 1}), "No configuration of the table has a=z, b=1"),
        (lambda: TABLE.with_fixed({"q": 1}), "Unknown hyperparameter 'q'"),
        (lambda: TABLE.with_fixed({"a": "w"}), "'a' cannot be 'w'"),
        (lambda: TABLE.with_fixed({"f": 4}), "'f' cannot be 4"),
    ],
)
def test_what_is_wrong_is_said(action, message) -> None:
    with pytest.raises(UsageError, match=message):
        action()


def test_nothing_asked_is_nothing_answered() -> None:
    none = np.empty((0, 4))
    assert TABLE.configs(none) == []
    assert TABLE.nearest(none).shape == TABLE.distances(none).shape == (0,)
    assert TABLE.snap(none).shape == TABLE.sample(0, np.random.default_rng(0)).shape == (0, 4)


def test_one_row_and_nothing_free() -> None:
    table = TABLE.with_fixed(CONFIGS[2])
    assert (table.size, table.encoded_size) == (1, 0)
    assert table.middle() == CONFIGS[2]
    assert table.configs(np.array([[0.1, 0.2, 0.3, 0.4]])) == [CONFIGS[2]]
    assert table.distances(table.rows).tolist() == [0.0]


def test_zero_has_one_sign() -> None:
    space = Space({"u": Uniform(-1.0, 1.0), "n": RandInt(0, 3)})
    table = TableSpace.of(space, [{"u": -0.0, "n": 1}, {"u": 0.5, "n": 1}])
    assert table.find({"u": 0.0, "n": 1}) == table.find({"u": -0.0, "n": 1}) == 0
    assert str(table.at(0)["u"]) == "0.0"
    with pytest.raises(UsageError, match="listed twice"):
        TableSpace.of(space, [{"u": 0.0, "n": 1}, {"u": -0.0, "n": 1}])


def test_a_whole_number_may_stand_for_a_float() -> None:
    table = TableSpace.of(Space({"u": Uniform(0.0, 2.0), "g": FinRange(0.0, 1.0, 3)}), [{"u": 1, "g": 1}])
    assert table.find({"u": 1.0, "g": 1.0}) == 0
    assert repr(table.at(0)) == "{'u': 1.0, 'g': 1.0}"


def test_many_points_on_a_long_table() -> None:
    """More distances than are held at a time: each part gets its own answers."""
    space = Space({"u": Uniform(0.0, 1.0), "v": LogUniform(0.001, 1.0)})
    rng = np.random.default_rng(0)
    table = TableSpace.from_numbers(space, np.column_stack([rng.random(3000), 0.001 + 0.999 * rng.random(3000)]))
    points = rng.random((700, 2))
    encoded = space.encode(table.rows)
    expected = [int(((encoded - point) ** 2).sum(axis=1).argmin()) for point in space.encode(points)]
    assert table.nearest(points).tolist() == expected
