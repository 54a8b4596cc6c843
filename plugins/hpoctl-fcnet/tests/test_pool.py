"""The pools: exactly the runs of the package, exactly their losses, the original's seconds, nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from hpoctl.builtins import ASHA, BO, MOBSTER, RS
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.testing import check_benchmark, run_quietly
from hpoctl_fcnet import plugin, pool, pool_plugin
from hpoctl_fcnet.grid import config_at
from hpoctl_fcnet.packed import load_arrays, load_finals
from hpoctl_fcnet.runs import load_runs
from hpoctl_fcnet.space import SPACE

NAMES = ("protein", "naval", "parkinsons")


@pytest.fixture(scope="module")
def benchmarks():
    return {benchmark.name: benchmark for benchmark in plugin.hpoctl_benchmarks()}


@pytest.fixture(scope="module", params=NAMES)
def opened(request):
    return request.param, pool.PoolBlackbox(request.param)


def test_three_benchmarks_that_are_restricted_to_their_table(benchmarks):
    found = [benchmark for name, benchmark in benchmarks.items() if name.startswith("fcnet-pool-")]
    assert [benchmark.name for benchmark in found] == [f"fcnet-pool-{name}" for name in NAMES]
    for benchmark in found:
        whole = benchmarks[benchmark.name.replace("-pool", "")]
        assert benchmark.restricted
        assert benchmark.space == whole.space
        for same in ("metrics", "metric", "mode", "resource_attr", "max_resource_attr", "n_workers", "max_resource"):
            assert getattr(benchmark, same) == getattr(whole, same)
        assert benchmark.max_wallclock_time < whole.max_wallclock_time
        assert benchmark.provenance["curves"] == "real (trained for hpoctl)"
        assert benchmark.provenance["seconds"].startswith("original runtimes")


@pytest.mark.parametrize("name", NAMES)
def test_the_benchmarks_keep_the_contract(benchmarks, name):
    check_benchmark(benchmarks[f"fcnet-pool-{name}"])


def test_configurations_and_losses_are_those_of_the_runs(opened):
    name, blackbox = opened
    runs, finals = load_runs(name), load_finals(name)
    first = np.flatnonzero(runs.seed == 0)
    assert blackbox.space.size == len(first)
    assert blackbox.space.around() == SPACE
    for row, run in enumerate(first):
        index = int(runs.config[run])
        config = {**config_at(index), "epochs": 100}
        assert blackbox.space.at(row) == config
        curve = blackbox.curve(config, 0)
        assert curve.resources.tolist() == list(range(1, 101))
        assert curve.metrics[:, 0].tolist() == runs.valid[run].astype(np.float64).tolist()  # every bit
        np.testing.assert_array_equal(curve.metrics[:, 1], curve.elapsed)
        mean = finals.runtime[index].astype(np.float64).mean()
        np.testing.assert_allclose(curve.elapsed, mean * np.arange(1, 101) / 100, rtol=1e-14)


def test_repeated_runs_of_a_configuration_are_left_out(monkeypatch):
    arrays = dict(load_arrays("runs-naval.npz"))
    whole = pool.PoolBlackbox("naval")
    third = (np.arange(len(arrays["seed"])) % 3 == 1) & (arrays["seed"] == 0)
    arrays["seed"] = np.where(third, 2, arrays["seed"]).astype(np.uint8)
    monkeypatch.setattr(
        pool, "load_arrays", lambda file, only: arrays if file.startswith("runs") else load_arrays(file, only)
    )
    fewer = pool.PoolBlackbox("naval")
    kept = np.flatnonzero(arrays["seed"] == 0)
    assert fewer.space.size == pool.pool_size("naval") == len(kept) < whole.space.size
    for row in (0, 1, 2, len(kept) - 1):
        config = whole.space.at(int(kept[row]))
        assert fewer.space.at(row) == config
        np.testing.assert_array_equal(fewer.curve(config, 0).metrics, whole.curve(config, 0).metrics)
    assert fewer.content_hash != whole.content_hash


def test_what_was_not_trained_is_refused(opened):
    _, blackbox = opened
    off = next(config for config in map(SPACE.at, range(1000)) if blackbox.space.find(config) is None)
    with pytest.raises(UsageError, match="The table has no configuration"):
        blackbox.curve(off, 0)
    there = blackbox.space.at(0)
    for config in ({**there, "epochs": 50}, {**there, "hp_batch_size": 7}, {"hp_batch_size": 8}, {**there, "x": 1}):
        with pytest.raises(UsageError):
            blackbox.curve(config, 0)
    for seed in (1, -1):
        with pytest.raises(UsageError, match=f"no seed {seed}"):
            blackbox.curve(there, seed)


def test_the_content_hash_is_that_of_every_value(opened, monkeypatch):
    name, blackbox = opened
    real = pool.load_pool(name)
    assert pool.PoolBlackbox(name).content_hash == blackbox.content_hash
    loss, runtime = real.loss.copy(), real.runtime.copy()
    loss[3, 50] = np.nextafter(loss[3, 50], np.float32(1e30))
    runtime[-1] = np.nextafter(runtime[-1], 1e30)
    for other in (
        replace(real, loss=loss),
        replace(real, runtime=runtime),
        replace(real, config=real.config[::-1]),
        pool.Pool(real.config[:-1], real.loss[:-1], real.runtime[:-1]),
    ):
        monkeypatch.setattr(pool, "load_pool", lambda _, other=other: other)
        assert pool.PoolBlackbox(name).content_hash != blackbox.content_hash


@pytest.mark.parametrize("method", [RS, BO, ASHA, MOBSTER], ids=lambda method: method.name)
def test_methods_try_what_was_trained_and_end_when_it_is_used_up(benchmarks, method):
    benchmark = benchmarks["fcnet-pool-parkinsons"]
    table = benchmark.blackbox().space
    rows = run_quietly(method, benchmark)
    tried = [table.index(config) for config in rows.configs]
    assert len(set(tried)) == len(tried) > 10
    if method in (RS, ASHA):
        all_of_them = run_quietly(method, replace(benchmark, max_wallclock_time=1e7))
        assert len(all_of_them.configs) == table.size


def test_the_card_and_the_check_say_what_there_is(benchmarks, opened):
    name, blackbox = opened
    benchmark = benchmarks[f"fcnet-pool-{name}"]
    assert {"source", "licence", "citation", "configurations", "modelled"} <= set(benchmark.card)
    assert benchmark.card["configurations"].startswith(f"{blackbox.space.size:,}, ")
    lines = list(benchmark.check())
    assert any(line.startswith(f"{blackbox.space.size:,} different configurations") for line in lines)
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            lambda real: replace(real, config=np.where(real.config == real.config[1], real.config[0], real.config)),
            "twice",
        ),
        (lambda real: replace(real, config=real.config + 62_208), "not on the grid"),
        (lambda real: replace(real, loss=np.where(real.loss == real.loss[2, 2], np.nan, real.loss)), "a loss is not"),
        (lambda real: replace(real, loss=-real.loss), "a loss is not"),
        (lambda real: replace(real, runtime=real.runtime * 0.0), "a runtime is not"),
    ],
)
def test_the_check_finds_what_is_wrong(monkeypatch, change, what):
    damaged = change(pool.load_pool("naval"))
    monkeypatch.setattr(pool, "load_pool", lambda _: damaged)
    with pytest.raises(IncompleteError, match=what):
        list(pool_plugin.check_data("naval"))


def test_the_check_compares_files_with_the_list_of_the_package(monkeypatch):
    monkeypatch.setattr(pool, "packaged_hashes", lambda files: (dict.fromkeys(files, "0"), dict.fromkeys(files, "1")))
    with pytest.raises(IncompleteError, match="runs-naval\\.npz is not the file that was packaged"):
        list(pool_plugin.check_data("naval"))
