"""Importing original files. All files here are synthetic: no original was ever at hand."""

import json
import shutil
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import fcnet_originals
import h5py
import numpy as np
import pytest

from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.testing import check_benchmark
from hpoctl_fcnet import grid, importing, original, plugin, table_files
from hpoctl_fcnet.imported import imported_directory
from hpoctl_fcnet.packed import Finals, load_finals, optimum, table_hash
from hpoctl_fcnet.space import SPACE

SMALL = {name: values[-2:] if name.startswith("hp_n_units") else values[:1] for name, values in grid.GRID.items()}
FILE = original.FILES["naval"]


def importer():
    (entry,) = plugin.hpoctl_importers()
    assert entry.name == "fcnet"
    return entry


def benchmark(name="fcnet-naval"):
    return next(entry for entry in plugin.hpoctl_benchmarks() if entry.name == name)


def the_directory() -> Path:
    place = imported_directory("naval")
    assert place is not None
    return place


def quiet(what: str, done: int, total: int | None) -> None:
    pass


@cache
def small_finals() -> Finals:
    moves = grid.steps()
    rows = [sum(moves[name][value] for name, value in config.items()) for config in fcnet_originals.configs(SMALL)]
    whole = load_finals("naval")
    return Finals(whole.loss[rows], whole.runtime[rows])


@pytest.fixture
def small(monkeypatch, tmp_path) -> Path:
    """A folder with a file of a grid of four configurations, in a world where there are no others."""
    finals = small_finals()
    monkeypatch.setattr(grid, "GRID", SMALL)
    monkeypatch.setattr(table_files, "SHAPES", {"loss.npy": (4, 4, 100), "runtime.npy": (4, 4)})
    monkeypatch.setattr(original, "SHAPES", table_files.SHAPES)
    monkeypatch.setattr(importing, "SHAPES", table_files.SHAPES)
    monkeypatch.setattr(importing, "load_finals", lambda name: finals)
    monkeypatch.setattr(importing, "PUBLISHED_OPTIMA", {"naval": optimum(finals.loss), "slice": optimum(finals.loss)})
    folder = tmp_path / "originals"
    folder.mkdir()
    fcnet_originals.write_original(folder / FILE, finals, SMALL)
    return folder


def test_a_whole_file_is_imported_and_its_curves_are_used_exactly(tmp_path, own_data, cache):
    finals = load_finals("naval")
    curves = fcnet_originals.write_original(tmp_path / FILE, finals)
    before = benchmark()
    assert before.provenance["curves"] == "modelled"
    seen = []

    done = importer().load(tmp_path, lambda *told: seen.append(told))

    assert done.benchmarks == ("fcnet-naval",)
    assert any("fcnet-naval" in note and "now in" in note for note in done.notes)
    assert {name for name in original.FILES if f"no {original.FILES[name]}" in "".join(done.notes)} == {
        "protein",
        "parkinsons",
        "slice",
    }
    assert seen[0] == (f"reading {FILE}", 0, 62_208)
    assert seen[-1] == (f"reading {FILE}", 62_208, 62_208)
    now = benchmark()
    assert now.provenance["curves"] == "original"
    assert "nothing" in now.card["modelled"]
    assert benchmark("fcnet-protein").provenance["curves"] == "modelled"
    blackbox = now.blackbox()
    for row in (0, 1, 31_415, 62_207):
        for seed in range(4):
            curve = blackbox.curve(SPACE.at(row), seed)
            assert np.array_equal(curve.metrics[:, 0], curves[row, seed])
            np.testing.assert_allclose(curve.elapsed, finals.runtime[row, seed] * np.arange(1, 101) / 100)
    assert blackbox.content_hash != table_hash("naval")
    check_benchmark(now)
    lines = list(now.check())
    assert len(lines) == 5
    assert "SHA-256" in lines[2]
    assert not list((cache / "fcnet").glob("naval-*")), "the model was expanded although it is not needed"


def test_an_imported_set_has_a_content_hash_of_its_own(small):
    importer().load(small, quiet)
    place = the_directory()
    assert benchmark().blackbox().content_hash[:16] == place.name.removeprefix("naval-") != table_hash("naval")[:16]


