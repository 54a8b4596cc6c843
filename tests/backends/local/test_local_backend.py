"""Trials on this machine: what they see, how they end, and what is left of them."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpoctl.backends.local.leftovers import processes
from hpoctl.backends.local.supervisor import owner_of
from hpoctl.backends.local.workers import LocalWorkers
from hpoctl.backends.scripts.files import HEAD, TAIL
from hpoctl.backends.scripts.starts import Started, StartFolder
from hpoctl.core.errors import UsageError
from hpoctl.core.protocols import Ended, Known, Outcome, Report
from hpoctl.core.settings import Settings
from training_scripts import TRAIN, backend, context, events, script

CONFIG = {"lr": 0.1, "epochs": 9}


def left(folder: Path) -> list[int]:
    """The living processes that belong to trials of a test."""
    found = []
    for pid, state, _ in processes():
        owner = owner_of(pid)
        if state != "Z" and owner is not None and owner.startswith(str(folder)):
            found.append(pid)
    return found


def resources(found: list[Report | Ended], trial: int = 0) -> list[int]:
    """The levels that a trial has reported."""
    reports = [event for event in found if isinstance(event, Report) and event.trial_id == trial]
    return [level for report in reports for level in report.resources.tolist()]


def only_end(found: list[Report | Ended]) -> Ended:
    (event,) = [event for event in found if isinstance(event, Ended)]
    return event


def run(folder: Path, body: str, **facts: Any) -> tuple[list[Report | Ended], Ended]:
    """Run one trial to its end."""
    config = facts.pop("config", CONFIG)
    made = backend(folder, body, **facts)
    made.start(0, config, resume_from=None, until=None)
    found = events(made)
    made.close()
    assert left(folder) == []
    return found, only_end(found)


def test_a_trial_reports_every_level_and_completes(tmp_path: Path) -> None:
    found, end = run(tmp_path, TRAIN)
    assert resources(found) == list(range(1, 10))
    assert (end.outcome, end.exit_status, end.slot, end.reason) == (Outcome.COMPLETED, 0, 0, "")
    times = np.concatenate([event.times for event in found if isinstance(event, Report)])
    assert (np.diff(times) >= 0).all()
    assert 0 < times[0] < times[-1] <= end.time


def test_what_a_trial_sees(tmp_path: Path) -> None:
    body = "report(epoch=1, loss=0, seen={k: os.environ[k] for k in os.environ if k.startswith(('HPOCTL', 'OMP'))},"
    body += " cores=sorted(os.sched_getaffinity(0)), words=sys.argv[1:], group=os.getpgid(0) == os.getpid())"
    found, _ = run(tmp_path, body, config={"lr": 0.1, "name": "a b'\"\n-c", "epochs": 9})
    (report,) = [event for event in found if isinstance(event, Report)]
    extra = dict(report.extra[0])
    seen = json.loads(str(extra["seen"]))
    folder = tmp_path / "work" / "trials" / "0"
    assert seen["HPOCTL_TRIAL_ID"] == "0"
    assert seen["HPOCTL_RESUME_FROM"] == "0"
    assert seen["HPOCTL_CHECKPOINT_DIR"] == str(folder / "checkpoints")
    assert json.loads((folder / "config.json").read_text()) == {"lr": 0.1, "name": "a b'\"\n-c", "epochs": 9}
    assert seen["OMP_NUM_THREADS"] == "1"
    assert json.loads(str(extra["words"])) == ["--lr", "0.1", "--name", "a b'\"\n-c", "--epochs", "9"]
    assert extra["group"] is True


def test_pause_and_resume_lose_no_row_and_double_none(tmp_path: Path) -> None:
    made = backend(tmp_path)
    made.start(0, CONFIG, resume_from=None, until=3)
    first = events(
        made, lambda report: made.stop(0, pause=True) if report.resources[-1] >= 3 else made.proceed(0, until=3)
    )
    assert resources(first) == [1, 2, 3]
    assert only_end(first).outcome is Outcome.PAUSED
    assert left(tmp_path) == []
    made.start(0, CONFIG, resume_from=3, until=9)
    second = events(made)
    made.close()
    assert resources(second) == list(range(4, 10))
    elapsed = np.concatenate([event.elapsed for event in [*first, *second] if isinstance(event, Report)])
    assert (np.diff(elapsed) >= 0).all()
    assert not list((tmp_path / "work").rglob("process.json"))


def test_rows_that_are_written_after_a_pause_wait_for_the_resume(tmp_path: Path) -> None:
    body = """
