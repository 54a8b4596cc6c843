"""The trials that train now: slots, last values, time left."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from hpoctl.builtins import RS
from hpoctl.cli.progress import trials_table
from hpoctl.core.entries import Goal
from hpoctl.core.protocols import Action, Decision, Ended, Outcome, Report, Resume, Start
from hpoctl.engine.rows import RowLog
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.ops.running import worker
from hpoctl.ops.running.training_view import TrainingView
from hpoctl.testing.toys import toy_benchmark, toy_script_benchmark
from training_scripts import script

LOG = RowLog(Goal(0, 1.0), 1, 27)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def view() -> tuple[TrainingView, Clock]:
    clock = Clock()
    return TrainingView(ExperimentSpec("t", RS, toy_benchmark(), 0, 7), clock), clock


def start(trial: int) -> Start:
    return Start({"activation": "relu", "units": trial, "rate": 0.1, "epochs": 27}, 9, "random")


def report(trial: int, level: int, value: float) -> Report:
    one = np.array([1.0])
    return Report(trial, np.array([level]), np.array([[value]]), one, one)


def test_slots_and_time_left() -> None:
    seen, clock = view()
    for trial in (0, 1):
        seen.begins(trial, start(trial))
    found = [(trial.slot, trial.trial_id, trial.left(clock.now)) for trial in seen.trials]
    assert found == [(0, 0, None), (1, 1, None)]
    assert seen.trials[0].config == {"activation": "relu", "units": 0, "rate": 0.1}  # without what is fixed
    clock.now = 4.0
    seen.reports(report(1, 2, 0.25), Decision(Action.CONTINUE, "", 9), LOG)
    clock.now = 5.0
    assert seen.trials[1].left(clock.now) == 7 * 2.0 - 1.0  # two seconds a level, seven to go, one has passed
    assert seen.summary() == "#0 -, #1 2/9 0.25"
    seen.ends(Ended(0, Outcome.FAILED, 5.0))
    seen.begins(2, start(2))
    assert [(trial.slot, trial.trial_id) for trial in seen.trials] == [(0, 2), (1, 1)]


def test_a_resumed_trial_is_timed_from_where_it_continues() -> None:
    seen, clock = view()
    seen.begins(0, start(0))
    seen.reports(report(0, 9, 0.5), Decision(Action.PAUSE, ""), LOG)
    seen.ends(Ended(0, Outcome.PAUSED, 1.0))
    assert seen.summary() == ""
    clock.now = 100.0
    seen.begins(0, Resume(0, 27, "promoted"))
    clock.now = 103.0
    seen.reports(report(0, 10, 0.4), Decision(Action.CONTINUE, "", 27), LOG)
    assert seen.trials[0].left(103.0) == 17 * 3.0
    console = Console(width=80, record=True, file=StringIO())
    console.print(trials_table(seen, 80))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split()[:6] == ["0", "0", "10/27", "0.4", "51", "s"]


def test_a_worker_tells_its_launcher_which_trials_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "PULSE", 0.0)
    benchmark = toy_script_benchmark(toy_benchmark().space, script(tmp_path), name="own", budget=10.0)
    told: list[Mapping[str, Any]] = []
    for each, expected in ((benchmark, "#0 2/9 0.25"), (toy_benchmark(), None)):
        pulse = worker._Pulse(told.append, ExperimentSpec("t", RS, each, 0, 7))
        pulse.begins(0, start(0), 0.0)
        pulse.reports(report(0, 2, 0.25), Decision(Action.CONTINUE, "", 9), LOG)
        assert told[-1].get("trials") == expected  # simulated trials are too many to tell
        pulse.ends(Ended(0, Outcome.COMPLETED, 1.0))
