"""Fit the models of the learning curves to the packaged runs: writes curves-<set>.npz for all four sets.

    OPENBLAS_NUM_THREADS=1 python tools/fit_curves.py

One ensemble is trained on the first runs of all sets; repeats are left for judging it (see check_curves.py). An input
says which set a run belongs to; folded into the biases of the first layer it gives a model for each set. Slice has no
runs: its ensemble is trained on the runs of the other sets, without that input. Residuals come from cross-fitting: what
was left of a run by an ensemble that had not seen its configuration. How much of a neighbour's residual is added is
chosen for each epoch so that the rank correlation of L(e) with L(100) comes near that of the real curves. Equal runs
give equal files on one machine.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from held_out import held_out_neighbours, rank_correlation

from hpoctl_fcnet.curves import (
    COMPONENT_BITS,
    RESIDUAL_BITS,
    SHARE_BITS,
    WEIGHT_BITS,
    CurveModel,
    features,
    pack,
    predict,
)
from hpoctl_fcnet.exact import snap, snapped_log
from hpoctl_fcnet.packed import curves_file, load_finals
from hpoctl_fcnet.runs import TRAINED_SETS, load_runs

DATA = Path(__file__).parents[1] / "src" / "hpoctl_fcnet" / "data"
FOLDS = 5
NETWORKS = 3
HIDDEN = 64
COMPONENTS = 12
STEPS = 5000
BATCH = 128
RATE = 4e-3
DECAY = 0.5
LARGEST_WEIGHT = 31.0
MAX_SLICE_RESIDUALS = 1000
SHARE_EPOCHS = (1, 2, 3, 5, 9, 16, 27, 45, 81)


@dataclass(frozen=True)
class Sample:
    """The runs of all sets: rows of the grid, ln L(100) on the original's scale, log curves, set of each run."""

    config: np.ndarray  # (n,)
    logs: np.ndarray  # (n,)
    shapes: np.ndarray  # (n, 99), ln L(e) - ln L(100)
    member: np.ndarray  # (n, 3), one-hot set

    @property
    def inputs(self) -> np.ndarray:
        """What the networks see of the configurations, shape (n, 20)."""
        return features(self.config, self.logs)

    @property
    def weights(self) -> np.ndarray:
        """Sets whose curves vary little count as much as the others, shape (n,)."""
        spread = np.array([self.shapes[rows].var() for rows in self.member.T == 1])
        return 1.0 / spread[self.member.argmax(axis=1)]


def original_offset(name: str, config: np.ndarray, final: np.ndarray) -> float:
    """How far ln L(100) of our runs lies above the original's, in the median."""
    original = np.log(load_finals(name).loss[config].astype(np.float64)).mean(axis=1)
    return float(np.median(np.log(final.astype(np.float64)) - original))


def load_sample() -> Sample:
    """All packaged runs."""
    config, logs, shapes, member = [], [], [], []
    for place, name in enumerate(TRAINED_SETS):
        runs = load_runs(name)
        first = runs.seed == 0
        configs, valid = runs.config[first], runs.valid[first]
        curves = np.log(valid.astype(np.float64))
        offset = original_offset(name, configs, valid[:, -1])
        config.append(configs)
        logs.append(snapped_log((valid[:, -1] * np.exp(-offset)).astype(np.float32)))
        shapes.append(curves[:, :-1] - curves[:, -1:])
        member.append(np.tile(np.eye(len(TRAINED_SETS))[place], (len(configs), 1)))
    return Sample(*(np.concatenate(parts) for parts in (config, logs, shapes, member)))


def train_network(
    inputs: np.ndarray, scores: np.ndarray, weights: np.ndarray, random: np.random.Generator
) -> list[np.ndarray]:
    """Weights of one network: AdamW, cosine schedule, weighted mean squared error of the scores."""
    shape = [inputs.shape[1], HIDDEN, HIDDEN, scores.shape[1]]
    scale = [np.sqrt(2 / shape[0]), np.sqrt(2 / shape[1]), 0.1 * np.sqrt(1 / shape[2])]
    params: list[np.ndarray] = []
    for layer in range(3):
        params.append(random.normal(0.0, scale[layer], (shape[layer], shape[layer + 1])).astype(np.float32))
        params.append(np.zeros(shape[layer + 1], np.float32))
    first, second = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]
    inputs, scores = inputs.astype(np.float32), scores.astype(np.float32)
    weights = (weights / weights.mean() / BATCH).astype(np.float32)[:, None]
    for step in range(1, STEPS + 1):
        rows = random.integers(0, len(inputs), BATCH)
        x = inputs[rows]
        z1 = x @ params[0] + params[1]
        h1 = np.maximum(z1, 0)
        z2 = h1 @ params[2] + params[3]
        h2 = np.maximum(z2, 0)
        d3 = (h2 @ params[4] + params[5] - scores[rows]) * weights[rows]
        d2 = (d3 @ params[4].T) * (z2 > 0)
        d1 = (d2 @ params[2].T) * (z1 > 0)
        gradients = [x.T @ d1, d1.sum(0), h1.T @ d2, d2.sum(0), h2.T @ d3, d3.sum(0)]
        rate = RATE * 0.5 * (1 + np.cos(np.pi * step / STEPS))
        for place, gradient in enumerate(gradients):
            first[place] += 0.1 * (gradient - first[place])
            second[place] += 0.001 * (gradient * gradient - second[place])
            update = first[place] / (1 - 0.9**step) / (np.sqrt(second[place] / (1 - 0.999**step)) + 1e-8)
            decay = DECAY * params[place] if place % 2 == 0 else 0.0
            params[place] -= np.float32(rate) * (update + decay).astype(np.float32)
    return [p.astype(np.float64) for p in params]


