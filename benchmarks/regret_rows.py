"""Rows of results of `regret.py` and `peers.py`: read, grouped by table and method, compared by seed, and printed."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from hpoctl.core.space import FloatArray

SHARES = (0.25, 0.5, 0.75, 1.0)
"""The shares of the budget at which regrets are taken."""


def read(path: Path) -> dict[tuple[object, ...], dict]:
    """The rows of a file, which may be packed (.gz), by their keys."""
    return {key_of(row): row for row in lines_of(path)}


def lines_of(path: Path) -> list[dict]:
    """The JSON objects of a file, one a line, which may be packed (.gz); none if there is no such file."""
    if not path.exists():
        return []
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        return [json.loads(line) for line in file if line.strip()]


def key_of(row: dict) -> tuple[object, ...]:
    """What an experiment is known by."""
    return *(row[name] for name in ("table", "label", "method", "seed")), row.get("budget"), row.get("poll_interval")


def table_of(row: dict) -> str:
    """The table and the conditions under which methods met it: what is compared with each other."""
    budget = f", {row['budget']:,.0f} s" if "budget" in row else ""
    return row["table"] + budget + (f", polled every {row['poll_interval']:g} s" if "poll_interval" in row else "")


Seeds = dict[int, dict]
"""The row of each seed."""


def by_table(rows: Sequence[dict]) -> dict[str, dict[str, Seeds]]:
    """Rows by table, method and seed; a label makes another method."""
    found: dict[str, dict[str, Seeds]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        name = row["method"] + (f" ({row['label']})" if row["label"] else "")
        found[table_of(row)][name][row["seed"]] = row
    return found


def regret_of(seeds: Seeds) -> FloatArray:
    """Regrets, shape (seeds, shares); NaN where an experiment has not come so far."""
    return np.array([row["regret"] for row in seeds.values()])


def gaps_of(seeds: Seeds, others: Seeds) -> FloatArray:
    """Differences of regrets from another method's with the same seed, shape (seeds that both have, shares)."""
    shared = [seed for seed in seeds if seed in others]
    gaps = [np.subtract(seeds[seed]["regret"], others[seed]["regret"]) for seed in shared]
    return np.array(gaps).reshape(-1, len(SHARES))


def print_tables(rows: Sequence[dict], reference: str) -> None:
    """Mean regrets with standard errors, mean ranks, CPU; and paired differences from a reference."""
    tables = by_table(rows)
    shares = " | ".join(f"{share:.0%}".replace("%", " %") for share in SHARES)
    print(f"| table | method | seeds | {shares} | mean rank | incumbent's mean | trials | CPU s |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for table, methods in tables.items():
        ranks = mean_ranks(methods)
        for name, seeds in methods.items():
            regret = regret_of(seeds)
            cells = [
                *(mean(column) for column in regret.T[:-1]),
                mean_and_error(regret[:, -1]),
                f"{ranks[name]:.2f}",
                mean(np.array([row["mean_regret"][-1] for row in seeds.values()])),
                f"{np.mean([row['trials'] for row in seeds.values()]):.0f}",
                f"{np.mean([row['cpu'] for row in seeds.values()]):.2f}",
            ]
            print(f"| {table} | {name} | {counted(regret)} | {' | '.join(cells)} |")
    print(f"\nRegret less that of {reference} with the same seed, mean ± standard error:\n")
    print(f"| table | method | seeds | {shares} |")
    print("|---|---|---|---|---|---|---|")
    for table, methods in tables.items():
        for name, seeds in methods.items():
            gaps = gaps_of(seeds, methods.get(reference, {}))
            if len(gaps) and name != reference:
                print(
                    f"| {table} | {name} | {counted(gaps)} | {' | '.join(mean_and_error(gap, '+') for gap in gaps.T)} |"
                )


def print_wide(rows: Sequence[dict]) -> None:
    """A line for each table, a column for each method: regrets at the first share and at the end."""
    tables = by_table(rows)
    names = list(dict.fromkeys(name for methods in tables.values() for name in methods))
    for place in (0, -1):
        print(f"\nAt {SHARES[place]:.0%} of the budget, mean ± standard error:\n".replace("%", " %"))
        print(f"| table | {' | '.join(names)} |\n|---|{'---|' * len(names)}")
        for table, methods in tables.items():
            usual = max(len(seeds) for seeds in methods.values())
            cells = [wide_cell(regret_of(methods[name])[:, place], usual) if name in methods else "" for name in names]
            print(f"| {table} | {' | '.join(cells)} |")


def wide_cell(regret: FloatArray, usual: int) -> str:
    """A mean with its error, and the number of seeds if it is not the usual one."""
    count = int(np.isfinite(regret).sum())
    return mean_and_error(regret) + (f" (n = {count})" if count != usual else "")


def counted(regret: FloatArray) -> str:
    """How many seeds there are, and how many of them have come to the end of the budget."""
    done = int(np.isfinite(regret[:, -1]).sum())
    return str(done) if done == len(regret) else f"{len(regret)}, {done} to the end"


def mean(values: FloatArray) -> str:
    """The mean of what is there."""
    values = values[np.isfinite(values)]
    return f"{values.mean():.3f}" if len(values) else "-"


def mean_and_error(values: FloatArray, sign: str = "") -> str:
    """A mean with its standard error."""
    values = values[np.isfinite(values)]
    if len(values) < 2:
        return f"{values[0]:{sign}.3f}" if len(values) else "-"
    return f"{values.mean():{sign}.3f} ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


def mean_ranks(methods: dict[str, dict[int, dict]]) -> dict[str, float]:
    """The mean rank of each method over the seeds that all of them have; equal regrets share their ranks."""
    shared = sorted(set.intersection(*(set(seeds) for seeds in methods.values())))
    finals = np.array([[seeds[seed]["regret"][-1] for seed in shared] for seeds in methods.values()])
    ranks = rankdata(finals, axis=0).mean(axis=1) if shared else np.full(len(methods), np.nan)
    return dict(zip(methods, ranks.tolist(), strict=True))


def ordered(rows: Iterable[dict]) -> list[dict]:
    """Rows by table, conditions, method and seed; methods in the order of their names, hpoctl's own first."""
    own = ["RS", "ASHA", "BO", "MOBSTER"]
    place = {method: number for number, method in enumerate(own)}
    return sorted(
        rows,
        key=lambda row: (
            table_of(row), place.get(row["method"], len(own)), row["method"], row["label"], row["seed"]
        ),
    )  # fmt: skip