signal.signal(signal.SIGTERM, lambda *_: None)
for epoch in range(load() + 1, epochs + 1):
    report(epoch=epoch, loss=epoch)
    save(epoch)
    if epoch == 5 and load() == 5 and "again" not in os.listdir(os.path.dirname(state)):
        open(os.path.join(os.path.dirname(state), "again"), "w").close()
        time.sleep(60) if time.sleep(0.3) is None else None
"""
    made = backend(tmp_path, body, limits={"grace_period": 0.2})
    made.start(0, CONFIG, resume_from=None, until=3)
    first = events(
        made, lambda report: made.stop(0, pause=True) if report.resources[-1] >= 3 else made.proceed(0, until=3)
    )
    assert resources(first) == [1, 2, 3]
    assert only_end(first).reason == "killed after the grace period"
    made.start(0, CONFIG, resume_from=3, until=9)
    assert resources(events(made)) == [4, 5, 6, 7, 8, 9]
    made.close()


def test_a_script_without_checkpoints_starts_over_and_its_rows_are_not_doubled(tmp_path: Path) -> None:
    body = "for epoch in range(1, epochs + 1):\n    time.sleep(0.02)\n    report(epoch=epoch, loss=epoch)"
    made = backend(tmp_path, body, checkpoints=False)
    made.start(0, CONFIG, resume_from=None, until=3)
    events(made, lambda report: made.stop(0, pause=True) if report.resources[-1] >= 3 else made.proceed(0, until=3))
    made.start(0, CONFIG, resume_from=3, until=9)
    found = resources(events(made))
    made.close()
    assert found == list(range(4, 10))


FAILURES = [
    ("sys.exit(3)", "exit status 3", 3, None),
    ("raise ValueError('bad lr')", "exit status 1: ValueError: bad lr", 1, None),
    (
        "report(epoch=1, loss=1); time.sleep(0.2); os.kill(os.getpid(), 9)",
        "killed by SIGKILL (out of memory, or killed from outside)",
        None,
        9,
    ),
    ("pass", "it ended without a report", 0, None),
    ("print('[tune-metric]: {broken')", "it ended without a report: line 1: not JSON: {broken", 0, None),
    (
        "report(epoch=1)\nreport(loss='bad', epoch=2)",
        'it ended without a report: line 2: loss is "bad", which is not a number',
        0,
        None,
    ),
]


@pytest.mark.parametrize(("body", "reason", "status", "number"), FAILURES, ids=[case[1] for case in FAILURES])
def test_failures_say_why(tmp_path: Path, body: str, reason: str, status: int | None, number: int | None) -> None:
    _, end = run(tmp_path, body)
    assert (end.outcome, end.reason) == (Outcome.FAILED, reason)
    assert (end.exit_status, end.signal) == (status, number)


def test_a_program_that_cannot_be_started_fails_the_trial(tmp_path: Path) -> None:
    made = backend(tmp_path, environment={"PATH": str(tmp_path)})
    made._script = type(made._script)(tmp_path, ("no-such-program",))
    made.start(0, CONFIG, resume_from=None, until=None)
    end = only_end(events(made))
    made.close()
    assert end.outcome is Outcome.FAILED
    assert end.reason == "no-such-program cannot be started: No such file or directory"


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        (b"#!/bin/sh\r\ntrue\r\n", 0o755, "the program that its first line names is not there"),
        (b"true\n", 0o755, "it is no program, and has no first line such as #!/bin/sh"),
        (b"#!/bin/sh\ntrue\n", 0o644, "Permission denied"),
    ],
)
def test_a_script_that_cannot_be_started_says_what_is_missing(tmp_path: Path, text: bytes, mode: int, why: str) -> None:
    program = tmp_path / "train.sh"
    program.write_bytes(text)
    program.chmod(mode)
    made = backend(tmp_path)
    made._script = type(made._script)(tmp_path, ("./train.sh",))
    made.start(0, CONFIG, resume_from=None, until=None)
    end = only_end(events(made))
    made.close()
    assert end.reason.startswith(f"{program} cannot be started: {why}")


def test_grandchildren_leave_with_their_trial_whatever_group_they_are_in(tmp_path: Path) -> None:
    body = """
for new in (False, True):
    subprocess.Popen([sys.executable, "-c", "import time, signal; signal.signal(15, lambda *_: None); time.sleep(60)"],
                     start_new_session=new)
