"""Domains worked out by hand, and domains that cannot be."""

import math

import numpy as np
import pytest

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


def all_encoded(domain):
    return domain.encode(np.array([domain.unit(domain.at(index)) for index in range(domain.size)]))


def test_uniform():
    domain = Uniform(-1, 3)
    assert (domain.size, domain.encoded_size, domain.middle()) == (None, 1, 1.0)
    assert domain.value(0.25) == 0.0
    assert domain.unit(2) == 0.75


def test_loguniform():
    domain = LogUniform(0.01, 100)
    assert (domain.size, domain.encoded_size) == (None, 1)
    assert domain.middle() == pytest.approx(1.0)
    assert domain.value(0.25) == pytest.approx(0.1)
    assert domain.unit(10.0) == pytest.approx(0.75)


def test_randint():
    domain = RandInt(1, 4)
    assert (domain.size, domain.encoded_size, domain.middle()) == (4, 1, 2)
    assert domain.column(np.array([0.0, 0.249, 0.25, 0.5, 0.75, 1.0])) == [1, 1, 2, 3, 4, 4]
    assert domain.unit(1) == 0.125
    np.testing.assert_allclose(all_encoded(domain)[:, 0], [0, 1 / 3, 2 / 3, 1])


def test_lograndint():
    domain = LogRandInt(1, 4)
    assert (domain.size, domain.encoded_size, domain.middle()) == (4, 1, 2)
    # log(1.5 / 0.5) / log(4.5 / 0.5) = 1/2: half of all draws are 1.
    assert domain.column(np.array([0.0, 0.4999, 0.5001, 1.0])) == [1, 1, 2, 4]
    assert domain.unit(1) == pytest.approx(0.25)
    np.testing.assert_allclose(all_encoded(domain)[:, 0], [0, 0.5, math.log(3) / math.log(4), 1])
    # On the log scale 1 and 2 meet at 1/4, which is sqrt(2), not 1.5.
    assert domain.decode(np.array([[0.26]])) == domain.unit(2)


def test_choice_of_two_is_one_dimension():
    domain = Choice(("tanh", "relu"))
    assert (domain.size, domain.encoded_size, domain.middle()) == (2, 1, "tanh")
    np.testing.assert_array_equal(all_encoded(domain), [[0.0], [1.0]])
    np.testing.assert_array_equal(domain.decode(np.array([[0.4], [0.6]])), [0.25, 0.75])


def test_choice_of_three_is_one_hot():
    domain = Choice(("a", "b", "c"))
    assert (domain.size, domain.encoded_size) == (3, 3)
    np.testing.assert_array_equal(all_encoded(domain), np.eye(3))
    np.testing.assert_array_equal(domain.decode(np.array([[0.1, 0.3, 0.2]])), [0.5])


@pytest.mark.parametrize(
    ("kind", "points"),
    [("equal", [0, 1 / 3, 2 / 3, 1]), ("nn", [0, 8 / 56, 24 / 56, 1]), ("nn-log", [0, 1 / 3, 2 / 3, 1])],
)
def test_ordinal(kind, points):
    domain = Ordinal((8, 16, 32, 64), kind)
    assert (domain.size, domain.encoded_size, domain.middle()) == (4, 1, 32)
    np.testing.assert_allclose(all_encoded(domain)[:, 0], points, atol=1e-15)


