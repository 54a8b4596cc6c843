"""`hpoctl report`: one HTML file of one or several tags that opens anywhere, checked before it is written."""

import shlex
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hpoctl.analysis.comparison_model import CompareOptions
from hpoctl.analysis.report import report_page, summary
from hpoctl.analysis.report_check import check_page
from hpoctl.analysis.report_data import Costs, Experiment, LeftOut, ReportData, Rungs
from hpoctl.analysis.report_model import report_model
from hpoctl.analysis.shown import text_of
from hpoctl.core.cells import Cell
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.metadata import Metadata
from hpoctl.ops.answers.report_provenance import commands_of, facts_of
from hpoctl.ops.launching.decided_pairs import decided_pairs
from hpoctl.ops.reading.load_extras import read_extras
from hpoctl.ops.reading.load_traces import Loaded, load_each, read_trace
from hpoctl.ops.reading.read_columns import no_value
from hpoctl.ops.reading.results_of_tags import LoadRequest
from hpoctl.ops.reading.tag_contents import OPEN, FoundResult, Skipped, failed_experiments
from hpoctl.ops.reading.trace_cache import Record, TraceCache
from hpoctl.ops.reading.written_files import check_file, write_file
from hpoctl.ops.studies.config import open_root
from hpoctl.ops.studies.seed_ranges import seeds_text

SUFFIXES = (".html", ".htm")

RUNGS = "num_at_level"
"""How the columns of the composer `rung-levels` begin; the level follows."""

RUNG_STEP = 5
"""Every fifth of the times at which extra results are known is enough for counts."""


@dataclass(frozen=True, slots=True)
class StudyReport:
    """What was written.

    Attributes:
        path: The file.
        size: Its bytes.
        tags: The tags.
        experiments: How many experiments it is of.
        wanted: How many were asked for.
        numbers: How many numbers stand on it; each was computed again from the data in it.
        summary: What it says, a sentence each.
        skipped: What was not read.
    """

    path: str
    size: int
    tags: tuple[str, ...]
    experiments: int
    wanted: int
    numbers: int
    summary: tuple[str, ...]
    skipped: tuple[Skipped, ...]


