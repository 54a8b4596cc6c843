"""The model of the learning curves: ln L(e) - ln L(100), given the configuration and the original's L(100).

A small ensemble of two-layer networks predicts scores of principal components; what it leaves unexplained comes from
real training runs: from the four runs of one configuration nearby, with four seeds. So the four curves of a
configuration share what the networks got wrong, and differ by as much as real seeds do. Everything is computed in exact
arithmetic (see `exact`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpoctl_fcnet.exact import FINE_LOG_BITS, LOG_BITS, FloatArray, scaled_exp, snap, snapped_log
from hpoctl_fcnet.grid import GRID, NUM_CONFIGS, NUM_EPOCHS, NUM_SEEDS

IntArray = NDArray[np.int64]

WEIGHT_BITS = 10
UNIT_BITS = 10
SCORE_BITS = 10
COMPONENT_BITS = 12
RESIDUAL_BITS = 12
SHARE_BITS = 8
CHUNK = 256
"""Configurations at a time: what fits into a processor's caches."""
NEIGHBOURS = 3
SMALL_VARIANCE = 1.0 / (1 << 17)
"""Added to the variance of final losses between seeds before its logarithm is taken."""
SMALLEST_DEPTH = 1.0 / (1 << 16)
FLOOR = 0.03125
"""How far modelled curves may go below the lowest final loss of the table, in ln L."""


@dataclass(frozen=True, slots=True, eq=False)
class CurveModel:
    """A fitted model.

    All numbers are snapped: weights and biases to 2^-10, components, deviations and residuals to 2^-12, shares to 2^-8.

    Attributes:
        w1: First layer of each of k networks, shape (k, features, hidden).
        b1: Its biases, shape (k, hidden).
        w2: Second layer, shape (k, hidden, hidden).
        b2: Its biases, shape (k, hidden).
        w3: Scores of the principal components, each network's share of their mean, shape (k, hidden, components).
        b3: Its biases, shape (k, components).
        mean: Mean of ln L(e) - ln L(100) at epochs 1 to 99, shape (99,).
        components: Principal components, shape (components, 99).
        runs: Rows in the grid of the configurations with four real runs, shape (r,).
        run_logs: The mean of their ln L(100), on the scale of the original, multiples of 2^-6, shape (r,).
        deviations: ln L(100) of the four runs less their mean, ascending, shape (r, 4).
        residuals: What `trust` times the prediction of networks that had not seen the configuration leaves of each of
            the four runs, in the same order, shape (r, 4, 99).
        trust: How much of the prediction is used at each epoch, shape (99,).
        share: How much of the mean residual of the four runs is used at each epoch, shape (99,).
        follow: How much of the deviation of its final loss a seed has at each epoch already; of the constant learning
            rate and of the one that falls, shape (2, 99).
        dip: What the depth d of the deepest dip of a curve below its final loss, in ln L, becomes: exp(dip[0]) times d
            to the power of 1 + dip[1], but not deeper; of the same two schedules, shape (2, 2).
    """

    w1: FloatArray
    b1: FloatArray
    w2: FloatArray
    b2: FloatArray
    w3: FloatArray
    b3: FloatArray
    mean: FloatArray
    components: FloatArray
    runs: IntArray
    run_logs: FloatArray
    deviations: FloatArray
    residuals: FloatArray
    trust: FloatArray
    share: FloatArray
    follow: FloatArray
    dip: FloatArray


_BITS: Mapping[str, int] = {
    "w1": WEIGHT_BITS,
    "b1": WEIGHT_BITS,
    "w2": WEIGHT_BITS,
    "b2": WEIGHT_BITS,
    "w3": WEIGHT_BITS,
    "b3": WEIGHT_BITS,
    "mean": COMPONENT_BITS,
    "components": COMPONENT_BITS,
    "run_logs": LOG_BITS,
    "deviations": RESIDUAL_BITS,
    "residuals": RESIDUAL_BITS,
    "trust": SHARE_BITS,
    "share": SHARE_BITS,
    "follow": SHARE_BITS,
    "dip": SHARE_BITS,
}


def pack(model: CurveModel) -> dict[str, NDArray[Any]]:
    """The arrays of a model as small whole numbers, for a file."""
    packed: dict[str, NDArray[Any]] = {"runs": model.runs.astype(np.uint16)}
    for name, bits in _BITS.items():
        whole = np.rint(getattr(model, name) * (1 << bits))
        packed[name] = whole.astype(np.int16 if np.abs(whole).max() < 1 << 15 else np.int32)
    return packed


def unpack(arrays: Mapping[str, NDArray[Any]]) -> CurveModel:
    """The model behind the arrays of a file; the inverse of `pack`."""
    values = {name: arrays[name].astype(np.float64) / (1 << bits) for name, bits in _BITS.items()}
    return CurveModel(runs=arrays["runs"].astype(np.int64), **values)


