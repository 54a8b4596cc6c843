"""Scripts travel with their plan to machines that do not have them, and stay what they are."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.script_files import script_hash
from hpoctl.core.study import Study
from hpoctl.ops.studies.benchmark_files import find_benchmark, load_benchmark
from hpoctl.ops.studies.shared_scripts import share_scripts, with_shared_scripts
from hpoctl.plugins import load_registry
from hpoctl.stores.local import LocalStore

BENCHMARK = """
command = ["./train.sh"]
files = ["train.sh", "lib"]
metric = "loss"
mode = "min"
max_wallclock_time = 60
n_workers = 1
[space]
lr = { type = "uniform", lower = 0.0, upper = 1.0 }
[backends.far]
requirements = "needs/all.txt"
machines = 2
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study on a script in a folder that gives the benchmark its name; other machines have their own data."""
    monkeypatch.setenv("HPOCTL_DATA", str(tmp_path / "data"))
    folder = tmp_path / "my-net"
    (folder / "lib").mkdir(parents=True)
    (folder / "benchmark.toml").write_text(BENCHMARK)
    (folder / "train.sh").write_text("#!/bin/sh\n. lib/part.sh\n")
    (folder / "train.sh").chmod(0o755)
    (folder / "lib" / "part.sh").write_text("echo\n")
    (folder / "data.bin").write_text("not declared")
    (folder / "needs").mkdir()
    (folder / "needs" / "all.txt").write_text("numpy\n")
    file = str(folder / "benchmark.toml")
    return Study("s", "S", ("RS",), ("my-net", "toy"), benchmark_files={"my-net": file})


def test_a_machine_without_the_files_gets_them(study: Study, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    share_scripts(store, "t", "0001-abc", study, ["my-net", "toy"])
    assert with_shared_scripts(store, "t", "0001-abc", study) == study  # here they are found where they are
    shutil.rmtree(tmp_path / "my-net")
    there = with_shared_scripts(store, "t", "0001-abc", study)
    assert there == with_shared_scripts(store, "t", "0001-abc", study)
    found = find_benchmark("my-net", there, load_registry([], ()))
    assert found.script is not None
    assert found.script.folder.name == "my-net"
    assert (found.script.folder / "train.sh").stat().st_mode & 0o100
    assert not (found.script.folder / "data.bin").exists()
    assert (found.script.folder / "needs" / "all.txt").read_text() == "numpy\n"  # an option of a backend names it


def test_identities_are_the_same_there(study: Study, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    here = load_benchmark(Path(study.benchmark_files["my-net"])).script
    assert here is not None
    expected = script_hash(here)
    share_scripts(store, "t", "0001-abc", study, ["my-net"])
    shutil.rmtree(tmp_path / "my-net")
    there = with_shared_scripts(store, "t", "0001-abc", study)
    script = load_benchmark(Path(there.benchmark_files["my-net"])).script
    assert script is not None
    assert script_hash(script) == expected
    assert script_hash(replace(script, backend_options={})) == expected  # options of backends do not count


def test_what_was_not_shared_or_is_damaged(study: Study, tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    share_scripts(store, "t", "0001-abc", study, ["my-net"])
    (blob,) = store.list("t")
    shutil.rmtree(tmp_path / "my-net")
    assert with_shared_scripts(store, "t", "0002-other", study) == study
    with pytest.raises(UsageError, match="There is no benchmark file"):
        find_benchmark("my-net", study, load_registry([], ()))
    store.put(blob, store.get(blob)[:700])
    with pytest.raises(IncompleteError, match="damaged where results are"):
        with_shared_scripts(store, "t", "0001-abc", study)
