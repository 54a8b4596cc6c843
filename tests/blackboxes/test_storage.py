"""Imported tables on the disk: the old one or the new one after any fault, and damage is detected."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from faults import failing_at_every_step, killed_at_every_step
from hpoctl.blackboxes.tables.assemble import Table, assemble
from hpoctl.blackboxes.tables.description import Description
from hpoctl.blackboxes.tables.npz import read_npz
from hpoctl.blackboxes.tables.storage import remove_table, store_table
from hpoctl.blackboxes.tables.stored import TableFile, check_stored, open_stored, read_stored, stored_names
from hpoctl.builtins import open_registry
from hpoctl.core.entries import Imported
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.sealed import RecordType
from hpoctl.core.toml_files import Document
from own_tables import Own, benchmark, contents, description, import_it, write_npz
from support import write_distribution

HERE = Path(__file__).parents[1]


def other(folder: Path) -> Path:
    """A file of the same name with other content."""
    (folder / "other").mkdir(exist_ok=True)
    own = Own()
    own.loss[0, 0, 0] = 99.0
    return write_npz(folder / "other", own.arrays())


def first_loss() -> float:
    """The first value of the table, which is sound."""
    stored = read_stored("mine")
    for _ in check_stored(stored):
        pass
    return float(open_stored(stored).values.flat[0])


def leftovers(data: Path) -> list[str]:
    """What lies below the data directory besides the table."""
    version = read_stored("mine").folder
    kept = {version, data / "tables", version.parent, version.parent / "current"}
    return [str(path) for path in data.rglob("*") if path not in kept and version not in path.parents]


def test_importing_again_changes_nothing(tmp_path: Path, data: Path) -> None:
    path = write_npz(tmp_path, Own().arrays())
    import_it(path)
    before = {name: (data / name).stat().st_mtime_ns for name in contents(data)}
    assert import_it(path).notes[0].endswith(": nothing has changed")
    assert {name: (data / name).stat().st_mtime_ns for name in contents(data)} == before


def test_other_content_takes_the_place_and_who_has_the_old_one_open_keeps_it(tmp_path: Path, data: Path) -> None:
    import_it(write_npz(tmp_path, Own().arrays()))
    old = open_stored(read_stored("mine"))
    import_it(other(tmp_path))
    assert first_loss() == 99.0
    assert float(old.values.flat[0]) == 1.0
    assert leftovers(data) == []


def test_another_description_takes_the_place_and_leaves_the_hash(tmp_path: Path) -> None:
    import_it(write_npz(tmp_path, Own().arrays()))
    before = read_stored("mine")
    import_it(write_npz(tmp_path, Own().arrays(), description(summary="Told otherwise")))
    after = read_stored("mine")
    assert after.table.description.summary == "Told otherwise"
    assert (after.folder != before.folder, after.table.content_hash) == (True, before.table.content_hash)


def test_who_opens_what_was_replaced_is_told_so(tmp_path: Path) -> None:
    import_it(write_npz(tmp_path, Own().arrays()))
    mine = benchmark()
    import_it(other(tmp_path))
    with pytest.raises(IncompleteError, match="was replaced or removed while this command ran"):
        mine.blackbox()


def read(path: Path) -> Table:
    """A table that was read and checked, ready to be stored."""
    told = Document(description(), "here").read(Description)
    return assemble(read_npz(path, told, quiet), told)


def quiet(what: str, done: int, total: int | None) -> None:
    """Nobody looks."""


def test_a_killed_import_leaves_the_old_table_or_the_new_one(tmp_path: Path, data: Path) -> None:
    old, new = read(write_npz(tmp_path, Own().arrays())), read(other(tmp_path))
    seen = []

    def check() -> None:
        seen.append(first_loss())
        store_table(old, quiet)
        assert (first_loss(), leftovers(data)) == (1.0, [])

    store_table(old, quiet)
    steps = killed_at_every_step(lambda: store_table(new, quiet), check)
    assert steps > 30
    assert set(seen) == {1.0, 99.0}


@pytest.mark.parametrize("stays", [False, True], ids=["once", "from then on"])
def test_a_full_disk_leaves_the_old_table_or_the_new_one(tmp_path: Path, data: Path, stays: bool) -> None:
    old, new = read(write_npz(tmp_path, Own().arrays())), read(other(tmp_path))
    errors: list[HpoctlError] = []

    def work() -> None:
        try:
            store_table(new, quiet)
        except HpoctlError as error:
            errors.append(error)

    def check() -> None:
        assert first_loss() in (1.0, 99.0)
        store_table(old, quiet)
        assert (first_loss(), leftovers(data)) == (1.0, [])

    store_table(old, quiet)
    assert failing_at_every_step(work, errno.ENOSPC, check, stays=stays) > 30
    assert any("HPOCTL_DATA" in error.fix and "No space left" in error.what for error in errors)


def test_a_failed_first_import_leaves_nothing(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_npz(tmp_path, Own().arrays())

    def fail(self: Path, target: Path) -> Path:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    for step in ("rename", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, step, fail)
            with pytest.raises(HpoctlError, match="cannot be changed"):
                import_it(path)
        assert stored_names() == []
        assert [name for name, content in contents(data).items() if content is not None] == []


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HPOCTL_DATA", str(tmp_path / "file"))
    with pytest.raises(HpoctlError, match="cannot be changed") as caught:
        import_it(write_npz(tmp_path, Own().arrays()))
    assert "HPOCTL_DATA" in caught.value.fix


def test_processes_that_import_at_the_same_time_leave_one_sound_table(tmp_path: Path, data: Path) -> None:
    paths = [write_npz(tmp_path, Own().arrays()), other(tmp_path)]
    source = "import sys, pathlib, own_tables as t\nfor _ in range(10): t.import_it(pathlib.Path(sys.argv[1]))"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", source, str(paths[number % 2])], env={**os.environ, "PYTHONPATH": str(HERE)}
        )
        for number in range(4)
    ]
    try:
        looks = 0
        while any(process.poll() is None for process in running):
            if stored_names():
                read_stored("mine")  # never half of one
                looks += 1
        assert [process.wait() for process in running] == [0] * 4
    finally:
        for process in running:
            process.kill()
            process.wait()
    assert looks > 0
    assert first_loss() in (1.0, 99.0)
    assert leftovers(data) == []


def damages(folder: Path) -> Iterator[tuple[str, bytes, Path]]:
    """Files of a table with what is wrong with them."""
    for path in sorted(folder.parent.rglob("*")):
        if path.is_file():
            whole = path.read_bytes()
            yield "cut", whole[:-1], path
            yield "empty", b"", path
            yield (
                "changed",
                bytes([*whole[: len(whole) // 2], whole[len(whole) // 2] ^ 1, *whole[len(whole) // 2 + 1 :]]),
                path,
            )


def test_damage_is_seen_and_another_import_mends_it(tmp_path: Path, data: Path) -> None:
    file = write_npz(tmp_path, Own().arrays())
    import_it(file)
    seen = 0
    for kind, damaged, path in damages(read_stored("mine").folder):
        path.write_bytes(damaged)
        if kind == "cut" and path.name == "current":
            first_loss()  # the end of the line is missing
        else:
            with pytest.raises(IncompleteError, match=r"The imported table mine .* is damaged: ") as caught:
                first_loss()
            assert "hpoctl blackbox remove mine" in caught.value.fix
            seen += 1
        import_it(file)
        assert (first_loss(), leftovers(data)) == (1.0, [])
    assert seen == 7 * 3 - 1


def test_a_missing_file_is_damage(tmp_path: Path) -> None:
    import_it(write_npz(tmp_path, Own().arrays()))
    stored = read_stored("mine")
    (stored.folder / "values.npy").unlink()
    with pytest.raises(IncompleteError, match="damaged"):
        open_stored(stored)


def test_a_damaged_table_does_not_hinder_the_others(tmp_path: Path) -> None:
    for name in ("first", "mine", "third"):
        import_it(write_npz(tmp_path, Own().arrays(), description(name=name)))
    (read_stored("mine").folder / "description.json").write_text("{}")
    registry = open_registry()
    assert list(registry.benchmarks) == ["first", "third"]
    (failure,) = registry.plugins[0].failures
    assert "The imported table mine" in failure


def test_a_table_of_another_format_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpoctl.blackboxes.tables.storage.TABLE", RecordType("table", TableFile, 2))
    with pytest.raises(IncompleteError, match="its format is 2"):
        import_it(write_npz(tmp_path, Own().arrays()))


def test_names_that_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HPOCTL_PLUGINS", "lender")
    source = "from hpoctl.plugins import hookimpl\nfrom hpoctl.testing import toy_benchmark\n"
    source += "@hookimpl\ndef hpoctl_benchmarks():\n    return [toy_benchmark(name='mine')]\n"
    write_distribution(tmp_path, "lender", source)
    load = open_registry().importer("table").load

    def bring(path: Path) -> Imported:
        return load(path, quiet)

    for name in ("mine", "Mine"):
        with pytest.raises(UsageError, match=r"The plugin lender 1.0 has a benchmark 'mine' already"):
            bring(write_npz(tmp_path, Own().arrays(), description(name=name)))
    bring(write_npz(tmp_path, Own().arrays(), description(name="yours")))
    with pytest.raises(UsageError, match="differs in case alone"):
        bring(write_npz(tmp_path, Own().arrays(), description(name="Yours")))
    assert stored_names() == ["yours"]
    del sys.modules["lender_module"]


def test_removing(tmp_path: Path, data: Path) -> None:
    import_it(write_npz(tmp_path, Own().arrays()))
    opened = open_stored(read_stored("mine"))
    remove_table("mine")
    assert stored_names() == []
    assert contents(data) == {"tables": None}
    assert float(opened.values.flat[0]) == 1.0
    with pytest.raises(UsageError, match="No table 'mine' was imported"):
        remove_table("mine")
    with pytest.raises(UsageError, match="No table 'mine' was imported"):
        read_stored("mine")


def test_a_table_is_mapped_not_read(tmp_path: Path) -> None:
    import_it(write_npz(tmp_path, Own().arrays()))
    opened = open_stored(read_stored("mine"))
    for array in (opened.values, opened.elapsed, opened.space.numbers, opened.space.rows):
        assert not array.flags.owndata
        assert not array.flags.writeable
    curve = opened.curve(opened.space.at(0), 0)
    assert curve.metrics.dtype == curve.elapsed.dtype == np.float64
    with pytest.raises(UsageError, match="no seed 2"):
        opened.curve(opened.space.at(0), 2)
