"""Final rung sizes of ASHA and its variants on fcnet-protein over 20 seeds, beside the published ones.

    python benchmarks/rung_sizes.py [--seeds 20] [--random-seed 0]

Prints a table for the reference's clock (it looks at the trials every 5 simulated seconds) and one for events at
their own time, in Markdown.
"""

import argparse
from statistics import median

from hpoctl.builtins import open_registry
from hpoctl.core.entries import ExtraResults
from hpoctl.core.settings import Settings
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.testing.methods import run_spec

METHODS = ("ASHA", "ASHA-TANH", "ASHA-RELU")
LEVELS = (1, 3, 9, 27, 81)
PUBLISHED = {  # the original table, promotion type, 4 workers, 20 seeds: minimum and maximum
    "ASHA": ("501-837", "185-287", "73-106", "30-49", "13-29"),
    "ASHA-TANH": ("644-916", "211-311", "86-120", "37-53", "14-23"),
    "ASHA-RELU": ("397-817", "140-277", "60-101", "29-45", "13-24"),
}


def final_sizes(method: str, seed: int, random_seed: int, poll_interval: float) -> list[int]:
    """The number of entries at each level when the experiment ends."""
    registry = open_registry()
    composer: ExtraResults = registry.extra_result("rung-levels")
    settings = Settings(poll_interval=poll_interval)
    benchmark = registry.benchmark("fcnet-protein")
    method_entry = registry.method(method)
    rows = run_spec(ExperimentSpec("rungs", method_entry, benchmark, seed, random_seed, settings, (composer,)))
    return [int(rows.extra[f"num_at_level{level}"][-1]) for level in LEVELS]


def print_table(poll_interval: float, seeds: int, random_seed: int) -> None:
    """One table: minimum-maximum (median) of each level, and the published range below it."""
    print(f"\nPolling every {poll_interval:g} s" if poll_interval else "\nEvents at their own time (the default)")
    print("\n| method | | " + " | ".join(f"level {level}" for level in LEVELS) + " |")
    print("|---|---|" + "---|" * len(LEVELS))
    for method in METHODS:
        sizes = [final_sizes(method, seed, random_seed, poll_interval) for seed in range(seeds)]
        columns = list(zip(*sizes, strict=True))
        cells = [f"{min(column)}-{max(column)} ({median(column):g})" for column in columns]
        print(f"| {method} | hpoctl | " + " | ".join(cells) + " |")
        if poll_interval:
            print("| | published | " + " | ".join(PUBLISHED[method]) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--random-seed", type=int, default=0)
    options = parser.parse_args()
    print(f"fcnet-protein, {options.seeds} seeds, random seed {options.random_seed}: minimum-maximum (median)")
    for poll_interval in (5.0, 0.0):
        print_table(poll_interval, options.seeds, options.random_seed)


if __name__ == "__main__":
    main()
