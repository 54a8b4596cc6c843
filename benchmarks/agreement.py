"""Statistics of hpoctl beside those of R, scipy, statsmodels and baycomp, on random samples.

    python benchmarks/agreement.py [--samples 100]

Prints a table of docs/explanation/statistics.md: the largest difference of each number. R is used if `Rscript` is
installed, baycomp if it can be imported; a line says so where one is missing.
"""

import argparse
import importlib
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from itertools import permutations, product
from typing import Any

import numpy as np
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

from hpoctl.analysis.aggregate import band
from hpoctl.analysis.equivalence import equivalence_p, signed_rank_posterior
from hpoctl.analysis.paired import hodges_lehmann, holm, improvement_interval
from hpoctl.analysis.power import EFFICIENCY, power_of
from hpoctl.analysis.ranks import critical_difference, friedman
from hpoctl.analysis.ratings import PRIOR, SCALE, ratings
from hpoctl.analysis.signed_rank import signed_rank

Samples = Sequence[np.ndarray]


def row(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def report(what: str, package: str, ours: Iterable[float], theirs: Iterable[float]) -> None:
    """A line of the table: how many numbers are compared, and their largest difference."""
    one, other = np.array(list(ours), dtype=float), np.array(list(theirs), dtype=float)
    if one.shape != other.shape:
        raise SystemExit(f"{what}: {one.size} numbers of ours, {other.size} of {package}")
    row(what, package, one.size, f"{float(np.max(np.abs(one - other))):.1e}")


def run_r(code: str) -> list[float]:
    """The numbers that a program in R prints, one a line."""
    done = subprocess.run(["Rscript", "-"], input=code, capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


def vectors(samples: Samples) -> str:
    """The samples as a list of R."""
    return "list(" + ", ".join("c(" + ", ".join(f"{value:.17g}" for value in sample) + ")" for sample in samples) + ")"


def for_each(samples: Samples, expression: str) -> str:
    """A program in R that prints the values of an expression of `x` for each sample."""
    return f"for (x in {vectors(samples)}) cat(sprintf('%.17g', {expression}), sep = '\\n', fill = TRUE)"


def untied(count: int) -> Samples:
    generator = np.random.default_rng(1)
    return [generator.normal(0.3, 1.0, int(generator.integers(6, 41))) for _ in range(count)]


def tied(count: int) -> Samples:
    generator = np.random.default_rng(2)
    return [np.round(generator.normal(0.5, 1.0, int(generator.integers(6, 12)))) for _ in range(count)]


def excess(sample: np.ndarray) -> float:
    """The sum of signed ranks with zeros ranked (Pratt)."""
    return float(np.sum(np.sign(sample) * stats.rankdata(np.abs(sample))))


def by_flips(sample: np.ndarray) -> float:
    """The p value from all choices of signs, by scipy."""
    whole: Any = np.inf
    return float(stats.permutation_test((sample,), excess, permutation_type="samples", n_resamples=whole).pvalue)


def with_scipy(samples: Samples, ties: Samples) -> None:
    ours = [signed_rank(sample).p for sample in samples]
    report("signed-rank p, no ties", "scipy", ours, (float(stats.wilcoxon(x, method="exact").pvalue) for x in samples))
    few = ties[:20]
    report("signed-rank p, ties and zeros", "scipy, all signs", (signed_rank(x).p for x in few), map(by_flips, few))
    ranks = [stats.rankdata(np.random.default_rng(seed).normal(size=(3, 4)), axis=1) for seed in range(5)]
    report("Friedman p, exact", "all orders", (friedman(each)[0] for each in ranks), map(by_orders, ranks))
    values = np.random.default_rng(3).lognormal(size=(21, 1))
    middle = band(values, np.array([1.0]), "iqm_bootstrap", resamples=10).centre
    report("interquartile mean", "scipy", middle, [float(stats.trim_mean(values[:, 0], 0.25))])


def by_orders(ranks: np.ndarray) -> float:
    """The share of all orders within the blocks whose sums of ranks spread as much."""
    observed = np.sum(np.sum(ranks, axis=0) ** 2)
    every = [list(permutations(block)) for block in ranks]
    sums = np.array([np.sum(np.array(chosen), axis=0) for chosen in product(*every)])
    return float(np.mean(np.sum(sums**2, axis=1) >= observed - 1e-9))


def with_statsmodels() -> None:
    generator = np.random.default_rng(4)
    families = [generator.uniform(0.0, 0.2, 8) for _ in range(20)]
    report(
        "Holm",
        "statsmodels",
        (p for family in families for p in holm(list(family))),
        (p for family in families for p in multipletests(family, method="holm")[1]),
    )
    counts = [(wins, n) for n in (8, 12, 20, 40) for wins in range(n + 1)]
    ours = [improvement_interval(wins, 0, n) for wins, n in counts]
    report(
        "probability of improvement, no ties (Wilson)",
        "statsmodels",
        (end for each in ours for end in (each.low, each.high)),
        (end for wins, n in counts for end in proportion_confint(wins, n, method="wilson")),
    )
    cases = [(effect, n) for effect in (0.2, 0.4, 0.6) for n in (8, 20, 60)]
    report(
        "power, 3/pi of the pairs",
        "statsmodels (t-test)",
        (power_of(effect, n) for effect, n in cases),
        (TTestPower().power(effect, EFFICIENCY * n, 0.05, df=EFFICIENCY * n - 1.0) for effect, n in cases),
    )


def with_r(samples: Samples) -> None:
    if shutil.which("Rscript") is None:
        print("\nRscript is not installed: no comparison with R")
        return
    test = "wilcox.test(x, exact = TRUE, conf.int = TRUE)"
    report(
        "signed-rank p, no ties", "R", (signed_rank(x).p for x in samples), run_r(for_each(samples, f"{test}$p.value"))
    )
    shifts = [hodges_lehmann(sample) for sample in samples]
    report("shift", "R", (shift for shift, _ in shifts), run_r(for_each(samples, f"{test}$estimate")))
    report(
        "interval of the shift",
        "R",
        (end for _, interval in shifts for end in (interval.low, interval.high)),
        run_r(for_each(samples, f"{test}$conf.int")),
    )
    sides = "max(wilcox.test(x, mu = 1, alternative = 'less', exact = TRUE)$p.value, "
    sides += "wilcox.test(x, mu = -1, alternative = 'greater', exact = TRUE)$p.value)"
    report(
        "equivalence p, margin 1",
        "R, two one-sided tests",
        (equivalence_p(x, 1.0) for x in samples),
        run_r(for_each(samples, sides)),
    )
    families = [np.random.default_rng(5).uniform(0.0, 0.2, 8)]
    report("Holm", "R", holm(list(families[0])), run_r(for_each(families, "p.adjust(x, 'holm')")))
    sizes = [(methods, 10) for methods in range(3, 11)]
    code = "for (k in 3:10) cat(sprintf('%.17g', qtukey(0.95, k, Inf) / sqrt(2) * sqrt(k * (k + 1) / 60)), fill = TRUE)"
    report("critical difference", "R", (critical_difference(*size) for size in sizes), run_r(code))
    values = np.random.default_rng(6).normal(size=(15, 1))
    found = band(values, np.array([1.0]), "mean")
    report(
        "interval of a mean", "R", [found.low[0], found.high[0]], run_r(for_each([values[:, 0]], "t.test(x)$conf.int"))
    )
    wins = np.array([[0.0, 14.0, 9.5], [6.0, 0.0, 3.0], [10.5, 17.0, 0.0]])
    played = (wins + PRIOR) * (1.0 - np.eye(3))
    code = f"""
      one <- c(1, 1, 2); other <- c(2, 3, 3)
      won <- c({played[0, 1]}, {played[0, 2]}, {played[1, 2]})
      lost <- c({played[1, 0]}, {played[2, 0]}, {played[2, 1]})
      x <- matrix(0, 3, 3); x[cbind(1:3, one)] <- 1; x[cbind(1:3, other)] <- -1
      b <- c(suppressWarnings(coef(glm(cbind(won, lost) ~ x[, 1:2] - 1, family = binomial, epsilon = 1e-14))), 0)
      cat(sprintf('%.17g', {SCALE:.17g} * (b - mean(b))), sep = '\\n', fill = TRUE)
    """
    report("ratings (Bradley and Terry), points", "R (glm)", ratings(wins), run_r(code))


def with_baycomp() -> None:
    try:
        tests = importlib.import_module("baycomp")
    except ImportError:
        print("\nbaycomp is not installed: no comparison with it")
        return
    cases = [(np.random.default_rng(seed).normal(mean, 0.02, 12), 0.01) for seed, mean in enumerate((0.0, 0.01, 0.03))]
    ours, theirs = [], []
    for differences, margin in cases:
        found = signed_rank_posterior(differences, margin)
        ours += [found.better, found.equivalent, found.worse]
        higher, same, lower = tests.SignedRankTest.probs(differences, np.zeros(12), rope=margin, nsamples=50_000)
        theirs += [lower, same, higher]  # lower losses are better
    report("Bayesian signed-rank probabilities, random draws", "baycomp", ours, theirs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=100)
    count: int = parser.parse_args().samples
    row("number", "package", "compared", "largest difference")
    row("---", "---", "---:", "---:")
    samples, ties = untied(count), tied(count)
    tables: list[Callable[[], None]] = [
        lambda: with_scipy(samples, ties),
        with_statsmodels,
        lambda: with_r(samples),
        with_baycomp,
    ]
    for table in tables:
        table()


if __name__ == "__main__":
    main()