report(epoch=1, loss=1)
time.sleep(60)
"""
    made = backend(tmp_path, body, limits={"grace_period": 0.3})
    made.start(0, CONFIG, resume_from=None, until=None)
    (report,) = made.wait()
    assert isinstance(report, Report)
    assert len(left(tmp_path)) == 3
    made.stop(0, pause=False)
    assert only_end(events(made)).outcome is Outcome.STOPPED
    assert left(tmp_path) == []
    made.close()


def test_what_a_trial_leaves_behind_ends_with_its_first_process(tmp_path: Path) -> None:
    body = "report(epoch=1, loss=1)\nif os.fork() == 0:\n    time.sleep(60)"
    _, end = run(tmp_path, body, limits={"grace_period": 0.3})
    assert (end.outcome, end.reason) == (Outcome.COMPLETED, "processes that it had left behind were ended")


def test_a_script_that_trains_in_the_background_is_told_so(tmp_path: Path) -> None:
    body = "if os.fork():\n    sys.exit(0)\nos.setsid()\ntime.sleep(60)\nreport(epoch=1, loss=1)"
    _, end = run(tmp_path, body, limits={"grace_period": 0.3})
    assert (end.outcome, end.reason) == (
        Outcome.FAILED,
        "it ended without a report; processes that it had left behind were ended",
    )


TIMEOUTS = [
    ("report(epoch=1, loss=1)\ntime.sleep(60)", {"report_timeout": 0.4}, "no report for 0.4 s"),
    (
        "for i in range(1, 10**6):\n    report(epoch=i, loss=1)\n    time.sleep(0.05)",
        {"trial_timeout": 0.5},
        "it took longer than 0.5 s",
    ),
]


@pytest.mark.parametrize(("body", "limits", "reason"), TIMEOUTS, ids=[case[2] for case in TIMEOUTS])
def test_a_trial_that_takes_too_long_fails_alone(
    tmp_path: Path, body: str, limits: dict[str, float], reason: str
) -> None:
    _, end = run(tmp_path, body, limits=limits)
    assert (end.outcome, end.reason) == (Outcome.FAILED, reason)


def test_the_deadline_ends_the_experiment_and_keeps_what_was_written(tmp_path: Path) -> None:
    body = "for i in range(1, 10**6):\n    report(epoch=i, loss=1)\n    time.sleep(0.02)"
    made = backend(tmp_path, body, limits={"deadline": 1.0})
    made.start(0, CONFIG, resume_from=None, until=None)
    found = events(made)
    closing = list(made.close())
    assert list(made.wait()) == []
    assert list(made.close()) == []
    everything = resources([*found, *closing])
    assert everything == list(range(1, len(everything) + 1))
    end = only_end(closing)
    assert (end.outcome, end.reason) == (Outcome.STOPPED, "the experiment ended")
    assert left(tmp_path) == []


def test_training_seconds_of_all_trials_can_be_limited(tmp_path: Path) -> None:
    made = backend(
        tmp_path, "report(epoch=1, loss=1)\ntime.sleep(60)", limits={"training_seconds": 1.0, "deadline": 50}
    )
    for trial in (0, 1):
        made.start(trial, CONFIG, resume_from=None, until=9)
    events(made)
    assert made._context.clock.now() < 20
    made.close()


NOISE = [
    "sys.stdout.write('x' * 10_000_000); sys.stdout.flush()",
    "os.write(1, bytes(range(256)) * 1000)",
    "for i in range(200_000): print('noise', i)",
    "print('no newline', end='', flush=True)",
    "print('[tune-metric]: ' + 'x' * 10_000_000)",
]


@pytest.mark.parametrize("noise", NOISE, ids=lambda text: text[:30])
def test_noise_does_not_hide_reports(tmp_path: Path, noise: str) -> None:
    body = f'{noise}\nprint()\nprint(\'[tune-metric]: {{"epoch": 1, "loss": 1e400}}\', flush=True)\n{noise}'
    found, end = run(tmp_path, body)
    assert resources(found) == [1]
    (report,) = [event for event in found if isinstance(event, Report)]
    assert report.metrics.tolist() == [[np.inf]]
    assert end.outcome is Outcome.COMPLETED
    out = tmp_path / "work" / "trials" / "0" / "starts" / "0" / "std.out"
    assert out.stat().st_size <= HEAD + TAIL + 100


def test_a_trial_that_prints_without_end_fails_and_its_output_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpoctl.backends.scripts.training.MAX_OUTPUT", 20_000_000)
    _, end = run(tmp_path, "while True: os.write(1, b'y\\n' * 100000); os.write(2, b'y\\n' * 100000)")
    assert (end.outcome, end.reason) == (Outcome.FAILED, "it prints too much")
    for path in (tmp_path / "work").rglob("std.*"):
        assert path.stat().st_size <= HEAD + TAIL + 100
        assert b"bytes left out" in path.read_bytes()


REPORTS = 'os.environ["HPOCTL_REPORTS"]'


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (f"os.mkdir({REPORTS})", "it is a folder, not a file: .*reports.jsonl"),
        (f"os.mkfifo({REPORTS})", "it is a named pipe, not a file: .*reports.jsonl"),
        (f"os.symlink({REPORTS}, {REPORTS})", "Too many levels of symbolic links: .*reports.jsonl"),
    ],
)
def test_a_script_that_puts_something_else_in_the_place_of_its_reports_fails_alone(
    tmp_path: Path, act: str, what: str
) -> None:
    made = backend(tmp_path, f"if os.environ['HPOCTL_TRIAL_ID'] == '0':\n    {act}\n    time.sleep(60)\n{TRAIN}")
    with closing(made):
        for trial_id in (0, 1):
            made.start(trial_id, {"epochs": 2}, resume_from=None, until=None)
        ends = {event.trial_id: event for event in events(made) if isinstance(event, Ended)}
    assert ends[0].outcome is Outcome.FAILED
    assert re.match(f"its output cannot be read: {what}", ends[0].reason), ends[0].reason
    assert ends[1].outcome is Outcome.COMPLETED


@pytest.mark.parametrize(
    "act", ["os.rmdir(folder); os.symlink('/nowhere/x', folder)", "os.rmdir(folder); open(folder, 'w').close()"]
)
def test_a_trial_whose_folders_cannot_be_used_when_it_is_resumed_fails_alone(tmp_path: Path, act: str) -> None:
    made = backend(tmp_path, f"folder = os.path.dirname(state); {act}; report(epoch=1, loss=1); time.sleep(60)")
    with closing(made):
        made.start(0, {"epochs": 9}, resume_from=None, until=1)
        pause = events(made, lambda report: made.stop(report.trial_id, pause=True))
        assert [event.outcome for event in pause if isinstance(event, Ended)] == [Outcome.PAUSED]
        made.start(0, {"epochs": 9}, resume_from=1, until=None)
        (end,) = [event for event in events(made) if isinstance(event, Ended)]
        assert (end.outcome, end.reason.partition(": ")[0]) == (Outcome.FAILED, "its folder cannot be used")
        assert "checkpoints" in end.reason
        made.start(1, {"epochs": 9}, resume_from=None, until=1)  # the others can be started
        pause = events(made, lambda report: made.stop(report.trial_id, pause=True))
        assert [event.outcome for event in pause if isinstance(event, Ended)] == [Outcome.PAUSED]


def test_two_processes_that_report_the_same_and_backwards(tmp_path: Path) -> None:
    body = """
