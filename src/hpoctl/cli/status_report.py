"""What `hpoctl status` shows: a matrix of methods and benchmarks, what is wrong, what runs, what to do."""

from collections import Counter
from collections.abc import Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from hpoctl.cli.words import many, rough_time, size_text, utc_text
from hpoctl.core.cells import Filters
from hpoctl.ops.studies.config import Root
from hpoctl.ops.upkeep.status_model import Pair, SeedSet, StudyStatus, next_commands
from hpoctl.ops.upkeep.tag_list import TagList, TagSummary
from hpoctl.ops.upkeep.time_left import TimeLeft

STYLES = {"done": "green", "failed": "bold red", "running": "cyan", "missing": "yellow"}
SEPARATORS = ("  ", "\n")
"""What stands between the counts of a cell: where the line is too short, each gets its own."""

MOST_LINES = 20
"""Lines of one kind in the text; `--json` has all of them."""

MOST_COMMANDS = 5
JOB_STATES = ("done", "running", "waiting", "failed", "unknown")


def picture(status: StudyStatus, filters: Filters, width: int) -> list[RenderableType]:
    """The status for people: lines as `Text`, and the matrix, in a given number of columns."""
    return [
        _title(status, filters),
        _matrix(status, width),
        _totals(status),
        *_remarks(status),
        *_section("running", "running", _where(status, "running")),
        *_training(status),
        *_section("failed", "failed", _failures(status)),
        *_section("damaged", "failed", _damaged(status)),
        *_section("missing", "missing", _where(status, "missing")),
        *_jobs(status),
        *_launches(status),
        *_time_left(status),
    ]


def hints(status: StudyStatus, root: Root, *, watching: bool = False) -> list[str]:
    """The next commands, a line each; none while a launch is running."""
    if status.complete:
        unread = any(not damaged.replaced for damaged in status.damaged)
        failed = status.outcomes.get("failed", 0)
        if failed and not unread:
            return [f"all done; {many(failed, 'trial')} failed: {root.command('trials', '--tag', status.tag)} says why"]
        return ["all done; damaged results do not count" if unread else "all done, nothing to mend"]
    if watching and status.launches:
        return []
    commands = next_commands(status, root)
    lines = [f"next: {command}" for command in commands[:MOST_COMMANDS]]
    if status.launches and status.to_launch:
        watch = root.command("status", "--tag", status.tag, "--watch")
        lines[0] = f"a launch is at work: {watch}; for what it leaves undone: {commands[0]}"
    if len(commands) > MOST_COMMANDS:
        lines.append(f"and {len(commands) - MOST_COMMANDS} more commands; --json has all of them")
    if status.to_run:
        lines.append("hpoctl run needs the other options of the first time, too, such as --study or --n-workers")
    return lines


def tag_table(found: TagList, width: int) -> Table:
    """All tags and how far each is, in a given number of columns."""
    titles = ["tag", "experiments", "size", "last activity (UTC)", "launch"]
    for separator in SEPARATORS:
        rows = [
            [
                Text(tag.tag),
                _summary(tag, separator),
                Text(size_text(tag.size)),
                Text(utc_text(tag.last_activity).removesuffix(" UTC")),
                Text("runs" if tag.launches else "-", style=STYLES["running"] if tag.launches else ""),
            ]
            for tag in found.tags
        ]
        if _columns(titles, rows) <= width:
            break
    return _table(titles, rows)


