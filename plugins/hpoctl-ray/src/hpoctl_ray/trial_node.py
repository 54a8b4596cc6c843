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
from functools import partial
from pathlib import Path
from typing import Any

from hpoctl_ray.node import locked, need, scratch
from hpoctl_ray.trial_copies import NODE, TrialCopies

DEVICES = "CUDA_VISIBLE_DEVICES"
GATHER = 0.2
"""Seconds within which reports that follow one another travel in one answer: answers cost more than reports do."""

Event = tuple[str, str, Mapping[str, Any]]
"""What has happened, the start of a trial that it is about, and details."""


class TrialActor:
    """A worker of an experiment. It exists as long as the experiment's controller, and runs one trial at a time.

    What has happened is kept until the controller has acknowledged it, so that a lost answer loses no report.

    Args:
        spec: `digest`, the name of the wheel; `environment`, variables of trials; `gpus`, whether trials have any;
            `grace`, seconds between SIGTERM and SIGKILL; `interval`, seconds between two looks at what a trial writes;
            `session`, a file that names the controller that may start trials; `token`, that of this one; `copies`, for
            trials whose files are copied to S3: see `_copies`; None: their files are on a shared file system.
        wheel: The wheel.
        code: The files of the script, zipped, where there are copies.

    Raises:
        RuntimeError: The wheel cannot be unpacked.
    """

    def __init__(self, spec: Mapping[str, Any], wheel: bytes, code: bytes) -> None:
        os.environ.update(spec["environment"])
        self._spec = spec
        self._site = unpacked(wheel, spec["digest"])
        self._starts = _imported(self._site, "hpoctl.backends.scripts.starts")
        self._files = _imported(self._site, "hpoctl.backends.scripts.files")
        self._workers = _imported(self._site, "hpoctl.backends.scripts.workers")
        made = _imported(self._site, "hpoctl.backends.local.processes")
        self._processes = made.Processes(spec["grace"], detached=True)
        self._copies = _copies(spec, self._site, code) if spec["copies"] else None
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._left: set[str] = set()
        self._running: dict[str, tuple[Any, Any]] = {}  # the folder and the output of each start
        self._events: list[tuple[int, Event]] = []
        self._count = 0
        self._gathered = 0.0  # until then, reports wait for others

    def start(self, key: str, folder: str, command: Mapping[str, Any]) -> None:
        """Start a trial, unless that was done before."""
        with self._lock:
            if key in self._known:
                return
            self._known.add(key)
        refused = self._refusal(key, folder) or self._bring(key, command)
        with self._lock:
            devices = os.environ.get(DEVICES, "") if self._spec["gpus"] else ""
            start = self._starts.StartFolder(Path(self._here(folder)))
            made = self._command(command)
            started = refused or self._left_before(key) or self._processes.start(key, made)
            began = {"devices": [name for name in devices.split(",") if name], "process": {}}
            if isinstance(started, str):
                self._tell("began", key, began)
                self._tell_end(key, {"code": None, "signal": None, "killed": False, "why": started})
                return
            start.record(started)
            self._tell("began", key, {**began, "process": start.facts})
            files = (start.reports, made.out, made.err)
            self._running[key] = (start, self._workers.Output(*map(self._files.GrowingFile, files)))
            if self._copies is not None:
                self._copies.keep(key, partial(self._read, key))  # until another start of the trial copies
            elif self._stale():  # a controller that has taken over meanwhile may have looked before that was recorded
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

    def listen(self, seconds: float, last_event: int) -> Sequence[tuple[int, Event]]:
        """Wait so long at most for something to happen. A report may wait for `GATHER` after the answer before.

        Args:
            seconds: How long.
            last_event: The number of the last event that the controller knows.

        Returns:
            All later events and their numbers.
        """
        end = time.monotonic() + seconds
        while True:
            with self._lock:
                self._events = [entry for entry in self._events if entry[0] > last_event]
                self._look()
                now = time.monotonic()
                urgent = any(what != "wrote" for _, (what, _, _) in self._events)
                if urgent or (self._events and now >= self._gathered) or now >= end:
                    self._gathered = now + GATHER
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
            self._tell_end(gone.key, facts)

    def _tell_end(self, key: str, facts: Mapping[str, Any]) -> None:
        """Tell that a start has ended; before that, what it has saved is copied, while other calls are answered."""
        if self._copies is None:
            self._tell("ended", key, facts)
            return
        copies = self._copies

        def end() -> None:
            why = copies.end(key)
            with self._lock:
                self._tell("ended", key, {**facts, "why": "; ".join(filter(None, [facts["why"], why]))})

        threading.Thread(target=end, daemon=True).start()

    def _read(self, key: str) -> None:
        """Read what a trial has written until now."""
        with self._lock:
            while key in self._running and self._send(key, self._running[key][1]):
                pass

    def _bring(self, key: str, command: Mapping[str, Any]) -> str:
        """Bring the files of a trial from S3; returns why that failed, or an empty text."""
        if self._copies is None:
            return ""
        errors = _imported(self._site, "hpoctl.core.errors")
        try:
            self._copies.begin(key, command["files"])
        except (errors.HpoctlError, OSError) as error:
            return f"its files cannot be brought from S3: {error}"
        return ""

    def _here(self, text: str) -> str:
        """A text with the paths of this node."""
        return text if self._copies is None else self._copies.here(text)

    def _send(self, key: str, output: Any) -> bool:
        """Send what a trial has written since; returns whether there was anything."""
        if self._copies is None:
            output.err.skip()  # it is read where it is
        out = output.out.read()  # before reports: see `Written.read`
        pieces = (output.reports.read(), out, output.err.read())
        if self._copies is not None:
            self._copies.printed(key, out)
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
        if self._copies is None and not Path(folder).is_dir():
            return (
                f"{folder} is not on {platform.node()}: without the backend option s3, results have to be on a file "
                "system that all nodes share"
            )
        return self._left_before(key) or self._stale()

    def _left_before(self, key: str) -> str:
        return "it was told to leave before it began" if key in self._left else ""

    def _stale(self) -> str:
        """Why this actor may not start trials any more; empty: it may."""
        errors = _imported(self._site, "hpoctl.core.errors")
        try:
            copies = self._copies
            now = copies.session() if copies else Path(self._spec["session"]).read_text(encoding="ascii")
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"{self._spec['session']} cannot be read: {error.strerror}"
        except errors.HpoctlError as error:
            return str(error)
        return "" if now == self._spec["token"] else "another process has taken the experiment over"

    def _command(self, command: Mapping[str, Any]) -> Any:
        """The command of a trial on this node."""
        own = dict(command["environment"])
        own.pop(DEVICES, None)  # Ray has set it for this actor
        environment = {**os.environ, **{name: self._here(value) for name, value in own.items()}}
        path = [str(self._site), *filter(None, [environment.get("PYTHONPATH")])]
        first, *others = command["words"]
        return self._workers.Command(
            [self._here(first) or sys.executable, *map(self._here, others)],
            {**environment, "PYTHONPATH": os.pathsep.join(path)},
            *(Path(self._here(command[name])) for name in ("folder", "out", "err")),
        )


