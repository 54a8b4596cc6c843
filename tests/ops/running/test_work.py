"""A worker: what it answers to each task, and what it leaves."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from hpoctl.core.blackbox import Blackbox
from hpoctl.core.cells import Cell, claim_key
from hpoctl.core.entries import Method
from hpoctl.core.errors import HpoctlError
from hpoctl.core.options import NoOptions
from hpoctl.core.sealed import unseal
from hpoctl.core.study import Study
from hpoctl.engine.experiment import run_experiment
from hpoctl.ops.running import worker
from hpoctl.ops.running.worker import WorkerContext, work
from hpoctl.ops.studies.tags import keep_plan
from hpoctl.plugins import Origin, Registry
from hpoctl.plugins.registry import Registered
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.ledger import read_attempts
from hpoctl.stores.local import LocalStore
from hpoctl.testing import toy_benchmark, toy_table
from hpoctl.testing.claims import claimed_elsewhere
from launch_here import no_stderr, toy_registry

TAG = "t"
STUDY = Study("toys", "", ("RS", "ODD"), ("toy", "chatty", "closed"), num_seeds=3)


def _chatty() -> Blackbox:
    sys.stderr.flush()
    os.write(2, b"opening\n")
    return toy_table()


def _closed() -> Blackbox:
    raise RuntimeError("the table\nis gone")


def _odd(context: object, options: object) -> Any:
    raise SystemExit(3)


@pytest.fixture
def registry() -> Registry:
    chatty = replace(toy_benchmark(name="chatty", budget=100.0), blackbox=_chatty)
    closed = replace(toy_benchmark(name="closed"), blackbox=_closed)
    made = toy_registry([STUDY], [chatty, closed])
    odd = Method("ODD", "", "odd", _odd, NoOptions(), expensive=True)
    return replace(made, methods={**made.methods, "ODD": Registered(odd, Origin("odd", "1", "odd", "odd"))})


@pytest.fixture
def context(tmp_path: Path, registry: Registry) -> WorkerContext:
    root = tmp_path / "results"
    return WorkerContext(LocalStore(root), LocalClaims(root), registry, TAG, 7, "hpoctl launch --tag t", "abc")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with no_stderr():
        yield


@pytest.fixture
def plan(context: WorkerContext) -> str:
    return keep_plan(context.store, TAG, STUDY, "toys").name


def line(plan: str, method: str, benchmark: str, seed: int) -> str:
    return json.dumps({"plan": plan, **asdict(Cell(method, benchmark, seed))})


def answers(context: WorkerContext, *lines: str) -> list[Mapping[str, Any]]:
    said: list[Mapping[str, Any]] = []
    work(lines, said.append, context)
    assert said[0] == {"event": "ready"}
    return said[1:]


def outcomes(said: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(message["outcome"], message["error"]) for message in said if message["event"] == "ended"]


def test_an_experiment_is_done_once(context: WorkerContext, plan: str) -> None:
    began, *rest, ended = answers(context, line(plan, "RS", "toy", 1))
    assert began["event"] == "began"
    assert {message["event"] for message in rest} <= {"progress"}
    assert ended == {"event": "ended", "outcome": "done", "error": ""}
    metadata = unseal(context.store.get(f"{began['directory']}/metadata.json"))
    assert metadata["status"] == "completed"
    assert (metadata["random_seed"], metadata["seed"]) == (7, 1)
    assert (metadata["entrypoint"], metadata["git_commit"]) == ("hpoctl launch --tag t", "abc")
    assert metadata["versions"]["hpoctl"]
    before = dict(context.store.list(TAG))
    assert answers(context, line(plan, "RS", "toy", 1)) == [{"event": "ended", "outcome": "already", "error": ""}]
    assert dict(context.store.list(TAG)) == before


def test_a_damaged_result_is_done_again(context: WorkerContext, plan: str) -> None:
    began, *_ = answers(context, line(plan, "RS", "toy", 0))
    context.store.put(f"{began['directory']}/results.parquet", b"other bytes")
    assert outcomes(answers(context, line(plan, "RS", "toy", 0))) == [("done", "")]
    assert outcomes(answers(context, line(plan, "RS", "toy", 0))) == [("already", "")]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_what_another_process_runs_is_held_and_free_afterwards(context: WorkerContext, plan: str) -> None:
    key = claim_key(TAG, Cell("RS", "toy", 0))
    with claimed_elsewhere(lambda: LocalClaims(Path(context.store.location("t")).parent), key):
        said = answers(context, line(plan, "RS", "toy", 0), line(plan, "RS", "toy", 1))
        assert outcomes(said) == [("held", ""), ("done", "")]
    assert outcomes(answers(context, line(plan, "RS", "toy", 0))) == [("done", "")]


def test_failures_are_told_and_the_next_task_is_done(context: WorkerContext, plan: str) -> None:
    said = answers(
        context,
        line(plan, "RS", "closed", 0),
        line(plan, "ODD", "toy", 2),
        line("0009-nothing", "RS", "toy", 0),
        line(plan, "NONE", "toy", 0),
        line(plan, "RS", "none", 0),
        line(plan, "RS", "toy", 0),
    )
    found = outcomes(said)
    assert [outcome for outcome, _ in found] == ["failed"] * 5 + ["done"]
    errors = [error for _, error in found]
    assert "The table of closed cannot be opened: RuntimeError: the table is gone" in errors[0]
    assert "SystemExit: 3" in errors[1]
    assert "is missing or damaged" in errors[2]
    assert "NONE" in errors[3]
    assert "none" in errors[4]
    assert not any("\n" in error for error in errors)
    directories = [message["directory"] for message in said if message["event"] == "began"]
    statuses = [unseal(context.store.get(f"{one}/metadata.json"))["status"] for one in directories]
    assert statuses == ["failed", "failed", "completed"]
    assert directories[1].startswith("t/ODD-2/t-toy-2-")


def test_a_damaged_plan_and_one_with_an_unknown_method_fail_their_tasks(
    context: WorkerContext, plan: str, registry: Registry
) -> None:
    file = f"{TAG}/.hpoctl/plans/{plan}.json"
    data = context.store.get(file)
    context.store.put(file, data[:-9])
    ((outcome, error),) = outcomes(answers(context, line(plan, "RS", "toy", 0)))
    assert outcome == "failed"
    assert file in error
    context.store.put(file, data)
    methods = {name: entry for name, entry in registry.methods.items() if name != "ODD"}
    without = replace(context, registry=replace(registry, methods=methods))
    assert outcomes(answers(without, line(plan, "RS", "toy", 0))) == [("failed", "Unknown method 'ODD'.")]


def test_claims_are_released_whatever_happens(context: WorkerContext, plan: str) -> None:
    answers(context, line(plan, "RS", "closed", 0), line(plan, "RS", "toy", 0))
    for benchmark in ("closed", "toy"):
        key = claim_key(TAG, Cell("RS", benchmark, 0))
        pid = os.fork()
        if pid == 0:
            os._exit(context.claims.held(key))
        assert os.waitpid(pid, 0)[1] == 0


def test_what_is_printed_is_kept_if_it_goes_to_a_file(context: WorkerContext, plan: str, tmp_path: Path) -> None:
    kept = os.dup(2)
    with (tmp_path / "log").open("a+b") as log:
        log.write(b"from before\n")
        log.flush()
        os.dup2(log.fileno(), 2)
        try:
            said = answers(context, line(plan, "RS", "chatty", 0), line(plan, "RS", "toy", 0))
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    chatty, silent = (message["directory"] for message in said if message["event"] == "began")
    assert context.store.get(f"{chatty}/log.txt") == b"opening\n"
    assert f"{silent}/log.txt" not in context.store.list(silent)


def test_a_file_that_a_shell_has_made_is_left_alone(context: WorkerContext, plan: str, tmp_path: Path) -> None:
    kept = os.dup(2)
    with (tmp_path / "log").open("ab") as log:
        log.write(b"from before\n")
        log.flush()
        os.dup2(log.fileno(), 2)
        try:
            said = answers(context, line(plan, "RS", "chatty", 0))
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    assert outcomes(said) == [("done", "")]
    assert (tmp_path / "log").read_bytes() == b"from before\nopening\n"


class FullDisk(LocalStore):
    def put(self, name: str, data: bytes, *, create: bool = False) -> None:
        if name.endswith("log.txt"):
            raise HpoctlError("The disk is full.", "Make room.")
        super().put(name, data, create=create)


def test_an_experiment_counts_without_its_log(context: WorkerContext, plan: str, tmp_path: Path) -> None:
    full = replace(context, store=FullDisk(tmp_path / "results"))
    kept = os.dup(2)
    with (tmp_path / "log").open("a+b") as log:
        os.dup2(log.fileno(), 2)
        try:
            said = answers(full, line(plan, "RS", "chatty", 0))
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    assert outcomes(said) == [("done", "")]


class StoppedFor:
    """Claims of a process that was stopped for longer than its lease: the second look finds another holder."""

    def __init__(self) -> None:
        self.looks = 0

    def take(self, key: str) -> bool:
        self.looks += 1
        return self.looks == 1

    def release(self, key: str) -> None:
        pass

    def held(self, key: str) -> bool:
        return True


def _complete(context: WorkerContext) -> list[str]:
    found = read_attempts(context.store, TAG)
    return [attempt.directory for attempt in found if attempt.recorded == "completed"]


def test_a_worker_that_has_lost_its_lease_records_nothing(context: WorkerContext, plan: str) -> None:
    ((outcome, why),) = outcomes(answers(replace(context, claims=StoppedFor()), line(plan, "RS", "toy", 0)))
    assert (outcome, why) == ("failed", "RS toy seed 0: another process has taken it over while this one was stopped.")
    assert _complete(context) == []


def test_what_another_process_has_completed_meanwhile_counts(
    context: WorkerContext, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(worker, "run_experiment", run_experiment)
        assert outcomes(answers(context, line(plan, "RS", "toy", 0))) == [("done", "")]
        return run_experiment(*arguments)

    monkeypatch.setattr(worker, "run_experiment", overtaken)
    ((outcome, why),) = outcomes(answers(context, line(plan, "RS", "toy", 0)))
    assert (outcome, why) == ("failed", "RS toy seed 0: another process has completed it while this one was stopped.")
    assert len(_complete(context)) == 1
    assert outcomes(answers(context, line(plan, "RS", "toy", 0))) == [("already", "")]
