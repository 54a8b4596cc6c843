"""`hpoctl compare`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hpoctl.cli.options import AsJson, Results
from hpoctl.cli.reading import EquivalentWithin, FamilyOption, Where, family_of, load_request, margin_of
from hpoctl.cli.status import BenchmarkFilter, SeedFilter
from hpoctl.core.errors import UsageError

if TYPE_CHECKING:
    from hpoctl.ops.answers.compare import ComparedTags
    from hpoctl.ops.studies.config import Root


def compare(
    method: Annotated[
        list[str] | None,
        typer.Argument(
            help="Methods, in the order in which they are judged. Default: all. Two: how many more seeds, too."
        ),
    ] = None,
    tag: Annotated[
        list[str] | None,
        typer.Option(help="Name of a study's results; repeatable, results are taken together. Required."),
    ] = None,
    benchmark: BenchmarkFilter = None,
    seed: SeedFilter = None,
    where: Where = None,
    at: Annotated[float, typer.Option(help="The share of the budget at which they are compared.")] = 1.0,
    full: Annotated[bool, typer.Option("--full", help="Show all tables, after the verdict.")] = False,
    family: FamilyOption = "benchmark",
    equivalent_within: EquivalentWithin = None,
    target: Annotated[
        list[float] | None,
        typer.Option(help="Measure run times to this value; repeatable. Default: quantiles of the values reached."),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text, markdown or latex.")] = "text",
    output: Annotated[Path | None, typer.Option(help="File to write, instead of showing it.")] = None,
    critical_difference: Annotated[
        Path | None,
        typer.Option(help="File for a diagram of the ranks over all benchmarks; .png, .svg or .pdf says the format."),
    ] = None,
    results: Results = None,
    as_json: AsJson = False,
) -> None:
    """Compare methods, paired by seed, per benchmark and over all: which differ, and which are undecided."""
    from hpoctl.cli.documents import FORMATS, render
    from hpoctl.cli.output import WIDTH_WHEN_PIPED, emit_json, out
    from hpoctl.ops.answers.compare import check_picture, write_ranks
    from hpoctl.ops.reading.written_files import check_file, write_file
    from hpoctl.ops.studies.config import open_root

    if not tag:
        raise UsageError("No tag is named.", "Name the results with --tag; `hpoctl status` lists all tags.")
    chosen = next((known for known in FORMATS if known == form), None)
    if chosen is None:
        raise UsageError(f"--format cannot be {form!r}.", f"Use one of {', '.join(FORMATS)}.")
    if as_json and (form != "text" or output is not None):
        raise UsageError(
            "--json does not go together with --format and --output.", "Leave them out, and send the output to a file."
        )
    if output is not None:
        check_file(output)
    if critical_difference is not None:
        check_picture(critical_difference)
    from hpoctl.analysis.comparison_model import CompareOptions
    from hpoctl.cli.compare_report import blocks, verdict
    from hpoctl.ops.answers.compare import compare

    load = load_request(tag, None, benchmark, seed, where, results)
    root = open_root(results)
    options = CompareOptions(
        at=at, family=family_of(family), margin=margin_of(equivalent_within), targets=tuple(target or ())
    )
    found = compare(load, method or (), options, root)
    if critical_difference is not None:
        write_ranks(found, critical_difference)
    if as_json:
        emit_json("compare", "success", _data(found))
        return
    text = blocks(found) if full or form != "text" or output is not None else verdict(found)
    if output is not None:
        write_file(output, render(text, chosen, WIDTH_WHEN_PIPED).encode())
    else:
        console = out()
        console.print(render(text, chosen, console.width), markup=False, soft_wrap=True, end="")
    _hints(found, root, full=full or output is not None)


def _hints(found: "ComparedTags", root: "Root", *, full: bool) -> None:
    """What to type next: all tables, or two methods that are undecided."""
    from hpoctl.analysis.findings import few_seeds
    from hpoctl.cli.output import hint
    from hpoctl.cli.words import many

    tags = [word for name in found.tags for word in ("--tag", name)]
    comparison = found.comparison
    if not full:
        hint(f"all tables: {root.command('compare', *tags, '--full')}")
    undecided = [
        pair
        for line in comparison.benchmarks
        for pair in line.pairs
        if pair.verdict == "undecided" and pair.p is not None
    ]
    if undecided and len(comparison.methods) > 2 and not few_seeds(comparison):
        pair = undecided[0]
        command = root.command("compare", pair.first, pair.second, *tags)
        hint(f"{many(len(undecided), 'pair')} undecided; how many more seeds one of them needs: {command}")


def _data(found: "ComparedTags") -> dict[str, Any]:
    """The comparison as plain values, beside what else is known of its tags."""
    from hpoctl.cli.output import plain

    data: dict[str, Any] = plain(found)
    return {**data.pop("comparison"), **data}
