"""`hpoctl launch` as a person uses it: to the end, into failures, into Ctrl-C, and again."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from command_line import Answer, CommandLine
from hpoctl.testing import toy_plugin
from hpoctl.testing.polling import wait_until
from hpoctl.testing.toy_jobs import write_entry_point

SOURCE = """
from hpoctl.plugins import Study, hookimpl


@hookimpl
def hpoctl_studies():
    names = {"methods": ("RS", "ASHA", "RS-EACH"), "benchmarks": ("toy-1", "toy-2")}
    yield Study("small", "Toys", **names, num_seeds=2, extra_results=("trip-wire",), random_seed=5)
"""
ALL = 12
METHODS = ("RS", "ASHA", "RS-EACH")
CELLS = [f"{method} {bench} seed {seed}" for method in METHODS for bench in ("toy-1", "toy-2") for seed in (0, 1)]
LAST = "RS toy-1 seed 0"
"""Of those that are expected to take as long as each other, the one that begins last."""


@dataclass(frozen=True)
class Small:
    """The study `small` on the command line, and the wires that its experiments trip over."""

    cli: CommandLine
    wires: Path

    def __call__(self, *words: str) -> Answer:
        return self.cli("launch", *words)

    def set_wire(self, name: str, fate: str) -> None:
        toy_plugin.wire(self.wires, name).write_text(fate)

    def cut_wires(self) -> None:
        for file in self.wires.iterdir():
            file.unlink()

    @contextmanager
    def start(self, *words: str) -> "Iterator[subprocess.Popen[str]]":
        """A launch in a separate process group, as a terminal makes one, that is gone at the end of the block."""
        process = subprocess.Popen(
            self.cli.command("launch", *words),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.cli.root.parent,
            env=self.cli.environment,
            start_new_session=True,
            # A shell that runs the tests in the background has them ignore the signal; a terminal does not.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        try:
            with process:
                yield process
        finally:
            self.cut_wires()
            if process.poll() is None:
                process.kill()

    def attempts(self, tag: str) -> dict[str, list[str]]:
        """The statuses of all attempts, by experiment."""
        found: dict[str, list[str]] = {}
        for metadata in self.metadata(tag):
            found.setdefault(name_of(metadata), []).append(metadata["status"])
        return found

    def metadata(self, tag: str) -> list[dict[str, Any]]:
        files = sorted(self.cli.root.glob(f"{tag}/*/*/metadata.json"), key=lambda file: file.parent.name[-22:])
        return [json.loads(file.read_text()) for file in files]

    def statuses(self, tag: str) -> list[str]:
        return sorted(status for statuses in self.attempts(tag).values() for status in statuses)

    def bytes(self, tag: str) -> dict[str, bytes]:
        """The results of all experiments that are complete."""
        found = {}
        for file in self.cli.root.glob(f"{tag}/*/*/metadata.json"):
            metadata = json.loads(file.read_text())
            if metadata["status"] == "completed":
                found[name_of(metadata)] = (file.parent / "results.parquet").read_bytes()
        return found


def name_of(metadata: dict[str, Any]) -> str:
    return f"{metadata['algorithm']} {metadata['benchmark']} seed {metadata['seed']}"


@pytest.fixture
def small(cli: CommandLine, tmp_path: Path) -> Small:
    wires = tmp_path / "wires"
    wires.mkdir()
    cli.install("small-plugin", SOURCE)
    write_entry_point(cli.plugins, "grief-plugin", toy_plugin.__name__)
    environment = cli.environment | {
        "HPOCTL_PLUGINS": "small-plugin,grief-plugin",
        toy_plugin.WIRES: str(wires),
        "PYTHONWARNINGS": "error",
    }
    return Small(replace(cli, environment=environment), wires)


def gone(pid: int) -> bool:
    """Whether a process has ended; one without a parent that waits is a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_whole_study_its_next_command_and_the_same_bytes_in_any_way(small: Small) -> None:
    answer = small("--tag", "a", "--jobs", "2")
    assert answer.code == 0, answer.err
    assert f"tag a: {ALL} of {ALL} experiments are complete" in answer.out
    assert f"results: {small.cli.root}/a" in answer.out
    assert "toy-1, toy-2 data: curves: made up" in answer.out
    assert answer.err.splitlines()[0] == "tag a: 4 jobs, 12 experiments"
    assert "random seed 5" in answer.err
    assert answer.err.splitlines()[-1] == "next: hpoctl status --tag a"
    assert "\x1b" not in answer.out + answer.err
    assert small.attempts("a") == {name: ["completed"] for name in CELLS}
    assert {entry["entrypoint"] for entry in small.metadata("a")} == {"__main__.py launch --tag a --jobs 2"}

    again = small("--tag", "a")
    assert again.code == 0
    assert again.err.splitlines()[0] == "tag a: nothing to do, 12 of 12 experiments are complete"
    assert len(small.statuses("a")) == ALL

    assert small("--tag", "b", "--jobs", "1").code == 0
    methods = [word for method in METHODS for word in ("--method", method)]
    run = ("run", *methods, "--study", "small", "--num-seeds", "2", "--tag", "c", "--random-seed", "5")
    assert small.cli(*run).code == 0
    assert sorted(small.bytes("a")) == sorted(CELLS)
    assert small.bytes("a") == small.bytes("b") == small.bytes("c")


