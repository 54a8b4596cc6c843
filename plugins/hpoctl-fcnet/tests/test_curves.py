"""The model of the learning curves and its expansion."""

from dataclasses import replace
from itertools import islice
from zlib import crc32

import numpy as np
import pytest

from hpoctl_fcnet.curves import (
    FLOOR,
    NEIGHBOURS,
    CurveModel,
    bend,
    expand,
    exponents_of,
    falling,
    features,
    nearest,
    pack,
    places,
    predict,
    unpack,
)
from hpoctl_fcnet.exact import FINE_LOG_BITS, snapped_log
from hpoctl_fcnet.grid import GRID, NUM_CONFIGS, SETS, config_at
from hpoctl_fcnet.packed import curves_file, load_arrays, load_finals

GOLDEN = 3805720510
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
        deviations=np.sort(whole_numbers(40, 4, low=-2048, high=2048, seed=15) / 4096, axis=1),
        residuals=whole_numbers(40, 4, 99, low=-1024, high=1024, seed=11) / 4096,
        trust=whole_numbers(99, low=0, high=256, seed=16) / 256,
        share=whole_numbers(99, low=0, high=256, seed=14) / 256,
        follow=whole_numbers(2, 99, low=0, high=256, seed=17) / 256,
        dip=whole_numbers(2, 2, low=-128, high=128, seed=18) / 256,
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


