"""A network with two hidden layers on scikit-learn's handwritten digits, in numpy, with checkpoints.

It can be run by hand: python train.py --lr 0.1 --epochs 3
"""

import argparse
import importlib.util
import os
from itertools import pairwise
from pathlib import Path

import numpy as np

import hpoctl

SIDE, CLASSES, TRAINING = 8, 10, 1200


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Images, shape (n, 8, 8), from 0 to 1, and their labels, shape (n,): the file that scikit-learn brings along."""
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise SystemExit("the digits come with scikit-learn: pip install scikit-learn")
    file = Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"
    table = np.loadtxt(file, delimiter=",")
    return table[:, :-1].reshape(-1, SIDE, SIDE) / 16.0, table[:, -1].astype(int)


def shifted(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each image moved by up to one pixel, so that no epoch is like another, shape (n, 64)."""
    rows, columns = rng.integers(-1, 2, (2, len(images), 1, 1))
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    place = np.arange(SIDE)
    moved = padded[np.arange(len(images))[:, None, None], 1 + rows + place[:, None], 1 + columns + place]
    return moved.reshape(len(images), -1)


def forward(weights: list[np.ndarray], inputs: np.ndarray) -> list[np.ndarray]:
    """The inputs, the two hidden layers, and the logarithms of the probabilities of the classes."""
    layers = [inputs]
    for place in range(0, 4, 2):
        layers.append(np.maximum(layers[-1] @ weights[place] + weights[place + 1], 0.0))
    scores = layers[-1] @ weights[4] + weights[5]
    scores -= scores.max(axis=1, keepdims=True)
    layers.append(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))
    return layers


def gradients(weights: list[np.ndarray], inputs: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """The gradients of the mean cross-entropy, in the order of the weights."""
    layers = forward(weights, inputs)
    error = np.exp(layers[-1])
    error[np.arange(len(labels)), labels] -= 1.0
    error /= len(labels)
    found: list[np.ndarray] = []
    for place in (4, 2, 0):
        found = [layers[place // 2].T @ error, error.sum(axis=0), *found]
        error = (error @ weights[place].T) * (layers[place // 2] > 0.0)
    return found


def main() -> None:
    """Train, report after each epoch, and save what it takes to continue."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--units", type=int, default=64)
    parser.add_argument("--weight_decay", type=float, default=1e-4)
    parser.add_argument("--epochs", type=int, default=27)
    args = parser.parse_args()

    images, labels = digits()
    order = np.random.default_rng(0).permutation(len(images))
    training, validation = order[:TRAINING], order[TRAINING:]
    seed = int(os.environ.get("HPOCTL_SEED", "0"))
    rng = np.random.default_rng(seed)
    sizes = (SIDE * SIDE, args.units, args.units, CLASSES)
    weights = []
    for below, above in pairwise(sizes):
        weights += [rng.normal(0.0, np.sqrt(2.0 / below), (below, above)), np.zeros(above)]
    speeds = [np.zeros_like(weight) for weight in weights]

    folder = os.environ.get("HPOCTL_CHECKPOINT_DIR")  # not there when it is run by hand
    checkpoint = Path(folder) / "state.npz" if folder else None
    done = 0
    if checkpoint is not None and checkpoint.exists():
        with np.load(checkpoint) as state:
            done = int(state["epoch"])
            weights = [state[f"weight{place}"] for place in range(6)]
            speeds = [state[f"speed{place}"] for place in range(6)]
            if done > int(os.environ["HPOCTL_RESUME_FROM"]):  # it was killed after it had saved, before it could report
                hpoctl.report(epoch=done, loss=state["loss"], accuracy=state["accuracy"])

    for epoch in range(done + 1, args.epochs + 1):
        rng = np.random.default_rng((seed, epoch))
        for batch in np.array_split(rng.permutation(training), TRAINING // args.batch_size):
            inputs = shifted(images[batch], rng)
            for place, gradient in enumerate(gradients(weights, inputs, labels[batch])):
                speeds[place] *= args.momentum
                speeds[place] -= args.lr * (gradient + args.weight_decay * weights[place])
                weights[place] += speeds[place]
        with np.errstate(all="ignore"):  # a learning rate may be too high: then the loss is NaN, and is reported
            outputs = forward(weights, images[validation].reshape(len(validation), -1))[-1]
        metrics = {
            "loss": -outputs[np.arange(len(validation)), labels[validation]].mean(),
            "accuracy": (outputs.argmax(axis=1) == labels[validation]).mean(),
        }
        if checkpoint is not None:
            state = {f"weight{place}": weight for place, weight in enumerate(weights)}
            state |= {f"speed{place}": speed for place, speed in enumerate(speeds)}
            unfinished = checkpoint.with_name("unfinished.npz")
            np.savez(unfinished, epoch=epoch, **metrics, **state)
            unfinished.replace(checkpoint)  # killed at any moment, there is one whole checkpoint
        hpoctl.report(epoch=epoch, **metrics)


if __name__ == "__main__":
    main()
