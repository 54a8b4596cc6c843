"""Hypothesis strategies for domains, spaces and unit matrices, of use to any test that needs a space."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hpoctl.core.space import (
    Choice,
    FinRange,
    Fixed,
    LogFinRange,
    LogRandInt,
    LogUniform,
    Ordinal,
    RandInt,
    Space,
    Uniform,
)

UNITS = st.floats(0.0, 1.0, allow_nan=False)
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=5)
NAMES = st.text("abcdefghij_0123456789", min_size=1, max_size=8)
PLAIN = st.one_of(st.booleans(), st.integers(-100, 100), st.floats(-1e6, 1e6), TEXTS)
LISTS = st.one_of(
    st.lists(st.integers(-1000, 1000), min_size=1, max_size=9, unique=True),
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=9, unique=True),
    st.lists(TEXTS, min_size=1, max_size=9, unique=True),
    st.lists(st.booleans(), min_size=1, max_size=2, unique=True),
)


def _bounds(numbers):
    """Two numbers in order, far enough apart for a scale between them."""
    pairs = st.tuples(numbers, numbers).map(sorted)
    return pairs.filter(lambda pair: pair[1] - pair[0] > 1e-9 * max(abs(pair[0]), abs(pair[1]), 1e-300))


def _whole_bounds(smallest, largest):
    whole = st.one_of(st.integers(smallest, largest), st.integers(max(smallest, -20), 20))
    return st.tuples(whole, whole).map(sorted).filter(lambda pair: pair[0] < pair[1])


def _positive(largest=1e12):
    return st.floats(1e-12, largest)


def uniforms():
    return _bounds(st.floats(-1e12, 1e12)).map(lambda pair: Uniform(*pair))


def loguniforms():
    return _bounds(_positive()).map(lambda pair: LogUniform(*pair))


def randints():
    return _whole_bounds(-(2**40), 2**40).map(lambda pair: RandInt(*pair))


def lograndints():
    return _whole_bounds(1, 2**40).map(lambda pair: LogRandInt(*pair))


def choices():
    return LISTS.map(lambda values: Choice(tuple(values)))


def ordinals():
    increasing = st.lists(st.integers(-1000, 1000), min_size=1, max_size=9, unique=True).map(sorted)
    positive = st.lists(st.integers(1, 10_000), min_size=1, max_size=9, unique=True).map(sorted)
    return st.one_of(
        LISTS.map(lambda values: Ordinal(tuple(values))),
        increasing.map(lambda values: Ordinal(tuple(values), "nn")),
        increasing.map(lambda values: Ordinal(tuple(value / 8 for value in values), "nn")),
        positive.map(lambda values: Ordinal(tuple(values), "nn-log")),
        positive.map(lambda values: Ordinal(tuple(value / 8 for value in values), "nn-log")),
    )


def finranges():
    sizes = st.integers(2, 30)
    floats = st.builds(lambda pair, size: FinRange(*pair, size), _bounds(st.floats(-1e6, 1e6)), sizes)  # type: ignore[call-arg]
    whole = st.builds(
        lambda pair, size: FinRange(*pair, min(size, pair[1] - pair[0] + 1), cast_int=True),  # type: ignore[call-arg, misc]
        _whole_bounds(-1000, 1000),
        sizes,
    )
    return st.one_of(floats, whole)


def logfinranges():
    floats = st.builds(lambda pair, size: LogFinRange(*pair, size), _bounds(_positive()), st.integers(2, 30))  # type: ignore[call-arg]
    # Powers of two times a whole number are whole: rounding keeps them apart.
    whole = st.builds(
        lambda lower, doublings: LogFinRange(lower, lower * 2**doublings, doublings + 1, cast_int=True),
        st.integers(1, 20),
        st.integers(1, 12),
    )
    return st.one_of(floats, whole)


def scaled_domains():
    """Finite domains that a model sees on a scale, with few enough values to look at all of them."""
    whole = _whole_bounds(-20, 20).map(lambda pair: RandInt(*pair))
    log_whole = _whole_bounds(1, 40).map(lambda pair: LogRandInt(*pair))
    return st.one_of(whole, log_whole, ordinals(), finranges(), logfinranges())


def fixed():
    return PLAIN.map(Fixed)


def continuous_domains():
    return st.one_of(uniforms(), loguniforms())


def finite_domains():
    return st.one_of(randints(), lograndints(), choices(), ordinals(), finranges(), logfinranges(), fixed())


def domains():
    return st.one_of(continuous_domains(), finite_domains())


def spaces(kinds=None, max_size=6):
    """Spaces of up to `max_size` hyperparameters, of the given domains or of all."""
    named = st.dictionaries(NAMES, domains() if kinds is None else kinds, min_size=1, max_size=max_size)
    return named.map(Space)


def unit_vectors():
    return arrays(np.float64, st.integers(1, 12), elements=UNITS)


@st.composite
def spaces_and_units(draw, kinds=None):
    """A space and a matrix of units for it, shape (n, d)."""
    space = draw(spaces(kinds))
    return space, draw(arrays(np.float64, (draw(st.integers(0, 6)), len(space)), elements=UNITS))