def test_removing_the_folder_goes_back_to_the_model(small, own_data):
    done = importer().load(small, quiet)
    place = the_directory()
    assert any(str(place) in note for note in done.notes)
    shutil.rmtree(place)
    assert benchmark().provenance["curves"] == "modelled"
    importer().load(small, quiet)
    assert imported_directory("naval") == place


def test_the_same_file_again_changes_nothing(small, own_data):
    importer().load(small, quiet)
    before = fcnet_originals.tree(own_data)
    stamps = {path: path.stat().st_mtime_ns for path in own_data.rglob("*") if path.name != ".lock"}
    done = importer().load(small, quiet)
    assert fcnet_originals.tree(own_data) == before
    assert {path: path.stat().st_mtime_ns for path in stamps if path.is_file()} == {
        path: stamp for path, stamp in stamps.items() if path.is_file()
    }
    assert any("already in" in note for note in done.notes)


def test_other_curves_take_the_place_of_the_old_ones(small, own_data):
    importer().load(small, quiet)
    first = the_directory()
    with h5py.File(small / FILE, "a") as file:
        next(iter(file.values()))["valid_mse"][0, 0] *= 2
    importer().load(small, quiet)
    second = the_directory()
    assert first != second
    assert sorted(path.name for path in (own_data / "fcnet").iterdir()) == [".lock", second.name, "naval.current"]


def test_curves_are_read_whatever_the_order_of_the_keys_and_the_kind_of_float(small):
    importer().load(small, quiet)
    place = the_directory()
    expected = table_files.load_table(place).loss.copy()
    with h5py.File(small / FILE, "r") as file:
        groups = {name: (group["valid_mse"][:], group["runtime"][:]) for name, group in file.items()}
    with h5py.File(small / FILE, "w") as file:
        for name, (loss, runtime) in reversed(groups.items()):
            config = json.loads(name)
            group = file.create_group(json.dumps(dict(reversed(config.items())), indent=1))
            group.create_dataset("runtime", data=runtime, dtype=">f8")
            group.create_dataset("valid_mse", data=loss, dtype="f8", chunks=(2, 50), compression="gzip", shuffle=True)
            group.create_dataset("n_params", data=[1, 2, 3, 4])
    done = importer().load(small, quiet)
    assert imported_directory("naval") == place
    assert np.array_equal(table_files.load_table(place).loss, expected)
    assert not any("rounded" in note for note in done.notes)


def test_digits_that_are_lost_are_counted_and_told(small):
    with h5py.File(small / FILE, "a") as file:
        group = next(iter(file.values()))
        loss = group["valid_mse"][:].astype(np.float64)
        loss[:, :3] *= 1 + 1e-12
        del group["valid_mse"]
        group["valid_mse"] = loss
    done = importer().load(small, quiet)
    assert any("12 values" in note and "rounded" in note for note in done.notes)


# What is wrong with a file ---------------------------------------------------------------------------------------


def edit(change: Callable[[h5py.File, h5py.Group], object]) -> Callable[[Path], None]:
    """A change of the first group of a file."""

    def apply(path: Path) -> None:
        with h5py.File(path, "a") as file:
            change(file, file[fcnet_originals.key(next(fcnet_originals.configs(SMALL)))])

    return apply


def replaced(name: str, make: Callable[[np.ndarray], object], **options: object) -> Callable[[Path], None]:
    """A change of a dataset of the first group."""

    def change(file: h5py.File, group: h5py.Group) -> None:
        values = group[name][:]
        del group[name]
        group.create_dataset(name, data=make(values), **options)

    return edit(change)


def with_value(place: tuple[int, ...], value: float) -> Callable[[np.ndarray], np.ndarray]:
    def make(values: np.ndarray) -> np.ndarray:
        values[place] = value
        return values

    return make


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scramble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[1000:] = bytes(len(data) - 1000)
    path.write_bytes(data)


def move_out(file: h5py.File, group: h5py.Group) -> None:
    other = Path(file.filename).with_name("other.hdf5")
    with h5py.File(other, "w") as elsewhere:
        elsewhere["valid_mse"] = group["valid_mse"][:]
    del group["valid_mse"]


