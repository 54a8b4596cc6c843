"""Fit the models of the learning curves to the packaged runs: writes curves-<set>.npz for all four sets.

    OPENBLAS_NUM_THREADS=1 python tools/fit_curves.py

One ensemble is trained on the first run of each configuration, of all sets together. An input says which set a run
belongs to; folded into the biases of the first layer it gives a model for each set. Slice has no runs: its ensemble is
trained on the runs of the other sets, without that input. What ensembles that have not seen the configuration leave
unexplained of the four runs of a repeated one is what the tables add. Three things are calibrated on the runs, see
`calibrated`. Equal runs give equal files on one machine.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from held_out import Repeats, Targets, dips, rank_correlation, repeats_of, table_logs, targets_of

from hpoctl_fcnet.curves import (
    COMPONENT_BITS,
    RESIDUAL_BITS,
    SHARE_BITS,
    WEIGHT_BITS,
    CurveModel,
    expand,
    falling,
    features,
    pack,
    predict,
)
from hpoctl_fcnet.exact import LOG_BITS, snap
from hpoctl_fcnet.grid import NUM_CONFIGS
from hpoctl_fcnet.packed import curves_file, load_finals
from hpoctl_fcnet.runs import TRAINED_SETS

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
MAX_SLICE_DONORS = 160
SHARE_EPOCHS = (1, 2, 3, 5, 9)
TRUSTED_TO, NOT_FROM = 45, 99
"""Predictions count in full up to one epoch, and not at all from the other on."""
DIP_QUANTILES = ((0.25, 0.75), (0.5, 0.75))
"""Where the dips of the two schedules are made equal: around the median of both together."""
NO_CHANGE = np.zeros((2, 2))
FOLLOW_WIDTH = 0.1
"""Width in ln e of the average over epochs of `follow`."""


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
        return features(self.config, snap(self.logs, LOG_BITS))

    @property
    def weights(self) -> np.ndarray:
        """Sets whose curves vary little count as much as the others, shape (n,)."""
        spread = np.array([self.shapes[rows].var() for rows in self.member.T == 1])
        return 1.0 / spread[self.member.argmax(axis=1)]


def load_sample() -> Sample:
    """All packaged runs."""
    config, logs, shapes, member = [], [], [], []
    for place, name in enumerate(TRAINED_SETS):
        targets = targets_of(name)
        config.append(targets.config)
        logs.append(targets.own)
        shapes.append(targets.curves[:, :-1] - targets.curves[:, -1:])
        member.append(np.tile(np.eye(len(TRAINED_SETS))[place], (len(targets.config), 1)))
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
    return CurveModel(
        *(w1, b1, w2, b2, w3, b3, mean, components),
        runs=np.empty(0, np.int64),
        run_logs=np.empty(0),
        deviations=np.empty((0, 4)),
        residuals=np.empty((0, 4, 99)),
        trust=trust(),
        share=np.ones(99),
        follow=np.ones((2, 99)),
        dip=NO_CHANGE,
    )


def trust() -> np.ndarray:
    """How much of a prediction is used: the later the epoch, the more the real runs nearby know better, shape (99,)."""
    faded = np.interp(np.log(np.arange(1, 100)), np.log([TRUSTED_TO, NOT_FROM]), [1.0, 0.0])
    return snap(faded, SHARE_BITS)


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


@dataclass(frozen=True)
class Folds:
    """Ensembles that have not seen the configurations of one fold each."""

    models: list[CurveModel]

    def predict(self, config: np.ndarray, logs: np.ndarray, member: np.ndarray) -> np.ndarray:
        """Predictions for configurations of one set by the ensembles that have not seen them, shape (n, 99)."""
        predictions = np.empty((len(config), 99))
        for held, model in enumerate(self.models):
            rows = config % FOLDS == held
            predictions[rows] = predict(snapped(model, member), features(config[rows], snap(logs[rows], LOG_BITS)))
        return predictions


def cross_fit(sample: Sample, member: np.ndarray, seed: int) -> Folds:
    """An ensemble for each fold of configurations, trained on the others."""
    models = []
    for held in range(FOLDS):
        others = sample.config % FOLDS != held
        models.append(
            fit(sample.inputs[others], member[others], sample.shapes[others], sample.weights[others], seed + held)
        )
    return Folds(models)


def with_donors(model: CurveModel, repeats: Repeats, smooth: np.ndarray) -> CurveModel:
    """The model with what predictions, shape (r, 99), leave of the runs of repeated configurations."""
    left = repeats.curves[:, :, :-1] - repeats.curves[:, :, -1:] - model.trust * smooth[:, None]
    return replace(
        model,
        runs=repeats.config,
        run_logs=snap(repeats.logs, LOG_BITS),
        deviations=snap(repeats.deviations, RESIDUAL_BITS),
        residuals=snap(left, RESIDUAL_BITS),
    )


def calibrated(name: str, model: CurveModel, smooth: np.ndarray) -> CurveModel:
    """The model with what is chosen on the runs of a set.

    * `follow`: regression of the deviations between the seeds of a configuration on those of the final loss;
    * `share`: so that the rank correlation of L(e) with L(100) comes nearest to that of the real runs, for modelled
      curves of their configurations, `smooth` being the held-out predictions and other configurations the donors;
    * `dip`: so that two quantiles of ln(last / lowest) are those of the real runs, for each schedule, in the table.
    """
    model = replace(model, follow=snap(follow(repeats_of(name)), SHARE_BITS))
    model = replace(model, share=snap(residual_share(model, targets_of(name), smooth), SHARE_BITS))
    return replace(model, dip=snap(dip(name, model), SHARE_BITS))


def follow(repeats: Repeats) -> np.ndarray:
    """How much of the deviation of its final loss a seed has at each epoch already, in [0, 1], shape (2, 99).

    Deviations are divided by the median one of their configuration and clipped, as few are very large.
    """
    curves = repeats.curves - repeats.curves.mean(axis=1, keepdims=True)
    scale = np.median(np.abs(curves), axis=(1, 2))[:, None, None] + 0.003
    curves = np.clip(curves / scale, -5.0, 5.0)
    epochs = np.log(np.arange(1, 100))
    average = np.exp(-0.5 * ((epochs[:, None] - epochs) / FOLLOW_WIDTH) ** 2)
    average /= average.sum(axis=1, keepdims=True)
    kind = falling(repeats.config)
    slopes = []
    for place in (0, 1):
        part = curves[kind == place]
        final = part[:, :, -1:]
        slopes.append((part * final).sum(axis=(0, 1)) / (final**2).sum())
    return np.clip(np.array(slopes)[:, :-1] @ average.T, 0.0, 1.0)


def residual_share(model: CurveModel, targets: Targets, smooth: np.ndarray) -> np.ndarray:
    """How much of the mean residual to use at each epoch, in [0, 1], shape (99,).

    All of it where predictions do not count: there it is the whole curve.
    """
    candidates = np.linspace(0.0, 1.0, 17)
    curves = [table_logs(replace(model, share=np.full(99, share)), targets, smooth) for share in candidates]
    chosen = []
    for epoch in SHARE_EPOCHS:
        wanted = rank_correlation(targets.curves[:, epoch - 1], targets.curves[:, -1])
        reached = [rank_correlation(logs[:, 0, epoch - 1], logs[:, 0, -1]) for logs in curves]
        chosen.append(candidates[np.abs(np.array(reached) - wanted).argmin()])
    return np.interp(np.log(np.arange(1, 100)), np.log([*SHARE_EPOCHS, NOT_FROM]), [*chosen, 1.0])


def dip(name: str, model: CurveModel) -> np.ndarray:
    """What makes two quantiles of the table's dips those of the real runs, shape (2, 2): see `CurveModel`."""
    targets = targets_of(name)
    real, drawn = dips(targets.curves), falling(targets.config)
    blocks = expand(replace(model, dip=NO_CHANGE), load_finals(name).loss)
    modelled, kind = np.concatenate([dips(np.log(block)) for block in blocks]), falling(np.arange(NUM_CONFIGS))
    found = []
    for place, quantiles in enumerate(DIP_QUANTILES):
        wanted = np.log(np.quantile(real[drawn == place], quantiles))
        have = np.log(np.quantile(modelled[kind == place], quantiles))
        power = (wanted[1] - wanted[0]) / (have[1] - have[0])
        found.append([wanted[0] - power * have[0], power - 1.0])
    return np.array(found)