def test_a_dry_run_shows_the_jobs_and_writes_nothing(small: Small) -> None:
    before = sorted(small.cli.root.parent.rglob("*"))
    text = small("--tag", "a", "--dry-run", "--num-seeds", "3")
    assert text.code == 0, text.err
    for expected in ("a-RS", "a-ASHA", "a-RS-EACH-0", "a/RS-EACH-2/", "0-2", "toy-1, toy-2", "random seed 5"):
        assert expected in text.out
    assert "tag a: 5 jobs, 18 experiments" in text.out
    assert "expected time on local" in text.out
    assert "\x1b" not in text.out + text.err

    answer = small("--tag", "a", "--dry-run", "--json", "--jobs", "3", "--method", "RS", "--method", "RS-EACH")
    assert answer.json["status"] == "success"
    data = answer.json["data"]
    assert [(job["name"], job["method"], job["launcher"], len(job["experiments"])) for job in data["jobs"]] == [
        ("a-RS", "RS", "local", 4),
        ("a-RS-EACH-0", "RS-EACH", "local", 2),
        ("a-RS-EACH-1", "RS-EACH", "local", 2),
    ]
    assert data["jobs"][1]["results"] == "a/RS-EACH-0/"
    assert data["jobs"][1]["experiments"][0].items() >= {"method": "RS-EACH", "benchmark": "toy-1", "seed": 0}.items()
    assert (data["tag"], data["random_seed"], data["wanted"], data["done"]) == ("a", 5, 8, 0)
    assert data["expected_seconds"] > 0.0
    assert sorted(small.cli.root.parent.rglob("*")) == before