def fit(inputs: np.ndarray, member: np.ndarray, shapes: np.ndarray, weights: np.ndarray, seed: int) -> CurveModel:
    """An ensemble; the rows of `w1` after the features belong to the set indicator."""
    mean = shapes.mean(axis=0)
    _, _, axes = np.linalg.svd(shapes - mean, full_matrices=False)
    components = axes[:COMPONENTS]
    scores = (shapes - mean) @ components.T
    scale = scores.std(axis=0).max()
    networks = [
        train_network(np.hstack([inputs, member]), scores / scale, weights, np.random.default_rng([seed, network]))
        for network in range(NETWORKS)
    ]
    for network in networks:
        network[4] *= scale / NETWORKS
        network[5] *= scale / NETWORKS
    w1, b1, w2, b2, w3, b3 = (np.stack([network[place] for network in networks]) for place in range(6))
    nothing = np.empty((0, 99))
    return CurveModel(
        w1, b1, w2, b2, w3, b3, mean, components, nothing[:, 0].astype(np.int64), nothing[:, 0], nothing, np.zeros(99)
    )


def snapped(model: CurveModel, member: np.ndarray) -> CurveModel:
    """The model of one set as it is stored: indicator folded into the biases, numbers snapped; without residuals."""

    def weights(values: np.ndarray) -> np.ndarray:
        return snap(np.clip(values, -LARGEST_WEIGHT, LARGEST_WEIGHT), WEIGHT_BITS)

    inputs = model.w1.shape[1] - len(member)
    return replace(
        model,
        w1=weights(model.w1[:, :inputs]),
        b1=weights(model.b1 + member @ model.w1[:, inputs:]),
        w2=weights(model.w2),
        b2=weights(model.b2),
        w3=weights(model.w3),
        b3=weights(model.b3),
        mean=snap(model.mean, COMPONENT_BITS),
        components=snap(model.components, COMPONENT_BITS),
    )


def with_residuals(
    model: CurveModel, sample: Sample, rows: np.ndarray, residuals: np.ndarray, share: np.ndarray
) -> CurveModel:
    """The model with the residuals of some runs, and how much of them is added at each epoch."""
    return replace(
        model,
        runs=sample.config[rows],
        run_logs=sample.logs[rows],
        residuals=snap(residuals[rows], RESIDUAL_BITS),
        share=snap(share, SHARE_BITS),
    )


def residual_share(config: np.ndarray, logs: np.ndarray, shapes: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """How much of a neighbour's residual to add at each epoch, in [0, 1], shape (99,)."""
    donors = held_out_neighbours(config, logs)
    chosen = []
    for epoch in SHARE_EPOCHS:
        real, left = shapes[:, epoch - 1], residuals[:, epoch - 1]
        wanted = rank_correlation(real + logs, logs)
        candidates = np.linspace(0.0, 1.0, 17)
        reached = [
            np.mean([rank_correlation(real - left + share * left[column] + logs, logs) for column in donors.T])
            for share in candidates
        ]
        chosen.append(candidates[np.abs(np.array(reached) - wanted).argmin()])
    return np.interp(np.log(np.arange(1, 100)), np.log(SHARE_EPOCHS), chosen)


def cross_fit(sample: Sample, member: np.ndarray, seed: int) -> np.ndarray:
    """Predictions for each run by an ensemble that has not seen its configuration, shape (n, 99)."""
    predictions = np.empty_like(sample.shapes)
    inputs = sample.inputs
    fold = sample.config % FOLDS
    for held in range(FOLDS):
        others = fold != held
        model = fit(inputs[others], member[others], sample.shapes[others], sample.weights[others], seed + held)
        for kind in np.unique(member, axis=0):
            rows = (fold == held) & (member == kind).all(axis=1)
            predictions[rows] = predict(snapped(model, kind), inputs[rows])
    return predictions


def main() -> None:
    """Fit and write all four models."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    sample = load_sample()
    print(f"{len(sample.config)} runs", flush=True)
    residuals = sample.shapes - cross_fit(sample, sample.member, 100)
    model = fit(sample.inputs, sample.member, sample.shapes, sample.weights, 1)
    shares = []
    for place, name in enumerate(TRAINED_SETS):
        rows = np.flatnonzero(sample.member[:, place])
        shares.append(residual_share(sample.config[rows], sample.logs[rows], sample.shapes[rows], residuals[rows]))
        write(
            name, with_residuals(snapped(model, np.eye(len(TRAINED_SETS))[place]), sample, rows, residuals, shares[-1])
        )
    nobody = sample.member[:, :0]
    residuals = sample.shapes - cross_fit(sample, nobody, 200)
    model = fit(sample.inputs, nobody, sample.shapes, sample.weights, 2)
    rows = np.sort(np.random.default_rng(3).permutation(len(residuals))[:MAX_SLICE_RESIDUALS])
    write("slice", with_residuals(snapped(model, np.empty(0)), sample, rows, residuals, np.mean(shares, axis=0)))


def write(name: str, model: CurveModel) -> None:
    """Write the packaged file of a set."""
    path = DATA / curves_file(name)
    np.savez_compressed(path, allow_pickle=False, **pack(model))
    percent = ", ".join(f"{epoch}: {model.share[epoch - 1]:.2f}" for epoch in SHARE_EPOCHS)
    print(f"{path.name} {path.stat().st_size} bytes; share of residuals at epoch {percent}", flush=True)


if __name__ == "__main__":
    main()