def main() -> None:
    """Fit and write all four models."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    sample = load_sample()
    print(f"{len(sample.config)} runs", flush=True)
    folds, model = (
        cross_fit(sample, sample.member, 100),
        fit(sample.inputs, sample.member, sample.shapes, sample.weights, 1),
    )
    fitted = []
    for name, member in zip(TRAINED_SETS, np.eye(len(TRAINED_SETS)), strict=True):
        targets, repeats = targets_of(name), repeats_of(name)
        own = with_donors(snapped(model, member), repeats, folds.predict(repeats.config, repeats.logs, member))
        fitted.append(calibrated(name, own, folds.predict(targets.config, targets.logs, member)))
        write(name, fitted[-1])
    write("slice", slice_model(sample, fitted))


def slice_model(sample: Sample, fitted: list[CurveModel]) -> CurveModel:
    """The model of a set without runs: networks that do not know of sets, donors of all sets, mean calibrations."""
    nobody = sample.member[:, :0]
    folds = cross_fit(sample, nobody, 200)
    model = snapped(fit(sample.inputs, nobody, sample.shapes, sample.weights, 2), np.empty(0))
    parts = []
    for name in TRAINED_SETS:
        repeats = repeats_of(name)
        parts.append(with_donors(model, repeats, folds.predict(repeats.config, repeats.logs, np.empty(0))))
    rows = np.sort(np.random.default_rng(3).permutation(sum(len(part.runs) for part in parts))[:MAX_SLICE_DONORS])

    def donors(field: str) -> np.ndarray:
        return np.concatenate([getattr(part, field) for part in parts])[rows]

    def mean(field: str) -> np.ndarray:
        return snap(np.mean([getattr(other, field) for other in fitted], axis=0), SHARE_BITS)

    return replace(
        model,
        runs=donors("runs"),
        run_logs=donors("run_logs"),
        deviations=donors("deviations"),
        residuals=donors("residuals"),
        share=mean("share"),
        follow=mean("follow"),
        dip=mean("dip"),
    )


def write(name: str, model: CurveModel) -> None:
    """Write the packaged file of a set."""
    path = DATA / curves_file(name)
    np.savez_compressed(path, allow_pickle=False, **pack(model))
    percent = ", ".join(f"{epoch}: {model.share[epoch - 1]:.2f}" for epoch in SHARE_EPOCHS)
    print(
        f"{path.name} {path.stat().st_size} bytes; share of residuals at epoch {percent}; dips {model.dip}", flush=True
    )


if __name__ == "__main__":
    main()
