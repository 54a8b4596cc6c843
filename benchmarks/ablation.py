"""What the options of BO and MOBSTER are worth: final regret less that of the defaults, paired by seed.

    OPENBLAS_NUM_THREADS=1 python benchmarks/ablation.py --rows ablation.jsonl \
        --benchmark fcnet-protein fcnet-naval fcnet-parkinsons --table lcbench_189908.npz fcnet_like.npz

Runs what `--rows` does not hold yet and prints a line for each variant: the mean difference ± standard error on each
table, negative where the variant is better, and the mean over tables. Seeds 0 to 9 are those on which choices were
made: what is reported elsewhere is from others.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from regret import Conditions, run_one
from regret_rows import by_table, gaps_of, key_of, mean_and_error, ordered, read

VARIANTS: tuple[tuple[str, str, tuple[str, ...], int | None], ...] = (
    ("BO", "", (), None),
    ("BO", "8 random configurations at first, not 4", ("BO.num_initial=8",), None),
    ("BO", "16 random configurations at first", ("BO.num_initial=16",), None),
    ("BO", "model of at most 50 data, not 100", (), 50),
    ("BO", "model of at most 400 data", (), 400),
    ("MOBSTER", "", (), None),
    ("MOBSTER", "every rung trusted", ("MOBSTER.min_rank_correlation=-1",), None),
    ("MOBSTER", "rungs trusted from a rank correlation of .3 on, not .6", ("MOBSTER.min_rank_correlation=0.3",), None),
    ("MOBSTER", "no random suggestions, not every fourth", ("MOBSTER.random_every=0",), None),
    ("MOBSTER", "every eighth suggestion random", ("MOBSTER.random_every=8",), None),
    ("MOBSTER", "every second suggestion random", ("MOBSTER.random_every=2",), None),
    ("MOBSTER", "12 random configurations at first, not 6", ("MOBSTER.num_initial=12",), None),
    ("MOBSTER", "model of at most 60 data, not 150", (), 60),
    ("MOBSTER", "model of at most 300 data", (), 300),
)
"""Method, label, settings, and the number of data a model may have; the line without a label has the defaults."""


def mean_of_tables(gaps: list[np.ndarray]) -> str:
    """The mean over tables of mean differences, with its standard error; NaN unless each table has two seeds."""
    whole = all(len(gap) > 1 for gap in gaps)
    errors = [gap.std(ddof=1) / np.sqrt(len(gap)) for gap in gaps] if whole else []
    mean = np.mean([gap.mean() for gap in gaps]) if whole else np.nan
    return f"{mean:+.3f} ± {np.sqrt(np.square(errors).sum()) / len(gaps):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="file of results, a JSON object a line")
    parser.add_argument("--benchmark", nargs="*", default=[])
    parser.add_argument("--table", nargs="*", type=Path, default=[])
    parser.add_argument("--seeds", nargs=2, type=int, default=[0, 10], metavar=("FIRST", "END"))
    parser.add_argument("--only-print", action="store_true")
    options = parser.parse_args()
    tables = tuple(path.resolve() for path in options.table)
    names = [*options.benchmark, *(path.stem for path in tables)]
    done = read(options.rows)
    for method, label, settings, max_size_data in () if options.only_print else VARIANTS:
        conditions = Conditions(settings, max_size_data=max_size_data)
        for name in names:
            for seed in range(*options.seeds):
                known = {"table": name, "label": label, "method": method, "seed": seed}
                if key_of(known) not in done:
                    row = {**run_one(tables, name, method, seed, conditions), "label": label}
                    with options.rows.open("a") as file:
                        file.write(json.dumps(row) + "\n")
    print_table(ordered(read(options.rows).values()))


def print_table(rows: list[dict]) -> None:
    """A line for each variant."""
    tables = by_table(rows)
    print(f"| method | variant | {' | '.join(tables)} | all | CPU s |")
    print(f"|---|---|{'---|' * (len(tables) + 2)}")
    for method, label, _, _ in VARIANTS:
        name = f"{method} ({label})" if label else method
        seeds = [found[name] for found in tables.values() if name in found]
        if not seeds:
            continue
        cpu = np.mean([row["cpu"] for found in seeds for row in found.values()])
        if label:
            pairs = [(found[name], found[method]) if name in found else ({}, {}) for found in tables.values()]
            gaps = [gaps_of(*pair)[:, -1] for pair in pairs]
            overall = mean_of_tables(gaps)
            cells = [mean_and_error(gap, "+") for gap in gaps]
        else:
            finals = [np.array([row["regret"][-1] for row in found.values()]) for found in seeds]
            overall = f"{np.mean([final.mean() for final in finals]):.3f}"
            cells = [mean_and_error(final) for final in finals]
        print(f"| {method} | {label or 'defaults: final regret'} | {' | '.join(cells)} | {overall} | {cpu:.2f} |")


if __name__ == "__main__":
    main()
