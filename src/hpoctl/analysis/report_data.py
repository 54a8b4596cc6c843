"""What a report is made of: everything on its page follows from it, and it stands in the page as JSON."""

import math
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, field, fields
from typing import Any

import numpy as np

from hpoctl.analysis.comparison_model import Family
from hpoctl.analysis.equivalence import parse_margin
from hpoctl.analysis.interim import Question, Rules
from hpoctl.analysis.study_comparison import InterimVerdicts
from hpoctl.analysis.traces import Trace
from hpoctl.core.protocols import FloatArray, Mode

FORMAT = 2


@dataclass(frozen=True, slots=True, eq=False)
class Rungs:
    """How many trials an experiment had at each rung level over time.

    Attributes:
        levels: The levels, increasing.
        counts: The number of trials, shape (levels, t), at times at equal distances, the budget being the last.
    """

    levels: tuple[int, ...]
    counts: FloatArray


@dataclass(frozen=True, slots=True)
class Costs:
    """What an experiment took, or what several took by the median over seeds or together; None: it was not recorded.

    Attributes:
        trials: Trials started.
        rows: Reports.
        decision: Real time of the decisions of the scheduler, in seconds.
        cpu: Processor time of the experiment, in seconds.
        wall: Real time of the experiment, in seconds.
    """

    trials: float | None = None
    rows: float | None = None
    decision: float | None = None
    cpu: float | None = None
    wall: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Experiment:
    """An experiment with a result that counts.

    Attributes:
        trace: Its best value so far.
        results: The hash of its results file.
        costs: What it took.
        rungs: Its rung sizes; None: it has no rungs, or did not record them.
        complete: Whether it is complete; otherwise it counts with its rows so far.
    """

    trace: Trace
    results: str
    costs: Costs = field(default_factory=Costs)
    rungs: Rungs | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A result that is not read, or experiments that are missing.

    Attributes:
        kind: What is wrong, in one word.
        tag: The tag.
        method: The method; empty: not known.
        benchmark: The benchmark; empty: not known.
        seeds: The seeds, such as `0-3, 7`; empty: not known.
        count: How many results or experiments these are.
        path: Where it is below the root of results.
        what: What is wrong with it.
        policy: What follows from that.
    """

    kind: str
    tag: str
    method: str
    benchmark: str
    seeds: str
    count: int
    path: str
    what: str
    policy: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is the same for several experiments: a version, a table, a command.

    Attributes:
        kind: What kind of fact it is.
        what: What it is about; empty: all.
        value: The fact.
        count: For how many experiments.
    """

    kind: str
    what: str
    value: str
    count: int


@dataclass(frozen=True)
class ReportData:
    """All that a report follows from.

    Attributes:
        tags: The tags.
        methods: The methods.
        benchmarks: The benchmarks.
        experiments: The experiments.
        wanted: How many seeds each method should have on each benchmark, shape (benchmarks, methods).
        panels: How methods are grouped.
        modelled: The benchmarks whose data are modelled.
        notes: What a person should know, a sentence each.
        left_out: What is not read.
        provenance: Where the results come from.
        repeat: The commands that make the results and the report again.
        failed: Benchmark, method and seed of each experiment that failed and has no result.
        family: Over what p values are adjusted.
        margin: The margin of equivalence as it was typed; None: there is none.
        interim: The verdicts of interim analyses, which decide some pairs; None: they decide none.
    """

    tags: tuple[str, ...]
    methods: tuple[str, ...]
    benchmarks: tuple[str, ...]
    experiments: tuple[Experiment, ...]
    wanted: tuple[tuple[int, ...], ...]
    panels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    modelled: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    provenance: tuple[Fact, ...] = ()
    repeat: tuple[str, ...] = ()
    failed: tuple[tuple[str, str, int], ...] = ()
    family: Family = "benchmark"
    margin: str | None = None
    interim: InterimVerdicts | None = None


