"""The critical-difference diagram of `hpoctl compare`."""

from pathlib import Path

from hpoctl.analysis.critical_difference import RanksPicture, draw_ranks, ordered
from hpoctl.analysis.drawing import figure_format
from hpoctl.analysis.findings import rank_notes
from hpoctl.analysis.shown import text_of
from hpoctl.core.errors import UsageError
from hpoctl.ops.answers.compare import ComparedTags
from hpoctl.ops.reading.written_files import check_folder, write_file


def check_picture(path: Path) -> None:
    """Refuse a file that no picture can go to, before any work is done.

    Raises:
        UsageError: Its suffix is no format, or there is no such folder.
    """
    figure_format(path)
    check_folder(path)


def write_ranks(found: ComparedTags, path: Path) -> None:
    """Draw the mean ranks over all benchmarks, with what the test can show.

    Raises:
        UsageError: There are not two methods that have two benchmarks in common, or matplotlib is missing.
        HpoctlError: The file cannot be written.
    """
    overall = found.comparison.overall
    if overall is None:
        raise UsageError(
            "There are no ranks: that takes two methods that have two benchmarks in common.",
            "Leave --critical-difference out, or name more --benchmark.",
        )
    names, ranks = ordered([line.method for line in overall.methods], overall.ranks)
    seeds = ", ".join(f"{name} ({count} seeds)" for name, count in zip(overall.benchmarks, overall.seeds, strict=True))
    notes = [text_of(note) for note in rank_notes(overall, "overall")]
    if ranks.friedman_p is not None:
        notes.append(f"Friedman's test over benchmarks, by permutation: p = {ranks.friedman_p:.2g}.")
    notes += [
        f"Bars join methods that Nemenyi's test at {100 * found.comparison.level:g} % does not separate.",
        f"Ranks by the median over the seeds that all methods have: {seeds}.",
        *overall.left_out,
        *([f"Data of {', '.join(found.modelled)}: modelled curves, not measured ones."] if found.modelled else []),
    ]
    at = "" if found.comparison.at == 1.0 else f" at {100 * found.comparison.at:g} % of the budget"
    title = f"{', '.join(found.tags)}: mean ranks over benchmarks{at}, 1 is the best"
    write_file(path, draw_ranks(RanksPicture(title, names, ranks, notes), figure_format(path)))
