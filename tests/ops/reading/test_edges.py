"""Numbers at the edge of what a float holds, and values of one name with other types."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from hpoctl.analysis.paired import paired_differences
from hpoctl.analysis.power import predict_power
from hpoctl.ops.exchange.exported_table import common_schema, identified, schema_of
from hpoctl.ops.reading.load_rows import apart
from hpoctl.ops.reading.read_columns import within_bounds

EDGES = [np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 1e76, 1e75, 1.0, 1e-75, 5e-324, -5e-324, 0.0]
WITHIN = [np.nan, np.inf, -np.inf, np.inf, -np.inf, np.inf, 1e75, 1.0, 1e-75, 0.0, 0.0, 0.0]


def test_what_no_variance_can_be_computed_of_is_infinite_or_zero() -> None:
    np.testing.assert_array_equal(within_bounds(np.array(EDGES)), WITHIN)
    with np.errstate(all="raise"):
        values = within_bounds(np.array(EDGES))
        finite = values[np.isfinite(values)]
        assert np.isfinite(np.var(finite))
        assert np.isfinite(np.mean((finite - finite.mean()) ** 4))


@pytest.mark.parametrize("log", [True, False])
def test_values_that_differ_by_rounding_do_not_differ(log: bool) -> None:
    first = np.array([0.1 + 0.2, 0.7, 1e75, 1e-75, 5.0])
    second = np.array([0.3, 0.7 * (1 + 2e-16), 1e75 * (1 + 2e-16), 1e-75, 5.0000001])
    differences = paired_differences(first, second, log=log)
    assert (differences == 0.0).tolist() == [True, True, True, True, False]
    assert predict_power(np.zeros(10)).detectable is None


def test_flags_and_wide_whole_numbers_stay_what_they_are_beside_others() -> None:
    wide = 2**53 + 1
    frames = [pd.DataFrame({"x": [True, False]}), pd.DataFrame({"x": [0, wide]}), pd.DataFrame({"x": [1.5]})]
    rows = pd.concat(apart(frames), ignore_index=True)
    assert [(type(value).__name__, value) for value in rows["x"].tolist()] == [
        ("bool", True),
        ("bool", False),
        ("int", 0),
        ("int", wide),
        ("float", 1.5),
    ]
    plain = pd.concat(apart([pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [1.5]})]))
    assert plain["x"].dtype == float  # as before where nothing is lost


def test_one_table_of_wide_whole_numbers_and_floats_keeps_both(tmp_path: Path) -> None:
    wide, floats = pa.table({"config_x": [2**53 + 1, -3]}), pa.table({"config_x": [0.5]})
    schema = common_schema([schema_of(wide), schema_of(floats)])
    rows = [identified(table, {}, schema).column("config_x").to_pylist() for table in (wide, floats)]
    assert rows == [[str(2**53 + 1), "-3"], ["0.5"]]
    small = common_schema([schema_of(pa.table({"config_x": [3]})), schema_of(floats)])
    assert small.field("config_x").type == pa.float64()