other = os.fork()
for epoch in (1, 2, 1, 3, 9):
    report(epoch=epoch, loss=epoch)
    time.sleep(0.01)
if other: os.waitpid(other, 0)
else: os._exit(0)
"""
    found, end = run(tmp_path, body)
    assert resources(found) == [1, 2, 3, 9]
    assert end.outcome is Outcome.COMPLETED
    assert re.fullmatch(
        r"6 reports were left out, the first one: line \d: epoch \d comes after \d: levels have to increase", end.reason
    )


def test_reports_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    body = "report(epoch=0, loss=1)\nreport(epoch=1, loss=1)\nopen(os.environ['HPOCTL_REPORTS'], 'a').write('{\"ep')"
    _, end = run(tmp_path, body)
    wrong = "line 1: epoch is 0: levels are whole numbers from 1 on"
    assert (end.outcome, end.reason) == (
        Outcome.COMPLETED,
        f"2 reports were left out, the first one: {wrong}",
    )
    made = backend(tmp_path, f"{body}\ntime.sleep(60)")
    made.start(1, CONFIG, resume_from=None, until=1)
    found = events(made, lambda report: made.stop(1, pause=True))
    made.close()
    end = only_end(found)
    assert (end.outcome, end.reason) == (Outcome.PAUSED, f"a report was left out: {wrong}")  # it was cut off in another


def test_a_trial_at_the_largest_resource_may_finish(tmp_path: Path) -> None:
    body = f"{TRAIN}\ntime.sleep(0.3)\nopen(state + '.final', 'w').close()"
    made = backend(tmp_path, body)
    made.start(0, CONFIG, resume_from=None, until=9)
    act = lambda report: made.stop(0, pause=False) if report.resources[-1] >= 9 else made.proceed(0, until=9)  # noqa: E731
    end = only_end(events(made, act))
    made.close()
    assert (end.outcome, end.exit_status) == (Outcome.COMPLETED, 0)
    assert (tmp_path / "work/trials/0/checkpoints/epoch.final").exists()


def test_checkpoints_of_trials_that_cannot_resume_are_removed_where_asked_for(tmp_path: Path) -> None:
    made = backend(tmp_path, settings=Settings(delete_checkpoints=True))
    made.start(0, CONFIG, resume_from=None, until=9)
    made.start(1, CONFIG, resume_from=None, until=3)

    def act(report: Report) -> None:
        if report.trial_id == 1 and report.resources[-1] >= 3:
            made.stop(1, pause=True)
        else:
            made.proceed(report.trial_id, until=9 if report.trial_id == 0 else 3)

    events(made, act)
    made.close()
    assert not (tmp_path / "work/trials/0/checkpoints").exists()
    assert (tmp_path / "work/trials/1/checkpoints/epoch").exists()


def test_gpus_are_those_that_were_given_least_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    body = "report(epoch=1, loss=1, devices=os.environ['CUDA_VISIBLE_DEVICES'])"
    made = backend(tmp_path, body, gpus=1)
    seen = []
    for trial in range(4):
        made.start(trial, CONFIG, resume_from=None, until=None)
        found = events(made)
        seen.append((only_end(found).devices, *(e.extra[0]["devices"] for e in found if isinstance(e, Report))))
    made.close()
    assert seen == [("0", "0"), ("1", "1"), ("2", "2"), ("0", "0")]


def test_gpus_that_do_not_suffice_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    with pytest.raises(UsageError, match=r"2 trials at a time with 2 GPUs each need 4 GPUs, and 3 can be used"):
        backend(tmp_path, gpus=2)
    with pytest.raises(UsageError, match="names the GPU 3"):
        backend(tmp_path, gpus=1, settings=Settings(gpus_to_use="1,3"))
    settings = Settings(gpus_to_use="2,1")
    workers = LocalWorkers(context(tmp_path, script(tmp_path, gpus=1), settings=settings))
    assert [workers.take().devices for _ in range(2)] == [("2",), ("1",)]


def test_a_full_disk_holds_trials_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    free = iter([10**12, 0, 0])
    usage = type("Usage", (), {})
    monkeypatch.setattr("hpoctl.backends.scripts.backend.IDLE", 0.2)
    monkeypatch.setattr("hpoctl.backends.scripts.room.AGAIN", 0.1)

    def disk_usage(path: Path) -> object:
        found = usage()
        found.free = next(free, 10**12)
        return found

    monkeypatch.setattr("hpoctl.backends.scripts.room.shutil.disk_usage", disk_usage)
    body = "for i in range(1, 10):\n    report(epoch=i, loss=1)\n    time.sleep(0.1)"
    made = backend(tmp_path, body, say=said.append)
    made.start(0, CONFIG, resume_from=None, until=None)
    assert resources(events(made)) == list(range(1, 10))
    made.close()
    assert len(said) == 2
    assert "trials are held" in said[0]
    assert "trials continue" in said[1]


def test_a_disk_without_any_room_holds_trials_until_the_next_one_can_be_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the files of a start is written when there is room for it."""
    said: list[str] = []
    made = backend(tmp_path, say=said.append)
    monkeypatch.setattr("hpoctl.backends.scripts.room.AGAIN", 0.01)
    write_text, refused = Path.write_text, set[str]()

    def full_once(path: Path, *words: Any, **named: Any) -> int:
        if path.name not in refused:
            refused.add(path.name)
            write_text(path, "cut o")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_text(path, *words, **named)

    monkeypatch.setattr(Path, "write_text", full_once)
    made.start(0, CONFIG, resume_from=None, until=None)
    assert resources(events(made)) == list(range(1, 10))
    made.close()
    assert refused == {"config.unfinished", "process.json"}
    assert json.loads((tmp_path / "work/trials/0/config.json").read_text()) == CONFIG
    assert [text for text in said if "is full: trials are held" in text] == said[::2]
    assert len(said) == 2 * len(refused)


