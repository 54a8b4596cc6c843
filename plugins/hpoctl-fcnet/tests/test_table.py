"""The cache of expanded tables."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl.core.places import cache_directory
from hpoctl_fcnet import table, table_files
from hpoctl_fcnet.packed import load_finals, table_hash


def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make tables of the first 256 rows only, in a separate cache; returns the directory of the naval table."""
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path))
    monkeypatch.setattr(table_files, "SHAPES", {"loss.npy": (256, 4, 100), "runtime.npy": (256, 4)})
    whole = table.load_finals  # type: ignore[attr-defined]
    expand = table.expand  # type: ignore[attr-defined]

    def first_rows(name):
        finals = whole(name)
        return type(finals)(finals.loss, finals.runtime[:256])

    monkeypatch.setattr(table, "load_finals", first_rows)
    monkeypatch.setattr(table, "expand", lambda model, loss: [next(iter(expand(model, loss)))])
    return tmp_path / "fcnet" / f"naval-{table_hash('naval')[:16]}"


def test_the_whole_table_ends_in_the_original_bit_for_bit(protein):
    finals = load_finals("protein")
    assert protein.loss.shape == (62_208, 4, 100)
    assert protein.loss[:, :, -1].tobytes() == finals.loss.tobytes()
    assert protein.runtime.tobytes() == finals.runtime.tobytes()
    assert np.isfinite(protein.loss).all()
    assert protein.loss.min() > 0


def test_the_table_is_mapped_and_read_only(protein):
    for values in (protein.loss, protein.runtime):
        assert isinstance(values.base, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0


def test_the_cache_is_used_again(monkeypatch, tmp_path):
    directory = small(monkeypatch, tmp_path)
    first = table.open_table("naval", None)
    assert sorted(path.name for path in directory.iterdir()) == ["loss.npy", "manifest.json", "runtime.npy"]
    monkeypatch.setattr(table, "expand", None)
    assert np.array_equal(table.open_table("naval", None).loss, first.loss)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"HPOCTL_CACHE": "/a/b"}, "/a/b"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/hpoctl"),
        ({"HPOCTL_CACHE": "", "XDG_CACHE_HOME": "", "HOME": "/home/somebody"}, "/home/somebody/.cache/hpoctl"),
    ],
)
def test_where_the_cache_is(monkeypatch, variables, expected):
    for name in ("HPOCTL_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_directory() == Path(expected)


def test_an_expansion_that_fails_leaves_nothing_behind(monkeypatch, tmp_path):
    directory = small(monkeypatch, tmp_path)

    def breaks_off(model, loss):
        yield np.zeros((128, 4, 100), np.float32)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(table, "expand", breaks_off)
        with pytest.raises(KeyboardInterrupt):
            table.open_table("naval", None)
    assert list(directory.parent.iterdir()) == []
    assert table.open_table("naval", None).loss.shape == (256, 4, 100)


def test_what_a_killed_process_left_is_removed_when_it_is_old(monkeypatch, tmp_path):
    directory = small(monkeypatch, tmp_path)
    directory.parent.mkdir(parents=True)
    old, young = (directory.parent / f".{directory.name}-{name}" for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir()
        (folder / "loss.npy").write_bytes(b"half of a table")
    os.utime(old, (0, 0))
    table.open_table("naval", None)
    assert sorted(directory.parent.iterdir()) == [young, directory]


def truncate(directory: Path) -> None:
    data = (directory / "loss.npy").read_bytes()
    (directory / "loss.npy").write_bytes(data[: len(data) // 2])


def flip_a_sampled_byte(directory: Path) -> None:
    data = bytearray((directory / "loss.npy").read_bytes())
    data[200] ^= 1
    (directory / "loss.npy").write_bytes(data)


def empty_manifest(directory: Path) -> None:
    (directory / "manifest.json").write_bytes(b"")


def strange_manifest(directory: Path) -> None:
    (directory / "manifest.json").write_text(json.dumps(["nothing"]))


def other_array(directory: Path) -> None:
    np.save(directory / "runtime.npy", np.ones((256, 4)))


def lost_file(directory: Path) -> None:
    (directory / "runtime.npy").unlink()


@pytest.mark.parametrize(
    "damage", [truncate, flip_a_sampled_byte, empty_manifest, strange_manifest, other_array, lost_file]
)
def test_a_damaged_cache_is_an_error_that_names_the_directory(monkeypatch, tmp_path, damage):
    directory = small(monkeypatch, tmp_path)
    table.open_table("naval", None)
    damage(directory)
    with pytest.raises(IncompleteError) as caught:
        table.open_table("naval", None)
    assert str(directory) in caught.value.what
    assert "Delete" in caught.value.fix
    assert "\n" not in str(caught.value)


def test_a_cache_that_cannot_be_written_is_an_error_with_a_remedy(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no directory")
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "file"))
    with pytest.raises(HpoctlError) as caught:
        table.open_table("naval", None)
    assert str(tmp_path / "file") in caught.value.what
    assert "HPOCTL_CACHE" in caught.value.fix


def test_a_full_disk_is_an_error_with_a_remedy(monkeypatch, tmp_path):
    directory = small(monkeypatch, tmp_path)

    def full(descriptor, data):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(HpoctlError, match="No space left on device"):
            table.open_table("naval", None)
    assert not directory.exists()


def test_two_processes_that_expand_at_once_both_get_the_table(monkeypatch, tmp_path):
    script = (
        "import sys, zlib; from hpoctl_fcnet.table import open_table; sys.stdin.readline();"
        "print(zlib.crc32(open_table('parkinsons', None).loss[::61].tobytes()))"
    )
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path))
    processes = [
        subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=100)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert answers[0] == answers[1]
    assert [path.name for path in (tmp_path / "fcnet").iterdir()] == [f"parkinsons-{table_hash('parkinsons')[:16]}"]
