"""The trials that train now: slots, last values, time left."""

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console, RenderableType

from hpoctl.builtins import RS
from hpoctl.cli.launch_progress import _picture
from hpoctl.cli.progress import trials_table
from hpoctl.core.entries import Goal
from hpoctl.core.jobs import Activity
from hpoctl.core.protocols import Action, Decision, Ended, Outcome, Report, Resume, Start
from hpoctl.engine.rows import RowLog
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.launchers.process import WorkerProcess
from hpoctl.ops.launching.launch import LaunchProgress
from hpoctl.ops.running.training_view import Pulse, TrainingView
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


def report(trial: int, level: int, value: float, time: float = 1.0) -> Report:
    return Report(trial, np.array([level]), np.array([[value]]), np.array([1.0]), np.array([time]))


def test_slots_and_time_left() -> None:
    seen, clock = view()
    for trial in (0, 1):
        seen.begins(trial, start(trial), 0.0)
    found = [(trial.slot, trial.trial_id, trial.left) for trial in seen.trials]
    assert found == [(0, 0, None), (1, 1, None)]
    assert seen.trials[0].config == {"activation": "relu", "units": 0, "rate": 0.1}  # without what is fixed
    clock.now = 104.0  # the experiment is continued: its clock leaves out what passed in between
    seen.reports(report(1, 2, 0.25, 4.0), Decision(Action.CONTINUE, "", 9), LOG)
    clock.now = 105.0
    first, second = seen.trials
    assert second.left == 7 * 2.0 - 1.0  # two seconds a level, seven to go, one has passed
    assert [(trial.resource, trial.aim, trial.value) for trial in (first, second)] == [(None, 9, None), (2, 9, 0.25)]
    seen.ends(Ended(0, Outcome.FAILED, 5.0))
    seen.begins(2, start(2), 5.0)
    assert [(trial.slot, trial.trial_id) for trial in seen.trials] == [(0, 2), (1, 1)]


def test_a_resumed_trial_is_timed_from_where_it_continues() -> None:
    seen, clock = view()
    seen.begins(0, start(0), 0.0)
    seen.reports(report(0, 9, 0.5), Decision(Action.PAUSE, ""), LOG)
    seen.ends(Ended(0, Outcome.PAUSED, 1.0))
    assert seen.trials == []
    clock.now = 100.0
    seen.begins(0, Resume(0, 27, "promoted"), 100.0)
    (resumed,) = seen.trials
    assert (resumed.resource, resumed.value, resumed.left) == (9, 0.5, None)
    clock.now = 103.0
    seen.reports(report(0, 10, 0.4, 103.0), Decision(Action.CONTINUE, "", 27), LOG)
    assert seen.trials[0].left == 17 * 3.0
    lines = printed(trials_table(seen.trials))
    assert lines[1].split()[:6] == ["0", "0", "10/27", "0.4", "51", "s"]


def test_launch_shows_the_trials_of_a_worker(tmp_path: Path) -> None:
    seen, _ = view()
    for trial in (0, 1):
        seen.begins(trial, start(trial), 0.0)
    seen.reports(report(1, 2, math.nan, 4.0), Decision(Action.CONTINUE, "", 9), LOG)
    working = WorkerProcess([sys.executable, "-c", "pass"])
    try:
        told = [asdict(trial) for trial in seen.trials]
        working.progresses(json.loads(json.dumps({"share": 0.5, "trials": told})))
        trains = Activity("worker 1", "RS own seed 0", working.share, 4.0, working.trials)
    finally:
        working.end(10.0)
        working.close()
    idle = Activity("worker 2", "idle", None, 1.0)
    for others in ([idle], [Activity("worker 2", "RS own seed 1", 0.1, 3.0, trains.trials)]):
        lines = printed(_picture("t", LaunchProgress(2, 0, (), [trains, *others], 4.0, 4.0)))
        text = "\n".join(lines)
        assert "worker 1 RS own seed 0" in text
        found = [line.split() for line in lines]
        (first, *_) = [words for words in found if words[:2] == ["1", "1"]]
        assert first[2:4] == ["2/9", "nan"]
        assert first[-3:] == ["activation=relu", "units=1", "rate=0.1"]
        assert text.count("configuration") == text.count("seed")


@pytest.mark.parametrize(("seconds", "rate"), [(4.0, "0.5/s"), (120.0, "1.0/min"), (7200.0, "1.0/h")])
def test_how_often_experiments_end_is_told_in_a_fitting_unit(seconds: float, rate: str) -> None:
    assert f" {rate} " in printed(_picture("t", LaunchProgress(4, 2, (), [], seconds, 4.0)))[0]


def printed(shown: RenderableType) -> list[str]:
    console = Console(width=80, record=True, file=StringIO())
    console.print(shown)
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    return lines


def test_a_worker_tells_its_launcher_which_trials_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpoctl.ops.running.training_view.PULSE", 0.0)
    benchmark = toy_script_benchmark(toy_benchmark().space, script(tmp_path), name="own", budget=10.0)
    told: list[Mapping[str, Any]] = []
    for each in (benchmark, toy_benchmark()):
        told.clear()
        pulse = Pulse(told.append, ExperimentSpec("t", RS, each, 0, 7))
        pulse.begins(0, start(0), 0.0)
        pulse.reports(report(0, 2, 0.25), Decision(Action.CONTINUE, "", 9), LOG)
        pulse.ends(Ended(0, Outcome.COMPLETED, 1.0))
        known = [[trial["resource"] for trial in message["trials"]] for message in told if "trials" in message]
        assert known == ([[None], [2], []] if each is benchmark else [])  # simulated trials are too many to tell