CONTROLLER = """
import os, signal, sys, time
sys.path[:0] = {path!r}
from contextlib import closing
from pathlib import Path
from typing import Any
from training_scripts import backend
made = backend(Path({folder!r}), {body!r}, limits={{"grace_period": 0.5}})
for trial in (0, 1):
    made.start(trial, {{"epochs": 9}}, resume_from=None, until=None)
print("ready", flush=True)
{death}
"""
BODY = """
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
for epoch in range(load() + 1, 7):
    report(epoch=epoch, loss=epoch)
    save(epoch)
time.sleep(60)
"""
DEATHS = {
    "SIGKILL": "os.kill(os.getpid(), 9)",
    "SIGTERM": "os.kill(os.getpid(), 15)",
    "exit": "os._exit(0)",
    "an error": "raise RuntimeError",
    "Ctrl-C": "os.kill(os.getpid(), 2); time.sleep(5)",
    "with its supervisor": "os.kill(made._workers._processes._supervisor.pid, 9); os.kill(os.getpid(), 9)",
}


def controller(folder: Path, death: str) -> None:
    """A controller that has started two trials with a grandchild each, and dies."""
    path = [str(Path(__file__).parents[2]), *sys.path]
    code = CONTROLLER.format(path=path, folder=str(folder), body=BODY, death=f"time.sleep(0.5)\n{death}")
    subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60, check=False
    )