def _title(status: StudyStatus, filters: Filters) -> Text:
    chosen = [*filters.methods, *filters.benchmarks]
    if filters.seeds is not None:
        seeds = sorted(filters.seeds)
        chosen.append(f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds")
    only = f", only {', '.join(chosen)}" if chosen else ""
    return Text(f"tag {status.tag} in {status.location}{only}")


def _matrix(status: StudyStatus, width: int) -> Table:
    """Methods by benchmarks, each cell on one line if that fits, else on several; else a row for each pair."""
    pairs = {(pair.method, pair.benchmark): pair for pair in status.pairs}
    titles = ["method", *status.benchmarks]
    for separator in SEPARATORS:
        rows = [
            [Text(method), *(_cell(pairs.get((method, name)), separator) for name in status.benchmarks)]
            for method in status.methods
        ]
        if _columns(titles, rows) <= width:
            return _table(titles, rows)
    rows = [[Text(pair.method), Text(pair.benchmark), _cell(pair, SEPARATORS[0])] for pair in status.pairs]
    return _table(["method", "benchmark", "experiments"], rows)


def _table(titles: Sequence[str], rows: Sequence[Sequence[Text]]) -> Table:
    table = Table(show_lines=any("\n" in cell.plain for row in rows for cell in row))
    for title in titles:
        table.add_column(Text(title), overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _columns(titles: Sequence[str], rows: Sequence[Sequence[Text]]) -> int:
    """How many columns of a terminal a table takes, frame and all."""
    widest = [len(title) for title in titles]
    for row in rows:
        tall = [max(map(len, cell.plain.split("\n"))) for cell in row]
        widest = [max(pair) for pair in zip(widest, tall, strict=True)]
    return sum(wide + 3 for wide in widest) + 1


def _cell(pair: Pair | None, separator: str) -> Text:
    if pair is None:
        return Text("-")
    counts = (pair.failed.count, pair.running.count, pair.missing.count)
    return _experiments(pair.done.count, pair.total, *counts, separator)


def _experiments(done: int, total: int, failed: int, running: int, missing: int, separator: str) -> Text:
    """How many experiments there are of each kind, in words, for terminals without colours."""
    if done == total:
        return Text(f"{done}/{total} done", style=STYLES["done"])
    parts = [Text(f"{done}/{total}")]
    for kind, count in (("failed", failed), ("running", running), ("missing", missing)):
        if count:
            parts.append(Text(f"{count} {kind}", style=STYLES[kind]))
    return Text(separator).join(parts)


def _summary(tag: TagSummary, separator: str) -> Text:
    counts = _experiments(tag.done, tag.total, tag.failed, tag.running, tag.missing, separator)
    return Text(separator).join([counts, Text(f"{tag.imported} imported")]) if tag.imported else counts


def _totals(status: StudyStatus) -> Text:
    totals = status.totals
    text = Text(f"{totals.done:,} of {totals.total:,} done", style=STYLES["done"] if status.complete else "")
    for kind, count in (("failed", totals.failed), ("running", totals.running), ("missing", totals.missing)):
        if count:
            text.append(", ").append(f"{count:,} {kind}", style=STYLES[kind])
    return text.append(f"; {size_text(status.size)}")


def _training(status: StudyStatus) -> list[Text]:
    """The trials of training experiments, each and in total, and their disk usage."""
    lines = [
        f"{training.cell}: {many(training.progress.trials, 'trial')} ({_counts(training.progress.outcomes)}), "
        f"{many(training.progress.rows, 'report')}, "
        f"best {'-' if training.progress.best is None else f'{training.progress.best:.6g}'}, "
        f"{training.progress.seconds:,.0f} of {training.budget:,.0f} s"
        for training in status.training
    ]
    found = _section("trials", "running", lines)
    if status.outcomes:
        found.append(Text(f"{many(sum(status.outcomes.values()), 'trial')} trained: {_counts(status.outcomes)}"))
    if status.work.size:
        use = f"checkpoints {size_text(status.work.checkpoints)}, working files {size_text(status.work.size)} in all"
        found.append(Text(f"on the disk of this machine: {use}"))
    return found


def _counts(outcomes: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(outcomes.items()))


def _remarks(status: StudyStatus) -> list[Text]:
    lines = [Text(f"cannot be read: {problem}", style="bold red") for problem in status.problems]
    for origin, methods in status.imported.items():
        listed = ", ".join(f"{count} of {method}" for method, count in methods.items())
        lines.append(Text(f"{origin}: {many(sum(methods.values()), 'experiment')} ({listed})"))
    if status.totals.extra and status.totals.wanted:
        lines.append(Text(f"{many(status.totals.extra, 'experiment')} of these no launch of the tag has asked for"))
    if status.earlier_attempts:
        lines.append(Text(f"{many(status.earlier_attempts, 'earlier attempt')} not counted"))
    return lines


def _section(title: str, kind: str, lines: Sequence[str]) -> list[Text]:
    if not lines:
        return []
    shown = [Text(f"  {line}") for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(Text(f"  and {len(lines) - MOST_LINES:,} more lines; --json has all of them"))
    return [Text(f"{title}:", style=STYLES[kind]), *shown]


def _failures(status: StudyStatus) -> list[str]:
    return [
        f"{group.method} {group.benchmark} {_seeds(group.seeds)}: {group.reason or 'no reason was recorded'}"
        for group in status.failures
    ]


def _damaged(status: StudyStatus) -> list[str]:
    lines = []
    for damaged in status.damaged:
        where = f"{damaged.cell}, " if damaged.cell else ""
        replaced = " (done all the same, by another attempt)" if damaged.replaced else ""
        lines.append(f"{where}{damaged.path}: {damaged.cause}{replaced}")
    return lines


def _where(status: StudyStatus, kind: str) -> list[str]:
    """Where experiments of a kind are, methods and benchmarks with the same seeds on one line."""
    by_method: dict[tuple[str, str], tuple[SeedSet, list[str]]] = {}
    for pair in status.pairs:
        seeds: SeedSet = getattr(pair, kind)
        if seeds.count:
            by_method.setdefault((pair.method, seeds.seeds), (seeds, []))[1].append(pair.benchmark)
    groups: dict[tuple[str, tuple[str, ...]], tuple[SeedSet, list[str]]] = {}
    for (method, text), (seeds, benchmarks) in by_method.items():
        groups.setdefault((text, tuple(benchmarks)), (seeds, []))[1].append(method)
    return [
        f"{_names(methods, status.methods, 'methods')} {_names(benchmarks, status.benchmarks, 'benchmarks')}: "
        f"{_seeds(seeds)}"
        for (_, benchmarks), (seeds, methods) in groups.items()
    ]


def _names(names: Sequence[str], everything: Sequence[str], word: str) -> str:
    if len(names) == len(everything) > 1:
        return f"all {word}" if word == "methods" else f"on all {word}"
    listed = ", ".join(names)
    return listed if word == "methods" else f"on {listed}"


def _seeds(seeds: SeedSet) -> str:
    return f"seed {seeds.seeds}" if seeds.count == 1 else f"seeds {seeds.seeds}"


def _jobs(status: StudyStatus) -> list[Text]:
    """How many jobs each launcher has in which state, and why single ones failed or wait."""
    lines = []
    for launcher in dict.fromkeys(job.launcher for job in status.jobs):
        own = [job for job in status.jobs if job.launcher == launcher]
        states = Counter(job.state for job in own)
        counts = ", ".join(f"{states[state]} {state}" for state in JOB_STATES if states[state])
        lines.append(Text(f"jobs on {launcher}: {counts}", style=STYLES["running"] if states["running"] else ""))
        told = [f"{job.name} {job.state}: {job.reason}" for job in own if job.reason and job.state != "done"]
        lines += [Text(f"  {line}") for line in told[:MOST_LINES]]
        if len(told) > MOST_LINES:
            lines.append(Text(f"  and {len(told) - MOST_LINES:,} more lines; --json has all of them"))
    return lines


def _launches(status: StudyStatus) -> list[Text]:
    lines = []
    for launch in status.launches:
        workers = f" with {many(launch.workers, 'worker')}" if launch.workers else ""
        log = f", log {launch.log}" if launch.log else ""
        lines.append(
            Text(
                f"a launch runs on {launch.host}{workers}, process {launch.pid}, since {utc_text(launch.started)}{log}",
                style=STYLES["running"],
            )
        )
    return lines


def _time_left(status: StudyStatus) -> list[Text]:
    left = status.time_left
    if left is None:
        return []
    if left.seconds is None:
        return [Text("time left: unknown, nothing of the kind has been measured here")]
    at_least = "at least " if left.unknown and not left.paced else ""
    started = "" if status.totals.running or status.launches else " once launched"
    text = f"time left: {at_least}about {rough_time(left.seconds)}{started}, {left.workers} at a time ({_basis(left)})"
    return [Text(text)]


def _basis(left: TimeLeft) -> str:
    known = {"measured in this tag": left.from_tag, "measured on this machine": left.from_machine}
    if left.paced:
        return "at the pace of its launch"
    facts = [what for what, count in known.items() if count]
    return ", ".join([*facts, *([f"{many(left.unknown, 'experiment')} unknown"] if left.unknown else [])])
