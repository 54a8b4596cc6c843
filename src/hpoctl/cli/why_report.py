"""What `hpoctl why` prints: the verdict, and what led to it."""

from collections.abc import Iterator, Sequence

from hpoctl.cli.layout import print_lines
from hpoctl.cli.output import fitted, hint, out
from hpoctl.cli.words import many
from hpoctl.core.grounds import ModelChoice, Rank
from hpoctl.ops.answers.why import Why
from hpoctl.ops.answers.witness import Moment, Wait

SHOWN = 5
"""Trials ahead that are named."""

INDENT = 24
ORIGINS = {
    "initial": "one of the configurations that methods begin with",
    "random": "a random configuration",
    "model": "chosen by a model",
}
SENT = ("suggested", "promoted", "retried")


def print_why(answer: Why) -> None:
    """The verdict first, then the configuration, then what happened in the order of time."""
    console = out()
    console.print(f"{answer.cell}: {answer.verdict}", style="bold", markup=False, soft_wrap=True)
    config = ", ".join(
        f"{name}={value:.6g}" if isinstance(value, float) else f"{name}={value}"
        for name, value in answer.config.items()
    )
    lines = fitted(config, console.width, first="  ", rest="  ")
    waits = [wait for wait in answer.waits if wait.end is None or wait.ahead or wait.other_promotions + wait.new_trials]
    shown: Rank | None = None
    for moment in answer.moments:
        if moment.kind in ("promoted", "ended", "failed") and waits and waits[0].begin <= moment.time:
            lines += _wait(waits.pop(0), answer, console.width)
        lines += _moment(moment, answer, console.width, shown)
        shown = moment.rank
    for wait in waits:
        lines += _wait(wait, answer, console.width)
    print_lines(lines)
    style = "bold red" if answer.agrees is False else "dim"
    console.print(f"known from {answer.source}: {answer.check}", style=style, markup=False, soft_wrap=True)
    if answer.agrees is not False:
        hint("--json has all numbers, and all trials ahead")


def _moment(moment: Moment, answer: Why, width: int, shown: Rank | None) -> Iterator[str]:
    head = f"{moment.time:10.2f} s {moment.kind:<10}"
    text = _what(moment, answer)
    yield from fitted(text, width, first=f"{head:<{INDENT}}", rest=" " * INDENT)
    details = [
        *([] if moment.rank == shown else _of_rank(moment.rank, moment)),
        *_of_model(moment.model),
        *moment.notes,
    ]
    for line in details:
        yield from fitted(line, width, first=" " * INDENT, rest=" " * (INDENT + 2))


def _what(moment: Moment, answer: Why) -> str:
    if moment.kind in SENT:
        aim = "" if moment.level is None else f"to {answer.resource} {moment.level}: "
        origin, comma, rest = moment.reason.partition(",")
        known = ORIGINS.get(origin) if moment.kind == "suggested" else None
        return f"{aim}{known}{comma}{rest}" if known else f"{aim}{moment.reason}"
    at = "" if moment.level is None else f"at {answer.resource} {moment.level}"
    value = "" if moment.value is None else f", {answer.metric} {moment.value:.6g}"
    return f"{at}{value}{': ' if at and moment.reason else ''}{moment.reason}"


def _of_rank(rank: Rank | None, moment: Moment) -> Iterator[str]:
    if rank is None or (moment.kind == "completed" and rank.level != moment.level):
        return
    if rank.place is None:
        cutoff = "" if rank.cutoff is None else f"{rank.value:.6g} against {rank.cutoff:.6g}: "
        yield f"{cutoff}{rank.rule}"
        return
    cutoff = "no cut-off yet" if rank.cutoff is None else f"cut-off {rank.cutoff:.6g}"
    yield f"number {rank.place} of {rank.entries} at level {rank.level}, {cutoff}: {rank.rule}"
    if rank.ahead:
        yield f"ahead: {_trials(rank.ahead)}"


def _of_model(model: ModelChoice | None) -> Iterator[str]:
    if model is None:
        return
    batch = f", choice {model.chosen} of one update" if model.chosen > 1 else ""
    yield (f"log expected improvement {model.log_ei:.4g}, the largest of {many(model.candidates, 'candidate')}{batch}")
    at = "" if model.level is None else f" at level {model.level}"
    yield f"predicted{at}: mean {model.mean:.3g}, sd {model.sd:.3g}; the best one tried has mean {model.best:.3g}"
    pending = f", {model.pending} pending" if model.pending else ""
    yield f"model conditioned on {model.data} of {many(model.total, 'report')}{pending}; its values have mean 0, sd 1"


def _wait(wait: Wait, answer: Why, width: int) -> Iterator[str]:
    """What others got while the trial was paused."""
    took = "until the end" if wait.end is None else f"for {wait.end - wait.begin:.2f} s"
    got = [
        *([f"{many(len(wait.ahead), 'trial')} ahead of it promoted"] if wait.ahead else []),
        *([f"{many(wait.other_promotions, 'promotion')} from other rungs"] if wait.other_promotions else []),
        *([f"{many(wait.new_trials, 'new trial')} started"] if wait.new_trials else []),
    ]
    head = f"{wait.begin:10.2f} s waited"
    text = f"{took} at level {wait.level}; free workers: {', '.join(got) or 'none'}"
    yield from fitted(text, width, first=f"{head:<{INDENT}}", rest=" " * INDENT)
    if wait.ahead:
        promoted = _trials([(trial, value) for _, trial, value in wait.ahead])
        yield from fitted(f"promoted before it: {promoted}", width, first=" " * INDENT, rest=" " * (INDENT + 2))
    if wait.rank is not None and wait.end is None:
        for line in _of_rank(wait.rank, answer.moments[-1]):
            yield from fitted(f"at the end: {line}", width, first=" " * INDENT, rest=" " * (INDENT + 2))


def _trials(trials: Sequence[tuple[int, float]]) -> str:
    named = ", ".join(f"{trial} ({value:.6g})" for trial, value in trials[:SHOWN])
    more = f" and {len(trials) - SHOWN:,} more" if len(trials) > SHOWN else ""
    return f"trial{'s' if len(trials) > 1 else ''} {named}{more}"