def to_json(data: ReportData) -> dict[str, Any]:
    """The data as JSON values; names of methods and benchmarks are places in their lists."""
    return {
        "format": FORMAT,
        "tags": list(data.tags),
        "methods": list(data.methods),
        "benchmarks": list(data.benchmarks),
        "experiments": [_experiment(each, data) for each in data.experiments],
        "wanted": [list(row) for row in data.wanted],
        "panels": {title: list(names) for title, names in data.panels.items()},
        "modelled": list(data.modelled),
        "notes": list(data.notes),
        "left_out": [list(astuple(each)) for each in data.left_out],
        "provenance": [list(astuple(each)) for each in data.provenance],
        "repeat": list(data.repeat),
        "failed": [list(each) for each in data.failed],
        "family": data.family,
        "margin": data.margin,
        "interim": None if data.interim is None else _interim(data.interim),
    }


def from_json(table: Mapping[str, Any]) -> ReportData:
    """The data of JSON values that `to_json` made.

    Raises:
        ValueError: The values are of another format.
    """
    if table["format"] != FORMAT:
        raise ValueError(f"the data have format {table['format']!r}, not {FORMAT}")
    return ReportData(
        tags=tuple(table["tags"]),
        methods=tuple(table["methods"]),
        benchmarks=tuple(table["benchmarks"]),
        experiments=tuple(_from_experiment(each, table) for each in table["experiments"]),
        wanted=tuple(tuple(row) for row in table["wanted"]),
        panels={title: tuple(names) for title, names in table["panels"].items()},
        modelled=tuple(table["modelled"]),
        notes=tuple(table["notes"]),
        left_out=tuple(LeftOut(*each) for each in table["left_out"]),
        provenance=tuple(Fact(*each) for each in table["provenance"]),
        repeat=tuple(table["repeat"]),
        failed=tuple((benchmark, method, seed) for benchmark, method, seed in table["failed"]),
        family="all" if table["family"] == "all" else "benchmark",
        margin=table["margin"],
        interim=_from_interim(table["interim"]) if table.get("interim") else None,  # earlier pages have none
    )


def _interim(interim: InterimVerdicts) -> dict[str, Any]:
    rules = interim.rules
    return {
        "looks": list(rules.looks),
        "level": rules.level,
        "margin": None if rules.margin is None else str(rules.margin),
        "futility": rules.futility,
        "verdicts": [[each.first, each.second, each.benchmark, verdict] for each, verdict in interim.verdicts.items()],
    }


def _from_interim(found: Mapping[str, Any]) -> InterimVerdicts:
    margin = None if found["margin"] is None else parse_margin(found["margin"])
    rules = Rules(tuple(found["looks"]), found["level"], margin, found["futility"])
    return InterimVerdicts(rules, {Question(*asked): verdict for *asked, verdict in found["verdicts"]})


def _experiment(each: Experiment, data: ReportData) -> dict[str, Any]:
    trace = each.trace
    return {
        "tag": data.tags.index(trace.tag),
        "method": data.methods.index(trace.method),
        "benchmark": data.benchmarks.index(trace.benchmark),
        "seed": trace.seed,
        "metric": trace.metric,
        "mode": trace.mode,
        "budget": trace.budget,
        "identity": trace.identity,
        "results": each.results,
        "times": trace.times.tolist(),
        "values": trace.values.tolist(),
        "levels": [] if each.rungs is None else list(each.rungs.levels),
        "counts": [] if each.rungs is None else [[int(count) for count in row] for row in each.rungs.counts],
        **{name: _finite(value) for name, value in asdict(each.costs).items()},
        "complete": each.complete,
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _from_experiment(each: Mapping[str, Any], table: Mapping[str, Any]) -> Experiment:
    mode: Mode = "max" if each["mode"] == "max" else "min"
    trace = Trace(
        tag=table["tags"][each["tag"]],
        method=table["methods"][each["method"]],
        benchmark=table["benchmarks"][each["benchmark"]],
        seed=each["seed"],
        identity=each["identity"],
        metric=each["metric"],
        mode=mode,
        budget=each["budget"],
        times=np.array(each["times"], dtype=float),
        values=np.array(each["values"], dtype=float),
    )
    rungs = Rungs(tuple(each["levels"]), np.array(each["counts"], dtype=float)) if each["levels"] else None
    costs = Costs(**{entry.name: each[entry.name] for entry in fields(Costs)})
    complete = each.get("complete", True)  # earlier pages have complete ones only
    return Experiment(trace, each["results"], costs, rungs, complete)
