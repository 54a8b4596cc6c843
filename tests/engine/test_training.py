"""Experiments on scripts: run, killed, continued, given more, and what they leave."""

import io
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from hpoctl.builtins import ASHA, RS
from hpoctl.core.cells import JOURNAL, METADATA, RESULTS, TRIALS, WORK
from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import Benchmark, Method
from hpoctl.core.errors import HpoctlError
from hpoctl.core.protocols import TrialBackend
from hpoctl.core.sealed import unseal
from hpoctl.core.settings import Settings
from hpoctl.core.space import Fixed, LogUniform, Space
from hpoctl.core.trial_backends import BackendContext
from hpoctl.engine.experiment import run_experiment
from hpoctl.engine.finished import Finished
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.engine.trial_backends import LOCAL
from hpoctl.stores.local import LocalStore
from hpoctl.testing.hard_cases import Nobody
from hpoctl.testing.toys import toy_script_benchmark
from training_scripts import TRAIN, script

PROVENANCE = Provenance({"hpoctl": "0"}, None, "hpoctl run")


def benchmark(folder: Path, body: str = TRAIN, **facts: Any) -> Benchmark:
    folder.mkdir(exist_ok=True)
    space = Space({"lr": LogUniform(0.001, 1.0), "epochs": Fixed(9)})
    return toy_script_benchmark(space, script(folder, body, **facts))


def spec(folder: Path, method: Method = RS, body: str = TRAIN, **settings: Any) -> ExperimentSpec:
    made = benchmark(folder / "script", body)
    return ExperimentSpec("docs-2", method, made, 0, 7, Settings(**{"max_num_trials": 4, **settings}))


def run(folder: Path, made: ExperimentSpec) -> Finished:
    return run_experiment(made, LocalStore(folder / "root"), PROVENANCE, Nobody(), SystemTime())


def table(folder: Path, told: Finished, name: str) -> dict[str, list[Any]]:
    data = LocalStore(folder / "root").get(f"{told.directory}/{name}")
    found: dict[str, list[Any]] = pq.read_table(io.BytesIO(data)).to_pydict()
    return found


def metadata(folder: Path) -> list[dict[str, Any]]:
    store = LocalStore(folder / "root")
    names = [name for name in store.list("docs-2") if name.endswith(METADATA)]
    return [unseal(store.get(name)) for name in names]


