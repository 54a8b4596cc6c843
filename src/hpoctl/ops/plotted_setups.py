"""The setups of a figure in numbers: their lines and bands, their values at the end, and what they lack."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hpoctl.analysis import aggregate as aggregating
from hpoctl.analysis.aggregate import Aggregate, Band, times_up_to, values_at
from hpoctl.analysis.traces import Trace
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.protocols import FloatArray, Mode
from hpoctl.ops.load_traces import Loaded
from hpoctl.ops.made_cache import made_before, question_key
from hpoctl.ops.results_of_tags import OPEN
from hpoctl.ops.seed_ranges import seeds_text


@dataclass(frozen=True, eq=False)
class Setup:
    """A method on a benchmark, in numbers.

    Attributes:
        name: The method; `METHOD (TAG)` where several tags have it.
        benchmark: The benchmark.
        metric: The metric.
        mode: Whether it is minimised or maximised.
        band: Its line and its band.
        finals: The best value at the end, by seed.
        missing: Seeds that it should have and has not.
        without_value: Seeds whose metric was never finite; they are in no line.
    """

    name: str
    benchmark: str
    metric: str
    mode: Mode
    band: Band
    finals: Mapping[int, float]
    missing: tuple[int, ...]
    without_value: tuple[int, ...]

    @property
    def wanted(self) -> int:
        """How many seeds it should have."""
        return len(self.finals) + len(self.missing) + len(self.without_value)


def plotted_setups(loaded: Loaded, aggregate: Aggregate, *, simultaneous: bool, seed: int) -> tuple[Setup, ...]:
    """Each method on each benchmark in numbers, so far as it has a finite value.

    Args:
        loaded: What was read.
        aggregate: How seeds become a line and a band.
        simultaneous: Whether the band is to hold whole lines.
        seed: The seed of the bootstrap.

    Raises:
        UsageError: Results on a benchmark are of different metrics.
        IncompleteError: No value is finite.
    """
    groups: dict[tuple[str, str], list[Trace]] = {}
    for trace in loaded.traces:
        groups.setdefault((trace.method, trace.benchmark), []).append(trace)
    _check_metrics(loaded.traces)
    missing: dict[tuple[str, str], set[int]] = {}
    for entry in loaded.skipped:
        if entry.cell is not None and entry.kind in OPEN:
            missing.setdefault((entry.cell.method, entry.cell.benchmark), set()).add(entry.cell.seed)
    setups = []
    for (name, benchmark), traces in groups.items():
        known = [trace for trace in traces if len(trace.times)]
        if not known:
            continue
        budget = min(trace.budget for trace in known)
        times = times_up_to(budget)
        line = _band(values_at(known, times), times, aggregate, simultaneous=simultaneous, seed=seed)
        absent = missing.get((name, benchmark), set()) - {trace.seed for trace in traces}
        never = sorted(trace.seed for trace in traces if not len(trace.times))
        finals = {trace.seed: float(trace.values[-1]) for trace in sorted(known, key=lambda trace: trace.seed)}
        first = known[0]
        setups.append(
            Setup(name, benchmark, first.metric, first.mode, line, finals, tuple(sorted(absent)), tuple(never))
        )
    if not setups:
        raise IncompleteError(
            "No experiment reported a finite value.", "See what it reports with `hpoctl logs`, or name another tag."
        )
    return tuple(setups)


def _band(values: FloatArray, times: FloatArray, aggregate: Aggregate, *, simultaneous: bool, seed: int) -> Band:
    """The line of a setup, from the cache if it was made before."""
    question = [aggregate, simultaneous, seed, list(values.shape)]
    key = question_key(question, [values, times], [aggregating], ["numpy", "scipy"])

    def make() -> bytes:
        line = aggregating.band(values, times, aggregate, simultaneous=simultaneous, seed=seed)
        return np.stack([line.centre, line.low, line.high]).astype("<f8").tobytes()

    centre, low, high = np.frombuffer(made_before(key, make), dtype="<f8").reshape(3, len(times)).astype(float)
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


def remarks(loaded: Loaded, setups: Sequence[Setup]) -> tuple[str, ...]:
    """What a person who looks at the figure should know: modelled data, missing seeds, seeds that cannot be paired."""
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
    found = {(setup.name, setup.benchmark) for setup in setups}
    empty = {
        (entry.cell.method, entry.cell.benchmark)
        for entry in loaded.skipped
        if entry.cell is not None and entry.kind in OPEN
    }
    empty |= {(trace.method, trace.benchmark) for trace in loaded.traces}
    notes += [f"{name} on {benchmark}: no seed yet." for name, benchmark in sorted(empty - found)]
    return (*notes, *(f"{note[0].upper()}{note[1:]}." for note in loaded.notes))