def external_link(file: h5py.File, group: h5py.Group) -> None:
    move_out(file, group)
    group["valid_mse"] = h5py.ExternalLink("other.hdf5", "valid_mse")


def virtual(file: h5py.File, group: h5py.Group) -> None:
    move_out(file, group)
    layout = h5py.VirtualLayout((4, 100), "f4")
    layout[:] = h5py.VirtualSource("other.hdf5", "valid_mse", (4, 100))
    group.create_virtual_dataset("valid_mse", layout)


def external_storage(file: h5py.File, group: h5py.Group) -> None:
    raw = Path(file.filename).with_name("raw")
    raw.write_bytes(group["valid_mse"][:].tobytes())
    del group["valid_mse"]
    group.create_dataset("valid_mse", (4, 100), "f4", external=[(str(raw), 0, 1600)])


def soft_link(file: h5py.File, group: h5py.Group) -> None:
    name = group.name
    del file[name]
    file[name] = h5py.SoftLink(fcnet_originals.key(list(fcnet_originals.configs(SMALL))[1]))


def references(values: np.ndarray) -> np.ndarray:
    return np.full((4, 100), h5py.Reference(), dtype=h5py.ref_dtype)


def sub_group(file: h5py.File, group: h5py.Group) -> None:
    del group["valid_mse"]
    group.create_group("valid_mse")


def lost(file: h5py.File, group: h5py.Group) -> None:
    del file[group.name]


def more(file: h5py.File, group: h5py.Group) -> None:
    file.create_group("config_space")


def renamed(name: str, file: h5py.File, group: h5py.Group) -> None:
    file.move(group.name, name)


def rename(**values: object) -> Callable[[Path], None]:
    first = {**next(fcnet_originals.configs(SMALL)), **{f"hp_{name}": value for name, value in values.items()}}
    return edit(partial(renamed, fcnet_originals.key(first)))


def same_twice(file: h5py.File, group: h5py.Group) -> None:
    second = json.loads(fcnet_originals.key(list(fcnet_originals.configs(SMALL))[1]))
    file.move(group.name, json.dumps(second, indent=2))


BROKEN = {
    "not HDF5": (lambda path: path.write_text("a,b\n1,2\n"), "signature"),
    "empty": (lambda path: path.write_bytes(b""), ""),
    "truncated": (truncate, "truncated"),
    "scrambled": (scramble, ""),
    "a configuration is missing": (edit(lost), "3 groups, not 4"),
    "one more group": (edit(more), "5 groups, not 4"),
    "a value that is not of the grid": (rename(batch_size=128), "128"),
    "a hyperparameter too many": (rename(momentum=0.9), "momentum"),
    "a truth value for 0": (rename(dropout_1=False), "false"),
    "a list as a value": (rename(batch_size=[8]), "no configuration"),
    "a name that is not JSON": (edit(partial(renamed, "config 7")), "config 7"),
    "a name that is another kind of JSON": (edit(partial(renamed, "[1, 2]")), "[1, 2]"),
    "a name that never ends": (edit(partial(renamed, "[" * 30_000)), "no configuration"),
    "the same configuration twice": (edit(same_twice), "two groups"),
    "a link instead of a group": (edit(soft_link), "a link instead of a group"),
    "no losses": (
        edit(lambda file, group: group.pop("valid_mse", None) or group.__delitem__("valid_mse")),
        "valid_mse",
    ),
    "losses are a group": (edit(sub_group), ""),
    "a link to another file": (edit(external_link), "valid_mse is a link"),
    "a view of another file": (edit(virtual), "another file"),
    "numbers in another file": (edit(external_storage), "another file"),
    "references": (replaced("valid_mse", references), "neither float32 nor float64"),
    "whole numbers": (replaced("valid_mse", lambda values: np.ones((4, 100), np.int32)), "neither"),
    "half precision": (replaced("valid_mse", lambda values: values.astype(np.float16)), "neither"),
    "texts": (replaced("valid_mse", lambda values: values.astype("S10")), "neither"),
    "runtimes are whole numbers": (replaced("runtime", lambda values: values.astype(np.int64)), "runtime is neither"),
    "an epoch is missing": (replaced("valid_mse", lambda values: values[:, :99]), "(4, 99)"),
    "a seed is missing": (replaced("runtime", lambda values: values[:3]), "(3,)"),
    "huge": (
        edit(
            lambda file, group: (
                group.__delitem__("valid_mse"),
                group.create_dataset("valid_mse", (4, 1 << 40), "f4", chunks=(1, 1000)),
            )
        ),
        "shape",
    ),
    "huge chunks": (
        replaced("valid_mse", lambda values: values, chunks=(4, 1 << 20), maxshape=(None, None), compression="gzip"),
        "chunks",
    ),
    "an unknown filter": (
        replaced("valid_mse", lambda values: values, chunks=(4, 100), scaleoffset=4),
        "compressed in a way",
    ),
    "NaN": (replaced("valid_mse", with_value((2, 50), np.nan)), "nan"),
    "infinity": (replaced("valid_mse", with_value((0, 0), np.inf)), "inf"),
    "too large for float32": (
        replaced("valid_mse", lambda values: with_value((0, 0), 1e300)(values.astype(np.float64))),
        "inf",
    ),
    "a negative loss": (replaced("valid_mse", with_value((3, 7), -1.0)), "-1.0"),
    "a loss of 0": (replaced("valid_mse", with_value((3, 7), 0.0)), "0.0"),
    "a runtime of 0": (replaced("runtime", with_value((1,), 0.0)), "runtime"),
    "another final loss": (replaced("valid_mse", with_value((1, 99), 0.125)), "last epoch"),
    "another runtime": (replaced("runtime", with_value((1,), 0.125)), "runtime is"),
}