def test_what_failed_is_said_with_the_command_that_says_why_and_mended_by_the_next(small: Small) -> None:
    small.set_wire("ASHA toy-1 seed 1", "fail")
    small.set_wire("RS-EACH toy-2 seed 0", "exit")
    answer = small("--tag", "a")
    assert answer.code == 1
    assert "tag a: 10 of 12 experiments are complete, 2 failed" in answer.out
    assert "failed ASHA toy-1 seed 1: " in answer.err
    assert "RuntimeError: tripped over a wire" in answer.err
    assert "failed RS-EACH toy-2 seed 0: its process exited with code 3" in answer.err
    why, following = answer.err.splitlines()[-2:]
    assert following == "next: hpoctl launch --tag a"
    assert why.startswith("why: hpoctl logs --tag a --method ")
    shown = small.cli(*why.removeprefix("why: hpoctl ").split())
    assert shown.code == 0, shown.err
    assert "tripped over a wire" in shown.out + shown.err or "exited with code 3" in shown.out + shown.err
    whole = small.bytes("a")
    assert len(whole) == 10

    as_json = small("--tag", "a", "--json")
    assert as_json.code == 1
    assert as_json.json["status"] == "partial"
    data = as_json.json["data"]
    assert (data["submitted"], data["done"], data["wanted"], data["failed_before"]) == (2, 10, 12, 2)
    failed = [
        {"method": "ASHA", "benchmark": "toy-1", "seed": 1},
        {"method": "RS-EACH", "benchmark": "toy-2", "seed": 0},
    ]
    assert sorted((entry["experiment"] for entry in data["failures"]), key=lambda cell: cell["method"]) == failed
    assert [error["fix"] for error in as_json.json["errors"]] == ["hpoctl launch --tag a"] * 2
    elsewhere = small("--tag", "a", "--json", "--results", str(small.cli.root))
    assert {error["fix"] for error in elsewhere.json["errors"]} == {f"hpoctl launch --tag a --results {small.cli.root}"}

    small.cut_wires()
    mended = small(*following.removeprefix("next: hpoctl launch ").split())
    assert mended.code == 0
    assert mended.err.splitlines()[0] == "tag a: 2 jobs, 2 experiments of 12 (10 complete, 2 failed before)"
    expected = {name: ["completed"] for name in CELLS}
    expected |= {
        name: ["failed", "failed", "failed", "completed"] for name in ("ASHA toy-1 seed 1", "RS-EACH toy-2 seed 0")
    }
    assert small.attempts("a") == expected
    assert small.bytes("a").items() >= whole.items()


def test_retries_and_timeout_are_options(small: Small) -> None:
    small.set_wire("RS toy-1 seed 0", "once exit")
    small.set_wire("RS toy-2 seed 0", "wait")
    words = ("--method", "RS", "--num-seeds", "1", "--retries", "1", "--timeout", "1.5", "--jobs", "2")
    answer = small("--tag", "a", *words)
    assert answer.code == 1
    assert small.attempts("a") == {"RS toy-1 seed 0": ["failed", "completed"], "RS toy-2 seed 0": ["failed", "failed"]}
    assert "failed RS toy-2 seed 0: it took longer than --timeout 1.5 s" in answer.err


def test_ctrl_c_keeps_what_is_complete_and_the_next_launch_ends_in_the_same_bytes(small: Small) -> None:
    small.set_wire(LAST, "wait")
    small.set_wire("RS toy-2 seed 0", "ignore signals, wait")
    with small.start("--tag", "a", "--jobs", "2") as process:
        rest = ["completed"] * (ALL - 2)
        wait_until(lambda: small.statuses("a") == [*rest, "running", "running"], "they do not begin")
        time.sleep(0.5)  # so that both wait
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "tag a: 10 of 12 experiments are complete" in out
    assert "interrupted: complete experiments are kept" in err
    assert err.splitlines()[-1] == "next: hpoctl launch --tag a"
    assert "Traceback" not in err
    assert small.statuses("a") == [*rest, "interrupted", "interrupted"]
    assert all(gone(entry["pid"]) for entry in small.metadata("a"))

    again = small("--tag", "a")
    assert again.code == 0
    assert again.err.splitlines()[0] == "tag a: 1 job, 2 experiments of 12 (10 complete)"
    assert small.statuses("a") == [*(["completed"] * ALL), "interrupted", "interrupted"]
    assert small("--tag", "whole").code == 0
    assert small.bytes("a") == small.bytes("whole")


def test_a_second_ctrl_c_waits_for_nobody(small: Small) -> None:
    small.set_wire(LAST, "ignore signals, wait")
    words = ("--tag", "a", "--method", "RS", "--benchmark", "toy-1", "--num-seeds", "1")
    with small.start(*words) as process:
        wait_until(lambda: small.statuses("a") == ["running"], "it does not begin")
        time.sleep(0.5)  # so that it ignores signals
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Traceback" not in err
        (entry,) = small.metadata("a")
        wait_until(lambda: gone(entry["pid"]), "its worker still runs")
    assert small(*words).code == 0
    assert small.attempts("a") == {LAST: ["interrupted", "completed"]}


