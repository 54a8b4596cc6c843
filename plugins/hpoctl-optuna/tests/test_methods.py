"""The methods as hpoctl sees them: registered, exact, better than random search, and from end to end."""

import importlib.util
import json
import os
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest

from command_line import CommandLine
from hpoctl import builtins
from hpoctl.core.blackbox import Curve
from hpoctl.core.errors import UsageError
from hpoctl.core.space import Choice, Fixed, LogUniform, Space, Uniform
from hpoctl.testing import run_quietly, toy_benchmark
from hpoctl_optuna import plugin
from hpoctl_optuna.options import CmaEsOptions, GpOptions, TpeAshaOptions, TpeOptions

SPACE = Space(
    {
        "rate": LogUniform(1e-5, 1.0),
        "momentum": Uniform(0.0, 1.0),
        "dropout": Uniform(0.0, 1.0),
        "kind": Choice(("a", "b", "c")),
        "epochs": Fixed(27),
    }
)


class Valley:
    """Losses that fall towards a distance from a point, a mixed space, no noise."""

    space = SPACE
    metrics = ("loss",)
    num_seeds = 1
    content_hash = "valley"

    def curve(self, config, seed):
        x = self.space.units(config)
        distance = abs(x[0] - 0.8) + abs(x[1] - 0.25) + abs(x[2] - 0.6) + (config["kind"] != "c")
        epochs = np.arange(1, 28)
        return Curve(epochs, (distance + 1.0 / epochs)[:, np.newaxis], epochs * 1.0)


def best(method, seed, budget):
    rows = run_quietly(method, toy_benchmark(Valley, budget=budget), seed=seed)
    return rows.metrics[:, 0].min()


@pytest.mark.parametrize("method", [plugin.OPTUNA_TPE, plugin.OPTUNA_CMAES], ids=lambda method: method.name)
def test_the_sampler_learns(method):
    random = np.median([best(builtins.RS, seed, 600.0) for seed in range(5)])
    learnt = np.median([best(method, seed, 600.0) for seed in range(5)])
    assert learnt - 1 / 27 < 0.7 * (random - 1 / 27)


def test_with_rungs_more_is_tried_and_less_is_lost():
    asha = np.median([best(builtins.ASHA, seed, 400.0) for seed in range(3)])
    learnt = np.median([best(plugin.OPTUNA_TPE_ASHA, seed, 400.0) for seed in range(3)])
    assert learnt - 1 / 27 < 0.7 * (asha - 1 / 27)


VARIANTS = {
    "stopping": (plugin.OPTUNA_TPE_ASHA, TpeAshaOptions(type="stopping", n_startup_trials=4)),
    "each on its own": (plugin.OPTUNA_TPE, TpeOptions(multivariate=False, n_startup_trials=4)),
    "no liar": (plugin.OPTUNA_TPE, TpeOptions(constant_liar=False, n_startup_trials=4)),
    "few candidates": (plugin.OPTUNA_TPE, TpeOptions(n_ei_candidates=3, n_startup_trials=4)),
    "small generations": (plugin.OPTUNA_CMAES, CmaEsOptions(popsize=4)),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_options_change_what_is_tried_and_nothing_else(variant):
    method, options = VARIANTS[variant]
    one, other = (run_quietly(method.with_options(options), toy_benchmark(budget=600.0)) for _ in range(2))
    assert list(one.configs) == list(other.configs)
    assert np.array_equal(one.times, other.times)
    assert one.resources.max() == 27
    usual = type(options)() if variant in {"stopping", "small generations"} else TpeOptions(n_startup_trials=4)
    assert list(one.configs) != list(run_quietly(method.with_options(usual), toy_benchmark(budget=600.0)).configs)


SCRIPT = """
import dataclasses, hashlib, json, sys
from hpoctl.testing import run_quietly, toy_benchmark
from hpoctl_optuna import plugin
for name in sys.argv[1:]:
    method = getattr(plugin, name)
    method = method.with_options(dataclasses.replace(method.options, n_startup_trials=4))
    rows = run_quietly(method, toy_benchmark(budget=1200.0), seed=3)
    assert len(rows.configs) > 12
    print(name, len(rows.configs), hashlib.sha256(json.dumps(list(map(dict, rows.configs))).encode()
          + rows.times.tobytes() + rows.metrics.tobytes()).hexdigest())
"""
NAMES = ["OPTUNA_TPE", "OPTUNA_CMAES", "OPTUNA_TPE_ASHA"]


def printed(threads, *names):
    limits = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, *names],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | limits | {"PYTHONHASHSEED": str(threads)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_same_seed_same_bytes_in_separate_processes():
    one = printed(1, *NAMES)
    assert one.count("\n") == len(NAMES)
    assert one == printed(2, *NAMES)


@pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="OPTUNA-GP needs PyTorch: pip install 'hpoctl-optuna[gp]'"
)
@pytest.mark.timeout(600)
def test_same_seed_same_bytes_of_the_gaussian_process():
    assert printed(1, "OPTUNA_GP") == printed(2, "OPTUNA_GP") != ""


