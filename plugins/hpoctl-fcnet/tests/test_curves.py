"""The model of the learning curves and its expansion."""

from dataclasses import replace
from itertools import islice
from zlib import crc32

import numpy as np
import pytest

from hpoctl_fcnet.curves import FLOOR, CurveModel, bend, expand, features, neighbours, pack, places, predict, unpack
from hpoctl_fcnet.exact import snapped_log
from hpoctl_fcnet.grid import GRID, NUM_CONFIGS, SETS, config_at
from hpoctl_fcnet.packed import curves_file, load_arrays, load_finals

GOLDEN = 995669439
"""CRC-32 of a synthetic expansion; a new value goes with a new `packed.FORMAT`."""


def whole_numbers(*shape: int, low: int, high: int, seed: int) -> np.ndarray:
    """Whole numbers of a linear congruential generator: the same everywhere."""
    state, values = seed, []
    for _ in range(int(np.prod(shape))):
        state = (state * 1_103_515_245 + 12_345) % 2**31
        values.append(low + (state >> 8) % (high - low + 1))
    return np.array(values, dtype=np.float64).reshape(shape)


def synthetic_model() -> CurveModel:
    return CurveModel(
        w1=whole_numbers(2, 20, 8, low=-600, high=600, seed=1) / 1024,
        b1=whole_numbers(2, 8, low=-600, high=600, seed=2) / 1024,
        w2=whole_numbers(2, 8, 8, low=-600, high=600, seed=3) / 1024,
        b2=whole_numbers(2, 8, low=-600, high=600, seed=4) / 1024,
        w3=whole_numbers(2, 8, 3, low=-600, high=600, seed=5) / 1024,
        b3=whole_numbers(2, 3, low=-600, high=600, seed=6) / 1024,
        mean=whole_numbers(99, low=0, high=4096, seed=7) / 4096,
        components=whole_numbers(3, 99, low=-600, high=600, seed=8) / 4096,
        runs=whole_numbers(40, low=0, high=NUM_CONFIGS - 1, seed=9).astype(np.int64),
        run_logs=whole_numbers(40, low=-200, high=64, seed=10) / 64,
        residuals=whole_numbers(40, 99, low=-64, high=64, seed=11) / 256,
        share=whole_numbers(99, low=0, high=256, seed=14) / 256,
    )


def synthetic_loss() -> np.ndarray:
    return (whole_numbers(256, 4, low=1, high=2**20, seed=12) / 2**18).astype(np.float32)


@pytest.fixture(scope="module")
def block() -> np.ndarray:
    loss = np.ones((NUM_CONFIGS, 4), np.float32)
    loss[:256] = synthetic_loss()
    return next(expand(synthetic_model(), loss))


def test_expansion_gives_the_same_bits_on_every_machine(block):
    assert block.shape == (256, 4, 100)
    assert crc32(block.astype("<f4").tobytes()) == GOLDEN


def test_the_order_of_a_sum_does_not_matter():
    """A permutation of the hidden units is another order of summation: in exact arithmetic nothing changes."""
    model = synthetic_model()
    order = np.argsort(whole_numbers(8, low=0, high=10_000, seed=13))
    permuted = replace(model, w1=model.w1[:, :, order], b1=model.b1[:, order], w2=model.w2[:, order])
    rows = np.arange(0, NUM_CONFIGS, 500)
    inputs = features(rows, np.resize(np.array([-3.25, 0.5, 4.0]), len(rows)))
    assert np.array_equal(predict(model, inputs), predict(permuted, inputs))


def test_the_last_epoch_is_the_final_loss_bit_for_bit(block):
    assert block[:, :, -1].tobytes() == synthetic_loss().tobytes()


def test_a_curve_is_the_final_loss_times_the_model_with_the_residual_of_a_neighbour(block):
    model, loss = synthetic_model(), synthetic_loss()
    row = 17
    floor = float(snapped_log(loss.min(keepdims=True))[0, 0]) - FLOOR
    logs = snapped_log(loss[row])
    near = neighbours(model, np.array([row]), np.rint(logs.mean(keepdims=True) * 64) / 64)[0]
    smooth = predict(model, features(np.full(4, row), logs))
    taken = []
    for seed in range(4):
        exponents = smooth[seed] + model.share * model.residuals[near]
        bend(exponents, np.full(5, logs[seed] - floor))
        expected = loss[row, seed] * np.exp(exponents)
        fits = [np.allclose(block[row, seed, :-1], curve, rtol=2e-4) for curve in expected]
        assert sum(fits) == 1
        taken.append(fits.index(True))
    assert len(set(taken)) == 4


def test_dips_are_bent_above_the_floor_and_little_else_changes():
    exponents = np.array([[2.0, 0.5, -0.2, -0.1], [3.0, -0.9, -5.0, 0.0]])
    depth = np.array([1.0, 1.0])
    bent = exponents.copy()
    bend(bent, depth)
    assert np.array_equal(bent[0], exponents[0])  # nothing below a quarter of the depth
    expected = [3.0, -0.9 / (1 + 0.9**4) ** 0.25, -5 / (1 + 5**4) ** 0.25, 0.0]
    np.testing.assert_allclose(bent[1], expected, rtol=1e-12)
    assert bent.min() > -1.0


def test_neighbours_are_the_nearest_runs():
    model = synthetic_model()
    configs, logs = np.array([0, 12_345, 62_207]), np.array([-1.0, 0.0, 2.5])
    here, there = places(configs, logs), places(model.runs, model.run_logs)
    for point, found in zip(here, neighbours(model, configs, logs), strict=True):
        distances = ((there - point) ** 2).sum(axis=1)
        assert found.tolist() == sorted(range(40), key=lambda run: (distances[run], run))[:5]


def test_features_follow_the_grid():
    """Equal hyperparameters have equal columns, and numbers increase with the hyperparameter."""
    rows = np.arange(NUM_CONFIGS)
    inputs = features(rows, np.zeros(NUM_CONFIGS))
    assert inputs.shape == (NUM_CONFIGS, 20)
    for place, (name, values) in enumerate(GRID.items()):
        firsts = [next(row for row in range(NUM_CONFIGS) if config_at(row)[name] == value) for value in values]
        column = inputs[firsts, place]
        assert len(set(inputs[:, place])) == len(values)
        if not isinstance(values[0], str):
            assert (np.diff(column) > 0).all()


@pytest.mark.parametrize("name", SETS)
def test_packaged_models_are_snapped_and_give_finite_curves(name):
    arrays = load_arrays(curves_file(name))
    packed = pack(unpack(arrays))
    assert set(packed) == set(arrays)
    assert all(np.array_equal(packed[key], arrays[key]) for key in arrays)
    loss = load_finals(name).loss
    for start, curves in enumerate(islice(expand(unpack(arrays), loss), 2)):
        assert np.isfinite(curves).all()
        assert (curves > 0).all()
        assert np.array_equal(curves[:, :, -1], loss[start * len(curves) :][: len(curves)])
