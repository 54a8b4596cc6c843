"""The process of a worker: `python -m hpoctl.ops.running.worker JSON`, started by launchers.

The JSON object names `tag`, `random_seed` (the random seed), `results` (the root), `entrypoint` and `git_commit` (what
results are to name). Tasks come on standard input and answers go to standard output, a line of JSON each; see `work`.
It is not a command of `hpoctl`, because the command line costs as much to import as a small experiment to run.
"""

import contextlib
import faulthandler
import fcntl
import gc
import json
import os
import signal
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hpoctl.builtins import open_registry
from hpoctl.core.cells import LOG, METADATA, Cell, claim_key
from hpoctl.core.clock import SystemTime
from hpoctl.core.credentials import concealed, concealed_bytes
from hpoctl.core.errors import INTERRUPTED, HpoctlError
from hpoctl.core.machine import leave
from hpoctl.core.metadata import read_metadata
from hpoctl.core.sealed import DamagedError
from hpoctl.core.storage import Claims, Store
from hpoctl.engine.continuing import gets_more
from hpoctl.engine.experiment import determined, run_experiment
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.ops.running.memory_limit import check_memory_limit
from hpoctl.ops.running.training_view import Answer, Pulse
from hpoctl.ops.studies.provenance import own_python, versions_of
from hpoctl.ops.studies.resolve import Specs, resolve, spec_of
from hpoctl.ops.studies.shared_scripts import shared_scripts
from hpoctl.ops.studies.tags import read_plan
from hpoctl.plugins import Registry
from hpoctl.stores.ledger import Attempt, attempts_at
from hpoctl.stores.opening import open_results

MAX_LOG = 1_000_000
"""Bytes of an experiment's output that are kept: the last ones."""


@dataclass(frozen=True)
class WorkerContext:
    """What a worker works with.

    Attributes:
        store: Where results go.
        claims: Who runs what.
        registry: What names stand for.
        tag: The tag.
        random_seed: The tag's random seed.
        entrypoint: The command line that results are to name.
        git_commit: The commit that results are to name.
    """

    store: Store
    claims: Claims
    registry: Registry
    tag: str
    random_seed: int
    entrypoint: str
    git_commit: str | None


def work(lines: Iterable[str], answer: Answer, context: WorkerContext) -> None:
    """Run tasks until there are no more.

    Args:
        lines: Tasks as JSON with `plan`, `method`, `benchmark` and `seed`.
        answer: Takes in `{"event": "began", "directory"}`, `{"event": "progress", "share"}`, with `trials` where they
            train (see `TrialActivity`), and, for each task,
            `{"event": "ended", "outcome", "error"}`; the outcome is `done`, `already` (it was complete),
            `held` (another process is running it) or `failed`.
        context: What it works with.
    """
    plans: dict[str, Specs] = {}
    versions: dict[tuple[str, str], Mapping[str, str]] = {}
    answer({"event": "ready"})
    for line in lines:
        task = json.loads(line)
        cell = Cell(task["method"], task["benchmark"], task["seed"])
        try:
            if task["plan"] not in plans:
                study = read_plan(context.store, context.tag, task["plan"]).study
                files = shared_scripts(context.store, context.tag, task["plan"], study.benchmark_files)
                study = replace(study, benchmark_files=files)
                plans[task["plan"]] = resolve(study, context.registry, context.tag, context.random_seed)
            spec = spec_of(plans[task["plan"]], cell)
            kind = (cell.method, cell.benchmark)
            if kind not in versions:
                versions[kind] = versions_of([spec], context.registry)
            outcome = _run_once(spec, answer, context, versions[kind])
        except HpoctlError as error:
            why = error.what.removeprefix(f"{cell} failed: ")  # the reader knows the experiment
            answer({"event": "ended", "outcome": "failed", "error": concealed(why)})
        except Exception as error:  # noqa: BLE001 - what a plugin does ends its experiment, not the others
            answer({"event": "ended", "outcome": "failed", "error": concealed(f"{type(error).__name__}: {error}")})
        else:
            answer({"event": "ended", "outcome": outcome, "error": ""})


def _run_once(spec: ExperimentSpec, answer: Answer, context: WorkerContext, versions: Mapping[str, str]) -> str:
    """Run an experiment, unless it is complete or another process runs it."""
    key = claim_key(context.tag, spec.cell)
    if not context.claims.take(key):
        return "held"
    try:
        earlier = attempts_at(context.store, context.tag, spec.cell, expensive=spec.method.expensive)
        complete = [attempt for attempt in earlier if attempt.recorded == "completed"]
        if complete and not _gets_more(spec, context.store, complete[-1]):
            return "already"
        known = {attempt.directory for attempt in complete}
        provenance = Provenance(versions, context.git_commit, context.entrypoint)
        _run_logged(spec, answer, context, provenance, partial(_check_still_ours, spec, context, known))
    finally:
        context.claims.release(key)
    return "done"


