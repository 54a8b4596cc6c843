"""What the container of a trial runs: the training script, whose reports go to S3 and into the log.

This file is copied into bundles. It needs the standard library of Python 3.8 or later, and boto3 if there is one: all
images of SageMaker have it. Without boto3 reports travel with the log only.

Reports are numbered, so that they count once whichever way they arrive: in the log as

    [hpoctl-report RUN NUMBER]: {json}

and on S3 as lines of `<reports>/<RUN>.jsonl`. RUN is the time when this file was started: SageMaker starts it again
after an interruption of spot capacity, with the checkpoints of the last time.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

TYPE_CHECKING = False  # Python 3.8 does not know some of these
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

MARK = "[tune-metric]:"
REPORT, END = "[hpoctl-report", "[hpoctl-end"
MACHINE = "/opt/ml"
MAX_REASON = 1000
LOOK = 0.1
"""Seconds between two looks at what the script has reported."""

QUIET = 5.0
"""Seconds to wait for output of a script that has ended: a process that it has left behind may hold it open."""


class Reports:
    """The reports of this run, in their order.

    Args:
        run: What the run is called.
        bucket: The bucket that they go to.
        prefix: Where they go there.
        interval: Seconds between two uploads.
    """

    def __init__(self, run: str, bucket: str, prefix: str, interval: float) -> None:
        self._run, self._bucket, self._key, self._interval = run, bucket, f"{prefix}{run}.jsonl", interval
        self._uploaded, self._last = 0, 0.0
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._client: Any = None
        self._connecting = threading.Thread(target=self._connect, daemon=True)
        self._trouble = ""
        self.add(json.dumps({"st_begin": run}))
        self._connecting.start()

    def add(self, line: str) -> None:
        """Take in a report."""
        with self._lock:
            say(f"\n{REPORT} {self._run} {len(self._lines)}]: {line}")
            self._lines.append(line)

    def upload(self, *, last: bool = False) -> None:
        """Upload what is new, if it is time."""
        if last:
            self._connecting.join()
        with self._lock:
            lines = list(self._lines)
        due = last or time.monotonic() - self._last >= self._interval
        if self._client is None or len(lines) == self._uploaded or not due:
            return
        self._last = time.monotonic()
        body = "".join(f"{line}\n" for line in lines).encode()
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._key, Body=body)
            self._uploaded = len(lines)
        except Exception as error:  # noqa: BLE001 - the next upload has these, too, and so has the log
            if str(error) != self._trouble:
                say(f"hpoctl: reports cannot be written to S3: {error}")
            self._trouble = str(error)

    def end(self) -> None:
        """Nothing comes after."""
        say(f"\n{END} {self._run} {len(self._lines)}]")
        self.upload(last=True)

    def _connect(self) -> None:
        """Connect to S3; takes a second, in which the script runs."""
        try:
            boto3, config = importlib.import_module("boto3"), importlib.import_module("botocore.config")
            style = {"addressing_style": "path"} if os.environ.get("AWS_ENDPOINT_URL_S3") else {}
            retries = {"mode": "standard", "max_attempts": 5}
            self._client = boto3.client("s3", config=config.Config(s3=style, retries=retries))
        except Exception as error:  # noqa: BLE001 - whatever it is, there is the log
            say(f"hpoctl: no reports to S3: {error}")


class GrowingLines:
    """The lines of a file as it grows.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._offset, self._rest = path, 0, b""

    def read(self, *, last: bool = False) -> list[str]:
        """The lines since; `last`: one without an end, too."""
        data = b""
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        self._offset += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        if last:
            lines.append(self._rest)
        return [line.decode("utf-8", "replace") for line in lines if line.strip()]


