"""Training scripts for tests of the local backend: they report quickly, and misbehave as they are told."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from hpoctl.backends.local.workers import local_backend
from hpoctl.backends.scripts.backend import ScriptBackend
from hpoctl.core.clock import RealClock
from hpoctl.core.protocols import Ended, Report
from hpoctl.core.rng import Streams
from hpoctl.core.script import Script
from hpoctl.core.settings import Settings
from hpoctl.core.trial_backends import BackendContext, TrialLimits

PRELUDE = """
import json, os, signal, subprocess, sys, time
def report(**values):
    with open(os.environ["HPOCTL_REPORTS"], "a") as file:
        file.write(json.dumps(values) + "\\n")
state = os.path.join(os.environ["HPOCTL_CHECKPOINT_DIR"], "epoch")
def load():
    return int(open(state).read()) if os.path.exists(state) else 0
def save(epoch):
    with open(state + ".new", "w") as file:
        file.write(str(epoch))
    os.replace(state + ".new", state)
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
epochs = int(options.get("--epochs", 9))
"""

TRAIN = """
for epoch in range(load() + 1, epochs + 1):
    time.sleep(0.01)
    report(epoch=epoch, loss=1 / epoch)
    save(epoch)
"""


def script(folder: Path, body: str = TRAIN, **facts: Any) -> Script:
    """A script with a helper to report and a checkpoint, and then some code."""
    (folder / "train.py").write_text(PRELUDE + body)
    facts = {"checkpoints": True, **facts}
    return Script(folder, (sys.executable, "-I", "-S", str(folder / "train.py")), **facts)


def context(folder: Path, problem: Script, **facts: Any) -> BackendContext:
    """The context of an experiment on a script."""
    limits = TrialLimits(**{"deadline": 60.0, "grace_period": 2.0, **facts.pop("limits", {})})
    known: dict[str, Any] = {
        "name": "RS toy seed 0",
        "metrics": ("loss",),
        "metric": "loss",
        "resource_attr": "epoch",
        "max_resource": 9,
        "n_workers": 2,
        "limits": limits,
        "clock": RealClock(),
        "streams": Streams(7, 0),
        "script": problem,
        "folder": folder / "work",
    }
    (folder / "work").mkdir(exist_ok=True)
    return BackendContext(**{**known, **facts})


def backend(folder: Path, body: str = TRAIN, **facts: Any) -> ScriptBackend:
    """A local backend for such a script."""
    of_script = {name: facts.pop(name) for name in ("checkpoints", "gpus", "cpus", "environment") if name in facts}
    made = script(folder, body, **of_script)
    settings = replace(facts.pop("settings", Settings()), trial_poll_interval=0.01)
    return local_backend(context(folder, made, settings=settings, **facts))


def events(made: ScriptBackend, act: Callable[[Report], None] | None = None) -> list[Report | Ended]:
    """Everything that happens; reports are answered by `act`, or each trial continues."""
    found: list[Report | Ended] = []
    while happened := made.wait():
        for event in happened:
            found.append(event)
            if isinstance(event, Report):
                (act or (lambda report: made.proceed(report.trial_id, until=None)))(event)
    return found