def _check_still_ours(spec: ExperimentSpec, context: WorkerContext, known: AbstractSet[str]) -> None:
    """Check that this process may still record the experiment: its lease may have expired while it was stopped.

    Args:
        spec: The experiment.
        context: What the worker works with.
        known: The complete attempts that there were when it began.

    Raises:
        HpoctlError: Another process runs it, or has completed it.
    """
    fix = "Nothing is lost: the result of the other process counts."
    if not context.claims.take(claim_key(context.tag, spec.cell)):
        raise HpoctlError(f"{spec.name}: another process has taken it over while this one was stopped.", fix)
    for attempt in attempts_at(context.store, context.tag, spec.cell, expensive=spec.method.expensive):
        if attempt.recorded == "completed" and attempt.directory not in known:
            raise HpoctlError(f"{spec.name}: another process has completed it while this one was stopped.", fix)


def _gets_more(spec: ExperimentSpec, store: Store, complete: Attempt) -> bool:
    """Whether a complete experiment is to be continued with a larger budget."""
    try:
        before = read_metadata(store.get(f"{complete.directory}/{METADATA}")).determined_by
    except (FileNotFoundError, DamagedError):
        return False
    if not before or before.get("budget") == spec.effective.determinants("budget"):
        return False  # most of the time, and the table need not be opened for that
    return gets_more(before, determined(spec))


def _run_logged(
    spec: ExperimentSpec,
    answer: Answer,
    context: WorkerContext,
    provenance: Provenance,
    before_recording: Callable[[], None],
) -> None:
    """Run an experiment and keep what it printed beside it."""
    directories: list[str] = []

    def opened(directory: str) -> None:
        directories.append(directory)
        answer({"event": "began", "directory": directory})

    _forget_output()
    try:
        run_experiment(spec, context.store, provenance, Pulse(answer, spec), SystemTime(), opened, before_recording)
    finally:
        printed = _output()
        if printed and directories:
            with suppress(HpoctlError):  # an experiment counts without its log, too
                context.store.put(f"{directories[0]}/{LOG}", concealed_bytes(printed))


def _forget_output() -> None:
    """Begin a new log."""
    if _is_log():
        os.ftruncate(2, 0)


def _output() -> bytes:
    """What has been printed since."""
    return os.pread(2, MAX_LOG, max(0, os.fstat(2).st_size - MAX_LOG)) if _is_log() else b""


def _is_log() -> bool:
    """Whether standard error is a file for us alone: one that can be read, too. One from a shell cannot."""
    try:
        readable = fcntl.fcntl(2, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDWR
        return readable and stat.S_ISREG(os.fstat(2).st_mode)
    except OSError:  # a plugin has closed it
        return False


MODULE = "hpoctl.ops.running.worker"


def worker_words(tag: str, random_seed: int, results: str, entrypoint: str, git_commit: str | None) -> tuple[str, ...]:
    """The command of a worker."""
    setup = {
        "tag": tag,
        "random_seed": random_seed,
        "results": results,
        "entrypoint": entrypoint,
        "git_commit": git_commit,
    }
    return (*own_python(), MODULE, json.dumps(setup))


def main(argument: str) -> int:
    """Run tasks until standard input ends; returns the exit code."""
    setup = json.loads(argument)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what plugins print goes to the log, like errors
    faulthandler.enable()
    # Ctrl-C in a terminal reaches us, too; the launcher decides how to react, and then terminates this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def answer(message: Mapping[str, Any]) -> None:
        # The launcher may be gone: finish the running experiment all the same.
        with contextlib.suppress(OSError):
            answers.write(json.dumps(message) + "\n")
            answers.flush()

    try:
        check_memory_limit()
        opened = open_results(setup["results"])
        context = WorkerContext(
            opened.store,
            opened.claims,
            open_registry(),
            setup["tag"],
            setup["random_seed"],
            setup["entrypoint"],
            setup["git_commit"],
        )
        gc.freeze()  # what is loaded stays: the collector need not look at it during each experiment
        work(sys.stdin, answer, context)
    except KeyboardInterrupt:
        return INTERRUPTED
    except HpoctlError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    leave(main(sys.argv[1]))