def levels(rows: dict[str, list[Any]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for trial, level in zip(rows["trial_id"], rows["epoch"], strict=True):
        found.setdefault(trial, []).append(level)
    return found


def test_an_experiment_leaves_rows_trials_journal_and_counts(tmp_path: Path) -> None:
    told = run(tmp_path, spec(tmp_path, price_per_hour=3600.0))
    assert levels(table(tmp_path, told, RESULTS)) == {trial: list(range(1, 10)) for trial in range(4)}
    happened = table(tmp_path, told, TRIALS)
    assert happened["trial_id"] == [0, 1, 2, 3]
    assert set(happened["outcome"]) == {"Completed"}
    assert (happened["resource_from"], happened["resource_to"]) == ([0] * 4, [9] * 4)
    assert all(seconds > 0 for seconds in happened["seconds"])
    assert happened["cost"] == pytest.approx(happened["seconds"])
    rows = table(tmp_path, told, RESULTS)
    assert dict(zip(happened["trial_id"], happened["config_lr"], strict=True)) == dict(
        zip(rows["trial_id"], rows["config_lr"], strict=True)
    )
    (found,) = metadata(tmp_path)
    assert found["status"] == "completed"
    assert found["backend"] == "local"
    assert found["progress"]["outcomes"] == {"completed": 4}
    assert found["cost"] == pytest.approx(sum(happened["cost"]))
    assert told.outcomes == {"completed": 4}
    assert told.resumed_at is None
    assert LocalStore(tmp_path / "root").get(f"{told.directory}/{JOURNAL}").count(b'"kind":"start"') == 4


def test_the_chosen_backend_runs_the_trials_and_one_that_is_out_of_reach_ends_nothing(tmp_path: Path) -> None:
    def make(context: BackendContext, options: object) -> TrialBackend:
        if (tmp_path / "out of reach").exists():
            raise HpoctlError("There is no cluster.", "Start one.")
        return LOCAL.make(context, options)

    chosen = replace(spec(tmp_path), backend=replace(LOCAL, name="elsewhere", make=make))
    (tmp_path / "out of reach").touch()
    for _ in range(2):
        with pytest.raises(HpoctlError, match="There is no cluster"):
            run(tmp_path, chosen)
    (tmp_path / "out of reach").unlink()
    told = run(tmp_path, chosen)
    assert levels(table(tmp_path, told, RESULTS)) == {trial: list(range(1, 10)) for trial in range(4)}
    (found,) = metadata(tmp_path)  # the same attempt
    assert (found["status"], found["backend"]) == ("completed", "elsewhere")


def test_failed_trials_are_recorded_and_too_many_end_the_experiment(tmp_path: Path) -> None:
    body = f"if os.environ['HPOCTL_TRIAL_ID'] == '1': raise ValueError('bad')\n{TRAIN}"
    told = run(tmp_path, spec(tmp_path, body=body))
    happened = table(tmp_path, told, TRIALS)
    place = happened["trial_id"].index(1)
    assert happened["outcome"][place] == "Failed"
    assert happened["reason"][place] == "exit status 1: ValueError: bad"
    assert happened["exit_status"][place] == 1
    assert told.outcomes == {"completed": 3, "failed": 1}


def test_a_script_that_always_fails_starts_few_trials_and_more_are_allowed_later(tmp_path: Path) -> None:
    with pytest.raises(HpoctlError, match=r"4 of \d trials failed, and --max-failures is 3"):
        run(tmp_path, spec(tmp_path, body="raise ValueError('bad')", max_num_trials=20))
    (found,) = metadata(tmp_path)
    assert (found["status"], found["ended_by"]) == ("failed", "failures")
    again = spec(tmp_path, body="raise ValueError('bad')", max_num_trials=20, max_failures=6)
    with pytest.raises(HpoctlError, match=r"7 of \d trials failed"):
        run(tmp_path, again)
    assert len(metadata(tmp_path)) == 1, "the same attempt continues"
    with pytest.raises(HpoctlError, match="7 of"):
        run(tmp_path, again)
    assert len(metadata(tmp_path)) == 2, "nothing more is allowed: it begins anew"


def test_a_larger_budget_continues_a_complete_experiment(tmp_path: Path) -> None:
    small = run(tmp_path, spec(tmp_path, ASHA))
    large = run(tmp_path, spec(tmp_path, ASHA, max_num_trials=8))
    assert large.trials == 8
    assert large.directory != small.directory
    assert large.resumed_at is not None
    assert large.identity != small.identity
    one, other = (table(tmp_path, told, RESULTS) for told in (small, large))
    count = len(one["epoch"])
    for name in ("trial_id", "epoch", "loss", "st_tuner_time", "config_lr"):
        assert other[name][:count] == one[name]
    assert all(found == sorted(set(found)) for found in levels(other).values())
    assert [found["status"] for found in metadata(tmp_path)] == ["completed", "completed"]
    assert metadata(tmp_path)[1]["continues"] == small.directory


def test_a_changed_script_is_another_experiment(tmp_path: Path) -> None:
    one = run(tmp_path, spec(tmp_path))
    other = run(tmp_path, spec(tmp_path, body=TRAIN + "# changed", max_num_trials=8))
    assert other.resumed_at is None
    assert metadata(tmp_path)[0]["determinants"]["benchmark"] != metadata(tmp_path)[1]["determinants"]["benchmark"]
    assert one.identity != other.identity


class Full(LocalStore):
    """On a full disk: progress and results cannot be written."""

    def put(self, name: str, data: bytes, *, create: bool = False) -> None:
        if name.endswith(RESULTS) or (name.endswith(METADATA) and b'"progress"' in data and b'"running"' in data):
            raise HpoctlError("No space left.", "Make room.")
        super().put(name, data, create=create)


def test_results_that_could_not_be_written_are_written_by_the_same_command(tmp_path: Path) -> None:
    made = spec(tmp_path, body=TRAIN.replace("0.01", "0.15"), max_num_trials=2)
    with pytest.raises(HpoctlError, match="No space left"):
        run_experiment(made, Full(tmp_path / "root"), PROVENANCE, Nobody(), SystemTime())
    (found,) = metadata(tmp_path)
    assert found["status"] == "failed"
    starts = journal(tmp_path).count(b'"kind":"start"')
    told = run(tmp_path, made)
    assert journal(tmp_path).count(b'"kind":"start"') == starts == 2, "nothing was trained again"
    assert levels(table(tmp_path, told, RESULTS)) == {0: list(range(1, 10)), 1: list(range(1, 10))}
    assert [found["status"] for found in metadata(tmp_path)] == ["completed"]


CONTROLLER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored where the tests run in the background
sys.path[:0] = {path!r}
from pathlib import Path
from engine.test_training import ASHA, TRAIN, run, spec
run(Path({folder!r}), spec(Path({folder!r}), ASHA, TRAIN.replace("0.01", "0.05"), max_num_trials=12, trial_retries=9))
"""


def controller(folder: Path) -> subprocess.Popen[bytes]:
    """A process that runs an experiment."""
    path = [str(Path(__file__).parents[1]), *sys.path]
    code = textwrap.dedent(CONTROLLER.format(path=path, folder=str(folder)))
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)


def journal(folder: Path) -> bytes:
    found = list((folder / "root" / WORK).rglob(JOURNAL))
    return found[0].read_bytes() if found else b""


def test_a_killed_controller_and_killed_trials_cost_nothing(tmp_path: Path) -> None:
    for kill, number in enumerate([signal.SIGKILL, signal.SIGKILL, signal.SIGINT, signal.SIGTERM]):
        before = journal(tmp_path)
        process = controller(tmp_path)
        end = time.monotonic() + 60
        while len(journal(tmp_path)) < len(before) + 250 * (kill + 1) and time.monotonic() < end:
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(number)
        process.wait(30)
        assert journal(tmp_path).startswith(before)
    made = spec(tmp_path, ASHA, TRAIN.replace("0.01", "0.05"), max_num_trials=12, trial_retries=9)
    told = run(tmp_path, made)
    assert told.resumed_at is not None
    assert told.trials == 12
    rows = table(tmp_path, told, RESULTS)
    for found in levels(rows).values():
        assert found == list(range(1, len(found) + 1))
    assert (np.diff(rows["st_tuner_time"]) >= 0).all()
    assert [attempt["status"] for attempt in metadata(tmp_path)] == ["completed"]


def test_a_damaged_journal_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    run(tmp_path, spec(tmp_path))
    (path,) = (tmp_path / "root" / WORK).rglob(JOURNAL)
    spoilt = path.read_bytes().replace(b'"trial":1', b'"trial":2', 1)
    path.write_bytes(spoilt)
    with pytest.raises(HpoctlError, match=r"Record \d+ of .* is damaged"):
        run(tmp_path, spec(tmp_path, max_num_trials=8))
    assert [found for found in (tmp_path / "root" / WORK).rglob(JOURNAL) if found.read_bytes() == spoilt]


def test_training_stops_at_its_cost(tmp_path: Path) -> None:
    body = "for i in range(1, 10): report(epoch=i, loss=1); time.sleep(0.2)"
    made = spec(tmp_path, body=body, price_per_hour=3600.0, max_cost=2.0, max_num_trials=1000)
    told = run(tmp_path, replace(made, settings=replace(made.settings, max_wallclock_time=100.0)))
    assert told.cost is not None
    assert 2.0 <= told.cost < 20.0
