"""Collects what a report is made of: traces, rung sizes, costs, what is missing, where the results come from."""

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from hpoctl.analysis.comparison_model import CompareOptions
from hpoctl.analysis.report_data import Experiment, Fact, LeftOut, ReportData, Rungs
from hpoctl.core.cells import Cell
from hpoctl.core.metadata import Determined, Metadata
from hpoctl.core.metadata_head import OWN
from hpoctl.ops.launching.decided_pairs import decided_pairs
from hpoctl.ops.reading.load_extras import read_extras
from hpoctl.ops.reading.load_traces import Loaded, load_each, read_trace
from hpoctl.ops.reading.results_of_tags import LoadRequest
from hpoctl.ops.reading.tag_contents import OPEN, FoundResult, Skipped
from hpoctl.ops.reading.trace_cache import Record, TraceCache
from hpoctl.ops.studies.config import open_root
from hpoctl.ops.studies.seed_ranges import seeds_text

RUNGS = "num_at_level"
"""How the columns of the composer `rung-levels` begin; the level follows."""

RUNG_STEP = 5
"""Every fifth of the times at which extra results are known is enough for counts."""

COSTS = {
    "trials": "trials",
    "rows": "rows",
    "decision": "decision_seconds",
    "cpu": "cpu_seconds",
    "wall": "wall_seconds",
}


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """An experiment with its metadata."""

    experiment: Experiment
    metadata: Metadata


def collect_report(load: LoadRequest, options: CompareOptions | None = None) -> tuple[ReportData, tuple[Skipped, ...]]:
    """All that a report of some results follows from, and what is left out.

    Raises:
        UsageError: A tag or condition is invalid, or a filter matches no experiment of the tags.
        IncompleteError: There is nothing of a tag, or no completed experiment fits.
        HpoctlError: The store cannot be read.
    """
    options = options or CompareOptions()
    loaded = load_each(load, _read)
    root = open_root(load.results, load.folder)
    in_looks, notes = decided_pairs(root, load)
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
        provenance=tuple(_provenance(loaded.traces)),
        repeat=(*_commands(loaded.traces), _own_command(load, options)),
        failed=tuple(_failed(loaded.skipped)),
        family=options.family,
        margin=None if options.margin is None else str(options.margin),
        interim=None if in_looks is None else in_looks.verdicts,
    )
    return data, loaded.skipped


def _failed(skipped: Iterable[Skipped]) -> Iterable[tuple[str, str, int]]:
    """Benchmark, method and seed of each experiment that failed."""
    for entry in skipped:
        if entry.kind == "failed" and entry.cell is not None:
            yield entry.cell.benchmark, entry.cell.method, entry.cell.seed


def _read(found: FoundResult, cache: TraceCache, name: str) -> _Read:
    trace = read_trace(found, cache, name)
    costs = {key: getattr(found.metadata, entry) for key, entry in COSTS.items()}
    results = found.metadata.results_sha256 or ""
    complete = found.so_far is None
    rungs = _rungs(read_extras(found, cache)) if complete else None
    return _Read(Experiment(trace, results, rungs, **costs, complete=complete), found.metadata)


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


def _provenance(read: Sequence[_Read]) -> Iterable[Fact]:
    facts: Counter[tuple[str, str, str]] = Counter()
    for each in read:
        trace = each.experiment.trace
        facts.update(dict.fromkeys(_facts(each.metadata, trace.tag, trace.benchmark, trace.method), 1))
    kinds = dict.fromkeys(kind for kind, _, _ in facts)
    for wanted in kinds:
        yield from (Fact(kind, what, value, count) for (kind, what, value), count in facts.items() if kind == wanted)
    for tag in dict.fromkeys(each.experiment.trace.tag for each in read):
        seeds = [each.experiment.trace.seed for each in read if each.experiment.trace.tag == tag]
        yield Fact("Seeds", f"seeds of {tag}", seeds_text(seeds), len(seeds))
    begun = [each.metadata.st_tuner_start_timestamp for each in read]
    times = sorted(time for time in begun if time is not None)
    if times:
        yield Fact("Time", "first experiment began", _utc(times[0]), 1)
        yield Fact("Time", "last experiment began", _utc(times[-1]), 1)


def _facts(metadata: Metadata, tag: str, benchmark: str, method: str) -> Iterable[tuple[str, str, str]]:
    """What the metadata of one experiment say of where it comes from: kind, what about, value."""
    known = metadata.random_seed
    yield "Seeds", f"random seed of {tag}", "not known" if known is None else str(known)
    yield "Tables", f"hash of the table of {benchmark}", metadata.data.get("table") or "not known"
    for key, value in metadata.data.items():
        if key != "table":
            yield "Tables", f"{benchmark}: {key}", str(value)
    determined = metadata.determinants or Determined()
    settings = {**determined.budget, **determined.clock}
    if settings:
        yield "Budget and clock", benchmark, _pairs(settings)
    made = determined.method
    if made.kind is not None:
        described = f"{made.kind}: {_pairs(made.options)}"
        yield "Methods", method, f"{described}; fixed: {_pairs(metadata.fixed)}" if metadata.fixed else described
    for name, version in metadata.versions.items():
        yield "Versions", name, str(version)
    if metadata.git_commit:
        yield "Versions", "commit of the folder of the command", metadata.git_commit
    if metadata.host:
        yield "Machines", "name", metadata.host


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in values.items() if value is not None) or "none"


def _utc(timestamp: float) -> str:
    try:
        return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return "not known"


def _commands(read: Iterable[_Read]) -> dict[str, None]:
    """The commands that made the results, as they were typed; roots of results are left out, they name folders.

    The entry point of an imported result is a script of another program, and no command.
    """
    return {
        _without_root(each.metadata.entrypoint): None
        for each in read
        if each.metadata.entrypoint and each.metadata.made_by == OWN
    }


def _without_root(command: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    places = [place for place, word in enumerate(words) if word == "--results"]
    dropped = {*places, *(place + 1 for place in places)}
    kept = [word for place, word in enumerate(words) if place not in dropped and not word.startswith("--results=")]
    return shlex.join(kept)


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
