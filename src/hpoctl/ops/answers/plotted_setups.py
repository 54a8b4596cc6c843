"""The setups of a figure in numbers: their lines and bands, their values at the end, and what they lack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hpoctl.analysis import aggregate as aggregating
from hpoctl.analysis.aggregate import Aggregate, Band, values_at
from hpoctl.analysis.horizontal import places_up_to
from hpoctl.analysis.spending import Axis
from hpoctl.analysis.traces import Trace
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import FloatArray, Mode
from hpoctl.ops.reading.load_traces import Loaded
from hpoctl.ops.reading.made_cache import made_before, question_key
from hpoctl.ops.reading.read_columns import no_value
from hpoctl.ops.reading.tag_contents import OPEN, Skipped
from hpoctl.ops.studies.seed_ranges import seeds_text


@dataclass(frozen=True, eq=False)
class Setup:
    """A method on a benchmark, in numbers.

    Attributes:
        name: The method; `METHOD (TAG)` where several tags have it.
        benchmark: The benchmark.
        metric: The metric, or the extra result.
        mode: Whether it is minimised or maximised; None: it is an extra result, and neither.
        band: Its line and its band.
        finals: The best value at the end, by seed.
        missing: Seeds that it should have and has not.
        without_value: Seeds whose metric was never finite; they are in no line.
    """

    name: str
    benchmark: str
    metric: str
    mode: Mode | None
    band: Band
    finals: Mapping[int, float]
    missing: tuple[int, ...]
    without_value: tuple[int, ...]

    @property
    def wanted(self) -> int:
        """How many seeds it should have."""
        return len(self.finals) + len(self.missing) + len(self.without_value)


@dataclass(frozen=True, slots=True)
class Summary:
    """How seeds become a line and a band.

    Attributes:
        aggregate: The line, and what kind of band.
        simultaneous: Whether the band is to hold whole lines.
        seed: The seed of the bootstrap.
    """

    aggregate: Aggregate = "iqm_bootstrap"
    simultaneous: bool = False
    seed: int = 0


def plotted_setups(loaded: Loaded[Trace], summary: Summary, axis: Axis = "time") -> tuple[Setup, ...]:
    """Each method on each benchmark in numbers, so far as it has a finite value.

    A line ends where the first of its seeds does.

    Args:
        loaded: What was read.
        summary: How seeds become a line and a band.
        axis: What the traces are against.

    Raises:
        UsageError: Results on a benchmark are of different metrics.
        IncompleteError: No value is finite.
    """
    groups: dict[tuple[str, str], list[Trace]] = {}
    for trace in loaded.traces:
        groups.setdefault((trace.method, trace.benchmark), []).append(trace)
    _check_metrics(loaded.traces)
    missing = missing_seeds(loaded.skipped)
    setups = []
    for (name, benchmark), traces in groups.items():
        known = [trace for trace in traces if len(trace.times)]
        if not known:
            continue
        budget = min(trace.budget for trace in known)
        times = places_up_to(budget, axis)
        line = band_over_seeds(values_at(known, times), times, summary)
        absent = missing.get((name, benchmark), set()) - {trace.seed for trace in traces}
        never = sorted(trace.seed for trace in traces if not len(trace.times))
        finals = {trace.seed: float(trace.values[-1]) for trace in sorted(known, key=lambda trace: trace.seed)}
        first = known[0]
        setups.append(
            Setup(name, benchmark, first.metric, first.mode, line, finals, tuple(sorted(absent)), tuple(never))
        )
    if not setups:
        raise no_value()
    return tuple(setups)


def missing_seeds(skipped: Sequence[Skipped]) -> dict[tuple[str, str], set[int]]:
    """The seeds of each method and benchmark that are wanted; some of them may have a result that counts."""
    missing: dict[tuple[str, str], set[int]] = {}
    for entry in skipped:
        if entry.cell is not None and entry.kind in OPEN:
            missing.setdefault((entry.cell.method, entry.cell.benchmark), set()).add(entry.cell.seed)
    return missing


def band_over_seeds(values: FloatArray, times: FloatArray, summary: Summary) -> Band:
    """The line of a setup; what a bootstrap makes comes from the cache if it was made before.

    Args:
        values: A row a seed, shape (n, t).
        times: Where, shape (t,).
        summary: How seeds become a line and a band.
    """

    def make() -> Band:
        return aggregating.band(values, times, summary.aggregate, simultaneous=summary.simultaneous, seed=summary.seed)

    if summary.aggregate != "iqm_bootstrap" and not summary.simultaneous:
        return make()
    question = [summary.aggregate, summary.simultaneous, summary.seed, list(values.shape)]
    key = question_key(question, [values, times], [aggregating], ["numpy", "scipy"])

    def make_bytes() -> bytes:
        line = make()
        return np.stack([line.centre, line.low, line.high]).astype("<f8").tobytes()

    centre, low, high = np.frombuffer(made_before(key, make_bytes), dtype="<f8").reshape(3, len(times)).astype(float)
    return Band(times, centre, low, high, len(values))


def _check_metrics(traces: Sequence[Trace]) -> None:
    metrics: dict[str, set[tuple[str, str]]] = {}
    for trace in traces:
        metrics.setdefault(trace.benchmark, set()).add((trace.metric, trace.mode))
    for benchmark, found in metrics.items():
        if len(found) > 1:
            names = " and ".join(f"{metric} ({mode})" for metric, mode in sorted(found))
            raise UsageError(
                f"Results on {benchmark} are of different metrics: {names}.",
                "Plot them apart, with --method or --where metric_mode=min.",
            )


def remarks(loaded: Loaded[Any], setups: Sequence[Setup], without: Sequence[str] = ()) -> tuple[str, ...]:
    """What a person who looks at the figure should know: modelled data, missing seeds, seeds that cannot be paired.

    Args:
        loaded: What was read.
        setups: What is drawn of it.
        without: Setups that have nothing to draw, and why, in words.
    """
    notes = []
    if loaded.modelled:
        notes.append(f"Data of {', '.join(loaded.modelled)}: modelled curves, not measured ones.")
    for setup in setups:
        if setup.missing:
            have = len(setup.finals)
            notes.append(
                f"{setup.name} on {setup.benchmark}: {have} of {setup.wanted} seeds, "
                f"without {seeds_text(setup.missing)}."
            )
        if setup.without_value:
            notes.append(
                f"{setup.name} on {setup.benchmark}: no finite value in seeds {seeds_text(setup.without_value)}, "
                "which are in no line."
            )
    read = {(each.method, each.benchmark) for each in loaded.traces}
    empty = missing_seeds(loaded.skipped).keys() - read
    notes += [f"{name} on {benchmark}: no seed yet." for name, benchmark in sorted(empty)]
    every = (*notes, *without, *(f"{note[0].upper()}{note[1:]}." for note in loaded.notes))
    return tuple(dict.fromkeys(every))
