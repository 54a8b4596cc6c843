"""`hpoctl doctor --smoke`: a small real study, launched as a person would, and what came of it.

Two trials of a script that needs nothing but Python train to the first rung level and are paused; the better one is
resumed from its checkpoint, and completes. They run in a job of the named launcher, and, where a trial backend is
named, on that one, with the experiment on this machine. What is left is removed.
"""

import io
import json
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hpoctl.core.cells import ELSEWHERE, TRIALS, WORK
from hpoctl.core.errors import HpoctlError
from hpoctl.core.findings import Finding
from hpoctl.core.storage import Store
from hpoctl.engine.work_folder import copy_name, work_folder
from hpoctl.ops.studies.provenance import own_python
from hpoctl.stores.ledger import read_attempts, read_results
from hpoctl.stores.local import LocalStore
from hpoctl.stores.opening import open_results

PATIENCE = 60.0
"""Seconds that a launch gets to end when it is told to, and a command that stops its jobs."""

PAUSES = "The trial backend has to end a trial that is told to leave; tell its author."
LOOK = "`hpoctl launch` of a study of your own shows more."
HERE = "local"
FILES = {
    "train.py": """\
import argparse, json, os, time

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
options = parser.parse_args()
state = os.path.join(os.environ["HPOCTL_CHECKPOINT_DIR"], "epoch")
loaded = 0
if os.path.exists(state):
    with open(state) as file:
        loaded = int(file.read())
for epoch in range(loaded + 1, options.epochs + 1):
    with open(state, "w") as file:
        file.write(str(epoch))
    print("[tune-metric]: " + json.dumps({"epoch": epoch, "loss": options.lr / epoch, "loaded": loaded}), flush=True)
    if epoch < options.epochs:
        time.sleep(600)  # until it is paused
""",
    "benchmark.toml": """\
name = "smoke"
script = "train.py"
python = "python"
files = ["train.py"]
metric = "loss"
mode = "min"
resource_attr = "epoch"
max_resource_attr = "epochs"
checkpoints = true
n_workers = 1
max_wallclock_time = 3600
[space]
lr = { type = "loguniform", lower = 0.001, upper = 1.0 }
epochs = 2
""",
    "study.toml": """\
methods = ["ASHA"]
benchmarks = ["benchmark.toml"]
num_seeds = 1
max_num_trials = 2
settings = ["ASHA.grace_period=1", "ASHA.reduction_factor=2"]
""",
}


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """What is run.

    Attributes:
        results: The root of results.
        launcher: The launcher.
        backend: The trial backend; empty: only trials inside the job of the launcher.
        launcher_options: Options of the launcher, besides those of the folder.
        backend_options: Options of the backend.
        timeout: Seconds that each of the two may take.
    """

    results: str
    launcher: str
    launcher_options: Mapping[str, str] = field(default_factory=dict)
    backend: str = ""
    backend_options: Mapping[str, str] = field(default_factory=dict)
    timeout: float = 900.0


def smoke(test: SmokeTest) -> Iterator[Finding]:
    """Run the small study on the launcher, and on the trial backend; say what works."""
    words = ["--on", test.launcher, *_option_words("--launcher-option", test.launcher_options)]
    yield from _launched(test, f"job on {test.launcher}", words)
    if test.backend:
        words = ["--on", HERE, "--backend", test.backend, *_option_words("--backend-option", test.backend_options)]
        yield from _launched(test, f"trials on {test.backend}", words)


def _option_words(option: str, values: Mapping[str, str]) -> list[str]:
    return [word for name, value in values.items() for word in (option, f"{name}={value}")]