@cache
def columns() -> Mapping[str, FloatArray]:
    """The hyperparameters of the grid as numbers near [-1, 1], multiples of 2^-6, each of shape (62208,)."""
    places = np.unravel_index(np.arange(NUM_CONFIGS), [len(values) for values in GRID.values()])
    numbers = {
        "hp_activation_fn_1": (-1.0, 1.0),
        "hp_activation_fn_2": (-1.0, 1.0),
        "hp_batch_size": (-1.0, -0.328125, 0.328125, 1.0),
        "hp_dropout_1": (-1.0, 0.0, 1.0),
        "hp_dropout_2": (-1.0, 0.0, 1.0),
        "hp_init_lr": (-1.15625, -0.84375, -0.15625, 0.15625, 0.84375, 1.15625),  # log10(lr) + 2.15
        "hp_lr_schedule": (1.0, -1.0),
        "hp_n_units_1": (-1.25, -0.75, -0.25, 0.25, 0.75, 1.25),
        "hp_n_units_2": (-1.25, -0.75, -0.25, 0.25, 0.75, 1.25),
    }
    return {name: np.array(numbers[name])[place] for name, place in zip(GRID, places, strict=True)}


def features(configs: IntArray, logs: FloatArray) -> FloatArray:
    """What the networks see, multiples of 2^-14, shape (n, 20).

    Args:
        configs: Rows of the grid, shape (n,).
        logs: ln L(100) on the scale of the original, multiples of 2^-6, shape (n,).
    """
    act1, act2, batch, dropout1, dropout2, rate, cosine, units1, units2 = (
        column[configs] for column in columns().values()
    )
    final = (np.clip(logs, -12.0, 12.0) + 1.0) * 0.5
    return np.stack(
        [
            *(act1, act2, batch, dropout1, dropout2, rate, cosine, units1, units2),
            final,
            final * final * 0.25,
            rate - 0.5 * batch,
            dropout1 * units1,
            dropout2 * units2,
            rate * cosine,
            rate * rate,
            rate * (units1 + units2) * 0.5,
            rate * act1,
            rate * act2,
            rate * final,
        ],
        axis=1,
    )


def predict(model: CurveModel, inputs: FloatArray) -> FloatArray:
    """The smooth part of ln L(e) - ln L(100) at epochs 1 to 99, shape (n, 99), for features of shape (n, 20)."""
    scores = np.zeros((len(inputs), len(model.components)))
    one = float(1 << UNIT_BITS)  # units are whole multiples of 1 / one
    for w1, b1, w2, b2, w3, b3 in zip(model.w1, model.b1, model.w2, model.b2, model.w3, model.b3, strict=True):
        units = _units(inputs @ (w1 * one), b1 * one)
        units = _units(units @ w2, b2 * one)
        scores += units @ (w3 / one) + b3
    curves: FloatArray = snap(scores, SCORE_BITS) @ model.components + model.mean
    return curves


def _units(sums: FloatArray, bias: FloatArray) -> FloatArray:
    """Rectified and rounded, in place."""
    sums += bias
    np.maximum(sums, 0.0, out=sums)
    return np.rint(sums, out=sums)


def falling(configs: IntArray) -> IntArray:
    """Whether the learning rate of configurations falls (1) or is constant (0), shape (n,)."""
    return (columns()["hp_lr_schedule"][configs] > 0).astype(np.int64)


def places(configs: IntArray, logs: FloatArray, deviations: FloatArray) -> FloatArray:
    """Where configurations lie when neighbours are sought, whole numbers, shape (n, 11).

    Schedules are so far apart that neighbours have the same.

    Args:
        configs: Rows of the grid, shape (n,).
        logs: Mean of ln L(100) over seeds, shape (n,).
        deviations: ln L(100) of the seeds less that mean, multiples of 2^-12, shape (n, 4).
    """
    weights = (16, 16, 8, 16, 16, 16, 64, 8, 8)
    coordinates = [
        np.rint(column[configs] * weight) for column, weight in zip(columns().values(), weights, strict=True)
    ]
    variance = np.square(deviations).sum(axis=1) / (NUM_SEEDS - 1)
    spread = np.rint(snapped_log(variance + SMALL_VARIANCE) * 8.0)
    return np.stack([*coordinates, np.rint(np.clip(logs, -16.0, 16.0) * 16.0), spread], axis=1)


