"""What an experiment has so far, from its journal: in the end the same files as those that it writes itself."""

import io
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hpoctl.builtins import ASHA, RS
from hpoctl.core.cells import JOURNAL, METADATA, RESULTS, TRIALS
from hpoctl.core.clock import SystemTime
from hpoctl.core.entries import Method
from hpoctl.core.errors import IncompleteError
from hpoctl.core.sealed import unseal
from hpoctl.core.settings import Settings
from hpoctl.core.space import Fixed, LogUniform, Space
from hpoctl.engine.experiment import run_experiment
from hpoctl.engine.journal import read_records
from hpoctl.engine.journaled_loop import replay
from hpoctl.engine.metadata import Provenance
from hpoctl.engine.ran import ran
from hpoctl.engine.so_far import read_so_far
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.stores.local import LocalStore
from hpoctl.testing.hard_cases import Nobody
from hpoctl.testing.toys import toy_script_benchmark
from training_scripts import TRAIN, script

BODY = TRAIN.replace("loss=1 / epoch", "loss=float(options['--lr']) + 1 / epoch, accuracy=1 - 1 / epoch, note='x'")


def trained(folder: Path, method: Method) -> tuple[LocalStore, str, ExperimentSpec]:
    (folder / "script").mkdir()
    space = Space({"lr": LogUniform(0.001, 1.0), "epochs": Fixed(9)})
    benchmark = toy_script_benchmark(space, script(folder / "script", BODY), metrics=("loss", "accuracy"))
    spec = ExperimentSpec("docs-2", method, benchmark, 0, 7, Settings(max_num_trials=6))
    store = LocalStore(folder / "root")
    told = run_experiment(spec, store, Provenance({"hpoctl": "0"}, None, ""), Nobody(), SystemTime())
    return store, told.directory, spec


def columns(data: bytes) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = pq.read_table(io.BytesIO(data)).to_pydict()
    return found


@pytest.mark.parametrize("method", [RS, ASHA], ids=lambda method: method.name)
def test_in_the_end_it_is_what_the_experiment_writes(method: Method, tmp_path: Path) -> None:
    store, directory, spec = trained(tmp_path, method)
    experiment = ran(unseal(store.get(f"{directory}/{METADATA}")))
    path = tmp_path / JOURNAL
    path.write_bytes(store.get(f"{directory}/{JOURNAL}"))
    found = read_so_far(experiment, path)
    assert columns(found.results) == columns(store.get(f"{directory}/{RESULTS}"))
    assert columns(found.trials) == columns(store.get(f"{directory}/{TRIALS}"))

    lines = path.read_bytes().splitlines(keepends=True)
    cut = tmp_path / "cut"
    known = 0
    for count in range(1, len(lines) + 1):
        shutil.rmtree(cut, ignore_errors=True)
        cut.mkdir()
        torn = lines[count][:7] if count < len(lines) else b""  # a record that is being written
        (cut / JOURNAL).write_bytes(b"".join(lines[:count]) + torn)
        rows = columns(read_so_far(experiment, cut / JOURNAL).results)
        assert len(rows["epoch"]) >= known
        known = len(rows["epoch"])
        if count % 7 == 0:
            again = replay(spec, cut / JOURNAL, Nobody())  # the scheduler itself, on the same part of the journal
            ours = list(zip(again.trial_ids, again.times, strict=True))
            theirs = list(zip(rows["trial_id"], rows["st_tuner_time"], strict=True))
            *_, last = read_records(cut / JOURNAL)
            if last["kind"] not in {"events", "stop"}:
                assert ours == theirs
            # Else each may end within the last batch, whose rows are in the order of their times: the one at a decision
            # that is not in the journal yet, the other where a row depends on such a decision.
            fewer, more = sorted([ours, theirs], key=len)
            assert [row for row in more if row in fewer] == fewer


@pytest.mark.parametrize(
    ("path", "value"),
    [("seed", "one"), ("determinants.space", [1]), ("determinants.method", {}), ("determinants.benchmark.mode", "up")],
)
def test_metadata_that_do_not_say_what_was_run_are_named_by_their_path(
    tmp_path: Path, path: str, value: object
) -> None:
    store, directory, _ = trained(tmp_path, RS)
    entries = unseal(store.get(f"{directory}/{METADATA}"))
    *parents, key = path.split(".")
    inner = entries
    for parent in parents:
        inner = inner[parent]
    inner[key] = value
    with pytest.raises(IncompleteError, match=f"do not say what was run: .*{path.rpartition('.')[2]}"):
        ran(entries)
