"""What every domain promises, over all domains."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from core.space.strategies import (
    UNITS,
    continuous_domains,
    domains,
    finite_domains,
    logfinranges,
    loguniforms,
    scaled_domains,
    unit_vectors,
)
from hpoctl.core.errors import UsageError
from hpoctl.core.space import (
    Choice,
    FinRange,
    Fixed,
    LogFinRange,
    LogRandInt,
    LogUniform,
    Ordinal,
    RandInt,
    Uniform,
)

PLAIN_TYPES = (bool, int, float, str)


@settings(deadline=None)
@given(domains(), UNITS)
def test_the_value_at_a_unit_is_a_plain_value_of_the_domain(domain, unit):
    value = domain.value(unit)
    assert domain.contains(value)
    assert type(value) in PLAIN_TYPES


@settings(deadline=None)
@given(domains(), unit_vectors())
def test_a_column_holds_the_same_values_in_bulk(domain, units):
    column = domain.column(units)
    singly = [domain.value(unit) for unit in units.tolist()]
    assert column == singly
    assert [type(value) for value in column] == [type(value) for value in singly]


@settings(deadline=None)
@given(domains())
def test_the_middle_is_a_plain_value_of_the_domain(domain):
    assert domain.contains(domain.middle())
    assert type(domain.middle()) in PLAIN_TYPES


@settings(deadline=None)
@given(domains(), st.sampled_from([-math.inf, -1.0, -1e-9, 1.0 + 1e-9, 7.0, math.inf]))
def test_units_outside_count_as_the_nearer_end(domain, unit):
    nearest = 0.0 if unit < 0 else 1.0
    assert domain.value(unit) == domain.value(nearest)
    assert domain.column(np.array([unit])) == [domain.value(nearest)]
    assert domain.snap(np.array([unit])) == domain.snap(np.array([nearest]))


@settings(deadline=None)
@given(domains(), UNITS)
def test_unit_is_the_inverse_of_value(domain, unit):
    value = domain.value(unit)
    again = domain.value(domain.unit(value))
    assert 0.0 <= domain.unit(value) <= 1.0
    if domain.size is None:
        scale = max(abs(domain.lower), abs(domain.upper))
        assert again == pytest.approx(value, rel=1e-12, abs=1e-12 * scale)
    else:
        assert again == value
        assert type(again) is type(value)


@settings(deadline=None)
@given(continuous_domains())
def test_the_bounds_are_at_the_ends_exactly(domain):
    assert domain.value(0.0) == domain.lower
    assert domain.value(1.0) == domain.upper
    assert domain.unit(domain.lower) == 0.0
    assert domain.unit(domain.upper) == 1.0


@settings(deadline=None)
@given(domains(), unit_vectors())
def test_snap_is_idempotent_keeps_the_value_and_agrees_with_unit(domain, units):
    snapped = domain.snap(units)
    assert snapped.shape == units.shape
    np.testing.assert_array_equal(domain.snap(snapped), snapped)
    assert domain.column(snapped) == domain.column(units)
    if domain.size is None:
        np.testing.assert_array_equal(snapped, units)
    else:
        np.testing.assert_array_equal(snapped, [domain.unit(value) for value in domain.column(units)])


@settings(deadline=None)
@given(domains(), unit_vectors())
def test_the_encoding_lies_in_the_unit_cube(domain, units):
    encoded = domain.encode(units)
    assert encoded.shape == (len(units), domain.encoded_size)
    assert np.all((encoded >= 0.0) & (encoded <= 1.0))


@settings(deadline=None)
@given(domains(), unit_vectors())
def test_decode_is_the_inverse_of_encode(domain, units):
    snapped = domain.snap(units)
    np.testing.assert_array_equal(domain.decode(domain.encode(snapped)), snapped)


@settings(deadline=None)
@given(domains(), unit_vectors())
def test_the_encoding_depends_on_the_value_only(domain, units):
    np.testing.assert_array_equal(domain.encode(units), domain.encode(domain.snap(units)))


@settings(deadline=None)
@given(finite_domains(), st.data())
def test_the_numbers_of_values_are_their_own_inverse(domain, data):
    index = data.draw(st.integers(0, domain.size - 1))
    assert domain.index(domain.at(index)) == index
    assert type(domain.at(index)) in PLAIN_TYPES


@settings(deadline=None)
@given(st.one_of(loguniforms(), logfinranges()))
def test_the_middle_of_a_log_scale_lies_half_way_on_it(domain):
    if domain.size is None:
        assert domain.middle() == pytest.approx(domain.value(0.5), rel=1e-9)
    else:
        assert domain.middle() == domain.value(0.5)


@settings(deadline=None)
@given(scaled_domains(), UNITS)
def test_decode_takes_the_nearest_value(domain, point):
    """Against a search over all values."""
    centres = np.array([domain.unit(domain.at(index)) for index in range(domain.size)])
    distances = np.abs(domain.encode(centres)[:, 0] - point)
    found = domain.decode(np.array([[point]]))[0]
    assert distances[np.flatnonzero(centres == found)[0]] <= distances.min() + 1e-12


@pytest.mark.parametrize(
    "domain",
    [
        RandInt(-3, 7),
        Choice(("a", "b", "c")),
        Choice((True, False)),
        Ordinal((8, 16, 32, 64), "nn-log"),
        FinRange(0.0, 0.6, 3),
        LogFinRange(16, 512, 6, cast_int=True),
    ],
    ids=repr,
)
def test_uniform_units_draw_the_values_of_a_finite_domain_equally_often(domain):
    drawn = domain.column(np.random.default_rng(7).random(20_000))
    counts = [drawn.count(domain.at(index)) for index in range(domain.size)]
    assert sum(counts) == 20_000
    assert chisquare(counts).pvalue > 1e-3


def test_lograndint_draws_values_as_often_as_its_formula_says():
    domain = LogRandInt(1, 20)
    drawn = domain.column(np.random.default_rng(7).random(20_000))
    total = math.log(20.5 / 0.5)
    expected = [20_000 * math.log((value + 0.5) / (value - 0.5)) / total for value in range(1, 21)]
    assert chisquare([drawn.count(value) for value in range(1, 21)], expected).pvalue > 1e-3


def test_loguniform_draws_logarithms_uniformly():
    drawn = LogUniform(1e-4, 10.0).column(np.random.default_rng(7).random(5_000))
    assert kstest((np.log10(drawn) + 4) / 5, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("domain", [Uniform(0, 1), LogUniform(1, 2)], ids=repr)
def test_values_of_a_range_of_floats_have_no_numbers(domain):
    with pytest.raises(UsageError, match="infinitely many"):
        domain.index(1.0)
    with pytest.raises(UsageError, match="infinitely many"):
        domain.at(0)


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        (Uniform(0, 1), [0, 1, 0.5, 1.0], [-0.1, 1.1, True, "0.5", None, math.nan, math.inf]),
        (LogUniform(0.1, 1), [0.1, 1], [0.09, True, "1"]),
        (RandInt(0, 3), [0, 3], [True, 4, -1, 1.0, "1", None, np.int64(1)]),
        (LogRandInt(1, 3), [1, 3], [True, 0, 4, 1.0]),
        (Choice((1, 2)), [1, 2], [True, 1.0, 3, "1", None, [1]]),
        (Choice((0.0, 0.5)), [0, 0.0, 0.5], [False, 0.25, math.nan]),
        (Choice((True, False)), [True, False], [0, 1, "true"]),
        (Choice(("a", "b")), ["a"], ["c", 1, True, None, ["a"]]),
        (FinRange(0, 1, 3), [0, 0.5, 1.0], [0.4, True]),
        (Fixed(9), [9], [9.0, True, "9", 8]),
        (Fixed(1.0), [1, 1.0], [True, 2.0]),
        (Fixed(True), [True], [1, 1.0]),
        (Fixed("a"), ["a"], ["b", 1]),
    ],
    ids=lambda part: repr(part) if not isinstance(part, list) else "",
)
def test_contains_looks_at_the_type_too(domain, inside, outside):
    assert all(domain.contains(value) for value in inside)
    assert not any(domain.contains(value) for value in outside)
    for value in inside:
        assert 0.0 <= domain.unit(value) <= 1.0
    for value in outside:
        with pytest.raises(UsageError, match="not allowed"):
            domain.unit(value)
