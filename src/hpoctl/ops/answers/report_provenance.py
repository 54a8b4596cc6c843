"""Where the results of a report come from: facts of their metadata, and the commands that made them."""

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from hpoctl.analysis.report_data import Fact
from hpoctl.analysis.traces import Trace
from hpoctl.core.metadata import Determined, Metadata
from hpoctl.core.metadata_head import OWN
from hpoctl.ops.studies.seed_ranges import seeds_text


def facts_of(read: Sequence[tuple[Trace, Metadata]]) -> Iterable[Fact]:
    """Seeds, tables, settings, methods, versions, machines and times of some experiments, a kind after the other."""
    facts: Counter[tuple[str, str, str]] = Counter()
    for trace, metadata in read:
        facts.update(dict.fromkeys(_facts(metadata, trace.tag, trace.benchmark, trace.method), 1))
    kinds = dict.fromkeys(kind for kind, _, _ in facts)
    for wanted in kinds:
        yield from (Fact(kind, what, value, count) for (kind, what, value), count in facts.items() if kind == wanted)
    for tag in dict.fromkeys(trace.tag for trace, _ in read):
        seeds = [trace.seed for trace, _ in read if trace.tag == tag]
        yield Fact("Seeds", f"seeds of {tag}", seeds_text(seeds), len(seeds))
    begun = [metadata.st_tuner_start_timestamp for _, metadata in read]
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


def commands_of(every: Iterable[Metadata]) -> Iterable[str]:
    """The commands that made the results, as they were typed; roots of results are left out, they name folders.

    The entry point of an imported result is a script of another program, and no command.
    """
    own = (metadata.entrypoint for metadata in every if metadata.made_by == OWN)
    return dict.fromkeys(_without_root(command) for command in own if command)


def _without_root(command: str) -> str:
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    places = [place for place, word in enumerate(words) if word == "--results"]
    dropped = {*places, *(place + 1 for place in places)}
    kept = [word for place, word in enumerate(words) if place not in dropped and not word.startswith("--results=")]
    return shlex.join(kept)