@pytest.mark.parametrize(("damage", "words"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_one_error_and_changes_nothing(small, own_data, damage, words):
    importer().load(small, quiet)
    before, table = fcnet_originals.tree(own_data), benchmark().blackbox().content_hash
    damage(small / FILE)
    with pytest.raises(IncompleteError) as caught:
        importer().load(small, quiet)
    assert str(small / FILE) in caught.value.what
    assert words in caught.value.what
    assert "\n" not in str(caught.value)
    assert fcnet_originals.tree(own_data) == before
    assert benchmark().blackbox().content_hash == table


@pytest.mark.parametrize("damage", [truncate, edit(lost), replaced("valid_mse", with_value((2, 50), np.nan))])
def test_a_broken_file_leaves_no_trace_where_nothing_was_imported_before(small, own_data, damage):
    damage(small / FILE)
    with pytest.raises(IncompleteError):
        importer().load(small, quiet)
    assert not own_data.exists()


def test_another_optimum_than_the_published_one_is_refused(small, own_data, monkeypatch):
    monkeypatch.setattr(importing, "PUBLISHED_OPTIMA", {"naval": 1e-9})
    with pytest.raises(IncompleteError, match="published is 1e-09"):
        importer().load(small, quiet)
    assert not own_data.exists()


def test_one_broken_file_of_two_keeps_both_out(small, own_data):
    (small / original.FILES["slice"]).write_bytes(b"nothing")
    with pytest.raises(IncompleteError, match="slice_localization"):
        importer().load(small, quiet)
    assert not own_data.exists()


def test_all_files_of_a_folder_are_imported(small):
    (small / original.FILES["slice"]).write_bytes((small / FILE).read_bytes())
    assert importer().load(small, quiet).benchmarks == ("fcnet-naval", "fcnet-slice")
    assert benchmark("fcnet-slice").provenance["curves"] == "original"


def test_a_folder_without_the_files_is_named(tmp_path):
    with pytest.raises(IncompleteError, match="holds none of"):
        importer().load(tmp_path, quiet)
    with pytest.raises(UsageError, match="no folder"):
        importer().load(tmp_path / "nowhere", quiet)
    (tmp_path / FILE).write_bytes(b"")
    with pytest.raises(UsageError, match="no folder"):
        importer().load(tmp_path / FILE, quiet)


def test_without_h5py_the_command_that_installs_it_is_told(small, own_data, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(HpoctlError) as caught:
        importer().load(small, quiet)
    assert "pip install 'h5py" in caught.value.fix
    assert not own_data.exists()