def _launched(test: SmokeTest, subject: str, words: Sequence[str]) -> Iterator[Finding]:
    """Launch the study, look at what it has written, and remove everything."""
    tag = f"smoke-{secrets.token_hex(4)}"
    store = open_results(test.results).store
    began = time.monotonic()
    beside = None
    if isinstance(store, LocalStore):
        store.root.mkdir(parents=True, exist_ok=True)
        beside = store.root  # where other machines that share the root find it, too
    found: list[Finding] = []
    try:
        with TemporaryDirectory(prefix=".smoke-", dir=beside, ignore_cleanup_errors=True) as folder:
            for name, text in FILES.items():
                (Path(folder) / name).write_text(text, encoding="utf-8")
            wrong = _run(test, tag, [*words, "--study", str(Path(folder) / "study.toml")])
        if wrong is not None:
            found.append(Finding(subject, "problem", *wrong))
        else:
            found += _judged(store, tag, subject, time.monotonic() - began)
    finally:
        elsewhere = _elsewhere(store, tag)
        left = _remove(store, tag)
    yield from found
    for address in elsewhere:
        yield Finding(subject, "warning", f"files of trials are left at {address}", f"aws s3 rm --recursive {address}")
    if left:
        where = store.location(tag)
        yield Finding(subject, "warning", f"{where} could not be removed: {left}", f"Run `hpoctl clean --tag {tag}`.")


def _run(test: SmokeTest, tag: str, words: Sequence[str]) -> tuple[str, str] | None:
    """Launch; returns what went wrong and a remedy. A launch that takes too long is stopped, with its jobs."""
    common = ["--tag", tag, "--results", test.results]
    command = [*own_python(), "hpoctl", "launch", *words, *common, "--random-seed", "1", "--json"]
    launch = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603 - our own command
    try:
        out, err = launch.communicate(timeout=test.timeout)
    except subprocess.TimeoutExpired:
        return f"not complete within {test.timeout:g} seconds, and stopped", LOOK
    finally:
        if launch.poll() is None:
            stop = [*own_python(), "hpoctl", "stop", "--yes", *common]
            with suppress(subprocess.TimeoutExpired):
                subprocess.run(stop, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603 - our own command
                launch.wait(timeout=PATIENCE)
            launch.kill()
            launch.communicate()
    if launch.returncode == 0:
        return None
    return _why(out) or ((err.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1], LOOK)


def _why(out: bytes) -> tuple[str, str] | None:
    """What a launch says went wrong, and what to do; None: nothing."""
    with suppress(ValueError, KeyError, TypeError):
        answer: Mapping[str, Any] = json.loads(out)
        said = [(str(failure["error"]), LOOK) for failure in (answer["data"] or {}).get("failures", ())]
        said += [(str(error["what"]), str(error["fix"])) for error in answer["errors"]]
        return said[0] if said else None
    return None


def _judged(store: Store, tag: str, subject: str, seconds: float) -> Iterator[Finding]:
    """Whether trials were paused and one was resumed from its checkpoint."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - a doctor without --smoke does without it

    (attempt,) = [found for found in read_attempts(store, tag) if found.recorded == "completed"]
    starts = pq.read_table(io.BytesIO(store.get(f"{attempt.directory}/{TRIALS}"))).to_pylist()
    rows = pq.read_table(io.BytesIO(read_results(store, attempt))).to_pylist()
    yield Finding(subject, "ok", f"complete after {seconds:.0f} seconds: {len(starts)} starts of 2 trials")
    paused = sum(start["outcome"] == "Paused" for start in starts)
    if paused:
        yield Finding(f"{subject}: pause", "ok", f"{paused} times after epoch 1")
    else:
        yield Finding(f"{subject}: pause", "problem", "no trial was paused", PAUSES)
    last = [row["extra_loaded"] for row in rows if row["epoch"] == 2]
    if last == [1]:
        yield Finding(f"{subject}: resume", "ok", "one trial continued from its checkpoint after epoch 1")
    else:
        text = "no trial was resumed" if not last else "a trial that was resumed did not find its checkpoint"
        yield Finding(f"{subject}: resume", "problem", text, "Check that checkpoints are where all machines see them.")


def _elsewhere(store: Store, tag: str) -> list[str]:
    """The addresses at which the trial backend keeps files of the experiment, which ran on this machine."""
    found = work_folder(store, tag).glob(f"*/*/{ELSEWHERE}")
    return [path.read_text(encoding="utf-8").strip() for path in found]


def _remove(store: Store, tag: str) -> str:
    """Remove what the study has written, here and where results are; returns why that is not possible."""
    left = ""
    try:
        store.delete(tag)
        store.delete(copy_name(tag))
    except HpoctlError as error:
        left = error.what
    shutil.rmtree(work_folder(store, tag), ignore_errors=True)
    with suppress(OSError):
        if isinstance(store, LocalStore):
            (store.root / WORK).rmdir()  # if nothing else is there
    return left
