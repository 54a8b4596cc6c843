"""`hpoctl status` and `hpoctl logs` from the command line."""

import os
import select
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from command_line import CommandLine
from hpoctl.core.cells import LOG, RESULTS, Cell, claim_key
from hpoctl.core.study import Study
from hpoctl.ops.studies.tags import keep_plan
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.local import LocalStore
from hpoctl.testing.claims import claimed_elsewhere
from trees import CELL, TAG, put_attempt

STUDY = Study("toys", "Toys", methods=("RS", "ASHA"), benchmarks=("toy", "toy-max"), num_seeds=3)


@pytest.fixture
def store(cli: CommandLine) -> LocalStore:
    """A study: RS done, of ASHA one failed, one running (if claimed), one damaged, others missing."""
    store = LocalStore(cli.root)
    keep_plan(store, TAG, STUDY, "toys")
    for cell in STUDY.cells():
        if cell.method == "RS":
            put_attempt(store, cell)
    put_attempt(store, CELL, "failed", error="Traceback (most recent call last):\nRuntimeError: the table is gone")
    put_attempt(store, replace(CELL, seed=1), "running")
    directory = put_attempt(store, Cell("ASHA", "toy-max", 2))
    store.put(f"{directory}/{RESULTS}", b"")
    return store


@contextmanager
def running(cli: CommandLine) -> Iterator[None]:
    with claimed_elsewhere(lambda: LocalClaims(cli.root), claim_key(TAG, replace(CELL, seed=1))):
        yield


def test_a_study_in_progress(cli: CommandLine, store: LocalStore) -> None:
    with running(cli):
        answer = cli("status", "--tag", TAG, COLUMNS="160")
    assert answer.code == 0
    assert f"tag {TAG} in {store.location(TAG)}" in answer.out
    assert "0/3  1 failed  1 running  1 missing" in answer.out
    assert "0/3  1 failed  2 missing" in answer.out
    assert answer.out.count("3/3 done") == 2
    assert "6 of 12 done, 2 failed, 1 running, 3 missing" in answer.out
    assert "  ASHA toy seed 0: RuntimeError: the table is gone\n" in answer.out
    assert "  ASHA on toy-max: seeds 0-1\n" in answer.out
    assert f"ASHA toy-max seed 2, {store.location(TAG)}/ASHA/" in answer.out
    assert answer.err == f"next: hpoctl launch --tag {TAG}\n"
    assert "\x1b" not in answer.out + answer.err


@pytest.mark.parametrize("columns", ["40", "80", "300"])
def test_every_count_is_there_in_any_width(cli: CommandLine, store: LocalStore, columns: str) -> None:
    answer = cli("status", "--tag", TAG, COLUMNS=columns)
    assert answer.code == 0
    for text in ("RS", "toy-max", "3/3 done", "0/3", "2 failed", "1 missing"):
        assert text in answer.out


def test_hints_repeat_a_root_that_was_given(cli: CommandLine, store: LocalStore) -> None:
    answer = cli("status", "--tag", TAG, "--results", str(cli.root), HPOCTL_ROOT="/nowhere")
    assert answer.err == f"next: hpoctl launch --tag {TAG} --results {cli.root}\n"


