"""Imported tables on the disk: switching, damage, interruptions, and the deep check of all data."""

import errno
import os
import shutil
import signal
from pathlib import Path

import fcnet_originals
import numpy as np
import pytest

from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl_fcnet import checks, importing, packed, plugin, table, table_files
from hpoctl_fcnet.imported import imported_directory, imports_directory, pointer
from hpoctl_fcnet.packed import Finals, load_finals

ROWS = 300


def benchmark(name="fcnet-naval"):
    return next(entry for entry in plugin.hpoctl_benchmarks() if entry.name == name)


@pytest.fixture
def short(monkeypatch) -> Finals:
    """Tables of the first 300 rows only."""
    whole = load_finals("naval")
    finals = Finals(whole.loss[:ROWS], whole.runtime[:ROWS])
    monkeypatch.setattr(table_files, "SHAPES", {"loss.npy": (ROWS, 4, 100), "runtime.npy": (ROWS, 4)})
    monkeypatch.setattr(importing, "SHAPES", table_files.SHAPES)
    for module in (importing, checks):
        monkeypatch.setattr(module, "load_finals", lambda name: finals)
        monkeypatch.setattr(module, "PUBLISHED_OPTIMA", {"naval": packed.optimum(finals.loss)})
    return finals


def blocks(finals: Finals, factor: float = 1.0):
    """What a file of the original would hold, block by block."""
    curves = fcnet_originals.losses(finals).astype(np.float64)
    curves[:, :, 0] *= factor
    for start in range(0, len(curves), 128):
        yield curves[start : start + 128], finals.runtime[start : start + 128].astype(np.float64)


def bring(finals: Finals, monkeypatch, folder: Path, factor: float = 1.0) -> Path:
    """Import such a file."""
    folder.mkdir(exist_ok=True)
    (folder / "fcnet_naval_propulsion_data.hdf5").touch()
    with monkeypatch.context() as patch:
        patch.setattr(importing, "read_blocks", lambda file, progress: blocks(finals, factor))
        plugin.import_originals(folder, lambda *told: None)
    place = imported_directory("naval")
    assert place is not None
    return place


@pytest.fixture
def place(short, monkeypatch, tmp_path) -> Path:
    return bring(short, monkeypatch, tmp_path / "originals")