def test_finrange_is_rounded_from_its_decimal_bounds():
    domain = FinRange(0.1, 0.9, 9)
    assert domain.values == (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    assert (domain.size, domain.encoded_size, domain.middle()) == (9, 1, 0.5)
    np.testing.assert_allclose(all_encoded(domain)[:, 0], np.arange(9) / 8)


def test_finrange_of_whole_numbers():
    domain = FinRange(0, 10, 5, cast_int=True)
    assert domain.values == (0, 2, 5, 8, 10)
    assert all(type(value) is int for value in domain.values)
    np.testing.assert_allclose(all_encoded(domain)[:, 0], [0, 0.2, 0.5, 0.8, 1])


def test_logfinrange_is_rounded_from_its_decimal_bounds():
    domain = LogFinRange(0.001, 1, 4)
    assert domain.values == (0.001, 0.01, 0.1, 1.0)
    assert domain.middle() == 0.1
    np.testing.assert_allclose(all_encoded(domain)[:, 0], [0, 1 / 3, 2 / 3, 1])


def test_logfinrange_of_whole_numbers():
    domain = LogFinRange(16, 512, 6, cast_int=True)
    assert domain.values == (16, 32, 64, 128, 256, 512)
    assert all(type(value) is int for value in domain.values)
    np.testing.assert_allclose(all_encoded(domain)[:, 0], np.arange(6) / 5, atol=1e-15)


def test_fixed():
    domain = Fixed(9)
    assert (domain.size, domain.encoded_size, domain.middle(), domain.value(0.3)) == (1, 0, 9, 9)
    assert domain.encode(np.array([0.1, 0.9])).shape == (2, 0)


def test_one_value_alone():
    for domain in (Choice(("a",)), Ordinal((3,), "nn"), Ordinal((3,), "nn-log")):
        assert (domain.size, domain.encoded_size) == (1, 1)
        np.testing.assert_array_equal(domain.decode(domain.encode(np.array([0.1]))), [0.5])


def test_whole_numbers_among_floats_become_floats():
    domain = Choice((0, 0.3, 0.6))
    assert domain.values == (0.0, 0.3, 0.6)
    assert all(type(value) is float for value in domain.values)
    assert type(Uniform(0, 1).value(0.0)) is float


def test_numpy_floats_and_texts_become_plain():
    assert type(Choice((np.float64(0.5), np.float64(1.0))).value(0.9)) is float
    assert type(Choice(tuple(np.array(["a", "b"]))).value(0.9)) is str
    assert type(Fixed(np.float64(0.5)).middle()) is float
    assert type(Uniform(np.float64(0.5), np.float64(1.0)).value(0.3)) is float


def test_a_long_list_is_described_in_short():
    assert Choice(("a", "b")).describe() == "one of 'a', 'b'"
    assert FinRange(0, 99, 100, cast_int=True).describe() == "one of 0, 1, 2, 3, 4, 5, ... (93 more) ..., 99"


@pytest.mark.parametrize(
    ("make", "what", "fix"),
    [
        (lambda: Uniform(1, 1), "both 1.0", "fixed value"),
        (lambda: Uniform(2, 1), "2.0 is above upper 1.0", "Swap"),
        (lambda: Uniform(math.nan, 1), "lower is nan", "number within"),
        (lambda: Uniform(0, math.inf), "upper is inf", "number within"),
        (lambda: Uniform(0, 1e301), "upper is 1e\\+301", "number within"),
        (lambda: Uniform(False, 1), "lower is False", "finite number"),
        (lambda: Uniform("0", 1), "lower is '0'", "finite number"),  # type: ignore[arg-type]
        (lambda: LogUniform(0, 1), "0.0 has no logarithm", "linear"),
        (lambda: LogUniform(-1, 1), "-1.0 has no logarithm", "linear"),
        (lambda: LogUniform(1e299, math.nextafter(1e299, math.inf)), "too close", "linear"),
        (lambda: RandInt(0, True), "upper is True", "whole number"),
        (lambda: RandInt(0, 1.0), "upper is 1.0", "whole number"),  # type: ignore[arg-type]
        (lambda: RandInt(3, 3), "both 3", "fixed value"),
        (lambda: RandInt(0, 2**41), "upper is 2199023255552", "within"),
        (lambda: LogRandInt(0, 3), "0 has no logarithm", "positive"),
        (lambda: Choice(()), "empty", "one value"),
        (lambda: Choice("abc"), "values is 'abc'", "list"),  # type: ignore[arg-type]
        (lambda: Choice(7), "values is 7", "list"),  # type: ignore[arg-type]
        (lambda: Choice((1, "a")), "mixes int and str", "one type"),
        (lambda: Choice((1, True)), "mixes bool and int", "one type"),
        (lambda: Choice((1, 2, 1)), "has 1 twice", "once"),
        (lambda: Choice((1, 1.0)), "has 1.0 twice", "once"),
        (lambda: Choice((0.0, math.nan)), "nan cannot be a value", "finite"),
        (lambda: Choice((None,)), "None cannot be a value", "text"),  # type: ignore[arg-type]
        (lambda: Choice((np.int64(1),)), "cannot be a value", "number"),  # type: ignore[arg-type]
        (lambda: Ordinal((1, 2), "log"), "kind is 'log'", "nn-log"),  # type: ignore[arg-type]
        (lambda: Ordinal((2, 1), "nn"), "increasing", "Sort"),
        (lambda: Ordinal(("a", "b"), "nn"), "needs numbers", "equal"),
        (lambda: Ordinal((False, True), "nn"), "needs numbers", "equal"),
        (lambda: Ordinal((0, 1), "nn-log"), "0 has no logarithm", "'nn'"),
        (lambda: Ordinal((1e299, math.nextafter(1e299, math.inf)), "nn-log"), "too close", "fewer values"),
        (lambda: Ordinal((0.0, 1e-300, 1e300), "nn-log"), "no logarithm", "'nn'"),
        (lambda: Ordinal((-1e300, 1.0, 2.0), "nn"), "too close", "fewer values"),
        (lambda: FinRange(0, 1, 0), "size is 0", "2 to 10000"),
        (lambda: FinRange(0, 1, 1), "size is 1", "fixed value"),
        (lambda: FinRange(0, 1, 10_001), "size is 10001", "continuous"),
        (lambda: FinRange(0, 1, 2.0), "size is 2.0", "whole number"),  # type: ignore[arg-type]
        (lambda: FinRange(0, 1, True), "size is True", "whole number"),
        (lambda: FinRange(0, 3, 5, cast_int=True), "5 values have only 4", "kind 'nn' with values 0, 1, 2, 3"),
        (lambda: FinRange(0.5, 3, 3, cast_int=True), "bounds 0.5 and 3.0", "whole numbers"),
        (lambda: FinRange(0, 3, 2, cast_int=1), "cast_int is 1", "true or false"),  # type: ignore[arg-type]
        (lambda: FinRange(0, 2**41, 2, cast_int=True), "upper is 2199023255552", "within"),
        (lambda: Fixed(2**63), "cannot be a value", "below 2**63"),
        (lambda: FinRange(1, 0, 3), "1.0 is above", "Swap"),
        (lambda: LogFinRange(0, 1, 3), "0.0 has no logarithm", "linear"),
        (lambda: LogFinRange(1, 3, 4, cast_int=True), "4 values have only 3", "'nn-log' with values 1, 2, 3"),
        (lambda: Fixed(math.nan), "nan cannot be a value", "finite"),
        (lambda: Fixed([1]), "cannot be a value", "text"),  # type: ignore[arg-type]
        (lambda: Fixed(None), "cannot be a value", "text"),  # type: ignore[arg-type]
    ],
)
def test_a_domain_that_cannot_be(make, what, fix):
    with pytest.raises(UsageError, match=what) as caught:
        make()
    assert fix in caught.value.fix
    assert "\n" not in caught.value.what + caught.value.fix
