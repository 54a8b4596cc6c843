"""What the supervisor of trials says is heard, however its messages arrive."""

import json
import os
import signal
import time
from io import FileIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hpoctl.backends.local import supervisor
from hpoctl.backends.local.processes import Processes
from hpoctl.backends.scripts.starts import Started
from hpoctl.backends.scripts.workers import Command, Exit


def saying(monkeypatch: pytest.MonkeyPatch, *messages: dict[str, Any]) -> Processes:
    """The processes of a supervisor that has said all of this by the time it is heard."""
    reading, writing = os.pipe()
    os.write(writing, b"".join(json.dumps(message).encode() + b"\n" for message in messages))
    os.close(writing)
    made = Processes(1.0)
    fake = SimpleNamespace(
        stdin=FileIO(os.devnull, "w"), stdout=FileIO(reading), wait=lambda timeout=None: 0, kill=lambda: None
    )

    def begin() -> Any:
        monkeypatch.setattr(made, "_supervisor", fake)
        return fake

    monkeypatch.setattr(made, "_begin", begin)
    return made


COMMAND = Command(["true"], {supervisor.OWNER: "x"}, Path("/"), Path("out"), Path("err"))
ENDED = {"event": "ended", "code": 0, "signal": None, "killed": False, "left": False}


def test_a_trial_that_has_ended_before_its_start_is_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    started = {"event": "started", "key": "0/0", "pid": 4_000_000, "born": 1}
    processes = saying(monkeypatch, started, ENDED | {"key": "0/0"})
    assert processes.start("0/0", COMMAND) == Started(4_000_000, 1)
    assert processes.listen(0.0) == [Exit("0/0", 0, None)]
    processes.close()


def test_another_trial_that_ends_while_one_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    first = {"event": "started", "key": "0/0", "pid": 4_000_000, "born": 1}
    second = first | {"key": "1/0", "pid": 4_000_001}
    processes = saying(monkeypatch, first)
    processes.start("0/0", COMMAND)
    reading, writing = os.pipe()
    killed = ENDED | {"key": "0/0", "code": None, "signal": int(signal.SIGKILL)}
    os.write(writing, b"".join(json.dumps(message).encode() + b"\n" for message in (killed, second)))
    os.close(writing)
    fake: Any = processes._supervisor
    fake.stdout.close()
    fake.stdout = FileIO(reading)
    assert processes.start("1/0", COMMAND) == Started(4_000_001, 1)
    assert processes.listen(0.0) == [Exit("0/0", None, signal.SIGKILL)]
    processes.close()


def test_an_end_that_an_interrupt_has_lost_is_said_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def command(name: str) -> Command:
        environment = {supervisor.OWNER: name, "PATH": os.environ["PATH"]}
        return Command(["true"], environment, tmp_path, tmp_path / "out", tmp_path / "err")

    def interrupted(self: Processes, message: dict[str, Any]) -> None:
        raise KeyboardInterrupt

    processes = Processes(5.0)
    processes.start("0/0", command("a"))
    with monkeypatch.context() as patch:
        patch.setattr(Processes, "_note", interrupted)
        with pytest.raises(KeyboardInterrupt):
            processes.listen(60.0)
    assert processes.listen(0.2) == []
    processes.leave("0/0")
    heard: list[Exit] = []
    end = time.monotonic() + 60.0
    while not heard and time.monotonic() < end:
        heard = processes.listen(1.0)
    assert heard == [Exit("0/0", 0, None)]
    processes.leave("0/0")
    assert processes.listen(0.2) == []
    processes.close()
