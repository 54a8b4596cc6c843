"""The tables of docs/explanation/evidence.md, from the rows that the other scripts have made.

    python benchmarks/evidence.py --events rows/events.jsonl.gz --polled rows/polled.jsonl.gz

Prints, in Markdown: regrets by table, MOBSTER less ASHA paired by seed, incumbents of pools by original losses, hpoctl
less each peer, and the CPU seconds of whole experiments. `ablation.py` and `suggestion_cost.py` print theirs. Optuna's
samplers run in hpoctl and share its randomness, so they are paired by seed; Syne Tune draws other random
numbers.
"""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from regret_rows import SHARES, Seeds, by_table, gaps_of, mean_and_error, ordered, print_wide, read, regret_of

PEERS = (
    ("BO", "OPTUNA-TPE"),
    ("BO", "OPTUNA-GP"),
    ("BO", "Syne Tune BO"),
    ("ASHA", "Syne Tune ASHA"),
    ("MOBSTER", "Syne Tune MOBSTER"),
)
POOLS = ("fcnet-pool-protein", "fcnet-pool-naval", "fcnet-pool-parkinsons")
"""The tables whose configurations have four original final losses beside their own run."""

METHODS = ("RS", "ASHA", "BO", "MOBSTER", "OPTUNA-TPE")


def shares_line() -> str:
    """The head of a table with a column for each share of the budget."""
    return " | ".join(f"{share:.0%}".replace("%", " %") for share in SHARES)


def print_mobster_less_asha(clocks: dict[str, Sequence[dict]]) -> None:
    print(f"\n| clock | table | {shares_line()} |\n|---|---|{'---|' * len(SHARES)}")
    for clock, rows in clocks.items():
        for table, methods in by_table(rows).items():
            gaps = gaps_of(methods["MOBSTER"], methods["ASHA"])
            cells = [tidy(mean_and_error(gap, "+")) for gap in gaps.T]
            print(f"| {clock} | {table.split(',')[0]} | {' | '.join(cells)} |")


def print_incumbents(rows: Sequence[dict]) -> None:
    """The regret, at the end, of the mean of the four original final losses of the incumbent's configuration."""
    tables = by_table(rows)
    print(f"\n| table | {' | '.join(METHODS)} |\n|---|{'---|' * len(METHODS)}")
    for table in POOLS:
        finals = [np.array([row["original_regret"][-1] for row in tables[table][name].values()]) for name in METHODS]
        print(f"| {table} | {' | '.join(tidy(mean_and_error(final)) for final in finals)} |")


def print_peers(rows: Sequence[dict]) -> None:
    """What hpoctl's regrets are less than those of each peer: by table, and the mean of the tables."""
    tables = by_table(rows)
    print(f"\n| hpoctl less peer | table | peer's seeds | {shares_line()} |\n|---|---|---|{'---|' * len(SHARES)}")
    for own, peer in PEERS:
        found = {table: methods for table, methods in tables.items() if own in methods and peer in methods}
        compared = {table: less(methods[own], methods[peer], peer) for table, methods in found.items()}
        for table, (seeds, means, errors) in compared.items():
            cells = [signed(mean, error) for mean, error in zip(means, errors, strict=True)]
            print(f"| {own} less {peer} | {table.split(',')[0]} | {seeds} | {' | '.join(cells)} |")
        if len(compared) > 1:
            each = np.array([means for _, means, _ in compared.values()])
            cells = [tidy(mean_and_error(mean, "+")) for mean in each.T]
            total = sum(seeds for seeds, _, _ in compared.values())
            print(f"| {own} less {peer} | mean of {len(compared)} tables | {total} | {' | '.join(cells)} |")


def less(own: Seeds, peer: Seeds, name: str) -> tuple[int, np.ndarray, np.ndarray]:
    """How many seeds the peer has, and differences of means with their standard errors, for each share.

    Of an experiment that was ended early, the shares that it reached count.
    """
    if not name.startswith("Syne Tune"):
        gaps = gaps_of(own, peer)
        return len(gaps), gaps.mean(axis=0), error_of(gaps)
    ours, theirs = regret_of(own), regret_of(peer)
    reached = [column[np.isfinite(column)] for column in theirs.T]
    means = np.array([column.mean() if len(column) else np.nan for column in reached])
    errors = np.array([error_of(column[:, None])[0] for column in reached])
    return len(theirs), ours.mean(axis=0) - means, np.hypot(error_of(ours), errors)


def error_of(values: np.ndarray) -> np.ndarray:
    """Standard errors of means over the first axis; NaN for a single value."""
    single = len(values) < 2
    return np.full(values.shape[1], np.nan) if single else values.std(axis=0, ddof=1) / np.sqrt(len(values))


def signed(mean: float, error: float) -> str:
    if np.isnan(mean):
        return ""
    return tidy(f"{mean:+.3f}" if np.isnan(error) else f"{mean:+.3f} ± {error:.3f}")


def print_seconds(rows: Sequence[dict]) -> None:
    """The smallest and the largest mean of a table, in CPU seconds of an experiment."""
    tables = by_table(rows)
    names = dict.fromkeys(name for methods in tables.values() for name in methods)
    print("\n| method | CPU seconds of an experiment, means of tables |\n|---|---|")
    for name in names:
        means = [
            np.mean([row["cpu"] for row in methods[name].values()]) for methods in tables.values() if name in methods
        ]
        print(f"| {name} | {min(means):.2g} to {max(means):.2g} |")


def tidy(text: str) -> str:
    """Numbers below one without their zero."""
    return re.sub(r"(?<![\d.])([+-]?)0\.(\d{3})", r"\1.\2", text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    folder = Path(__file__).parent / "rows"
    parser.add_argument("--events", type=Path, default=folder / "events.jsonl.gz", help="rows of events at their time")
    parser.add_argument("--polled", type=Path, default=folder / "polled.jsonl.gz", help="rows polled every 5 s")
    options = parser.parse_args()
    events, polled = (ordered(read(path).values()) for path in (options.events, options.polled))
    for title, rows in (("Events at their own time", events), ("Polled every five seconds", polled)):
        print(f"\n## {title}")
        print_wide(rows)
        print_peers(rows)
        print_seconds(rows)
    print("\n## MOBSTER less ASHA")
    print_mobster_less_asha({"events": events, "polled": polled})
    print("\n## The incumbents of pools")
    print_incumbents(events)


if __name__ == "__main__":
    main()