def end_there(spec: Mapping[str, Any], wheel: bytes, folders: Sequence[str]) -> int:
    """End the processes of starts of trials on this node's machine; returns how many there were."""
    site = unpacked(wheel, spec["digest"])
    starts = _imported(site, "hpoctl.backends.scripts.starts")
    leftovers = _imported(site, "hpoctl.backends.local.leftovers")
    here = [Path(folder.replace(NODE, str(_folder(spec))) if spec["copies"] else folder) for folder in folders]
    return int(leftovers.end_starts([starts.StartFolder(folder) for folder in here], spec["grace"]))


def _copies(spec: Mapping[str, Any], site: Path, code: bytes) -> TrialCopies:
    """The files of trials on this node.

    Of the spec, `copies` has their `root` on S3, the `name` of the experiment, the `digest` of the script's files, and
    the `needs` of hpoctl's own code for S3: requirements of pip by module.
    """
    libraries = scratch() / "libraries"
    with locked(libraries.with_suffix(".lock")):
        need(libraries, spec["copies"]["needs"])
    names = {"folder_copier": "stores", "folder_copies": "stores", "report_lines": "core"}
    modules = {name: _imported(site, f"hpoctl.{package}.{name}") for name, package in names.items()}
    store = _imported(site, "hpoctl.stores.opening").open_results(spec["copies"]["root"]).store
    return TrialCopies(_folder(spec), unpacked(code, spec["copies"]["digest"]), modules, store, spec["token"])


def _folder(spec: Mapping[str, Any]) -> Path:
    """Where the files of trials are on this node that are copied to S3."""
    return scratch() / f"experiment-{spec['copies']['name']}"


def unpacked(wheel: bytes, digest: str) -> Path:
    """The folder where a zip file is unpacked on this node; that is done once."""
    folder = scratch() / f"trials-{digest}"
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            new = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
            try:
                file = new / "archive"
                file.write_bytes(wheel)
                with zipfile.ZipFile(file) as archive:
                    archive.extractall(new)
                    for entry in archive.infolist():
                        if mode := entry.external_attr >> 16 & 0o777:
                            (new / entry.filename).chmod(mode)
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
