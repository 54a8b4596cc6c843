"""Tables of users: what is imported is what the file says, or nothing is."""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.testing import check_benchmark
from own_tables import LEVELS, Own, benchmark, contents, description, import_it, write_npz, write_parquet, write_toml

LCBENCH = Path(__file__).parents[2] / "plugins/hpoctl-lcbench/tests/data/lcbench_189908_sample.npz"


def blackbox() -> Any:
    return benchmark().blackbox()


def config(own: Own, row: int) -> dict[str, Any]:
    return {"act": str(own.act[row]), "units": int(own.units[row]), "lr": float(own.lr[row]), "epochs": 9}


@pytest.mark.parametrize(
    "write", [lambda folder: write_npz(folder, Own().arrays()), lambda folder: write_parquet(folder, Own().rows())]
)
def test_each_curve_is_that_of_the_file(tmp_path: Path, write: Callable[[Path], Path]) -> None:
    imported = import_it(write(tmp_path))
    assert imported.benchmarks == ("mine",)
    assert imported.notes[0] == "6 configurations x 2 seeds x 3 levels x 1 metric"
    own, opened = Own(), blackbox()
    assert (opened.num_seeds, opened.metrics, opened.space.size) == (2, ("loss",), 6)
    for row in range(6):
        assert opened.space.at(row) == config(own, row)
        for seed in range(2):
            curve = opened.curve(config(own, row), seed)
            assert curve.resources.tolist() == list(LEVELS)
            assert curve.metrics[:, 0].tolist() == own.loss[row, seed].tolist()
            assert curve.elapsed.tolist() == own.seconds[row, seed].tolist()
    check_benchmark(benchmark())


def test_the_defaults_are_those_of_the_description(tmp_path: Path) -> None:
    told = {"source": "measured", "licence": "CC0", "citation": "A. Lovelace, 1843", "modelled": "by a forest"}
    table = description(mode="max", max_num_evaluations=99, **told)
    import_it(write_npz(tmp_path, Own().arrays(), table))
    mine = benchmark()
    assert (mine.summary, mine.mode, mine.metric) == ("A table of my own", "max", "loss")
    assert (mine.n_workers, mine.max_wallclock_time, mine.max_num_evaluations) == (2, 500.0, 99)
    assert (mine.resource_attr, mine.max_resource) == ("epoch", 9)
    assert mine.provenance == {"curves": "modelled: by a forest"}
    for key in ("source", "licence", "citation"):
        assert mine.card[key] == told[key]


def test_rows_of_parquet_may_come_in_any_order(tmp_path: Path) -> None:
    rows = pd.DataFrame(Own().rows())
    import_it(write_parquet(tmp_path, Own().rows()))
    before = [blackbox().curve(config(Own(), row), 1).metrics.tolist() for row in range(6)]
    shuffled = rows.sample(frac=1.0, random_state=3)
    import_it(write_parquet(tmp_path, {name: shuffled[name].to_numpy() for name in map(str, shuffled)}))
    assert [blackbox().curve(config(Own(), row), 1).metrics.tolist() for row in range(6)] == before
    first = shuffled.iloc[0]
    assert blackbox().space.at(0) == {"act": first.act, "units": first.units, "lr": first.lr, "epochs": 9}


def test_both_formats_of_one_table_have_one_content_hash(tmp_path: Path) -> None:
    import_it(write_npz(tmp_path, Own().arrays()))
    before = blackbox().content_hash
    import_it(write_parquet(tmp_path, Own().rows()))
    assert blackbox().content_hash == before


@pytest.mark.parametrize(
    "change",
    [
        lambda own: own.loss.__setitem__((5, 1, 2), 0.5),
        lambda own: own.seconds.__setitem__((5, 1, 2), 1e4),
        lambda own: own.lr.__setitem__(3, 0.26),
        lambda own: setattr(own, "fidelities", np.array([1, 4, 9])),
    ],
    ids=["a value", "a time", "a configuration", "a level"],
)
def test_another_content_has_another_hash(tmp_path: Path, change: Callable[[Own], None]) -> None:
    import_it(write_npz(tmp_path, Own().arrays()))
    before = blackbox().content_hash
    own = Own()
    change(own)
    import_it(write_npz(tmp_path, own.arrays()))
    assert blackbox().content_hash != before


