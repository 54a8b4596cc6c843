"""What `hpoctl compare` says of pairs that are decided in looks, and of the way to decide in looks."""

from hpoctl.analysis.comparison_model import BenchmarkComparison
from hpoctl.cli.words import many, p_text
from hpoctl.ops.launching.decided_pairs import DecidedPairs

VALID_WAY = (
    "To test again after more seeds raises the chance of a wrong call from 5 to about 8 %. A test of its own with new "
    "seeds, added in looks that are settled beforehand until it is decided, keeps 5 %:"
)


def looks_lines(found: BenchmarkComparison, decided: DecidedPairs | None) -> list[str]:
    """The answers that hold of pairs that were decided in looks, and how to go on."""
    if decided is None:
        return []
    looks, lines = ", ".join(map(str, decided.looks)), []
    for pair in found.pairs:
        if decided.covers(pair, found.benchmark):
            answer = decided.answer(pair, found.benchmark)
            what = f"{pair.first} is {pair.verdict}" if pair.verdict != "undecided" else "it is undecided"
            looked = "there has been no look yet"
            if answer is not None:
                looked = f"{what} after {answer.look.seeds} seeds, p = {p_text(answer.look.p)} at a level of "
                looked += p_text(answer.level)
            lines.append(f"{pair.first} and {pair.second} are decided in looks at {looks} seeds: {looked}.")
    if lines and decided.next_look is not None:
        lines += ["The looks are not over:", f"$ {decided.command}"]
    if lines and decided.seen:
        lines.append(
            f"{many(decided.seen, 'experiment')} of the pairs were complete before the looks were settled: if they "
            "were looked at to choose the pairs, the answers do not hold."
        )
    return lines
