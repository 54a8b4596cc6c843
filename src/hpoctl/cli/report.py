"""`hpoctl report`."""

from pathlib import Path
from typing import Annotated

import typer

from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.reading import EquivalentWithin, FamilyOption, Running, Tags, Where, family_of, load_request, margin_of
from hpoctl.cli.status import BenchmarkFilter, MethodFilter, SeedFilter


def report(
    tag: Tags,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write, such as x.html. Default: report-TAG.html.")
    ] = None,
    method: MethodFilter = None,
    benchmark: BenchmarkFilter = None,
    seed: SeedFilter = None,
    where: Where = None,
    family: FamilyOption = "benchmark",
    equivalent_within: EquivalentWithin = None,
    running: Running = False,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Write a report of a study: one HTML file that opens offline."""
    from hpoctl.analysis.comparison_model import CompareOptions
    from hpoctl.cli.output import emit_json, hint, out, plain
    from hpoctl.cli.plot_report import print_skipped, skipped_json
    from hpoctl.cli.words import size_text
    from hpoctl.ops.answers.report import write_report

    load = load_request(tag, method, benchmark, seed, where, results, unfinished=running)
    options = CompareOptions(family=family_of(family), margin=margin_of(equivalent_within))
    written = write_report(load, output, options)
    if as_json:
        skipped = [skipped_json(entry) for entry in written.skipped]
        emit_json("report", "success", {**plain(written), "skipped": skipped})
        return
    console = out()
    for sentence in written.summary:
        console.print(f"* {sentence}", markup=False, emoji=False)
    print_skipped(written.skipped)
    console.print(
        f"wrote {written.path}, {size_text(written.size)}; {written.numbers:,} of {written.numbers:,} numbers on it "
        "recomputed from the data in it",
        soft_wrap=True,
        markup=False,
    )
    hint(f"open {written.path} in any browser; it needs no network")