class Training:
    """The script while it runs.

    Args:
        process: Its first process, the leader of a separate process group.
        reports: Where its reports go; None: nowhere, on all machines of a trial but the first.
        file: The file that it reports to.
        grace: Seconds between SIGTERM and SIGKILL.
    """

    def __init__(self, process: subprocess.Popen[bytes], reports: Reports | None, file: Path, grace: float) -> None:
        self._process, self._reports, self._grace = process, reports, grace
        self._lines = GrowingLines(file)
        self._lock = threading.Lock()
        self._killing: float | None = None
        self._last = ""

    def follow(self) -> str:
        """Pass on what it prints and reports, and signals to end; returns why it failed, or an empty text."""
        signal.signal(signal.SIGTERM, self._stop)
        reader = threading.Thread(target=self._read, daemon=True)
        reader.start()
        while self._process.poll() is None:
            if self._killing is not None and time.monotonic() > self._killing:
                self._signal(signal.SIGKILL)
            self._send()
            time.sleep(LOOK)
        reader.join(QUIET)
        self._signal(signal.SIGKILL)  # what it has left behind
        self._send(last=True)
        return self._failure()

    def _failure(self) -> str:
        code = self._process.returncode
        if code == 0 or self._killing is not None:
            return ""
        how = f"exit status {code}" if code > 0 else f"killed by {signal.Signals(-code).name}"
        return f"{how}: {self._last}" if self._last else how

    def _send(self, *, last: bool = False) -> None:
        if self._reports is None:
            return
        self._take(self._reports, last=last)
        if last:
            self._reports.end()
        else:
            self._reports.upload()

    def _take(self, reports: Reports, *, last: bool = False) -> None:
        """Take in what it has written into its file since."""
        with self._lock:
            for line in self._lines.read(last=last):
                reports.add(line)

    def _read(self) -> None:
        for data in self._process.stdout or ():
            line = data.decode("utf-8", "replace").rstrip("\n")
            say(line)
            self._last = line if line.strip() else self._last
            if self._reports is not None:
                for text in line.split(MARK)[1:]:
                    self._take(self._reports)  # what the script has reported before
                    self._reports.add(text.strip())

    def _stop(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        if self._killing is None:
            self._killing = time.monotonic() + self._grace
            self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        """Send a signal to the script's processes, if there are any left."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def main(bundle: Path, machine: Path) -> int:
    """Run the trial; returns the exit code of the container.

    Args:
        bundle: The folder of the bundle.
        machine: The folder that SageMaker calls /opt/ml.
    """
    reason = run(bundle, machine)
    if reason:
        (machine / "output").mkdir(parents=True, exist_ok=True)
        (machine / "output" / "failure").write_text(reason[:MAX_REASON])
        say(f"hpoctl: error: {reason}")
    return 1 if reason else 0


def run(bundle: Path, machine: Path) -> str:
    """Run the trial; returns why it failed, or an empty text."""
    configuration = machine / "input" / "config"
    settings = json.loads((configuration / "hyperparameters.json").read_text())
    call = json.loads("".join(settings[f"hpoctl-{place}"] for place in range(int(settings["hpoctl"]))))
    hosts = json.loads((configuration / "resourceconfig.json").read_text())
    first = hosts["current_host"] == min(hosts["hosts"])
    for name in ("checkpoints", "work"):
        (machine / name).mkdir(parents=True, exist_ok=True)
    shutil.rmtree(str(machine / "code"), ignore_errors=True)
    shutil.copytree(str(bundle / "code"), str(machine / "code"))
    (machine / "work" / "config.json").write_text(call["config"])
    requirements = bundle / "requirements.txt"
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "-r", str(requirements)]
    if requirements.exists() and subprocess.run(pip, check=False).returncode != 0:  # noqa: S603 - our own command
        return "pip cannot install what the requirements file names"

    def here(text: str) -> str:
        return text if str(machine) == MACHINE else text.replace(MACHINE, str(machine))

    file = machine / "work" / "reports.jsonl"
    environment = {**os.environ, **{name: here(value) for name, value in call["environment"].items()}}
    environment["HPOCTL_REPORTS"] = str(file if first else os.devnull)
    environment["SM_HOSTS"], environment["SM_CURRENT_HOST"] = json.dumps(hosts["hosts"]), hosts["current_host"]
    paths = [str(bundle / "site"), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    program, *words = [here(word) for word in call["words"]]
    try:
        process = subprocess.Popen(  # noqa: S603 - the person's own command, no shell
            [program or sys.executable, *words],
            cwd=here(call["folder"]),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return f"it cannot be started: {error}"
    name = f"{int(time.time() * 1000):014d}"
    reports = Reports(name, call["bucket"], call["prefix"], call["interval"]) if first else None
    return Training(process, reports, file, call["grace"]).follow()


def say(text: str) -> None:
    """Print a line into the log of the job, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    sys.exit(main(here, here.parents[2]))