def test_one_seed_needs_no_axis_and_no_column(tmp_path: Path) -> None:
    own = Own()
    flat = own.arrays(loss=own.loss[:, 0], seconds=own.seconds[:, 0])
    import_it(write_npz(tmp_path, flat))
    assert blackbox().num_seeds == 1
    before = blackbox().content_hash
    rows = {name: column[np.arange(36) // 3 % 2 == 0] for name, column in own.rows().items() if name != "seed"}
    import_it(write_parquet(tmp_path, rows, description()))
    assert blackbox().content_hash == before


def test_whole_numbers_may_be_floats_and_single_precision_is_kept(tmp_path: Path) -> None:
    own = Own()
    arrays = own.arrays(
        units=own.units.astype(float),
        fidelities=np.array([1.0, 3.0, 9.0]),
        loss=own.loss.astype(np.float32),
        seconds=own.seconds.astype(">f8"),
    )
    import_it(write_npz(tmp_path, arrays))
    assert blackbox().space.at(2)["units"] == 16
    assert blackbox().curve(config(own, 4), 0).metrics[:, 0].tolist() == own.loss[4, 0].astype(np.float32).tolist()


def test_what_training_diverged_to_is_kept_and_counted(tmp_path: Path) -> None:
    own = Own()
    own.loss[2, 1] = [2.0, np.inf, np.nan]
    notes = import_it(write_npz(tmp_path, own.arrays())).notes
    assert any("loss is NaN or infinite in 2 of 36 values, 1 of 12 curves" in note for note in notes)
    assert np.array_equal(blackbox().curve(config(own, 2), 1).metrics[:, 0], own.loss[2, 1], equal_nan=True)
    import_it(
        write_parquet(tmp_path, {name: pa.array(column, from_pandas=True) for name, column in own.rows().items()})
    )
    assert np.isnan(blackbox().curve(config(own, 2), 1).metrics[2, 0])


def test_metrics_are_recorded_if_they_are_named(tmp_path: Path) -> None:
    own = Own()
    arrays = own.arrays(error=own.loss / 2, speed=own.loss * 0)
    assert any("not taken: error, speed" in note for note in import_it(write_npz(tmp_path, arrays)).notes)
    notes = import_it(write_npz(tmp_path, arrays, description(metrics=["error", "loss", "seconds"]))).notes
    assert any("not taken: speed" in note for note in notes)
    curve = blackbox().curve(config(own, 1), 1)
    assert curve.metrics[:, 0].tolist() == (own.loss[1, 1] / 2).tolist()
    assert curve.metrics[:, 2].tolist() == curve.elapsed.tolist()


def test_a_full_grid_and_fixed_values_are_a_table_like_any_other(tmp_path: Path) -> None:
    own = Own(act=np.array(["relu", "tanh"] * 3))
    space = {**description()["space"], "lr": 0.5}
    arrays = own.arrays(param_names=np.array(["act", "units"]), lr=None)
    import_it(write_npz(tmp_path, arrays, description(space=space)))
    mine = benchmark()
    assert mine.space.size == blackbox().space.size == 6
    assert blackbox().space.at(0) == {"act": "relu", "units": 8, "lr": 0.5, "epochs": 9}
    check_benchmark(mine)


def test_the_description_may_be_named_and_may_lie_elsewhere(tmp_path: Path) -> None:
    file = write_npz(tmp_path, Own().arrays())
    (tmp_path / "texts").mkdir()
    toml = write_toml(tmp_path / "texts" / "about.toml", {"file": f"../{file.name}", **description(name="other")})
    assert import_it(toml).benchmarks == ("other",)
    write_toml(tmp_path / "mine.toml", {"file": "mine.npz", **description()})
    assert import_it(file).benchmarks == ("mine",)


def test_a_real_table_that_is_maximised() -> None:
    """The layout of Syne Tune's peers; the description lies beside it."""
    import_it(LCBENCH)
    with np.load(LCBENCH) as arrays:
        opened = benchmark("lcbench-189908-sample").blackbox()
        for row in (0, 177, 299):
            there = opened.space.at(row)
            assert all(there[name] == arrays[name][row] for name in arrays["param_names"])
            curve = opened.curve(there, 0)
            assert curve.metrics[:, 0].tolist() == arrays["val_accuracy"][row].tolist()
            assert curve.elapsed.tolist() == arrays["time"][row].tolist()
    assert benchmark("lcbench-189908-sample").mode == "max"
    check_benchmark(benchmark("lcbench-189908-sample"))


# What is wrong with a file: how it is made, and words of what is said of it.

NAN_TIME, BACKWARDS, FROM_ZERO, STILL = Own(), Own(), Own(), Own()
NAN_TIME.seconds[4, 1, 1] = np.nan
BACKWARDS.seconds[4, 1, 2] = 0.5
FROM_ZERO.seconds[0, 0, 0] = 0.0
STILL.seconds[3, 0, 1] = STILL.seconds[3, 0, 0]
TWICE = replace(Own(), act=np.array(["relu", "tanh", "relu", "tanh", "relu", "relu"]))
TWICE.units[5], TWICE.lr[5] = 8, 0.1
NO_LOSS = replace(Own(), loss=np.full((6, 2, 3), np.nan))
OBJECTS = np.array([0.1, None, "relu", 3, 4, 5], dtype=object)

BAD_NPZ: dict[str, tuple[dict[str, Any], str]] = {
    "NaN among times": (
        NAN_TIME.arrays(),
        "seconds is nan at epoch 3 in configuration 4 (act=relu, units=32, lr=0.002), seed 1",
    ),
    "times go back": (BACKWARDS.arrays(), "seconds goes from"),
    "times begin at 0": (FROM_ZERO.arrays(), "seconds goes from 0 to 0 seconds at epoch 1 in configuration 0"),
    "times stand still": (STILL.arrays(), "at epoch 3 in configuration 3"),
    "a configuration twice": (TWICE.arrays(), "the configuration act=relu, units=8, lr=0.1 2 times"),
    "outside the space": (Own().arrays(lr=np.array([0.1, 0.2, 0.3, 0.4, 0.5, 1.5])), "lr = 1.5"),
    "an unknown value": (Own().arrays(act=np.array(["relu"] * 5 + ["gelu"])), "act = 'gelu'"),
    "half a number": (Own().arrays(units=np.array([8, 8, 16, 16, 32, 31.5])), "units = 31.5"),
    "texts for numbers": (Own().arrays(lr=np.array(["0.1"] * 6)), "lr = '0.1'"),
    "texts for losses": (Own().arrays(loss=np.full((6, 2, 3), "1.0")), "loss is an array of type <U3"),
    "true for losses": (Own().arrays(loss=np.ones((6, 2, 3), dtype=bool)), "loss is an array of type bool"),
    "complex losses": (Own().arrays(loss=np.ones((6, 2, 3), dtype=complex)), "loss is an array of type complex128"),
    "bytes for texts": (Own().arrays(act=np.array([b"relu"] * 6)), "act is an array of type |S4"),
    "NaN among hyperparameters": (Own().arrays(lr=np.array([0.1, np.nan, 0.3, 0.4, 0.5, 0.6])), "lr has values"),
    "objects": (Own().arrays(lr=OBJECTS), "lr is an array of Python objects (a pickle)"),
    "objects for losses": (Own().arrays(loss=OBJECTS), "loss is an array of Python objects (a pickle)"),
    "objects for names": (Own().arrays(param_names=OBJECTS), "param_names is an array of Python objects"),
    "no finite loss": (NO_LOSS.arrays(), "loss has no finite value"),
    "levels unsorted": (Own().arrays(fidelities=np.array([3, 1, 9])), "do not increase"),
    "levels from 0": (Own().arrays(fidelities=np.array([0, 3, 9])), "do not increase"),
    "levels of halves": (Own().arrays(fidelities=np.array([0.5, 3, 9])), "not whole numbers"),
    "levels end early": (Own().arrays(fidelities=np.array([1, 3, 8])), "end at epoch 8"),
    "a level too few": (Own().arrays(fidelities=np.array([1, 9])), "loss has the shape (6, 2, 3)"),
    "times of another shape": (Own().arrays(seconds=Own().seconds[:, 0]), "seconds has the shape (6, 3)"),
    "a configuration too few": (Own().arrays(lr=np.array([0.1, 0.2])), "lr has the shape (2,)"),
    "nothing at all": (
        Own().arrays(
            act=np.array([], str),
            units=np.array([], int),
            lr=np.array([]),
            loss=np.ones((0, 2, 3)),
            seconds=np.ones((0, 2, 3)),
        ),
        "has no curves",
    ),
    "no losses": (Own().arrays(loss=None), "no array 'loss'"),
    "no times": (Own().arrays(seconds=None), "no array 'seconds'"),
    "no levels": (Own().arrays(fidelities=None), "no array 'fidelities'"),
    "no names": (Own().arrays(param_names=None), "no array 'param_names'"),
    "an undescribed hyperparameter": (Own().arrays(param_names=np.array(["act", "units", "lr", "depth"])), "'depth'"),
    "an unnamed hyperparameter": (Own().arrays(param_names=np.array(["act", "units"])), "does not name 'lr'"),
}


@pytest.mark.parametrize(("arrays", "words"), BAD_NPZ.values(), ids=BAD_NPZ)
def test_a_bad_npz_is_one_error_and_changes_nothing(
    tmp_path: Path, data: Path, arrays: dict[str, Any], words: str
) -> None:
    refused(write_npz(tmp_path, arrays), data, words)


def refused(path: Path, data: Path, words: str) -> HpoctlError:
    """An import fails with an error that says some words, and nothing has changed."""
    import_it(write_npz_elsewhere(path.parent))
    before = contents(data)
    with pytest.raises(HpoctlError) as caught:
        import_it(path)
    assert words in caught.value.what
    assert "\n" not in caught.value.what + caught.value.fix
    assert caught.value.fix.endswith((".", "?"))
    assert contents(data) == before
    return caught.value


def write_npz_elsewhere(folder: Path) -> Path:
    """A sound table of the same name, which was there before."""
    (folder / "sound").mkdir()
    return write_npz(folder / "sound", Own().arrays())


def without(column: str) -> dict[str, Any]:
    return {key: value for key, value in Own().rows().items() if key != column}


def kept(keep: Callable[[int], bool]) -> dict[str, Any]:
    places = [place for place in range(36) if keep(place)]
    return {name: column[places] for name, column in Own().rows().items()}


TWO_ROWS = {name: np.append(column, column[8]) for name, column in Own().rows().items()}
BAD_PARQUET: dict[str, tuple[dict[str, Any], str]] = {
    "a missing row": (
        kept(lambda place: place != 17),
        "no row for epoch 9 and seed 11 of the configuration act=relu, units=16, lr=0.5",
    ),
    "a missing seed": (
        kept(lambda place: place // 3 != 4),
        "no row for epoch 1 and seed 7 of the configuration act=relu, units=16, lr=0.5",
    ),
    "a missing level of one": (kept(lambda place: place != 34), "no row for epoch 3 and seed 11"),
    "a row twice": (TWO_ROWS, "2 rows for epoch 9 and seed 7 of the configuration act=tanh, units=8, lr=0.01"),
    "a row twice in place of another": (
        {name: np.append(np.delete(column, 35), column[34]) for name, column in Own().rows().items()},
        "2 rows for epoch 3 and seed 11",
    ),
    "NaN among times": (NAN_TIME.rows(), "seconds is nan at epoch 3"),
    "times go back": (BACKWARDS.rows(), "seconds goes from"),
    "outside the space": (Own(lr=np.array([0.1, 0.2, 0.3, 0.4, 0.5, 1.5])).rows(), "lr = 1.5"),
    "texts for losses": ({**Own().rows(), "loss": ["1.0"] * 36}, "loss is of type string"),
    "lists for losses": ({**Own().rows(), "loss": [[1.0]] * 36}, "loss is of type list"),
    "dates for hyperparameters": (
        {**Own().rows(), "lr": pa.array([0] * 36, pa.timestamp("s"))},
        "lr is of type timestamp",
    ),
    "empty cells": ({**Own().rows(), "lr": pa.array([None] + [0.1] * 35)}, "lr has empty cells"),
    "halves of levels": ({**Own().rows(), "epoch": [1.0, 2.5, 9.0] * 12}, "not whole numbers"),
    "texts for levels": ({**Own().rows(), "epoch": ["1", "3", "9"] * 12}, "not whole numbers"),
    "no rows": ({name: column[:0] for name, column in Own().rows().items()}, "has no rows"),
    "no losses": (without("loss"), "no column 'loss'"),
    "no hyperparameter": (without("lr"), "no column 'lr'"),
    "no levels": (without("epoch"), "no column 'epoch'"),
    "no seeds": (without("seed"), "no column 'seed'"),
}


@pytest.mark.parametrize(("columns", "words"), BAD_PARQUET.values(), ids=BAD_PARQUET)
def test_a_bad_parquet_is_one_error_and_changes_nothing(
    tmp_path: Path, data: Path, columns: dict[str, Any], words: str
) -> None:
    refused(write_parquet(tmp_path, columns), data, words)


def test_repetitions_that_nothing_tells_apart_are_rows_that_come_twice(tmp_path: Path, data: Path) -> None:
    error = refused(write_parquet(tmp_path, Own().rows(), description()), data, "2 rows for epoch 1 of the")
    assert "seed =" in error.fix


BAD_DESCRIPTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": (description(metrik="loss"), "unknown key 'metrik'"),
    "an invalid name": (description(name="my table"), "'my table' is not a benchmark"),
    "an invalid mode": (description(mode="lowest"), "mode cannot be 'lowest'"),
    "no workers": (description(n_workers=0), "n_workers cannot be 0"),
    "no time": (description(max_wallclock_time=0), "max_wallclock_time cannot be 0"),
    "endless time": (description(max_wallclock_time=float("inf")), "max_wallclock_time cannot be inf"),
    "metrics without the metric": (description(metrics=["error"]), "'loss' is not among the metrics"),
    "invalid metrics": (description(metrics="loss"), "metrics cannot be 'loss'"),
    "no metric": (description(metric=None), "has no metric"),
    "no mode": (description(mode=None), "has no mode"),
    "no name": (description(name=None), "has no name"),
    "no times": (description(elapsed=None), "has no elapsed"),
    "no space": (description(space=None), "has no space"),
    "an invalid space": (description(space=["act"]), "is no configuration space"),
    "an empty space": (description(space={}), "The configuration space is empty"),
    "an invalid domain": (description(space={**description()["space"], "lr": {"type": "loguni"}}), "'loguni'"),
    "no largest level": (description(space={"lr": description()["space"]["lr"]}), "how far epoch goes"),
    "nothing to tune": (description(space={"epochs": 9}), "All hyperparameters of the space are fixed"),
    "a column for two things": (description(elapsed="lr"), "'lr' stands for two columns"),
    "a metric of a taken name": (description(metric="trial_id", metrics=["trial_id"]), "has a metric 'trial_id'"),
    "a recorded metric of a taken name": (description(metrics=["loss", "elapsed_time"]), "has a metric 'elapsed_time'"),
    "a metric that load adds": (description(metrics=["loss", "seed"]), "has a metric 'seed'"),
    "a resource of a taken name": (description(resource_attr="st_decision"), "has a resource 'st_decision'"),
    "a hyperparameter of a taken name": (
        description(space={**description()["space"], "config_x": {"type": "randint", "lower": 0, "upper": 3}}),
        "has a hyperparameter 'config_x'",
    ),
    "a seed in npz": (description(seed="seed"), "names a column of seeds"),
    "another file": (description(file="yours.npz"), "describes 'yours.npz'"),
    "lines in a text": (description(source="here\nand there"), "source cannot be"),
}


@pytest.mark.parametrize(("table", "words"), BAD_DESCRIPTIONS.values(), ids=BAD_DESCRIPTIONS)
def test_a_bad_description_is_one_error_and_changes_nothing(
    tmp_path: Path, data: Path, table: dict[str, Any], words: str
) -> None:
    assert isinstance(refused(write_npz(tmp_path, Own().arrays(), table), data, words), UsageError)


def test_files_that_are_not_there(tmp_path: Path, data: Path) -> None:
    file = write_npz(tmp_path, Own().arrays())
    refused(tmp_path / "yours.npz", data, "There is no file")
    for path, words in ((tmp_path / "mine.csv", "no table that can be read"), (tmp_path / "mine.toml", "which file")):
        with pytest.raises(UsageError, match=words):
            import_it(path)
    (tmp_path / "mine.toml").unlink()
    with pytest.raises(UsageError, match="There is no description"):
        import_it(file)
    (tmp_path / "mine.toml").write_text("name = ")
    with pytest.raises(UsageError, match="is not TOML"):
        import_it(file)


@pytest.mark.parametrize("kind", ["npz", "parquet"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_truncated_file_is_one_error(tmp_path: Path, data: Path, kind: str, share: float) -> None:
    path = write_npz(tmp_path, Own().arrays()) if kind == "npz" else write_parquet(tmp_path, Own().rows())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert isinstance(refused(path, data, "cannot be read as"), IncompleteError)


def test_damage_anywhere_is_an_error_or_does_not_matter(tmp_path: Path, data: Path) -> None:
    import_it(write_npz(tmp_path, Own().arrays()))
    before = blackbox().content_hash
    for path in (tmp_path / "mine.npz", write_parquet(tmp_path, Own().rows())):
        write_toml(tmp_path / "mine.toml", description(seed="seed" if path.suffix == ".parquet" else None))
        whole = path.read_bytes()
        refusals = 0
        for place in range(0, len(whole), 41):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
            try:
                import_it(path)
            except HpoctlError:
                refusals += 1
                assert blackbox().content_hash == before
            else:
                path.write_bytes(whole)
                import_it(path)
        assert refusals > 10


class Evil:
    """What a pickle may do when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("name", ["lr", "loss", "param_names", "extra"])
def test_no_pickle_is_opened(tmp_path: Path, data: Path, name: str) -> None:
    mark = tmp_path / "opened"
    evil = np.array([Evil(mark)] * 6, dtype=object)
    path = write_npz(tmp_path, Own().arrays(**{name: evil}))
    with np.load(path, allow_pickle=True) as arrays:
        assert arrays[name].shape == (6,)
    assert mark.exists(), "the trap does not work"
    mark.unlink()
    if name == "extra":
        import_it(path)  # unconfirmed
    else:
        refused(path, data, "a pickle")
    assert not mark.exists()


def test_a_bare_pickle_is_no_table(tmp_path: Path, data: Path) -> None:
    mark = tmp_path / "opened"
    path = write_npz(tmp_path, Own().arrays())
    path.write_bytes(pickle.dumps(Evil(mark)))
    refused(path, data, "cannot be read as an npz file")
    assert not mark.exists()


def npy(descr: str, shape: tuple[int, ...], body: bytes = b"") -> bytes:
    """An array that claims more than it holds."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
    return stream.getvalue() + body


CLAIMS: dict[str, dict[str, bytes]] = {
    "a million million configurations": {"loss": npy("<f8", (10**12, 3)), "seconds": npy("<f8", (10**12, 3))},
    "endless levels": {"fidelities": npy("<i8", (10**12,))},
    "endless texts": {"act": npy(f"<U{10**9}", (6,))},
    "endless names": {"param_names": npy(f"<U{10**9}", (3,))},
    "less than nothing": {"loss": npy("<f8", (-6, 2, 3)), "seconds": npy("<f8", (-6, 2, 3))},
    "overflow": {"loss": npy("<f8", (2**62, 2**62, 3)), "seconds": npy("<f8", (2**62, 2**62, 3))},
    "an endless header": {"loss": b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**32 - 1) + b" " * 100},
    "a header of another kind": {"loss": b"\x93NUMPY\x07\x00" + b" " * 100},
    "a header that is code": {"loss": b"\x93NUMPY\x01\x00" + struct.pack("<H", 20) + b"__import__('os').xyz"},
    "no array": {"loss": b"hello"},
    "less than it claims": {"loss": npy("<f8", (6, 2, 3), b"\0" * 100)},
    "more than it claims": {"loss": npy("<f8", (6, 2, 3), b"\0" * 300)},
}


@pytest.mark.parametrize("members", CLAIMS.values(), ids=CLAIMS)
def test_what_claims_too_much_is_refused_before_memory_is_asked_for(
    tmp_path: Path, data: Path, members: dict[str, bytes]
) -> None:
    path = write_npz(tmp_path, Own().arrays())
    with zipfile.ZipFile(path) as archive:
        arrays = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in (arrays | {f"{name}.npy": body for name, body in members.items()}).items():
            archive.writestr(name, body)
    refused(path, data, "mine.npz")


def test_a_bomb_is_refused(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpoctl.blackboxes.tables.raw.MAX_NUMBERS", 1000)
    n = 400
    own = Own(act=np.array(["relu"] * n), units=np.full(n, 8), lr=np.linspace(0.1, 0.9, n))
    own.loss, own.seconds = np.zeros((n, 1, 3)), np.ones((n, 1, 3))
    path = write_npz(tmp_path, own.arrays())
    refused(path, data, "1,200 values of metrics")
    with pytest.raises(UsageError, match="1,200 values of metrics"):
        import_it(write_parquet(tmp_path, own.rows()))


def test_a_column_of_endless_texts_is_refused(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpoctl.blackboxes.tables.parquet.MAX_BYTES", 10)
    refused(write_parquet(tmp_path, Own().rows()), data, "bytes")


def test_a_dictionary_may_hold_values_that_no_row_has(tmp_path: Path) -> None:
    rows = pd.DataFrame(Own().rows())
    rows["act"] = pd.Categorical(rows["act"], ["selu", "relu", "tanh", "elu"])
    rows["seed"] = pd.Categorical(rows["seed"], [3, 7, 11])
    path = write_parquet(tmp_path, Own().rows())
    pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), path, row_group_size=7)
    import_it(path)
    assert (blackbox().num_seeds, blackbox().space.size) == (2, 6)
    assert blackbox().curve(config(Own(), 5), 1).metrics[:, 0].tolist() == Own().loss[5, 1].tolist()


def test_the_largest_level_may_be_written_as_a_float(tmp_path: Path) -> None:
    table = description(space={**description()["space"], "epochs": 9.0})
    import_it(write_npz(tmp_path, Own().arrays(), table))
    assert benchmark().max_resource == 9


def test_levels_with_gaps_are_said_at_import_and_when_the_table_is_checked(tmp_path: Path) -> None:
    said = "epoch has the levels 1, 3, 9: a rung at another level is decided at the next one"
    assert said in import_it(write_npz(tmp_path, Own().arrays())).notes
    check = benchmark().check
    assert check is not None
    assert said in list(check())