def write_report(load: LoadRequest, output: Path | None = None, options: CompareOptions | None = None) -> StudyReport:
    """Write the report; equal results give equal bytes.

    Args:
        load: Which results.
        output: The file; None: `report-TAG.html` in the present folder.
        options: How methods are compared: the family and the margin of equivalence.

    Raises:
        UsageError: A tag, filter, suffix or folder is wrong, or results do not go together.
        IncompleteError: There is nothing to report.
        HpoctlError: Results cannot be read, the file cannot be written, or the page would show a number that its
            data do not confirm.
    """
    output = output or Path(f"report-{'-'.join(dict.fromkeys(load.tags))}.html")
    if output.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{output} is no name of a web page.", "Use a name that ends in .html.")
    check_file(output)
    data, skipped = collect_report(load, options or CompareOptions())
    if not any(len(each.trace.times) for each in data.experiments):
        raise no_value()
    model = report_model(data)
    page = report_page(data, model)
    checked = check_page(page)
    if checked.wrong:
        raise HpoctlError(
            f"{len(checked.wrong)} of {checked.numbers} numbers of the page are not what its data say, such as "
            f"{checked.wrong[0]}.",
            "Nothing was written; this is a fault of hpoctl, please report it.",
        )
    written = page.encode()
    write_file(output, written)
    return StudyReport(
        path=str(output),
        size=len(written),
        tags=data.tags,
        experiments=len(data.experiments),
        wanted=model.totals.wanted,
        numbers=checked.numbers,
        summary=tuple(text_of(sentence) for sentence in summary(data, model)),
        skipped=skipped,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """An experiment with its metadata."""

    experiment: Experiment
    metadata: Metadata


def collect_report(load: LoadRequest, options: CompareOptions) -> tuple[ReportData, tuple[Skipped, ...]]:
    """All that a report of some results follows from, and what is left out.

    Raises:
        UsageError: A tag or condition is invalid, or a filter matches no experiment of the tags.
        IncompleteError: There is nothing of a tag, or no completed experiment fits.
        HpoctlError: The store cannot be read.
    """
    loaded = load_each(load, _read)
    root = open_root(load.results, load.folder)
    in_looks, notes = decided_pairs(root, load.tags, whole=load.every_seed)
    experiments = tuple(each.experiment for each in loaded.traces)
    lacking = _lacking(loaded, experiments)
    cells = [_cell(each) for each in experiments] + list(lacking)
    methods = tuple(dict.fromkeys(cell.method for cell in cells))
    benchmarks = tuple(dict.fromkeys(cell.benchmark for cell in cells))
    wanted = Counter((cell.benchmark, cell.method) for cell in cells)
    data = ReportData(
        tags=tuple(dict.fromkeys(load.tags)),
        methods=methods,
        benchmarks=benchmarks,
        experiments=experiments,
        wanted=tuple(tuple(wanted[benchmark, method] for method in methods) for benchmark in benchmarks),
        panels=_panels(loaded, experiments),
        modelled=loaded.modelled,
        notes=(*loaded.notes, *notes),
        left_out=tuple(_left_out(loaded.skipped, root.store.location(""))),
        provenance=tuple(facts_of([(each.experiment.trace, each.metadata) for each in loaded.traces])),
        repeat=(*commands_of(each.metadata for each in loaded.traces), _own_command(load, options)),
        failed=failed_experiments(loaded.skipped),
        family=options.family,
        margin=None if options.margin is None else str(options.margin),
        interim=None if in_looks is None else in_looks.verdicts,
    )
    return data, loaded.skipped


def _read(found: FoundResult, cache: TraceCache, name: str) -> _Read:
    trace = read_trace(found, cache, name)
    results = found.metadata.results_sha256 or ""
    complete = found.so_far is None
    rungs = _rungs(read_extras(found, cache)) if complete else None
    costs = Costs(
        trials=found.metadata.trials,
        rows=found.metadata.rows,
        decision=found.metadata.decision_seconds,
        cpu=found.metadata.cpu_seconds,
        wall=found.metadata.wall_seconds,
    )
    return _Read(Experiment(trace, results, costs, rungs, complete), found.metadata)


def _rungs(record: Record) -> Rungs | None:
    rows = {
        int(level): values
        for name, values in zip(record.names, record.values, strict=True)
        if (level := name.removeprefix(RUNGS)).isdecimal() and name.startswith(RUNGS)
    }
    if not rows:
        return None
    levels = tuple(sorted(rows))
    counts = np.stack([rows[level][RUNG_STEP - 1 :: RUNG_STEP] for level in levels])
    return Rungs(levels, np.nan_to_num(counts))


def _cell(each: Experiment) -> Cell:
    return Cell(each.trace.method, each.trace.benchmark, each.trace.seed)


def _lacking(loaded: Loaded[_Read], experiments: Iterable[Experiment]) -> dict[Cell, None]:
    """The experiments that lack a result."""
    done = {_cell(each) for each in experiments}
    cells = (entry.cell for entry in loaded.skipped if entry.kind in OPEN and entry.cell is not None)
    return dict.fromkeys(cell for cell in cells if cell not in done)


def _panels(loaded: Loaded[_Read], experiments: Iterable[Experiment]) -> dict[str, tuple[str, ...]]:
    """The panels of the study, by what the methods are called here."""
    called: dict[str, dict[str, None]] = {}
    for each in experiments:
        bare = each.trace.method.removesuffix(f" ({each.trace.tag})")
        called.setdefault(bare, {})[each.trace.method] = None
    panels = {
        title: tuple(name for method in methods for name in called.get(method, ()))
        for title, methods in loaded.panels.items()
    }
    return {title: names for title, names in panels.items() if names}


def _left_out(skipped: Iterable[Skipped], root: str) -> Iterable[LeftOut]:
    """What is left out, missing seeds of one method and benchmark together."""
    groups: dict[tuple[str, ...], list[int | None]] = {}
    for entry in skipped:
        cell = entry.cell
        method, benchmark = ("", "") if cell is None else (cell.method, cell.benchmark)
        path = entry.path.removeprefix(root).lstrip("/")
        key = (entry.kind, entry.tag, method, benchmark, path, entry.what.replace(root, ""), entry.policy)
        groups.setdefault(key, []).append(None if cell is None else cell.seed)
    for (kind, tag, method, benchmark, path, what, policy), seeds in groups.items():
        known = seeds_text(seed for seed in seeds if seed is not None)
        yield LeftOut(kind, tag, method, benchmark, known, len(seeds), path, what, policy)


def _own_command(load: LoadRequest, options: CompareOptions) -> str:
    words = ["hpoctl", "report"]
    named = {
        "--tag": load.tags,
        "--method": load.filters.methods,
        "--benchmark": load.filters.benchmarks,
        "--where": load.where,
    }
    words += [word for option, values in named.items() for value in values for word in (option, value)]
    if load.filters.seeds is not None:
        words += ["--seed", seeds_text(load.filters.seeds).replace(" ", "")]
    words += ["--family", options.family] if options.family != "benchmark" else []
    words += ["--equivalent-within", str(options.margin)] if options.margin is not None else []
    words += ["--running"] if load.unfinished else []
    return shlex.join(words)
