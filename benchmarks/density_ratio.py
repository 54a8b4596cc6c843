"""Whether a density ratio in place of the Gaussian process's expected improvement deserves a separate method.

    OPENBLAS_NUM_THREADS=1 python benchmarks/density_ratio.py --rows density-ratio.jsonl \
        --benchmark fcnet-protein fcnet-naval fcnet-parkinsons --table fcnet_like.npz --nearest lcbench_189908.npz

BORE (Tiao et al. 2021, "BORE: Bayesian Optimization by Density-Ratio Estimation", ICML) calls the best quarter of the
final values 1 and the others 0, trains a classifier on the configurations, and suggests the candidate that is most
likely to be a 1. Here are classifiers in BO's own searcher: the same initial design, the same candidates, nothing
twice; only the score is another. Pending trials count as 0. Equal scores: a seeded choice.

Runs what `--rows` does not hold yet and prints a line for each method: final regret less that of BO with the same seed,
negative where it is better, for each table, and the mean of the tables. The trees need scikit-learn.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from ablation import mean_of_tables
from regret import Conditions, run_one
from regret_rows import by_table, gaps_of, key_of, mean_and_error, ordered, read
from regret_tables import NEAREST
from scipy.spatial.distance import cdist
from scipy.special import expit

from hpoctl.core.entries import Method, MethodContext
from hpoctl.core.space import FloatArray
from hpoctl.gp.acquisition import DECIMALS
from hpoctl.gp.kernels import correlation
from hpoctl.gp.linalg import product, safe_whitening, times_vector
from hpoctl.gp.transforms import targets
from hpoctl.schedulers.candidates import candidates
from hpoctl.schedulers.gp_searcher import NUM_BEST, NUM_NEIGHBOURS, NUM_RANDOM, GpSearcher
from hpoctl.schedulers.options import BoOptions
from hpoctl.schedulers.searcher import Suggestion
from hpoctl.schedulers.single_fidelity import SingleFidelity

GAMMA = 0.25
"""The share of the values that counts as best."""

BASE, SIGNAL = 10.0, 9.0
"""Variances of the constant and of the rest of a logit before there are data: the ridge of the logistic regressions."""

SCALE = 0.7
"""The length scale of the Matern functions, in units of the root of the number of inputs."""


@dataclass(frozen=True)
class Labelled:
    """What a classifier is trained on: inputs, shape (n, e), which are among the best, and what it draws from."""

    x: FloatArray
    good: np.ndarray
    rng: np.random.Generator


Classifier = Callable[[Labelled, FloatArray], FloatArray]
"""Scores of points, shape (m, e), that increase with the probability to be among the best; shape (m,)."""


def trees(data: Labelled, x: FloatArray) -> FloatArray:
    """A hundred extremely randomised trees of scikit-learn, everything else its default."""
    from sklearn.ensemble import ExtraTreesClassifier

    forest = ExtraTreesClassifier(100, random_state=int(data.rng.integers(2**31)))
    return forest.fit(data.x, data.good).predict_proba(x)[:, 1]


def quadratic(data: Labelled, x: FloatArray) -> FloatArray:
    """Logistic regression on all products of two inputs, with a ridge."""

    def kernel(a: FloatArray, b: FloatArray) -> FloatArray:
        inner = 3.0 * product(2.0 * a - 1.0, (2.0 * b - 1.0).T) / a.shape[1]
        return BASE + 4.0 * (inner + inner**2)

    return logistic(data, x, kernel, spread=0.0)


def radial(data: Labelled, x: FloatArray, *, spread: float = 0.0) -> FloatArray:
    """Logistic regression on Matern-5/2 functions around the data, with a ridge."""

    def kernel(a: FloatArray, b: FloatArray) -> FloatArray:
        return BASE + SIGNAL * correlation(cdist(a, b, "sqeuclidean") / (SCALE**2 * a.shape[1]))

    return logistic(data, x, kernel, spread)


def logistic(
    data: Labelled, x: FloatArray, kernel: Callable[[FloatArray, FloatArray], FloatArray], spread: float
) -> FloatArray:
    """Logits of the penalised maximum by Newton's method, plus a multiple of their standard deviations.

    Algorithms 3.1 and 3.2 of Rasmussen and Williams (2006), with the variance BASE + SIGNAL before there are data.
    """
    k = kernel(data.x, data.x)
    logits: FloatArray = np.zeros(len(k))
    root: FloatArray = np.zeros(len(k))
    w: FloatArray = np.eye(len(k))
    for _ in range(30):
        likely = expit(logits)
        root = np.sqrt(np.maximum(likely * (1.0 - likely), 1e-12))
        w = safe_whitening(np.eye(len(k)) + root[:, None] * k * root)
        b = root**2 * logits + data.good - likely
        a = b - root * times_vector(w.T, times_vector(w, root * times_vector(k, b)))
        before, logits = logits, times_vector(k, a)
        if np.abs(logits - before).max() < 1e-7:
            break
    cross = kernel(x, data.x)
    mean = times_vector(cross, data.good - expit(logits))
    if not spread:
        return mean
    projection = product(w, (cross * root).T, lower=True)
    variance = BASE + SIGNAL - np.einsum("ij,ij->j", projection, projection)
    return mean + spread * np.sqrt(np.maximum(variance, 1e-12))


class RatioSearcher(GpSearcher):
    """BO with the score of a classifier.

    Args:
        context: The space and the random streams.
        options: See `BoOptions`.
        classifier: Scores points.
    """

    def __init__(self, context: MethodContext, options: BoOptions, classifier: Classifier) -> None:
        super().__init__(context, options)
        self._classifier = classifier

    def _by_model(self, trial_id: int) -> Suggestion | None:
        data = self._observations.data()
        waiting, _ = self._observations.waiting()
        order = np.argsort(targets(data.values), kind="stable")
        best = data.points[order[:NUM_BEST]]
        rng = self._streams.get("candidates", trial_id)
        points = self._observations.fresh(
            candidates(self._space, self._neighbourhood, best, NUM_RANDOM, NUM_NEIGHBOURS, rng)
        )
        if not len(points):
            return None
        good = np.zeros(len(order) + len(waiting), dtype=bool)
        good[order[: int(np.ceil(GAMMA * len(order)))]] = True
        inputs = self._space.encode(np.concatenate([data.points, waiting]))
        labelled = Labelled(inputs, good, self._streams.get("classifier", trial_id))
        scores = np.round(self._classifier(labelled, self._space.encode(points)), DECIMALS)
        equal = np.flatnonzero(scores == scores.max())
        picked = equal[self._streams.get("ties", trial_id).integers(len(equal))]
        (config,) = self._observations.use(points[[picked]])
        if config is None:
            return None
        self._observations.start(trial_id, points[picked])
        return Suggestion(config, "model")


VARIANTS: dict[str, tuple[str, Classifier]] = {
    "TREES": ("extremely randomised trees", trees),
    "QUADRATIC": ("logistic regression, products of two inputs", quadratic),
    "RADIAL": ("logistic regression, Matern functions", radial),
    "RADIAL-UP": ("the same, plus a standard deviation of the logit", partial(radial, spread=1.0)),
}
"""What each method of this script is, and its classifier."""


def methods() -> Iterable[Method]:
    """BO's scheduler with each of the classifiers."""
    for name, (summary, classifier) in VARIANTS.items():
        make = partial(scheduler, classifier=classifier)
        yield Method(name=name, summary=summary, kind="density-ratio", make=make, options=BoOptions())


