"""Which curve is the best, and when a logarithmic scale shows more."""

import numpy as np

from hpoctl.analysis.curves import best_first, is_wide

CURVES = [
    np.array([9.0, 2.0]),
    np.array([1.0, 3.0]),
    np.array([1.0, np.nan]),
    np.array([9.0, 1.0]),
    np.array([1, -np.inf]),
]


def test_the_last_value_decides_and_what_is_not_finite_comes_last() -> None:
    assert best_first(CURVES, "min") == [3, 0, 1, 2, 4]
    assert best_first(CURVES, "max")[:3] == [1, 0, 3]
    assert best_first(CURVES, None) == best_first(CURVES, "min")


def test_more_than_a_decade_of_positive_values_is_wide() -> None:
    assert is_wide([np.array([1.0, 5.0]), np.array([11.0])])
    assert is_wide([np.array([1.0, np.nan, np.inf]), np.array([11.0])])
    assert not is_wide([np.array([1.0, 10.0])])
    assert not is_wide([np.array([-1.0, 100.0])])
    assert not is_wide([np.array([0.0, 100.0])])
    assert not is_wide([np.array([np.nan])])
