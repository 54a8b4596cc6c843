"""What runs on a node for trials: an actor that starts them, one after another, and sends what they write.

Ray sends this module to the nodes by value; hpoctl itself arrives as a wheel, of which only parts are used that need
the standard library. Trials have that wheel on their path, too: `hpoctl.report` works without hpoctl's libraries.
"""

import importlib
import os
import platform
import shutil
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hpoctl_ray.node import locked, scratch

DEVICES = "CUDA_VISIBLE_DEVICES"
Event = tuple[str, str, Mapping[str, Any]]
"""What has happened, the start of a trial that it is about, and details."""


class TrialActor:
    """A worker of an experiment. It exists as long as the experiment's controller, and runs one trial at a time.

    What has happened is kept until the controller has acknowledged it, so that a lost answer loses no report.

    Args:
        spec: `digest`, the name of the wheel; `environment`, variables of trials; `gpus`, whether trials have any;
            `grace`, seconds between SIGTERM and SIGKILL; `interval`, seconds between two looks at what a trial writes;
            `session`, a file that names the controller that may start trials; `token`, that of this one.
        wheel: The wheel.

    Raises:
        RuntimeError: The wheel cannot be unpacked.
    """

    def __init__(self, spec: Mapping[str, Any], wheel: bytes) -> None:
        self._spec = spec
        self._site = unpacked(wheel, spec["digest"])
        self._starts = _imported(self._site, "hpoctl.backends.scripts.starts")
        self._files = _imported(self._site, "hpoctl.backends.scripts.files")
        self._workers = _imported(self._site, "hpoctl.backends.scripts.workers")
        made = _imported(self._site, "hpoctl.backends.local.processes")
        self._processes = made.Processes(spec["grace"], detached=True)
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._left: set[str] = set()
        self._running: dict[str, tuple[Any, Any]] = {}  # the folder and the output of each start
        self._events: list[tuple[int, Event]] = []
        self._count = 0

    def start(self, key: str, folder: str, command: Mapping[str, Any]) -> None:
        """Start a trial, unless that was done before."""
        with self._lock:
            if key in self._known:
                return
            self._known.add(key)
            devices = os.environ.get(DEVICES, "") if self._spec["gpus"] else ""
            self._tell("began", key, {"devices": [name for name in devices.split(",") if name]})
            start = self._starts.StartFolder(Path(folder))
            refused = self._refusal(key, folder)
            started = refused or self._processes.start(key, self._command(command))
            if isinstance(started, str):
                self._tell("ended", key, {"code": None, "signal": None, "killed": False, "why": started})
                return
            start.record(started)
            self._running[key] = (start, self._files.output_of(start))
            if self._stale():  # a controller that has taken over meanwhile may have looked before that was recorded
                self._processes.leave(key, 0.0)

    def leave(self, key: str) -> None:
        """Ask a trial to leave; it is killed after the grace period. That may arrive before its start."""
        with self._lock:
            self._left.add(key)
            self._processes.leave(key)

    def hold(self, go_on: bool) -> None:
        """Suspend the trial, or let it continue."""
        with self._lock:
            self._processes.hold(go_on=go_on)

    def listen(self, seconds: float, heard: int) -> Sequence[tuple[int, Event]]:
        """Wait so long at most for something to happen.

        Args:
            seconds: How long.
            heard: The number of the last event that the controller knows.

        Returns:
            All later events and their numbers.
        """
        end = time.monotonic() + seconds
        while True:
            with self._lock:
                self._events = [entry for entry in self._events if entry[0] > heard]
                self._look()
                if self._events or time.monotonic() >= end:
                    return list(self._events)
            time.sleep(self._spec["interval"])

    def _look(self) -> None:
        """Take note of what trials have written, and which have ended."""
        exits = self._processes.listen(0.0)
        for key, (_, output) in self._running.items():
            self._send(key, output)
        for gone in exits:
            start, output = self._running.pop(gone.key)
            while self._send(gone.key, output):
                pass  # all of it comes before the end
            for file in (output.reports, output.out, output.err):
                file.close()
            start.forget()
            facts = {name: getattr(gone, name) for name in ("code", "signal", "killed", "why", "left")}
            self._tell("ended", gone.key, facts)

    def _send(self, key: str, output: Any) -> bool:
        """Send what a trial has written since; returns whether there was anything."""
        pieces = (output.reports.read(), output.out.read())
        output.err.skip()
        for file in (output.out, output.err):
            file.give_back()
        if any(pieces):
            self._tell("wrote", key, {"pieces": pieces, "sizes": (output.out.size, output.err.size)})
        return any(pieces)

    def _tell(self, what: str, key: str, facts: Mapping[str, Any]) -> None:
        self._count += 1
        self._events.append((self._count, (what, key, facts)))

    def _refusal(self, key: str, folder: str) -> str:
        """Why a trial is not started; empty: it is."""
        if key in self._left:
            return "it was told to leave before it began"
        if not Path(folder).is_dir():
            return f"{folder} is not on {platform.node()}: results have to be on a file system that all nodes share"
        return self._stale()

    def _stale(self) -> str:
        """Why this actor may not start trials any more; empty: it may."""
        try:
            now = Path(self._spec["session"]).read_text(encoding="ascii")
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"{self._spec['session']} cannot be read: {error.strerror}"
        return "" if now == self._spec["token"] else "another process has taken the experiment over"

    def _command(self, command: Mapping[str, Any]) -> Any:
        """The command of a trial on this node."""
        own = dict(command["environment"])
        own.pop(DEVICES, None)  # Ray has set it for this actor
        environment = {**os.environ, **self._spec["environment"], **own}
        path = [str(self._site), *filter(None, [environment.get("PYTHONPATH")])]
        first, *others = command["words"]
        return self._workers.Command(
            [first or sys.executable, *others],
            {**environment, "PYTHONPATH": os.pathsep.join(path)},
            Path(command["folder"]),
            Path(command["out"]),
            Path(command["err"]),
        )


def end_there(spec: Mapping[str, Any], wheel: bytes, folders: Sequence[str]) -> int:
    """End the processes of starts of trials on this node's machine; returns how many there were."""
    site = unpacked(wheel, spec["digest"])
    starts = _imported(site, "hpoctl.backends.scripts.starts")
    leftovers = _imported(site, "hpoctl.backends.local.leftovers")
    return int(leftovers.end_starts([starts.StartFolder(Path(folder)) for folder in folders], spec["grace"]))


def unpacked(wheel: bytes, digest: str) -> Path:
    """The folder where a wheel is unpacked on this node; that is done once."""
    folder = scratch() / f"trials-{digest}"
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            new = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
            try:
                file = new / "hpoctl.whl"
                file.write_bytes(wheel)
                with zipfile.ZipFile(file) as archive:
                    archive.extractall(new)
                file.unlink()
                new.rename(folder)
            except BaseException:
                shutil.rmtree(new, ignore_errors=True)
                raise
    return folder


def _imported(site: Path, name: str) -> Any:
    """A module of the wheel; another version that this process has imported before is put aside."""
    if str(site) not in sys.path:
        sys.path.insert(0, str(site))
        for other in [other for other in sys.modules if other == "hpoctl" or other.startswith("hpoctl.")]:
            del sys.modules[other]
    return importlib.import_module(name)
