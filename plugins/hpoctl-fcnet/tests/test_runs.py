"""The packaged training runs."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from hpoctl_fcnet.card import card
from hpoctl_fcnet.curves import unpack
from hpoctl_fcnet.grid import NUM_CONFIGS, SETS
from hpoctl_fcnet.packed import curves_file, load_arrays, load_finals
from hpoctl_fcnet.runs import TRAINED_SETS, Runs, load_runs, pack_runs, unpack_runs

DATA = Path(__file__).parents[1] / "src" / "hpoctl_fcnet" / "data"


def ranks(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(float)


@pytest.mark.parametrize("name", TRAINED_SETS)
def test_runs_reproduce_the_original(name):
    runs = load_runs(name)
    assert len(runs.config) >= 50
    assert len(set(zip(runs.config.tolist(), runs.seed.tolist(), strict=True))) == len(runs.config)
    for values in (runs.valid, runs.train, runs.seconds):
        assert values.shape == (len(runs.config), 100)
        assert np.isfinite(values).all()
        assert (values > 0).all()
    first = runs.seed == 0
    original = load_finals(name).loss[runs.config[first]].mean(axis=1)
    assert np.corrcoef(ranks(runs.valid[first, -1]), ranks(original))[0, 1] >= 0.94


@pytest.mark.parametrize("name", TRAINED_SETS)
def test_the_curve_model_was_fitted_to_the_packaged_runs(name):
    runs = load_runs(name)
    configs, seeds = np.unique(runs.config, return_counts=True)
    donors = unpack(load_arrays(curves_file(name))).runs
    assert np.array_equal(donors, configs[seeds == 4])  # the residuals of configurations with four real runs
    assert len(donors) >= 100


def test_the_gates_are_those_of_the_packaged_files():
    judged = json.loads((DATA / "gates.json").read_bytes())["files"]
    packaged = sorted([*DATA.glob("runs-*.npz"), *DATA.glob("curves-*.npz")])
    assert judged == {path.name: sha256(path.read_bytes()).hexdigest() for path in packaged}


@pytest.mark.parametrize("name", SETS)
def test_the_card_tells_which_gates_are_met(name):
    told = card(name, None)["gates"]
    assert ("met" in told) == (name != "slice")
    assert "gates" not in card(name, Path("imported"))


def test_packing_keeps_validation_losses_and_rounds_the_rest():
    random = np.random.default_rng(0)
    valid, train, seconds = np.exp(random.normal(0, 3, (3, 7, 100))).astype(np.float32)
    runs = Runs(np.arange(7) * (NUM_CONFIGS // 7), np.arange(7) % 4, valid, train, seconds)
    restored = unpack_runs(pack_runs(runs))
    assert restored.valid.tobytes() == valid.tobytes()
    assert np.array_equal(restored.config, runs.config)
    assert np.array_equal(restored.seed, runs.seed)
    np.testing.assert_allclose(restored.train, train, rtol=4e-4)
    np.testing.assert_allclose(restored.seconds, seconds, rtol=2.2e-2)
