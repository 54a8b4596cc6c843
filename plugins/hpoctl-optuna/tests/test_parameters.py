"""Configurations as Optuna's parameters and back, for each domain of hpoctl."""

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import create_trial

from core.space.strategies import domains
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
from hpoctl_optuna.parameters import config, distributions, params

numbers = st.floats(-1e300, 1e300).filter(lambda x: abs(x) > 1e-300 or x == 0.0)
positive = st.floats(1e-300, 1e300)


def between(kind, ends):
    """Ranges of a kind, wide enough to have a scale."""
    pairs = st.tuples(ends, ends).map(sorted)
    wide = pairs.filter(lambda pair: pair[0] * (1 + 1e-9) < pair[1] and pair[1] - pair[0] > 1e-290)
    return wide.map(lambda pair: kind(*pair))


spaces = st.lists(
    st.one_of(domains(), between(Uniform, numbers), between(LogUniform, positive)), min_size=1, max_size=5
).map(lambda drawn: Space({f"x{place}": domain for place, domain in enumerate(drawn)}))
units = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0]))


def same(one, other):
    """Equal in value, type and order."""
    return list(one.items()) == list(other.items()) and [*map(type, one.values())] == [*map(type, other.values())]


@given(spaces, st.data())
def test_a_configuration_comes_back_from_optuna_as_it_was(space, data):
    tried = space.config([data.draw(units) for _ in space])
    theirs = params(space, tried)
    # Optuna refuses parameters that its distributions do not contain.
    trial = create_trial(value=0.0, params=theirs, distributions=distributions(space))
    assert same(config(space, trial.params), tried)


@given(spaces, st.integers(0, 2**31))
def test_what_optuna_suggests_is_a_configuration_and_is_told_as_suggested(space, seed):
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    optuna.logging.set_verbosity(verbosity)
    suggested = study.ask(distributions(space)).params
    tried = config(space, suggested)
    space.validate(tried)
    assert list(tried) == list(space)
    told = params(space, tried)
    for name, domain in space.domains.items():
        if domain.size != 1:
            # A float may leave its bounds by rounding; then it is moved to the bound.
            inside = domain.contains(suggested[name]) or not isinstance(domain, LogUniform | Uniform)
            assert (told[name] == suggested[name]) is inside


def test_each_domain_has_its_distribution():
    space = Space(
        {
            "choice": Choice(("relu", "tanh")),
            "ordinal": Ordinal((16, 64, 1024), kind="nn-log"),
            "finrange": FinRange(0.0, 0.9, 10),
            "logfinrange": LogFinRange(1e-4, 1.0, 5),
            "randint": RandInt(-3, 8),
            "lograndint": LogRandInt(2, 512),
            "uniform": Uniform(-1.0, 1.0),
            "loguniform": LogUniform(1e-6, 1.0),
            "fixed": Fixed(100),
            "only": Choice(("sgd",)),
        }
    )
    assert distributions(space) == {
        "choice": CategoricalDistribution(("relu", "tanh")),
        "ordinal": IntDistribution(0, 2),
        "finrange": IntDistribution(0, 9),
        "logfinrange": IntDistribution(0, 4),
        "randint": IntDistribution(-3, 8),
        "lograndint": IntDistribution(2, 512, log=True),
        "uniform": FloatDistribution(-1.0, 1.0),
        "loguniform": FloatDistribution(1e-6, 1.0, log=True),
    }
    middle = space.middle()
    assert params(space, middle)["ordinal"] == 1
    assert config(space, params(space, middle)) == middle


@pytest.mark.parametrize("domain", [Uniform(0.1, 0.3), LogUniform(0.1, 0.3)])
def test_floats_outside_their_bounds_are_moved_to_them(domain):
    space = Space({"x": domain})
    assert config(space, {"x": 0.09999999999999999}) == {"x": 0.1}
    assert config(space, {"x": 0.30000000000000004}) == {"x": 0.3}