def test_the_files_are_those_of_the_cached_tables(place, short):
    assert sorted(path.name for path in place.iterdir()) == ["loss.npy", "manifest.json", "runtime.npy"]
    opened = table.open_table("naval", place)
    assert np.array_equal(opened.loss, fcnet_originals.losses(short))
    assert isinstance(opened.loss.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        opened.loss[0] = 0
    assert place.name == f"naval-{opened.content_hash[:16]}"


def test_another_import_is_switched_to_in_one_step(place, short, monkeypatch, tmp_path):
    """Whoever looks at any moment of it sees a whole table, the old one or the new one."""
    before = table.open_table("naval", place).content_hash
    seen = []

    def looking(call):
        def look(*args, **options):
            seen.append(table.open_table("naval", imported_directory("naval")).content_hash)
            answer = call(*args, **options)
            seen.append(table.open_table("naval", imported_directory("naval")).content_hash)
            return answer

        return look

    for owner, name in ((Path, "rename"), (Path, "replace"), (Path, "unlink"), (shutil, "rmtree")):
        monkeypatch.setattr(owner, name, looking(getattr(owner, name)))
    new = bring(short, monkeypatch, tmp_path / "originals", factor=2.0)
    after = table.open_table("naval", new).content_hash
    assert before != after
    assert seen == sorted(seen, key=[before, after].index)
    assert set(seen) == {before, after}
    assert not place.exists()


@pytest.mark.parametrize("failing", ["write", "fsync", "replace", "rename"])
def test_an_import_that_fails_anywhere_changes_nothing(place, short, own_data, monkeypatch, tmp_path, failing):
    before = fcnet_originals.tree(own_data)

    def full(*args, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, failing, full)
        patch.setattr(Path, failing, full, raising=False)
        with pytest.raises(HpoctlError, match="No space left") as caught:
            bring(short, monkeypatch, tmp_path / "originals", factor=2.0)
    assert "HPOCTL_DATA" in caught.value.fix
    assert fcnet_originals.tree(own_data) == before
    assert imported_directory("naval") == place


def test_an_interrupted_import_leaves_nothing(short, own_data, monkeypatch, tmp_path):
    def breaks_off(name, file, numbers, rounded):
        yield next(importing_checked(name, file, numbers, rounded))
        raise KeyboardInterrupt

    importing_checked = importing.checked
    with monkeypatch.context() as patch:
        patch.setattr(importing, "checked", breaks_off)
        with pytest.raises(KeyboardInterrupt):
            bring(short, monkeypatch, tmp_path / "originals")
    assert not own_data.exists()
    assert benchmark().provenance["curves"] == "modelled"


def test_a_killed_import_counts_for_nothing_and_the_next_one_gets_through(
    place, short, own_data, monkeypatch, tmp_path
):
    """Killed before each of the steps that move something."""
    old = table.open_table("naval", place).content_hash
    step, done = 0, False
    while not done:
        child = os.fork()
        if child == 0:
            left = [step]

            def dying(call, left=left):
                def die(*args, **options):
                    if left[0] == 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                    left[0] -= 1
                    return call(*args, **options)

                return die

            for owner, name in ((Path, "rename"), (Path, "replace"), (shutil, "rmtree")):
                setattr(owner, name, dying(getattr(owner, name)))
            try:
                bring(short, monkeypatch, tmp_path / "originals", factor=2.0)
            except BaseException:  # noqa: BLE001 - the child must not continue with its parent's tests
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        done = status == 0
        assert done or os.waitstatus_to_exitcode(status) == -signal.SIGKILL
        now = imported_directory("naval")
        list(checks.check("naval", now))  # whole, whichever it is
        if table.open_table("naval", now).content_hash != old:
            new = bring(short, monkeypatch, tmp_path / "originals", factor=2.0)
            assert list(imports_directory().glob("naval-*")) == [new]
            bring(short, monkeypatch, tmp_path / "originals")
            assert imported_directory("naval") == place
        step += 1
    assert step > 3


def truncate(directory: Path) -> None:
    data = (directory / "loss.npy").read_bytes()
    (directory / "loss.npy").write_bytes(data[: len(data) // 2])


def flip_a_sampled_byte(directory: Path) -> None:
    data = bytearray((directory / "loss.npy").read_bytes())
    data[200] ^= 1
    (directory / "loss.npy").write_bytes(data)


def forge_the_manifest(directory: Path) -> None:
    text = (directory / "manifest.json").read_text()
    (directory / "manifest.json").write_text(text.replace('"sha256": "', '"sha256": "f'))


def empty(directory: Path) -> None:
    for file in directory.iterdir():
        file.unlink()


def scribble_on_the_pointer(directory: Path) -> None:
    pointer("naval").write_text("../../elsewhere\n")


def bytes_on_the_pointer(directory: Path) -> None:
    pointer("naval").write_bytes(b"\xff\xfe")


def empty_pointer(directory: Path) -> None:
    pointer("naval").write_bytes(b"")


def pipe_as_the_pointer(directory: Path) -> None:
    pointer("naval").unlink()
    os.mkfifo(pointer("naval"))


DAMAGE = [
    truncate,
    flip_a_sampled_byte,
    forge_the_manifest,
    empty,
    scribble_on_the_pointer,
    bytes_on_the_pointer,
    empty_pointer,
    pipe_as_the_pointer,
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_import_is_an_error_and_never_the_model(place, damage):
    damage(place)
    entry = benchmark()
    assert entry.provenance["curves"] == "original"
    with pytest.raises(IncompleteError) as caught:
        entry.blackbox()
    assert str(imports_directory()) in caught.value.what
    assert "hpoctl blackbox import fcnet" in caught.value.fix
    assert f"rm -r {imports_directory()}" in caught.value.fix
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("damage", DAMAGE)
def test_importing_again_mends_it(place, short, own_data, monkeypatch, tmp_path, damage):
    before = fcnet_originals.tree(own_data)
    damage(place)
    assert bring(short, monkeypatch, tmp_path / "originals") == place
    assert fcnet_originals.tree(own_data) == before


def test_a_table_that_was_removed_after_the_benchmark_was_listed_is_an_error(place):
    entry = benchmark()
    shutil.rmtree(place)
    with pytest.raises(IncompleteError):
        entry.blackbox()
    assert benchmark().provenance["curves"] == "modelled"


def test_a_place_that_cannot_be_written_is_an_error_with_a_remedy(short, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("HPOCTL_DATA", str(tmp_path / "file"))
    with pytest.raises(HpoctlError, match="HPOCTL_DATA"):
        bring(short, monkeypatch, tmp_path / "originals")


# The deep check -------------------------------------------------------------------------------------------------


def test_the_check_finds_what_opening_a_table_overlooks(place):
    with (place / "loss.npy").open("r+b") as file:
        file.seek(128 + 5 * 1600 + 8)  # a row that the sampled checksum skips
        file.write(b"\x00\x00\x80\x3f")
    benchmark().blackbox()
    with pytest.raises(IncompleteError) as caught:
        list(benchmark().check())
    assert "loss.npy has another SHA-256" in caught.value.what
    assert "rm -r" in caught.value.fix


def test_the_check_of_an_import_says_what_is_right(place):
    lines = list(benchmark().check())
    words = ("packaged files", "optimum", str(place), "finite", "bit for bit")
    assert [word in line for word, line in zip(words, lines, strict=True)] == [True] * 5


def test_the_check_of_a_model_says_what_is_right(protein):
    lines = list(benchmark("fcnet-protein").check())
    assert len(lines) == 5
    assert "every value" in lines[2]
    assert repr(0.221378855407238) in lines[1]


def test_the_check_compares_a_cached_table_with_its_expansion(protein, monkeypatch):
    def other(name):
        for loss, runtime in table.expanded(name):
            yield np.nextafter(loss, np.float32(0)), runtime

    monkeypatch.setattr(checks, "expanded", other)
    with pytest.raises(IncompleteError, match="not what the packaged files expand to"):
        list(benchmark("fcnet-protein").check())


@pytest.mark.parametrize("change", ["nan", "final"])
def test_the_check_looks_at_every_value(place, short, monkeypatch, change):
    files = table_files.load_table(place)
    loss = files.loss.copy()
    loss[(299, 3, 50) if change == "nan" else (299, 3, 99)] = np.nan if change == "nan" else 0.5
    changed = table_files.TableFiles(loss, files.runtime, files.sha256)
    monkeypatch.setattr(checks, "load_imported", lambda name, directory: changed)
    with pytest.raises(IncompleteError, match="not what was imported"):
        list(benchmark().check())


def test_the_check_compares_the_packaged_files_with_the_list_of_the_package(monkeypatch):
    real = packed._read
    with monkeypatch.context() as patch:
        patch.setattr(packed, "_read", lambda name: real(name) + b"!" * (name == "curves-naval.npz"))
        with pytest.raises(IncompleteError, match="curves-naval"):
            list(benchmark().check())
    monkeypatch.setattr(checks, "PUBLISHED_OPTIMA", {"naval": 1.0})
    with pytest.raises(IncompleteError, match="optimum"):
        list(benchmark().check())


def test_the_list_of_the_package_is_complete():
    """If this fails, packaged data have changed: run tools/checksums.py."""
    data = Path(packed.__file__).parent / "data"
    names = sorted(file.name for file in data.glob("*.npz"))
    found, listed = packed.packaged_hashes(names)
    assert found == listed


# The card -------------------------------------------------------------------------------------------------------


def test_cards_tell_source_licence_citation_and_what_is_modelled(place):
    for name in ("protein", "parkinsons", "slice"):
        card = benchmark(f"fcnet-{name}").card
        assert {"source", "licence", "citation", "modelled"} <= set(card)
        assert "epochs 1 to 99" in card["modelled"]
        assert ("extrapolated" in card["modelled"]) == (name == "slice")
    card = benchmark("fcnet-naval").card
    assert str(place) in card["source"]
    assert card["modelled"].startswith("nothing")