def nearest(here: FloatArray, there: FloatArray, count: int) -> IntArray:
    """The places of the `count` points of `there`, shape (r, d), nearest to each of `here`, shape (n, d): (n, count).

    Nearest first, of equally near ones the first one; coordinates are whole numbers.
    """
    distances = (there * there).sum(axis=1) - 2.0 * (here @ there.T)  # up to a constant of the row
    keys = distances * len(there) + np.arange(len(there))  # no ties: the same neighbours on every machine
    found = np.sort(np.partition(keys, count - 1, axis=1)[:, :count], axis=1)
    order: IntArray = np.mod(found, len(there)).astype(np.int64)
    return order


def exponents_of(
    model: CurveModel, configs: IntArray, smooth: FloatArray, deviations: FloatArray, donors: IntArray
) -> FloatArray:
    """The exponents ln L(e) - ln L(100) of configurations at epochs 1 to 99, shape (n, 4, 99).

    The seed with the lowest final loss takes the donor's run with the lowest one, and so on. Where final losses deviate
    from their mean by something else than the donor's, the curve is moved by `follow` of the difference.

    Args:
        model: The model.
        configs: Rows of the grid, shape (n,).
        smooth: What the networks predict of them, shape (n, 99).
        deviations: ln L(100) of the seeds less their mean, shape (n, 4).
        donors: Which of the model's `runs` gives its residuals, shape (n,).
    """
    rank = np.argsort(np.argsort(deviations, axis=1, kind="stable"), axis=1, kind="stable")
    left = model.residuals[donors[:, None], rank]
    shared = model.residuals[donors].mean(axis=1)
    kind = falling(configs)
    apart = deviations - model.deviations[donors[:, None], rank]
    exponents: FloatArray = left + ((model.share - 1.0) * shared + model.trust * smooth)[:, None]
    exponents += apart[:, :, None] * (model.follow - 1.0)[kind][:, None]
    exponents *= np.where(exponents < 0.0, _shallower(exponents, model.dip[kind])[:, :, None], 1.0)
    return exponents


def _shallower(exponents: FloatArray, dip: FloatArray) -> FloatArray:
    """What dips are multiplied by, at most 1, shape (n, 4), for exponents of shape (n, 4, 99) and `dip` of each row."""
    depth = np.maximum(-exponents.min(axis=2), SMALLEST_DEPTH)
    wanted = dip[:, :1] + dip[:, 1:] * snapped_log(depth, FINE_LOG_BITS)
    factors: FloatArray = np.minimum(scaled_exp(np.ones_like(depth), wanted).astype(np.float64), 1.0)
    return factors


def bend(exponents: FloatArray, depth: FloatArray) -> None:
    """Change negative exponents x to x / (1 + (x / depth)^4)^(1/4), which never falls below -depth; in place.

    A model that errs a little would otherwise put many losses below the lowest one of the table.

    Args:
        exponents: ln L(e) - ln L(100), shape (n, 99).
        depth: How far below L(100) a curve may go, positive, shape (n,).
    """
    deep = exponents.min(axis=1) < -0.25 * depth  # elsewhere the change is below 0.1 %
    below = np.minimum(exponents[deep], 0.0)
    squares = np.square(below / depth[deep, None])
    exponents[deep] = np.maximum(exponents[deep], 0.0) + below / np.sqrt(np.sqrt(1.0 + squares * squares))


def expand(model: CurveModel, loss: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """The learning curves of all configurations, losses of epochs 1 to 100, in blocks of shape (k, 4, 100).

    Args:
        model: The model.
        loss: The original's final losses, shape (62208, 4); they are the last epoch of the curves, bit for bit.
    """
    floor = snapped_log(loss.min(keepdims=True)).item() - FLOOR
    there = places(model.runs, model.run_logs, model.deviations)
    for start in range(0, NUM_CONFIGS, CHUNK):
        configs = np.arange(start, min(start + CHUNK, NUM_CONFIGS))
        final = loss[configs]
        fine = snapped_log(final, FINE_LOG_BITS)
        middle = fine.mean(axis=1)
        deviations = fine - middle[:, None]
        logs = snap(middle, LOG_BITS)
        near = nearest(places(configs, logs, deviations), there, NEIGHBOURS)
        turn = (configs * 2_654_435_761 // 65_536) % NEIGHBOURS  # another neighbour from row to row
        donors = near[np.arange(len(configs)), turn]
        exponents = exponents_of(model, configs, predict(model, features(configs, logs)), deviations, donors)
        exponents = exponents.reshape(-1, NUM_EPOCHS - 1)
        bend(exponents, fine.ravel() - floor)
        block = np.empty((final.size, NUM_EPOCHS), np.float32)
        block[:, :-1] = scaled_exp(final.reshape(-1, 1).astype(np.float64), exponents)
        block[:, -1] = final.ravel()
        yield block.reshape(len(configs), NUM_SEEDS, NUM_EPOCHS)