def test_a_study_in_progress_as_json(cli: CommandLine, store: LocalStore) -> None:
    with running(cli):
        answer = cli("status", "--tag", TAG, "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.json["status"] == "success"
    data = answer.json["data"]
    (pair,) = [pair for pair in data["pairs"] if (pair["method"], pair["benchmark"]) == ("ASHA", "toy")]
    assert pair["failed"] == {"count": 1, "seeds": "0"}
    assert pair["running"] == {"count": 1, "seeds": "1"}
    assert data["failures"][0]["reason"] == "RuntimeError: the table is gone"
    assert data["damaged"][0]["cell"] == {"method": "ASHA", "benchmark": "toy-max", "seed": 2}
    assert data["totals"] == {"done": 6, "running": 1, "failed": 2, "missing": 3, "wanted": 12, "extra": 0}
    assert data["next"] == [f"hpoctl launch --tag {TAG}"]
    assert data["complete"] is False


def test_filters(cli: CommandLine, store: LocalStore) -> None:
    words = ("--method", "ASHA", "--benchmark", "toy", "--seed", "0-1", "--seed", "2")
    answer = cli("status", "--tag", TAG, *words)
    assert "0 of 3 done, 2 failed, 1 missing" in answer.out
    assert cli("status", "--tag", TAG, "--seed", "x").code == 2
    assert cli("status", "--tag", TAG, "--seed", "9").code == 3


def test_verify(cli: CommandLine, store: LocalStore) -> None:
    directory = put_attempt(store, Cell("RS", "toy", 0), tag="changed")
    data = store.get(f"{directory}/{RESULTS}")
    store.put(f"{directory}/{RESULTS}", data[::-1])
    assert "1 of 1 done" in cli("status", "--tag", "changed").out
    answer = cli("status", "--tag", "changed", "--verify")
    assert "0 of 1 done, 1 failed" in answer.out
    assert "hash does not match" in answer.out


def test_what_hpoctl_run_left_undone_is_mended_by_hpoctl_run(cli: CommandLine) -> None:
    store = LocalStore(cli.root)
    for benchmark in ("toy", "toy-max"):
        for seed in (1, 2, 4):
            put_attempt(store, Cell("ASHA", benchmark, seed), "failed")
    answer = cli("status", "--tag", TAG)
    command = f"next: hpoctl run --tag {TAG} --method ASHA --benchmark toy --benchmark toy-max"
    assert answer.err.splitlines()[:2] == [
        f"{command} --start-seed 1 --num-seeds 3",
        f"{command} --start-seed 4 --num-seeds 5",
    ]


def test_the_list_of_tags(cli: CommandLine, store: LocalStore) -> None:
    put_attempt(store, tag="another")
    answer = cli("status")
    assert answer.code == 0
    assert "6/12  3 failed  3 missing" in answer.out
    assert "another" in answer.out
    assert "next: hpoctl status --tag" in answer.err
    listed = cli("status", "--json").json
    assert {tag["tag"]: tag["done"] for tag in listed["data"]["tags"]} == {TAG: 6, "another": 1}
    assert (listed["status"], len(listed["errors"])) == ("partial", 1)


def test_an_unknown_tag_and_an_empty_root(cli: CommandLine, store: LocalStore) -> None:
    answer = cli("status", "--tag", "docs-3")
    assert answer.code == 3
    assert "Did you mean docs-2?" in answer.err
    assert answer.out == ""
    nothing = cli("status", "--results", str(cli.root / "nowhere"))
    assert nothing.code == 3
    assert "no results" in nothing.err


@pytest.mark.parametrize(
    "words", [("--tag", TAG, "--watch", "--json"), ("--method", "RS"), ("--watch",), ("--tag", "a/b"), ("--seed", "1")]
)
def test_what_does_not_go_together(cli: CommandLine, store: LocalStore, words: tuple[str, ...]) -> None:
    assert cli("status", *words).code == 2


def test_the_matrix_needs_no_plugins(cli: CommandLine, store: LocalStore) -> None:
    answer = cli("status", "--tag", TAG, HPOCTL_PLUGINS="", PYTHONPATH="")
    assert answer.code == 0
    assert "6 of 12 done" in answer.out


def test_watch_prints_changes_and_ends_when_all_is_done(cli: CommandLine) -> None:
    store = LocalStore(cli.root)
    keep_plan(store, TAG, replace(STUDY, methods=("ASHA",), benchmarks=("toy",), num_seeds=2), "toys")
    put_attempt(store)
    command = cli.command("status", "--tag", TAG, "--watch", "--interval", "0.1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=cli.environment) as process:
        assert process.stdout is not None
        guard = threading.Timer(60.0, process.kill)
        guard.start()
        first = _read_until(process, "time left")
        put_attempt(store, replace(CELL, seed=1))
        rest = process.stdout.read()
        guard.cancel()
    assert process.returncode == 0
    assert "1 of 2 done, 1 missing" in first
    assert rest.count("2 of 2 done") == 1
    assert "1 of 2 done" not in rest


def test_watch_ends_with_ctrl_c(cli: CommandLine, store: LocalStore) -> None:
    process = subprocess.Popen(
        cli.command("status", "--tag", TAG, "--watch"),
        stdout=subprocess.PIPE,
        text=True,
        env=cli.environment,
        # A shell that runs the tests in the background has them ignore the signal; a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    with process:
        guard = threading.Timer(60.0, process.kill)
        guard.start()
        _read_until(process, "time left")
        process.send_signal(signal.SIGINT)
        process.wait()
        guard.cancel()
    assert process.returncode == 0


def test_watch_in_a_terminal_refreshes_in_place_and_leaves_the_last_picture(cli: CommandLine) -> None:
    store = LocalStore(cli.root)
    put_attempt(store)
    ours, theirs = os.openpty()
    command = cli.command("status", "--tag", TAG, "--watch")
    environment = {**cli.environment, "TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = _read_terminal(ours)
    os.close(ours)
    assert process.returncode == 0
    assert "1 of 1 done" in shown
    assert "all done, nothing to mend" in shown


def _read_until(process: subprocess.Popen[str], word: str) -> str:
    assert process.stdout is not None
    text = ""
    while word not in text:
        line = process.stdout.readline()
        assert line, f"it ended before it said {word!r}"
        text += line
    return text


def _read_terminal(descriptor: int) -> str:
    shown = b""
    ready = select.poll()  # `select` knows no file descriptors from 1024 on
    ready.register(descriptor, select.POLLIN)
    while ready.poll(60_000):
        try:
            part = os.read(descriptor, 4096)
        except OSError:  # Linux: the other side has been closed
            break
        if not part:
            break
        shown += part
    return shown.decode()


# --- logs ---


def test_the_log_of_a_failed_experiment(cli: CommandLine, store: LocalStore) -> None:
    directory = put_attempt(store, CELL, "failed", seconds=5.0, pid=77)
    store.put(f"{directory}/{LOG}", b"about to fail\n")
    answer = cli("logs", "--tag", TAG, "--method", "ASHA", "--benchmark", "toy", "--seed", "0")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "ASHA toy seed 0: failed",
        "  started 2026-01-02 03:04:10 UTC",
        "  on here, process 77",
        f"  in {store.location(directory)}",
        "  why ValueError: broken",
        "about to fail",
        "Traceback (most recent call last):",
        "  File ...",
        "ValueError: broken",
    ]
    assert "1 earlier attempt: hpoctl logs --tag docs-2 --method ASHA --benchmark toy --seed 0 --all" in answer.err
    every = cli("logs", "--tag", TAG, "--method", "ASHA", "--benchmark", "toy", "--seed", "0", "--all", "--json").json
    assert [attempt["reason"] for attempt in every["data"]["attempts"]] == [
        "RuntimeError: the table is gone",
        "ValueError: broken",
    ]


def test_an_experiment_that_printed_nothing_and_one_that_runs(cli: CommandLine, store: LocalStore) -> None:
    assert "printed nothing" in cli("logs", "--tag", TAG, "--method", "RS", "--benchmark", "toy", "--seed", "0").out
    with running(cli):
        answer = cli("logs", "--tag", TAG, "--method", "ASHA", "--benchmark", "toy", "--seed", "1")
    assert "it runs; its log appears when it ends" in answer.out


def test_logs_of_several_experiments(cli: CommandLine, store: LocalStore) -> None:
    answer = cli("logs", "--tag", TAG, "--method", "RS")
    assert answer.code == 2
    assert answer.out.splitlines()[0] == "RS toy seed 0"
    assert "6 experiments of tag docs-2 match" in answer.err
    as_json = cli("logs", "--tag", TAG, "--method", "RS", "--json")
    assert as_json.code == 2
    assert len(as_json.json["data"]["matches"]) == 6


def test_logs_of_what_is_not_there(cli: CommandLine, store: LocalStore) -> None:
    missing = cli("logs", "--tag", TAG, "--method", "ASHA", "--benchmark", "toy", "--seed", "2")
    assert missing.code == 3
    assert "has not been run yet" in missing.err
    assert cli("logs", "--tag", TAG, "--method", "nobody").code == 2
    assert cli("logs", "--tag", "nothing", "--json").json["status"] == "error"


def test_a_root_that_is_a_file_is_not_an_empty_root(cli: CommandLine) -> None:
    cli.root.write_text("results")
    answer = cli("status")
    assert answer.code == 1
    said = " ".join(answer.err.split())
    assert said == f"error: {cli.root} is not a folder. fix: Name the folder of results with --results or HPOCTL_ROOT."
