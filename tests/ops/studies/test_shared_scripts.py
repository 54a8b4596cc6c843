"""Scripts travel with their plan to machines that do not have them, and stay what they are."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.script_files import script_hash
from hpoctl.ops.studies.benchmark_files import load_benchmark
from hpoctl.ops.studies.shared_scripts import share_scripts, shared_scripts
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
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The file of a benchmark in a folder that gives it its name; other machines have their own data."""
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
    return {"my-net": str(folder / "benchmark.toml")}


def test_a_machine_without_the_files_gets_them(files: dict[str, str], tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    share_scripts(store, "t", "0001-abc", files.values())
    assert shared_scripts(store, "t", "0001-abc", files) == files  # here they are found where they are
    shutil.rmtree(tmp_path / "my-net")
    there = shared_scripts(store, "t", "0001-abc", files)
    assert there == shared_scripts(store, "t", "0001-abc", files)
    found = load_benchmark(Path(there["my-net"]))
    assert found.script is not None
    assert found.script.folder.name == "my-net"
    assert (found.script.folder / "train.sh").stat().st_mode & 0o100
    assert not (found.script.folder / "data.bin").exists()
    assert (found.script.folder / "needs" / "all.txt").read_text() == "numpy\n"  # an option of a backend names it


def test_identities_are_the_same_there(files: dict[str, str], tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    here = load_benchmark(Path(files["my-net"])).script
    assert here is not None
    expected = script_hash(here)
    share_scripts(store, "t", "0001-abc", files.values())
    shutil.rmtree(tmp_path / "my-net")
    there = shared_scripts(store, "t", "0001-abc", files)
    script = load_benchmark(Path(there["my-net"])).script
    assert script is not None
    assert script_hash(script) == expected
    assert script_hash(replace(script, backend_options={})) == expected  # options of backends do not count


def test_what_was_not_shared_or_is_damaged(files: dict[str, str], tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "root")
    share_scripts(store, "t", "0001-abc", files.values())
    (blob,) = store.list("t")
    shutil.rmtree(tmp_path / "my-net")
    assert shared_scripts(store, "t", "0002-other", files) == files
    with pytest.raises(UsageError, match="There is no benchmark file"):
        load_benchmark(Path(files["my-net"]))
    store.put(blob, store.get(blob)[:700])
    with pytest.raises(IncompleteError, match="damaged where results are"):
        shared_scripts(store, "t", "0001-abc", files)