@pytest.mark.parametrize("death", [name for name in DEATHS if name != "with its supervisor"])
def test_nothing_is_left_when_the_controller_dies(tmp_path: Path, death: str) -> None:
    controller(tmp_path, DEATHS[death])
    end = time.monotonic() + 20
    while left(tmp_path) and time.monotonic() < end:
        time.sleep(0.05)
    assert left(tmp_path) == []


def test_the_next_controller_ends_what_is_left_and_reads_what_nobody_read(tmp_path: Path) -> None:
    controller(tmp_path, DEATHS["with its supervisor"])
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    said: list[str] = []
    made = backend(tmp_path, BODY.replace("time.sleep(60)\n", ""), say=said.append)
    made.recover([Known(0, 2, 1.5), Known(1, 0, 0.0)], 1.5)
    assert left(tmp_path) == []
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    made.start(0, {"epochs": 9}, resume_from=2, until=None)
    found = events(made)
    assert resources(found) == [3, 4, 5, 6], "written before the crash, reported once"
    assert all(event.elapsed[0] >= 1.5 for event in found if isinstance(event, Report))
    made.close()


def test_rows_that_two_dead_controllers_have_not_handed_over_are_not_lost(tmp_path: Path) -> None:
    starts = tmp_path / "work/trials/0/starts"
    for number, epochs in enumerate([(1, 2, 3), (4,), (5, 6)]):
        (starts / str(number)).mkdir(parents=True)
        lines = "".join(json.dumps({"epoch": epoch, "loss": 1.0}) + "\n" for epoch in epochs)
        (starts / str(number) / "reports.jsonl").write_text(lines)
    (tmp_path / "work/trials/0/checkpoints").mkdir()
    (tmp_path / "work/trials/0/checkpoints/epoch").write_text("6")
    made = backend(tmp_path)
    made.recover([Known(0, 2, 1.0)], 1.0)
    made.start(0, CONFIG, resume_from=2, until=None)
    assert resources(events(made)) == [3, 4, 5, 6, 7, 8, 9]
    made.close()


def test_a_trial_whose_supervisor_is_killed_fails_and_the_others_go_on_with_a_new_one(tmp_path: Path) -> None:
    made = backend(tmp_path, "report(epoch=1, loss=1)\ntime.sleep(60 if load() == 0 else 0)")
    made.start(0, CONFIG, resume_from=None, until=None)
    assert isinstance(made.wait()[0], Report)
    made.proceed(0, until=None)
    workers: Any = made._workers
    os.kill(workers._processes._supervisor.pid, signal.SIGKILL)
    end = only_end(events(made))
    assert (end.outcome, end.reason) == (Outcome.FAILED, "its supervisor was killed")
    assert left(tmp_path) == []
    (tmp_path / "work/trials/0/checkpoints/epoch").write_text("1")
    made.start(0, CONFIG, resume_from=1, until=None)
    assert only_end(events(made)).outcome is Outcome.COMPLETED
    made.close()


def test_a_reused_process_id_is_not_killed(tmp_path: Path) -> None:
    start = tmp_path / "work/trials/0/starts/0"
    start.mkdir(parents=True)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    made = backend(tmp_path)
    StartFolder(start).record(Started(stranger.pid, 1))
    made.recover([Known(0, 0, 0.0)], 0.0)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()
    made.close()
