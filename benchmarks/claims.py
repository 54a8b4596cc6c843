"""What is decided: paired tests of hpoctl's methods beside others, with Holm's adjustment over all of a family.

    python benchmarks/claims.py                    # the rows that are in rows/
    python benchmarks/claims.py --unseen unseen.jsonl

Prints, in Markdown, the tables of docs/explanation/evidence.md that carry its claims. Two families, fixed before any
rows of the first one were compared:

* unseen: the tasks of `unseen.py`, on which nothing was ever chosen. The unit is a task: the mean over seeds of the
  difference in regret, signed-rank test over tasks, for each pair of methods at 25 and 100 % of the budget.
* seen: the tables on which choices were made, with other seeds. The unit is a seed: signed-rank test over seeds; for
  Syne Tune, whose seeds are others, the rank-sum test over experiments.

A claim is decided when its adjusted p is below 5 %. Regret on the unseen tasks is (best - value) / (best - typical):
typical is the median final accuracy of 2,000 random configurations, best the best accuracy that is known of the task,
of these and of all runs.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from regret_rows import SHARES, Seeds, by_table, gaps_of, lines_of, ordered, read, regret_of
from scipy.stats import mannwhitneyu

from hpoctl.analysis.paired import holm
from hpoctl.analysis.signed_rank import signed_rank
from hpoctl.core.space import FloatArray

LEVEL = 0.05
PLACES = (0, len(SHARES) - 1)
FEWEST = 6
"""Of fewer experiments a two-sided test cannot reach 5 %."""

UNSEEN_PAIRS = (
    *(("BO", other) for other in ("RS", "OPTUNA-TPE", "ASHA", "HYPERBAND")),
    *(("MOBSTER", other) for other in ("RS", "OPTUNA-TPE", "ASHA", "HYPERBAND", "BO")),
)
PART_PAIRS = (("BO", "OPTUNA-GP"), ("MOBSTER", "OPTUNA-GP"))
"""Pairs with a method that ran on some of the unseen tasks only: tested over the seeds of each task."""

EVENT_PAIRS = (("BO", "RS"), ("BO", "OPTUNA-TPE"), ("BO", "OPTUNA-GP"), ("MOBSTER", "RS"), ("MOBSTER", "ASHA"))
POLLED_PAIRS = (("BO", "Syne Tune BO"), ("MOBSTER", "Syne Tune MOBSTER"))


@dataclass(frozen=True)
class Test:
    """One comparison: differences in regret, negative where the first method is better.

    Attributes:
        pair: The two methods.
        place: Where they were compared: a table, or all tasks.
        share: The share of the budget.
        counts: How many units of each there are.
        mean: The mean difference.
        error: Its standard error.
        p: Of the two-sided test.
    """

    pair: tuple[str, str]
    place: str
    share: float
    counts: tuple[int, int]
    mean: float
    error: float
    p: float


Regrets = dict[int, dict[str, dict[int, FloatArray]]]
"""Of each task, method and seed the regrets at the shares, shape (4,)."""


def unseen_regrets(rows: Iterable[dict], budget: float) -> Regrets:
    """Regrets of the runs with one budget; what is known of a task comes from all its rows."""
    scales: dict[int, dict] = {}
    runs: list[dict] = []
    for row in rows:
        if row.get("kind") == "scale":
            scales[row["task"]] = row
        else:
            runs.append(row)
    best = {task: scale["best"] for task, scale in scales.items()}
    for row in runs:
        best[row["task"]] = max([best[row["task"]], *(value for value in row["best"] if value is not None)])
    found: Regrets = defaultdict(lambda: defaultdict(dict))
    for row in runs:
        if row["budget"] == budget:
            known, task = best[row["task"]], row["task"]
            values = np.array([np.nan if value is None else value for value in row["best"]])
            found[task][row["method"]][row["seed"]] = (known - values) / (known - scales[task]["typical"])
    return found


def complete(regrets: Regrets, methods: Sequence[str]) -> Regrets:
    """What is left when only seeds count that all tasks and methods have."""
    seeds = set.intersection(*(set(task.get(method, {})) for task in regrets.values() for method in methods))
    return {
        task: {method: {seed: found[method][seed] for seed in sorted(seeds)} for method in methods}
        for task, found in regrets.items()
    }


def unseen_tests(regrets: Regrets) -> list[Test]:
    """The tests over tasks."""
    tests = []
    for own, other in UNSEEN_PAIRS:
        gaps = np.array(
            [
                np.mean([found[own][seed] - found[other][seed] for seed in found[own]], axis=0)
                for found in regrets.values()
            ]
        )
        tests += [paired_test((own, other), f"{len(gaps)} tasks", place, gaps[:, place]) for place in PLACES]
    return tests


def part_tests(regrets: Regrets) -> tuple[list[Test], list[str]]:
    """The tests over the seeds of the tasks on which both methods of a pair ran, and what has too few for one."""
    tests: list[Test] = []
    too_few: list[str] = []
    for own, other in PART_PAIRS:
        for task, found in regrets.items():
            gaps = np.array([found[own][seed] - each for seed, each in found[other].items() if seed in found[own]])
            for place in PLACES if len(gaps) else ():
                if len(gaps) < FEWEST:
                    too_few.append(lacking((own, other), f"task {task}", place, len(gaps)))
                else:
                    tests.append(paired_test((own, other), f"task {task}", place, gaps[:, place]))
    return tests, too_few


def paired_test(pair: tuple[str, str], name: str, place: int, gaps: FloatArray) -> Test:
    """A signed-rank test of differences."""
    error = float(gaps.std(ddof=1) / np.sqrt(len(gaps)))
    return Test(pair, name, SHARES[place], (len(gaps),) * 2, float(gaps.mean()), error, signed_rank(gaps).p)


def rank_sum_test(pair: tuple[str, str], name: str, place: int, own: FloatArray, other: FloatArray) -> Test:
    """A rank-sum test of two samples that have nothing to do with each other."""
    error = float(np.hypot(*(part.std(ddof=1) / np.sqrt(len(part)) for part in (own, other))))
    p = float(mannwhitneyu(own, other).pvalue)
    return Test(pair, name, SHARES[place], (len(own), len(other)), float(own.mean() - other.mean()), error, p)


def seen_tests(events: Iterable[dict], polled: Iterable[dict]) -> tuple[list[Test], list[str]]:
    """The tests on each table, and what has too few runs for one."""
    tests: list[Test] = []
    too_few: list[str] = []
    for rows, pairs, test in ((events, EVENT_PAIRS, by_seed), (polled, POLLED_PAIRS, by_experiment)):
        tables = by_table(ordered(rows))
        for own, other in pairs:
            for name, methods in tables.items():
                if other not in methods:
                    continue
                for place in PLACES:
                    found = test((own, other), name.split(",")[0], place, methods[own], methods[other])
                    if isinstance(found, Test):
                        tests.append(found)
                    else:
                        too_few.append(found)
    return tests, too_few


def by_seed(pair: tuple[str, str], name: str, place: int, own: Seeds, other: Seeds) -> Test | str:
    gaps = gaps_of(own, other)[:, place]
    if len(gaps) < FEWEST:
        return lacking(pair, name, place, len(gaps))
    return paired_test(pair, name, place, gaps)


def by_experiment(pair: tuple[str, str], name: str, place: int, own: Seeds, other: Seeds) -> Test | str:
    ours, theirs = (regret_of(seeds)[:, place] for seeds in (own, other))
    theirs = theirs[np.isfinite(theirs)]
    if len(theirs) < FEWEST:
        return lacking(pair, name, place, len(theirs))
    return rank_sum_test(pair, name, place, ours, theirs)


def lacking(pair: tuple[str, str], name: str, place: int, count: int) -> str:
    return f"{' and '.join(pair)} on {name} at {SHARES[place]:.0%}: {count} runs"


def print_tests(tests: Sequence[Test]) -> None:
    """A line for each test, with its adjusted p."""
    print("| method | beside | on | share of budget | runs | difference in regret | p | adjusted p | decided |")
    print("|---|---|---|---|---|---|---|---|---|")
    for test, adjusted in zip(tests, holm([test.p for test in tests]), strict=True):
        first, second = test.counts
        counts = f"{first}" if first == second else f"{first}, {second}"
        print(
            f"| {test.pair[0]} | {test.pair[1]} | {test.place} | {percent(test.share)} | {counts} "
            f"| {test.mean:+.3f} ± {test.error:.3f} | {shown(test.p)} | {shown(adjusted)} | {verdict(test, adjusted)} |"
        )


def verdict(test: Test, adjusted: float) -> str:
    if adjusted >= LEVEL:
        return "undecided"
    return "better" if test.mean < 0 else "worse"


def print_counts(tests: Sequence[Test]) -> None:
    """How many tables decide each pair, and how."""
    counts: dict[tuple[tuple[str, str], float], list[str]] = defaultdict(list)
    for test, adjusted in zip(tests, holm([test.p for test in tests]), strict=True):
        counts[test.pair, test.share].append(verdict(test, adjusted))
    print("| method | beside | share of budget | tables | better | undecided | worse |\n|---|---|---|---|---|---|---|")
    for (pair, share), words in counts.items():
        cells = [str(words.count(word)) for word in ("better", "undecided", "worse")]
        print(f"| {pair[0]} | {pair[1]} | {percent(share)} | {len(words)} | {' | '.join(cells)} |")


def print_regrets(regrets: Regrets, methods: Sequence[str], place: int) -> None:
    """Mean regrets of the tasks with standard errors over seeds, and the mean of tasks with that over tasks."""
    print(f"| task | {' | '.join(methods)} |\n|---|{'---|' * len(methods)}")
    means: dict[str, list[float]] = {method: [] for method in methods}
    for task, found in regrets.items():
        cells = []
        for method in methods:
            values = np.array([each[place] for each in found[method].values()])
            means[method].append(float(values.mean()))
            cells.append(mean_and_error(values))
        print(f"| {task} | {' | '.join(cells)} |")
    print(f"| mean of tasks | {' | '.join(mean_and_error(np.array(each)) for each in means.values())} |")


def mean_and_error(values: FloatArray) -> str:
    if len(values) < 2:
        return f"{values.mean():.3f}"
    return f"{values.mean():.3f} ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


def percent(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def shown(p: float) -> str:
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = Path(__file__).parent / "rows"
    parser.add_argument("--unseen", type=Path, default=folder / "unseen.jsonl.gz", help="rows of unseen.py")
    parser.add_argument("--budget", type=float, default=1800.0, help="which rows of unseen.py are tested")
    parser.add_argument("--events", type=Path, default=folder / "events.jsonl.gz", help="rows of events at their time")
    parser.add_argument("--polled", type=Path, default=folder / "polled.jsonl.gz", help="rows polled every 5 s")
    options = parser.parse_args()
    methods = list(dict.fromkeys(name for pair in UNSEEN_PAIRS for name in reversed(pair)))
    every = unseen_regrets(lines_of(options.unseen), options.budget)
    regrets = complete(every, methods)
    seeds = len(next(iter(next(iter(regrets.values())).values())))
    print(f"\n## Unseen tasks: {len(regrets)} tasks, {seeds} seeds, budget {options.budget:,.0f} s\n")
    for place in PLACES:
        print(f"\nRegret at {percent(SHARES[place])} of the budget:\n")
        print_regrets(regrets, methods, place)
    print("\nTests over tasks:\n")
    print_tests(unseen_tests(regrets))
    tests, lacking_runs = part_tests(every)
    print("\nTests over the seeds of a task, a family by itself:\n")
    if tests:
        print_tests(tests)
    print("\nToo few runs for a test: " + ("; ".join(lacking_runs) or "none") + ".")
    tests, too_few = seen_tests(read(options.events).values(), read(options.polled).values())
    print("\n## Tables that choices were made on\n")
    print_counts(tests)
    print("\n")
    print_tests(tests)
    print("\nToo few runs for a test: " + "; ".join(too_few) + ".")


if __name__ == "__main__":
    main()