def scheduler(context: MethodContext, options: BoOptions, *, classifier: Classifier) -> SingleFidelity:
    return SingleFidelity(RatioSearcher(context, options, classifier), context)


def print_table(rows: list[dict]) -> None:
    """BO's final regret, and a line for each other method."""
    tables = by_table(rows)
    print(f"| method | {' | '.join(tables)} | mean of tables | CPU s |")
    print(f"|---|{'---|' * (len(tables) + 2)}")
    for name in dict.fromkeys(name for found in tables.values() for name in found):
        each = [found.get(name, {}) for found in tables.values()]
        if name == "BO":
            finals = [np.array([row["regret"][-1] for row in seeds.values()]) for seeds in each]
            cells, overall = [mean_and_error(final) for final in finals], f"{np.mean([f.mean() for f in finals]):.3f}"
        else:
            gaps = [gaps_of(seeds, found["BO"])[:, -1] for seeds, found in zip(each, tables.values(), strict=True)]
            cells, overall = [mean_and_error(gap, "+") for gap in gaps], mean_of_tables(gaps)
        cpu = np.mean([row["cpu"] for seeds in each for row in seeds.values()])
        print(f"| {name} | {' | '.join(cells)} | {overall} | {cpu:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="file of results, a JSON object a line")
    parser.add_argument("--benchmark", nargs="*", default=[])
    parser.add_argument("--table", nargs="*", type=Path, default=[])
    parser.add_argument("--nearest", nargs="*", type=Path, default=[], help="tables whose nearest row answers")
    parser.add_argument("--method", nargs="*", default=["BO", "RS", *VARIANTS])
    parser.add_argument("--seeds", nargs=2, type=int, default=[0, 10], metavar=("FIRST", "END"))
    parser.add_argument("--only-print", action="store_true")
    options = parser.parse_args()
    tables = tuple(path.resolve() for path in (*options.table, *options.nearest))
    nearest = [path.stem + NEAREST for path in options.nearest]
    names = [*options.benchmark, *(path.stem for path in options.table), *nearest]
    done = read(options.rows)
    for method in () if options.only_print else options.method:
        for name in names:
            for seed in range(*options.seeds):
                if key_of({"table": name, "label": "", "method": method, "seed": seed}) not in done:
                    row = {**run_one(tables, name, method, seed, Conditions(), methods), "label": ""}
                    with options.rows.open("a") as file:
                        file.write(json.dumps(row) + "\n")
    print_table(ordered(read(options.rows).values()))


if __name__ == "__main__":
    main()