def test_the_plugin_loads_and_importing_it_does_not_import_optuna():
    script = """
import sys
from importlib.metadata import EntryPoint
from hpoctl import builtins
from hpoctl.plugins import load_registry
registry = load_registry([builtins], [EntryPoint("optuna", "hpoctl_optuna.plugin", "hpoctl")])
print(registry.plugins[-1].state, *registry.plugins[-1].registers["methods"], "optuna" in sys.modules)
"""
    environment = {key: value for key, value in os.environ.items() if key != "HPOCTL_PLUGINS"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["loaded", "OPTUNA-TPE", "OPTUNA-GP", "OPTUNA-CMAES", "OPTUNA-TPE-ASHA", "False"]


def test_without_pytorch_the_gaussian_process_says_what_to_install(monkeypatch):
    monkeypatch.setattr(plugin, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        run_quietly(plugin.OPTUNA_GP, toy_benchmark(budget=300.0))
    assert "PyTorch" in caught.value.what
    assert caught.value.fix == "pip install 'hpoctl-optuna[gp]'"


@pytest.mark.parametrize(
    "wrong",
    [
        partial(TpeOptions, n_startup_trials=0),
        partial(TpeOptions, n_ei_candidates=0),
        partial(TpeAshaOptions, n_startup_trials=0),
        partial(TpeAshaOptions, reduction_factor=1),
        partial(GpOptions, n_startup_trials=0),
        partial(CmaEsOptions, n_startup_trials=0),
        partial(CmaEsOptions, popsize=1),
    ],
)
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong.keywords))):
        wrong()


@pytest.fixture
def cli(tmp_path):
    root = tmp_path / "results"
    environment = os.environ | {"HPOCTL_ROOT": str(root), "HPOCTL_PLUGINS": "fcnet,optuna", "COLUMNS": "120"}
    return CommandLine(tmp_path, root, dict(environment))


def test_runs_on_fcnet_begin_as_random_search_does(cli):
    first = {}
    for method in ("RS", "OPTUNA-TPE", "OPTUNA-TPE-ASHA"):
        words = ("--benchmark", "fcnet-protein", "--max-wallclock-time", "600", "--random-seed", "1", "--tag", "a")
        answer = cli("run", "--method", method, *words, "--json")
        assert answer.code == 0, answer.err
        (experiment,) = answer.json["data"]["experiments"]
        rows = pd.read_parquet(cli.root / experiment["directory"] / "results.parquet")
        columns = [column for column in map(str, rows) if column.startswith("config_")]
        tried = rows.drop_duplicates("trial_id").set_index("trial_id")[columns].sort_index()
        assert len(tried.drop_duplicates()) == len(tried) > 4
        metadata = json.loads((cli.root / experiment["directory"] / "metadata.json").read_text())
        assert ("optuna" in metadata["versions"]) is method.startswith("OPTUNA")
        assert experiment["best"]["value"] == rows["metric_valid_loss"].min()
        first[method] = tried.iloc[:4]
        last = str(int(tried.index.max()))
        told = cli("why", "--tag", "a", "--method", method, "--trial", last, "--json").json["data"]
        assert told["agrees"] is True
        moments = told["moments"]
        assert any("Optuna's TPESampler" in note for note in moments[0]["notes"]) is method.startswith("OPTUNA")
        if method == "OPTUNA-TPE-ASHA":
            middle = cli("why", "--tag", "a", "--method", method, "--trial", "0", "--json").json["data"]["moments"]
            assert middle[1]["rank"]["level"] == 1
    pd.testing.assert_frame_equal(first["RS"], first["OPTUNA-TPE"])
    pd.testing.assert_frame_equal(first["RS"], first["OPTUNA-TPE-ASHA"])
