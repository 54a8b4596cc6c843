"""Spaces: configurations and numbers, validation, fixed values."""

import copy
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.space.strategies import continuous_domains, finite_domains, spaces, spaces_and_units
from hpoctl.core.errors import UsageError
from hpoctl.core.space import Choice, Fixed, LogFinRange, LogUniform, Ordinal, RandInt, Space, Uniform, Value

FCNET_VALUES = {
    "hp_activation_fn_1": ("tanh", "relu"),
    "hp_activation_fn_2": ("tanh", "relu"),
    "hp_batch_size": (8, 16, 32, 64),
    "hp_dropout_1": (0.0, 0.3, 0.6),
    "hp_dropout_2": (0.0, 0.3, 0.6),
    "hp_init_lr": (0.0005, 0.001, 0.005, 0.01, 0.05, 0.1),
    "hp_lr_schedule": ("cosine", "const"),
    "hp_n_units_1": (16, 32, 64, 128, 256, 512),
    "hp_n_units_2": (16, 32, 64, 128, 256, 512),
}
FCNET = Space(
    {
        "hp_activation_fn_1": Choice(("tanh", "relu")),
        "hp_activation_fn_2": Choice(("tanh", "relu")),
        "hp_batch_size": LogFinRange(8, 64, 4, cast_int=True),
        "hp_dropout_1": Ordinal((0.0, 0.3, 0.6), "nn"),
        "hp_dropout_2": Ordinal((0.0, 0.3, 0.6), "nn"),
        "hp_init_lr": Ordinal((0.0005, 0.001, 0.005, 0.01, 0.05, 0.1), "nn-log"),
        "hp_lr_schedule": Choice(("cosine", "const")),
        "hp_n_units_1": LogFinRange(16, 512, 6, cast_int=True),
        "hp_n_units_2": LogFinRange(16, 512, 6, cast_int=True),
        "epochs": Fixed(100),
    }
)
MIDDLE: dict[str, Value] = {
    "hp_activation_fn_1": "tanh",
    "hp_activation_fn_2": "tanh",
    "hp_batch_size": 32,
    "hp_dropout_1": 0.3,
    "hp_dropout_2": 0.3,
    "hp_init_lr": 0.01,
    "hp_lr_schedule": "cosine",
    "hp_n_units_1": 128,
    "hp_n_units_2": 128,
    "epochs": 100,
}
SMALL = Space({"act": Choice(("tanh", "relu", "gelu")), "lr": LogUniform(0.01, 1.0), "units": RandInt(1, 4)})


def units_of(space, count, seed=3):
    return np.random.default_rng(seed).random((count, len(space)))


def test_the_fcnet_space_by_hand():
    assert FCNET.size == 62_208
    assert len(FCNET) == 10
    assert FCNET.encoded_size == 9
    assert FCNET.encoded_names == tuple(FCNET_VALUES)
    assert FCNET.fixed == {"epochs": 100}
    assert FCNET.middle() == MIDDLE
    np.testing.assert_allclose(
        FCNET.encode(FCNET.units(MIDDLE)[None, :]),
        [[0.0, 0.0, 2 / 3, 0.5, 0.5, np.log(20) / np.log(200), 0.0, 0.6, 0.6]],
        atol=1e-15,
    )


def test_the_numbers_of_the_fcnet_space_are_the_rows_of_the_grid_with_the_last_name_fastest():
    for row, values in enumerate(product(*FCNET_VALUES.values())):
        if row % 97 == 0 or row == 62_207:
            config = dict(zip(FCNET_VALUES, values, strict=True)) | {"epochs": 100}
            assert FCNET.at(row) == config
            assert FCNET.index(config) == row


def test_every_fcnet_configuration_survives_the_way_through_the_encoding():
    grid = [(np.arange(len(values)) + 0.5) / len(values) for values in FCNET_VALUES.values()]
    units = np.stack([axis.ravel() for axis in np.meshgrid(*grid, [0.5], indexing="ij")], axis=1)
    np.testing.assert_array_equal(FCNET.decode(FCNET.encode(units)), units)
    assert len({FCNET.key(config) for config in FCNET.configs(units)}) == 62_208


def test_a_space_is_read_like_a_mapping():
    assert list(SMALL) == ["act", "lr", "units"] == list(SMALL.names)
    assert "lr" in SMALL
    assert "epochs" not in SMALL
    assert SMALL["units"] == RandInt(1, 4) == SMALL.domains["units"]
    assert SMALL.size is None
    assert SMALL.encoded_names == ("act=tanh", "act=relu", "act=gelu", "lr", "units")