def fine_logs(loss: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean of the logarithms over seeds, and how the seeds deviate from it."""
    logs = snapped_log(loss, FINE_LOG_BITS)
    middle = logs.mean(axis=1)
    return middle, logs - middle[:, None]


def test_a_curve_follows_the_model_and_the_runs_of_one_configuration_nearby(block):
    """All four seeds take runs of the same configuration: the lowest final loss the run with the lowest one."""
    model, loss = synthetic_model(), synthetic_loss()
    row = 17
    middle, deviations = fine_logs(loss[row : row + 1])
    floor = float(snapped_log(loss.min(keepdims=True))[0, 0]) - FLOOR
    logs = np.rint(middle * 64) / 64
    configs = np.array([row])
    there = places(model.runs, model.run_logs, model.deviations)
    near = nearest(places(configs, logs, deviations), there, NEIGHBOURS)[0]
    smooth = predict(model, features(configs, logs))[0]
    rank = deviations[0].argsort().argsort()
    kind = int(falling(configs)[0])
    fits = []
    for donor in near:
        left = model.residuals[donor]
        shared = left.mean(axis=0)
        exponents = np.empty((4, 99))
        for seed in range(4):
            apart = deviations[0, seed] - model.deviations[donor, rank[seed]]
            noise = left[rank[seed]] - shared
            exponents[seed] = model.trust * smooth + model.share * shared + noise + (model.follow[kind] - 1) * apart
        depth = np.maximum(-exponents.min(axis=1, keepdims=True), 2.0**-16)
        scale, power = model.dip[kind]
        exponents[exponents < 0] *= np.broadcast_to(np.minimum(np.exp(scale) * depth**power, 1), (4, 99))[exponents < 0]
        bend(exponents, middle + deviations[0] - floor)
        fits.append(np.allclose(block[row, :, :-1], loss[row][:, None] * np.exp(exponents), rtol=2e-3))
    assert sum(fits) == 1


def donor_of_zeros(**changes: np.ndarray) -> CurveModel:
    """A model that says nothing: one configuration with equal runs."""
    nothing = replace(
        synthetic_model(),
        runs=np.array([0]),
        run_logs=np.zeros(1),
        deviations=np.zeros((1, 4)),
        residuals=np.zeros((1, 4, 99)),
        trust=np.zeros(99),
        share=np.ones(99),
        follow=np.zeros((2, 99)),
        dip=np.zeros((2, 2)),
    )
    return replace(nothing, **changes)


def exponents_with(model: CurveModel, deviations: np.ndarray) -> np.ndarray:
    configs = np.array([0])
    return exponents_of(model, configs, np.zeros((1, 99)), deviations, configs)[0]


def test_what_the_runs_nearby_share_is_shared_and_what_differs_differs():
    residuals = np.zeros((1, 4, 99))
    residuals[0, :, 10] = [1.0, 2.0, 3.0, 6.0]
    model = donor_of_zeros(residuals=residuals, share=np.full(99, 0.5))
    found = exponents_with(model, np.array([[0.0, 0.0, 0.0, 0.0]]))[:, 10]
    assert found.tolist() == [-0.5, 0.5, 1.5, 4.5]  # half of the mean 3, and -2, -1, 0, 3


def test_seeds_are_matched_by_their_final_losses():
    residuals = np.zeros((1, 4, 99))
    residuals[0, :, 10] = [1.0, 2.0, 3.0, 6.0]
    deviations = np.array([[-0.25, -0.125, 0.125, 0.25]])
    model = donor_of_zeros(residuals=residuals, deviations=deviations)
    assert exponents_with(model, deviations[:, [2, 0, 3, 1]])[:, 10].tolist() == [3.0, 1.0, 6.0, 2.0]


def test_without_following_a_seed_ends_apart_and_was_not_apart_before():
    """Where `follow` is 0, ln L(e) does not depend on how the final loss deviates; where it is 1, it is moved by it."""
    deviations = np.array([[-0.5, -0.25, 0.25, 0.5]])
    residuals = np.full((1, 4, 99), 2.0)
    apart = exponents_with(donor_of_zeros(residuals=residuals), deviations) + deviations.T
    assert np.array_equal(apart, np.full((4, 99), 2.0))
    moved = exponents_with(donor_of_zeros(residuals=residuals, follow=np.ones((2, 99))), deviations)
    assert np.array_equal(moved, np.full((4, 99), 2.0))


def test_a_dip_becomes_as_deep_as_calibrated_and_never_deeper():
    """exp(ln 2) d^2 of a dip of depth d: half of a dip of 1/4, the same for 1/2 and more; its shape stays."""
    residuals = np.zeros((1, 4, 99))
    residuals[0, :, 50], residuals[0, :, 60] = -np.array([1 / 4, 1 / 2, 1.0, 0.0]), -1 / 8
    dip = np.array([[np.log(2.0), 1.0]] * 2)
    found = exponents_with(donor_of_zeros(residuals=residuals, dip=dip), np.zeros((1, 4)))
    np.testing.assert_allclose(found[:, 50], [-1 / 8, -1 / 2, -1.0, 0.0], rtol=2e-3)
    np.testing.assert_allclose(found[:, 60], [-1 / 16, -1 / 8, -1 / 8, -1 / 32], rtol=2e-3)
    assert (found[:, :50] == 0).all()


def test_dips_are_bent_above_the_floor_and_little_else_changes():
    exponents = np.array([[2.0, 0.5, -0.2, -0.1], [3.0, -0.9, -5.0, 0.0]])
    depth = np.array([1.0, 1.0])
    bent = exponents.copy()
    bend(bent, depth)
    assert np.array_equal(bent[0], exponents[0])  # nothing below a quarter of the depth
    expected = [3.0, -0.9 / (1 + 0.9**4) ** 0.25, -5 / (1 + 5**4) ** 0.25, 0.0]
    np.testing.assert_allclose(bent[1], expected, rtol=1e-12)
    assert bent.min() > -1.0


def test_the_nearest_are_found_in_order():
    model = synthetic_model()
    configs, (middle, deviations) = np.array([0, 12_345, 62_207]), fine_logs(synthetic_loss()[:3])
    here = places(configs, middle, deviations)
    there = places(model.runs, model.run_logs, model.deviations)
    for point, found in zip(here, nearest(here, there, NEIGHBOURS), strict=True):
        distances = ((there - point) ** 2).sum(axis=1)
        assert found.tolist() == sorted(range(40), key=lambda run: (distances[run], run))[:NEIGHBOURS]


def test_runs_nearby_have_the_same_schedule():
    """A constant learning rate gives other noise than one that falls."""
    for name in SETS:
        model = unpack(load_arrays(curves_file(name)))
        configs = np.arange(0, NUM_CONFIGS, 97)
        middle, deviations = fine_logs(load_finals(name).loss[configs])
        there = places(model.runs, model.run_logs, model.deviations)
        near = nearest(places(configs, np.rint(middle * 64) / 64, deviations), there, NEIGHBOURS)
        assert (falling(model.runs)[near] == falling(configs)[:, None]).all()


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
