"""The model of the learning curves: ln L(e) - ln L(100), given the configuration and the original's L(100).

A small ensemble of two-layer networks predicts scores of principal components; the residual series of a real training
run at a neighbouring configuration is added, because a smooth curve would rank configurations too well after few
epochs. Everything is computed in exact arithmetic (see `exact`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpoctl_fcnet.exact import LOG_BITS, FloatArray, scaled_exp, snap, snapped_log
from hpoctl_fcnet.grid import GRID, NUM_CONFIGS, NUM_EPOCHS, NUM_SEEDS

IntArray = NDArray[np.int64]

WEIGHT_BITS = 10
UNIT_BITS = 10
SCORE_BITS = 10
COMPONENT_BITS = 12
RESIDUAL_BITS = 8
SHARE_BITS = 8
CHUNK = 256
"""Configurations at a time: what fits into a processor's caches."""
NEIGHBOURS = 5
FLOOR = 0.03125
"""How far modelled curves may go below the lowest final loss of the table, in ln L."""


@dataclass(frozen=True, slots=True, eq=False)
class CurveModel:
    """A fitted model.

    All numbers are snapped: weights and biases to 2^-10, components to 2^-12, residuals and their shares to 2^-8.

    Attributes:
        w1: First layer of each of k networks, shape (k, features, hidden).
        b1: Its biases, shape (k, hidden).
        w2: Second layer, shape (k, hidden, hidden).
        b2: Its biases, shape (k, hidden).
        w3: Scores of the principal components, each network's share of their mean, shape (k, hidden, components).
        b3: Its biases, shape (k, components).
        mean: Mean of ln L(e) - ln L(100) at epochs 1 to 99, shape (99,).
        components: Principal components, shape (components, 99).
        runs: Rows in the grid of the real runs behind the residuals, shape (r,).
        run_logs: ln L(100) of these runs, on the scale of the original, multiples of 2^-6, shape (r,).
        residuals: What the model left unexplained of these runs when it had not seen them, shape (r, 99).
        share: How much of a residual is added at each epoch, shape (99,).
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
    residuals: FloatArray
    share: FloatArray


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
    "residuals": RESIDUAL_BITS,
    "share": SHARE_BITS,
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


def places(configs: IntArray, logs: FloatArray) -> FloatArray:
    """Where configurations lie when neighbours are sought, whole numbers, shape (n, 10)."""
    weights = (16, 16, 8, 16, 16, 16, 16, 8, 8)
    coordinates = [
        np.rint(column[configs] * weight) for column, weight in zip(columns().values(), weights, strict=True)
    ]
    return np.stack([*coordinates, np.rint(np.clip(logs, -16.0, 16.0) * 16.0)], axis=1)


def neighbours(model: CurveModel, configs: IntArray, logs: FloatArray) -> IntArray:
    """The nearest real runs of configurations, shape (n, 5), nearest first.

    Args:
        model: The model with the runs.
        configs: Rows of the grid, shape (n,).
        logs: ln L(100) of each, multiples of 2^-6, shape (n,).
    """
    here, there = places(configs, logs), places(model.runs, model.run_logs)
    count = len(there)
    distances = (there * there).sum(axis=1) - 2.0 * (here @ there.T)  # up to a constant of the row
    keys = distances * count + np.arange(count)  # no ties: the same neighbours on every machine
    found = np.sort(np.partition(keys, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS], axis=1)
    nearest: IntArray = np.mod(found, count).astype(np.int64)
    return nearest


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
    residuals = model.residuals * model.share
    floor = snapped_log(loss.min(keepdims=True)).item() - FLOOR
    for start in range(0, NUM_CONFIGS, CHUNK):
        configs = np.arange(start, min(start + CHUNK, NUM_CONFIGS))
        final = loss[configs]
        logs = snapped_log(final)
        nearest = neighbours(model, configs, snap(logs.mean(axis=1), LOG_BITS))
        # Each seed of a configuration takes another neighbour, which one first differs from row to row.
        turn = (configs[:, None] * 2_654_435_761 // 65_536 + np.arange(NUM_SEEDS)) % NEIGHBOURS
        chosen = np.take_along_axis(nearest, turn, axis=1).ravel()
        exponents = predict(model, features(np.repeat(configs, NUM_SEEDS), logs.ravel()))
        exponents += residuals[chosen]
        block = np.empty((len(chosen), NUM_EPOCHS), np.float32)
        bend(exponents, logs.ravel() - floor)
        block[:, :-1] = scaled_exp(final.reshape(-1, 1).astype(np.float64), exponents)
        block[:, -1] = final.ravel()
        yield block.reshape(len(configs), NUM_SEEDS, NUM_EPOCHS)