def test_workers_finish_what_they_have_in_hand_when_the_launch_is_killed(small: Small) -> None:
    small.set_wire(LAST, "wait")
    with small.start("--tag", "a", "--jobs", "2") as process:
        wait_until(lambda: small.statuses("a") == [*(["completed"] * (ALL - 1)), "running"], "it does not begin")
        process.kill()
        process.wait()
        small.cut_wires()
        wait_until(lambda: small.statuses("a") == ["completed"] * ALL, "it is not finished")
        wait_until(lambda: all(gone(entry["pid"]) for entry in small.metadata("a")), "workers do not end")
    again = small("--tag", "a")
    assert (again.code, len(small.statuses("a"))) == (0, ALL)
    assert "nothing to do" in again.err


def test_two_launches_at_once_share_the_work(small: Small) -> None:
    with small.start("--tag", "a", "--jobs", "2") as one, small.start("--tag", "a", "--jobs", "2") as other:
        for process in (one, other):
            out, err = process.communicate(timeout=60)
            assert process.returncode == 0, err
            assert f"tag a: {ALL} of {ALL} experiments are complete" in out
    assert sorted(small.attempts("a")) == sorted(CELLS)
    assert small.statuses("a") == ["completed"] * ALL


def test_a_launch_goes_on_in_the_background(small: Small) -> None:
    small.set_wire(LAST, "wait")
    answer = small("--tag", "a", "--jobs", "2", "--detach")
    assert answer.code == 0, answer.err
    assert "launched 12 experiments of a in the background: pid " in answer.out
    pid = int(answer.out.split("pid ")[1].split()[0])
    log = Path(answer.out.split("output: ")[1].split("\n")[0])
    assert "watch: hpoctl status --tag a --watch" in answer.err
    assert "stop: hpoctl stop --tag a" in answer.err
    try:
        wait_until(lambda: small.statuses("a") == [*(["completed"] * (ALL - 1)), "running"], "it does not continue")
        assert not gone(pid)
        second = small("--tag", "a", "--detach", "--json")
        assert second.json["data"]["running"] == 1, second.out
        assert second.json["data"]["done"] == ALL - 1
    finally:
        small.cut_wires()
        wait_until(lambda: gone(pid), "it does not end")
    assert small.statuses("a") == ["completed"] * ALL
    assert "tag a: 12 of 12 experiments are complete" in log.read_text()
    assert "\x1b" not in log.read_text()


def test_kill_stops_a_launch_in_the_background_as_ctrl_c_does(small: Small) -> None:
    small.set_wire(LAST, "wait")
    answer = small("--jobs", "2", "--detach", "--json", "--new-seed")
    assert answer.code == 0, answer.err
    started = answer.json["data"]
    tag = started["tag"]
    try:
        wait_until(lambda: small.statuses(tag) == [*(["completed"] * (ALL - 1)), "running"], "it does not continue")
        os.kill(started["pid"], signal.SIGTERM)
        wait_until(lambda: gone(started["pid"]), "it does not end")
    finally:
        small.cut_wires()
    assert small.statuses(tag) == [*(["completed"] * (ALL - 1)), "interrupted"]
    assert all(gone(entry["pid"]) for entry in small.metadata(tag))
    assert len({entry["random_seed"] for entry in small.metadata(tag)}) == 1
    log = Path(started["log"]).read_text()
    assert "interrupted: complete experiments are kept" in log
    assert "Traceback" not in log
    assert small("--tag", tag).code == 0
    assert small.statuses(tag) == [*(["completed"] * ALL), "interrupted"]


