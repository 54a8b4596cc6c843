"""The blackboxes and the benchmarks of the plugin."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.errors import UsageError
from hpoctl.core.space import Fixed, Ordinal
from hpoctl.testing import check_benchmark
from hpoctl_fcnet import plugin
from hpoctl_fcnet.blackbox import FcnetBlackbox
from hpoctl_fcnet.grid import GRID, NUM_CONFIGS, config_at
from hpoctl_fcnet.packed import table_hash
from hpoctl_fcnet.space import SPACE


@pytest.fixture(scope="module")
def benchmarks():
    registered = {benchmark.name: benchmark for benchmark in plugin.hpoctl_benchmarks()}
    return {name: benchmark for name, benchmark in registered.items() if "pool" not in name}


@pytest.fixture(scope="session")
def blackbox(protein):
    return FcnetBlackbox("protein", None)


def test_four_benchmarks_with_the_defaults_of_the_reference_study(benchmarks):
    assert list(benchmarks) == ["fcnet-protein", "fcnet-naval", "fcnet-parkinsons", "fcnet-slice"]
    for benchmark in benchmarks.values():
        assert benchmark.metrics == ("metric_valid_loss", "metric_elapsed_time")
        assert (benchmark.metric, benchmark.mode) == ("metric_valid_loss", "min")
        assert (benchmark.resource_attr, benchmark.max_resource_attr) == ("hp_epoch", "epochs")
        assert (benchmark.n_workers, benchmark.max_wallclock_time) == (4, 3600)
        assert benchmark.max_resource == 100


def test_listings_and_metadata_say_that_curves_are_modelled(benchmarks):
    for name, benchmark in benchmarks.items():
        extrapolated = " (shapes extrapolated from the other sets)" if name == "fcnet-slice" else ""
        assert benchmark.provenance["curves"] == f"modelled{extrapolated}"


def test_the_benchmark_keeps_the_contract(benchmarks, protein):
    check_benchmark(benchmarks["fcnet-protein"])


def test_the_space_is_the_grid_in_its_order_with_the_epochs_fixed():
    assert SPACE.names == (*GRID, "epochs")
    assert SPACE["epochs"] == Fixed(100)
    assert SPACE.size == NUM_CONFIGS
    for row in (0, 1, 777, NUM_CONFIGS - 1):
        assert SPACE.at(row) == {**config_at(row), "epochs": 100}


def test_numbers_keep_their_scale():
    rates = SPACE["hp_init_lr"]
    assert isinstance(rates, Ordinal)
    encoded = rates.encode(np.array([rates.unit(value) for value in rates.values]))[:, 0]
    expected = [math.log(float(value) / 0.0005) / math.log(0.1 / 0.0005) for value in rates.values]
    np.testing.assert_allclose(encoded, expected, atol=1e-12)
    dropout = SPACE["hp_dropout_1"]
    assert dropout.encode(np.array([dropout.unit(0.3)]))[0, 0] == pytest.approx(0.5)


@given(st.integers(0, NUM_CONFIGS - 1), st.integers(0, 3))
def test_a_curve_is_a_row_of_the_table(blackbox, protein, row, seed):
    curve = blackbox.curve(SPACE.at(row), seed)
    assert curve.resources.tolist() == list(range(1, 101))
    assert np.array_equal(curve.metrics[:, 0], protein.loss[row, seed])
    assert np.array_equal(curve.metrics[:, 1], curve.elapsed)
    assert curve.elapsed[-1] == protein.runtime[row, seed]
    np.testing.assert_allclose(curve.elapsed, protein.runtime[row, seed] * np.arange(1, 101) / 100)
    assert (np.diff(curve.elapsed, prepend=0) > 0).all()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hp_batch_size": 12}, "hp_batch_size"),
        ({"hp_activation_fn_1": "gelu"}, "gelu"),
        ({"hp_n_units_2": [16]}, "hp_n_units_2"),
        ({"epochs": 27}, "epochs"),
        ({"hp_momentum": 0.9}, "hp_momentum"),
    ],
)
def test_what_is_not_in_the_table_is_named(blackbox, change, words):
    with pytest.raises(UsageError, match=words):
        blackbox.curve({**SPACE.at(5), **change}, 0)


def test_a_missing_hyperparameter_is_named(blackbox):
    config = SPACE.at(5)
    del config["hp_init_lr"]
    with pytest.raises(UsageError, match="hp_init_lr"):
        blackbox.curve(config, 0)


@pytest.mark.parametrize("seed", [-1, 4])
def test_an_unknown_seed_is_refused(blackbox, seed):
    with pytest.raises(UsageError, match=str(seed)):
        blackbox.curve(SPACE.at(5), seed)


def test_the_content_hash_is_that_of_the_packaged_table(blackbox):
    assert blackbox.content_hash == table_hash("protein")
