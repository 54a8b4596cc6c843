"""Launches that run: seen by other processes for exactly as long as they live."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hpoctl.ops.launching.launches import Launch, keep_launch, running_launches
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.local import LocalStore

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
NOW = datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)
COMMAND = "hpoctl launch --tag 'docs-2'"


@contextmanager
def launched(root: Path, tag: str = "docs-2", when: datetime = NOW) -> Iterator[int]:
    """A process that launches the tag, until it is killed or the block ends."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        keep_launch(LocalStore(root), LocalClaims(root), tag, 2, when, COMMAND, "/logs/launch.txt")
        os.write(tell, b"1")
        signal.pause()
        os._exit(1)
    os.close(tell)
    try:
        assert os.read(ready, 1) == b"1"
        yield pid
    finally:
        os.close(ready)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def running(root: Path, tag: str = "docs-2") -> list[Launch]:
    return running_launches(LocalStore(root), LocalClaims(root), tag)


def test_a_launch_is_seen_while_its_process_lives(tmp_path: Path) -> None:
    assert running(tmp_path) == []
    with launched(tmp_path) as pid:
        (launch,) = running(tmp_path)
        assert (launch.pid, launch.workers, launch.command) == (pid, 2, COMMAND)
        assert (launch.host, launch.log, launch.started) == (os.uname().nodename, "/logs/launch.txt", NOW.timestamp())
        assert running(tmp_path, "docs") == []
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert running(tmp_path) == []
    assert running(tmp_path) == []


def test_several_launches_are_seen_the_oldest_first(tmp_path: Path) -> None:
    later = NOW.replace(hour=4)
    with launched(tmp_path, when=later) as second, launched(tmp_path) as first, launched(tmp_path, "other"):
        assert [launch.pid for launch in running(tmp_path)] == [first, second]
        assert len({launch.name for launch in running(tmp_path)}) == 2


def test_the_launch_of_this_process_is_not_another_ones(tmp_path: Path) -> None:
    kept = keep_launch(LocalStore(tmp_path), LocalClaims(tmp_path), "docs-2", 1, NOW, COMMAND, "")
    assert kept.pid == os.getpid()
    assert running(tmp_path) == []


def test_a_damaged_record_is_passed_over(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    with launched(tmp_path, when=NOW.replace(hour=4)), launched(tmp_path) as pid:
        bad = store.list("docs-2")
        (file,) = [name for name in bad if "-0304" not in name.rpartition("/")[2][:13]]
        store.put(file, store.get(file)[:-2])
        assert [launch.pid for launch in running(tmp_path)] == [pid]
        store.delete(file)
        store.put("docs-2/.hpoctl/launches/notes.txt", b"")
        assert [launch.pid for launch in running(tmp_path)] == [pid]