def test_spaces_are_equal_with_their_order():
    again = Space(dict(SMALL.domains))
    reordered = Space(dict(reversed(list(SMALL.domains.items()))))
    assert SMALL == again == copy.deepcopy(SMALL)
    assert hash(SMALL) == hash(again)
    assert reordered != SMALL
    assert SMALL.domains != SMALL


def test_a_space_does_not_change_with_the_mapping_it_was_made_from():
    domains = {"a": Uniform(0, 1)}
    space = Space(domains)
    domains["b"] = Uniform(0, 1)
    assert space.names == ("a",)


@settings(max_examples=40, deadline=None)
@given(spaces_and_units())
def test_configurations_are_valid_and_plain(case):
    space, units = case
    configs = space.configs(units)
    assert len(configs) == len(units)
    for row, config in zip(units, configs, strict=True):
        space.validate(config)
        assert tuple(config) == space.names
        assert all(type(value) in (bool, int, float, str) for value in config.values())
        assert space.config(row) == config
        assert space.key(config) == tuple(config.values())


@settings(max_examples=40, deadline=None)
@given(spaces_and_units())
def test_units_encoding_and_decoding_of_a_space_are_those_of_its_domains(case):
    space, units = case
    snapped = space.snap(units)
    encoded = space.encode(units)
    assert snapped.shape == units.shape
    assert encoded.shape == (len(units), space.encoded_size)
    assert len(space.encoded_names) == space.encoded_size
    np.testing.assert_array_equal(space.decode(encoded), snapped)
    np.testing.assert_array_equal(space.encode(snapped), encoded)
    assert space.configs(snapped) == space.configs(units)


@settings(max_examples=40, deadline=None)
@given(spaces_and_units(finite_domains()))
def test_units_of_a_configuration_are_the_snapped_ones(case):
    space, units = case
    for row, config in zip(space.snap(units), space.configs(units), strict=True):
        np.testing.assert_array_equal(space.units(config), row)


@settings(max_examples=40, deadline=None)
@given(spaces_and_units(continuous_domains()))
def test_units_of_a_continuous_configuration_are_close(case):
    space, units = case
    for config in space.configs(units):
        again = space.config(space.units(config))
        for name, domain in space.domains.items():
            scale = max(abs(domain.lower), abs(domain.upper))
            assert again[name] == pytest.approx(config[name], rel=1e-12, abs=1e-12 * scale)


@settings(deadline=None)
@given(spaces())
def test_the_middle_is_valid(space):
    middle = space.middle()
    space.validate(middle)
    assert all(domain.contains(middle[name]) for name, domain in space.domains.items())


@settings(deadline=None)
@given(spaces(finite_domains()), st.data())
def test_numbers_and_configurations_are_one_to_one(space, data):
    index = data.draw(st.integers(0, space.size - 1))
    config = space.at(index)
    space.validate(config)
    assert tuple(config) == space.names
    assert space.index(config) == index
    assert space.size == prod(domain.size for domain in space.domains.values())


@settings(max_examples=40, deadline=None)
@given(spaces_and_units(), st.data())
def test_a_variant_with_fixed_values_shares_all_other_draws(case, data):
    space, units = case
    names = data.draw(st.lists(st.sampled_from(space.names), unique=True))
    values = {name: space[name].value(data.draw(st.floats(0, 1))) for name in names}
    variant = space.with_fixed(values)
    assert variant.names == space.names
    assert variant.fixed == space.fixed | values
    for config, varied in zip(space.configs(units), variant.configs(units), strict=True):
        assert varied == config | values
        space.validate(varied)


def test_with_fixed_by_hand():
    variant = FCNET.with_fixed({"hp_activation_fn_1": "relu", "hp_activation_fn_2": "relu"})
    assert variant.size == 62_208 // 4
    assert variant.encoded_size == 7
    assert variant.middle() == MIDDLE | {"hp_activation_fn_1": "relu", "hp_activation_fn_2": "relu"}
    assert FCNET.size == 62_208


def test_a_whole_number_fixed_among_floats_becomes_a_float():
    variant = Space({"dropout": Ordinal((0.0, 0.3), "nn"), "lr": Uniform(0, 1)}).with_fixed({"dropout": 0, "lr": 1})
    assert variant.fixed == {"dropout": 0.0, "lr": 1.0}
    assert all(type(value) is float for value in variant.fixed.values())


