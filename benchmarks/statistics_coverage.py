"""Simulated coverage of the intervals of `hpoctl compare`, and type I error rates and power of its tests.

    python benchmarks/statistics_coverage.py [--repeats 10000] [--only tests,improvement,speed]

Prints the tables of docs/explanation/statistics.md, in Markdown; a section at a time with --only. Each table says how
many repetitions it is of.
"""

import argparse
from collections.abc import Callable
from functools import partial

from coverage_benchmarks import bayes, overall, scores
from coverage_curves import bands, speeds
from coverage_families import evidence, families
from coverage_more_seeds import needed
from coverage_pairs import equivalence, improvement, powers, shifts, tests
from coverage_rankings import COMMON, VARIED, rankings

SECTIONS: dict[str, Callable[[int], None]] = {
    "tests": tests,
    "shifts": shifts,
    "improvement": improvement,
    "speed": speeds,
    "equivalence": equivalence,
    "bayes": bayes,
    "more": needed,
    "overall": overall,
    "ranks-here": partial(rankings, "these benchmarks", 0.0, 0.0),
    "ranks-common": partial(rankings, "these benchmarks, where half of the noise of a seed is common", 0.0, COMMON),
    "ranks-alike": partial(rankings, "benchmarks like these", VARIED, 0.0),
    "scores": scores,
    "bands": bands,
    "families": families,
    "evidence": evidence,
    "power": powers,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10_000)
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"sections: {', '.join(SECTIONS)}")
    arguments = parser.parse_args()
    for name in arguments.only.split(","):
        SECTIONS[name](arguments.repeats)


if __name__ == "__main__":
    main()
