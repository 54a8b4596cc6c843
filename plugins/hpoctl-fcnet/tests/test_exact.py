"""Arithmetic that gives the same bits everywhere."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hpoctl_fcnet.exact import scaled_exp, snap, snapped_log


@given(st.floats(min_value=2.0**-30, max_value=2.0**30, width=32), st.sampled_from([6, 10]))
def test_snapped_log_is_the_nearest_multiple(value, bits):
    found = float(snapped_log(np.array([value], np.float32), bits)[0])
    assert (found * 2**bits).is_integer()
    assert abs(found - math.log(value)) <= 0.5 / 2**bits + 1e-12


def test_logs_of_a_wide_range_are_clipped():
    assert snapped_log(np.array([1e-30, 1e30], np.float32)).tolist() == [-24.0, 24.0]


@given(st.floats(min_value=-16, max_value=16), st.floats(min_value=1e-5, max_value=100))
def test_scaled_exp_is_exp_on_its_grid(exponent, factor):
    found = scaled_exp(np.array([factor]), np.array([exponent]))
    assert found.dtype == np.float32
    expected = factor * math.exp(round(exponent * 4096) / 4096)
    assert math.isclose(float(found[0]), expected, rel_tol=2e-7)


def test_exponents_of_a_wide_range_are_clipped():
    found = scaled_exp(np.array([1.0]), np.array([-100.0, 100.0]))
    np.testing.assert_allclose(found, [math.exp(-16), math.exp(16)], rtol=1e-6)


@given(st.floats(min_value=-1000, max_value=1000), st.integers(min_value=0, max_value=16))
def test_snap_is_the_nearest_multiple(value, bits):
    found = float(snap(np.array([value]), bits)[0])
    assert (found * 2**bits).is_integer()
    assert abs(found - value) <= 0.5 / 2**bits