def test_stop_ends_a_launch_in_the_background_as_it_proposes(small: Small) -> None:
    small.set_wire(LAST, "wait")
    root = small.cli.root
    answer = small("--tag", "a", "--jobs", "2", "--detach", f"--results={root}")
    assert answer.code == 0, answer.err
    pid = int(answer.out.split("pid ")[1].split()[0])
    try:
        wait_until(lambda: small.statuses("a") == [*(["completed"] * (ALL - 1)), "running"], "it does not continue")
        words = shlex.split(answer.err.split("stop: hpoctl ")[1].splitlines()[0])
        stopped = small.cli(*words, "--yes")
        assert (stopped.code, stopped.out) == (
            0,
            f"stopped: the launch of process {pid}; complete experiments are kept\n",
        ), stopped.err
        wait_until(lambda: gone(pid), "it does not end")
    finally:
        small.cut_wires()
    assert words == ["stop", "--tag", "a", "--results", str(root)]
    assert small.statuses("a") == [*(["completed"] * (ALL - 1)), "interrupted"]
    assert all(gone(entry["pid"]) for entry in small.metadata("a"))


def test_modules_in_the_current_folder_do_not_disturb_workers(small: Small) -> None:
    for name in ("random", "numpy", "json"):
        (small.cli.root.parent / f"{name}.py").write_text("raise RuntimeError('not this one')\n")
    python, *words = small.cli.command("launch", "--tag", "a", "--method", "RS", "--num-seeds", "1")
    done = subprocess.run(
        [python, "-P", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=small.cli.root.parent,
        env=small.cli.environment,
    )
    assert done.returncode == 0, done.stderr
    assert small.statuses("a") == ["completed", "completed"]


WRONG = [
    (("--study", "smal"), "Unknown study 'smal'.", "Did you mean small?"),
    (("--on", "clod"), "Unknown launcher 'clod'.", "hpoctl plugins"),
    (("--launcher-option", "jbos=2"), "Unknown option 'jbos' of launcher local.", "Did you mean jobs?"),
    (("--launcher-option", "jobs"), "'jobs' is not an option of a launcher.", "option=value"),
    (("--launcher-option", "jobs=two"), "local.jobs cannot be 'two'.", "a whole number"),
    (("--jobs", "0"), "0 experiments at a time cannot be run.", ">= 1"),
    (("--timeout", "-1"), "--timeout is -1.0.", "positive"),
    (("--start-seed", "2"), "There is no seed from 2", "--num-seeds 3"),
]


@pytest.mark.parametrize(("words", "what", "fix"), WRONG)
def test_wrong_usage_is_one_line_what_and_one_line_what_to_do(
    small: Small, words: tuple[str, ...], what: str, fix: str
) -> None:
    answer = small(*words)
    assert answer.code == 2
    assert answer.out == ""
    first, second = answer.err.strip().splitlines()
    assert first.startswith("error: ")
    assert what in first
    assert second.strip().startswith("fix: ")
    assert fix in second
    assert not small.cli.root.exists()


def test_another_random_seed_and_other_results_are_refused(small: Small) -> None:
    words = ("--tag", "a", "--method", "RS", "--num-seeds", "1")
    assert small(*words).code == 0
    seed = small(*words, "--random-seed", "6", "--json")
    assert seed.code == 2
    assert seed.json["errors"][0]["what"].startswith("Tag a has the random seed 5")
    mixed = small(*words, "--n-workers", "2")
    assert mixed.code == 2
    assert "budget.n_workers: 4 -> 2" in mixed.err
    assert "--allow-mixed" in mixed.err
    assert small(*words, "--n-workers", "2", "--allow-mixed").code == 0
    assert small.statuses("a") == ["completed", "completed"]


@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space are those of Linux")
@pytest.mark.timeout(400)
@pytest.mark.parametrize("megabytes", [300, 440])
def test_a_limit_of_memory_ends_a_launch_with_a_reason(cli: CommandLine, megabytes: int) -> None:
    words = ("launch", "--method", "MOBSTER", "--benchmark", "toy", "--num-seeds", "2", "--tag", "small", "-j", "1")
    limited = ["sh", "-c", f'ulimit -v {megabytes * 1000}; exec "$@"', "sh", *cli.command(*words)]
    answer = subprocess.run(
        limited, cwd=cli.root.parent, env=cli.environment, capture_output=True, text=True, check=False, timeout=360
    )
    assert answer.returncode in (0, 1, 4), answer
    if answer.returncode:
        assert "emory" in answer.stderr or "failed to map segment" in answer.stderr, answer
