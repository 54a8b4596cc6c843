"""The lines of `hpoctl compare` about pairs that interim analyses decide."""

import math

from hpoctl.analysis.comparison_model import BenchmarkComparison
from hpoctl.analysis.interim import InterimAnalysis
from hpoctl.analysis.shown import NOTHING, filled, text_of
from hpoctl.cli.words import many, p_text
from hpoctl.ops.launching.decided_pairs import DecidedPairs

SEQUENTIAL_TEST = (
    "Testing again after adding seeds raises the error rate from 5 to about 9 %. A group-sequential test on new seeds, "
    "with interim analyses that are fixed in advance, keeps 5 %:"
)


def repeated_interval(look: InterimAnalysis) -> str:
    """The repeated interval of an interim analysis; a dash where so few seeds bound nothing."""
    found = look.interval
    if found is None or (found.high == math.inf and found.low == -math.inf):
        return NOTHING
    return text_of(filled("{interval:.3g}", look, "look"))


def interim_lines(found: BenchmarkComparison, decided: DecidedPairs | None) -> list[str]:
    """The valid answers about pairs that interim analyses decide, and the command that continues."""
    if decided is None:
        return []
    looks, lines = ", ".join(map(str, decided.rules.looks)), []
    for pair in found.pairs:
        if decided.covers(pair, found.benchmark):
            answer = decided.answer(pair, found.benchmark)
            what = f"{pair.first} is {pair.verdict}"
            if pair.verdict in ("equivalent", "undecided"):
                what = "they are equivalent" if pair.verdict == "equivalent" else "it is undecided"
            looked = "no interim analysis has been made yet"
            if answer is not None:
                looked = f"{what} after {answer.look.seeds} seeds, p = {p_text(answer.look.p)}"
                looked += f" at a level of {p_text(answer.level)}"
                if answer.look.p_equivalent is not None and answer.level_equivalent is not None:
                    looked += f", that of a difference of {decided.rules.margin} or more "
                    looked += f"{p_text(answer.look.p_equivalent)} at a level of {p_text(answer.level_equivalent)}"
                looked += text_of(filled("; shift {estimate:.3g} (median-unbiased)", answer, "answer"))
                looked += f", repeated interval {repeated_interval(answer.look)}"
                looked += "; closed, as a decision had become unlikely" if answer.futile else ""
            lines.append(f"{pair.first} and {pair.second} are decided by interim analyses at {looks} seeds: {looked}.")
    if lines and decided.next_look is not None:
        lines += ["More interim analyses follow:", f"$ {decided.command}"]
    if lines and decided.seen:
        lines.append(
            f"{many(decided.seen, 'experiment')} of the pairs were complete before the interim analyses were fixed: if "
            "their results influenced the choice of the pairs, the answers are not valid."
        )
    return lines