@pytest.mark.parametrize(
    ("change", "what", "fix"),
    [
        (lambda config: config.pop("hp_batch_size"), "'hp_batch_size' is missing", "one of 8, 16, 32, 64"),
        (
            lambda config: config.update(hp_batch_sizes=8),
            "Unknown hyperparameter 'hp_batch_sizes'",
            "mean hp_batch_size",
        ),
        (lambda config: config.update(zzz=8), "Unknown hyperparameter 'zzz'", "Use one of: hp_activation_fn_1"),
        (lambda config: config.update(hp_batch_size=9), "'hp_batch_size' cannot be 9", "Use one of 8, 16, 32, 64."),
        (lambda config: config.update(hp_batch_size="8"), "'hp_batch_size' cannot be '8'", "Use one of 8"),
        (lambda config: config.update(hp_activation_fn_1=True), "cannot be True", "Use one of 'tanh', 'relu'."),
        (lambda config: config.update(epochs=81), "'epochs' cannot be 81", "Use the fixed value 100."),
    ],
)
def test_an_invalid_configuration_is_named(change, what, fix):
    config = dict(MIDDLE)
    change(config)
    for use in (FCNET.validate, FCNET.units, FCNET.index):
        with pytest.raises(UsageError, match=what) as caught:
            use(config)
        assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("values", "what", "fix"),
    [
        ({"hp_activation_fn1": "relu"}, "Unknown hyperparameter 'hp_activation_fn1'", "hp_activation_fn_1"),
        ({"hp_activation_fn_1": "gelu"}, "'hp_activation_fn_1' cannot be 'gelu'", "'tanh', 'relu'"),
        ({"epochs": 100.0}, "'epochs' cannot be 100.0", "the fixed value 100"),
    ],
)
def test_values_that_cannot_be_fixed(values, what, fix):
    with pytest.raises(UsageError, match=what) as caught:
        FCNET.with_fixed(values)
    assert fix in caught.value.fix


@pytest.mark.parametrize("index", [-1, 62_208, 10**30])
def test_there_is_no_such_configuration(index):
    with pytest.raises(UsageError, match="no configuration") as caught:
        FCNET.at(index)
    assert caught.value.fix == "Use a number from 0 to 62207."


def test_a_number_may_come_from_numpy():
    assert FCNET.at(np.int64(62_207)) == FCNET.at(62_207)  # type: ignore[arg-type]
    assert all(type(value) in (int, float, str) for value in FCNET.at(np.int64(5)).values())  # type: ignore[arg-type]


def test_an_infinite_space_has_no_numbers():
    with pytest.raises(UsageError, match="'lr' has infinitely many values"):
        SMALL.at(0)
    with pytest.raises(UsageError, match="'lr' has infinitely many values"):
        SMALL.index(SMALL.middle())


@pytest.mark.parametrize(
    ("units", "what"),
    [
        (np.zeros((2, 4)), r"shape \(2, 4\)"),
        (np.zeros(3), r"shape \(3,\)"),
        (np.full((1, 3), 1.1), "outside"),
        (np.full((1, 3), -0.1), "outside"),
        (np.full((1, 3), np.nan), "outside"),
    ],
)
def test_units_that_do_not_fit(units, what):
    for use in (SMALL.configs, SMALL.snap, SMALL.encode):
        with pytest.raises(UsageError, match=what):
            use(units)


@pytest.mark.parametrize("encoded", [np.zeros((2, 4)), np.zeros(5), np.full((1, 5), np.nan)])
def test_what_cannot_be_decoded(encoded):
    with pytest.raises(UsageError, match="cannot be decoded"):
        SMALL.decode(encoded)


def test_a_model_may_leave_the_unit_cube():
    decoded = SMALL.decode(np.array([[-0.1, 0.2, 1.7, 1.5, -3.0]]))
    assert SMALL.config(decoded[0]) == {"act": "gelu", "lr": 1.0, "units": 1}


def test_draws_of_a_space_are_independent_and_uniform():
    configs = FCNET.configs(units_of(FCNET, 4_000))
    both = sum(c["hp_activation_fn_1"] == c["hp_activation_fn_2"] == "relu" for c in configs)
    # Binomial(4000, 1/4): mean 1000, standard deviation 27.4.
    assert abs(both - 1000) < 4 * 27.4


@pytest.mark.parametrize(("domains", "what"), [({}, "is empty"), ({"": Uniform(0, 1)}, "empty name")])
def test_spaces_that_cannot_be(domains, what):
    with pytest.raises(UsageError, match=what):
        Space(domains)
