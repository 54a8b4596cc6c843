"""The curves: exactly what the model says, made increasing in time, the same in every process."""

import os
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.rng import stream
from hpoctl.testing import check_benchmark, check_blackbox
from hpoctl_lcbench import plugin
from hpoctl_lcbench.blackbox import MIN_STEP, LcbenchBlackbox, increasing
from hpoctl_lcbench.model import Model
from hpoctl_lcbench.space import ENCODING, METRICS, SPACE

SECONDS = st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=52)


def blackbox_of(model_bytes, task="189908", model_hash="a"):
    return LcbenchBlackbox(task, Model(model_bytes), ENCODING[task], model_hash)


@pytest.fixture(scope="module")
def blackbox(model_bytes):
    return blackbox_of(model_bytes)


def configs(count, seed=0):
    return SPACE.configs(stream(0, seed, "test").random((count, len(SPACE))))


def test_the_blackbox_keeps_the_contract(blackbox):
    check_blackbox(blackbox)


def test_the_benchmarks_keep_the_contract(imported):
    for benchmark in list(plugin.hpoctl_benchmarks())[::11]:
        check_benchmark(benchmark)


def test_a_curve_is_what_the_model_says_about_each_epoch(blackbox, model_bytes):
    """Asked for row by row, by name, without this plugin; columns in the order that YAHPO Gym gives them."""
    session = onnxruntime.InferenceSession(model_bytes, providers=["CPUExecutionProvider"])
    config = configs(1)[0]
    curve = blackbox.curve(config, 0)
    assert curve.resources.tolist() == list(range(1, 53))
    names = ["batch_size", "learning_rate", "momentum", "weight_decay", "num_layers", "max_units", "max_dropout"]
    for epoch in (1, 17, 52):
        numbers = np.array([[epoch, *(config[name] for name in names)]], dtype=np.float32)
        task = np.array([[31]], dtype=np.int32)
        (answer,) = session.run(None, {"x_cat": task, "x_cont": numbers})
        np.testing.assert_allclose(curve.metrics[epoch - 1, :-1], answer[0, 1:], rtol=1e-5)
    first = np.array([[1, *(config[name] for name in names)]], dtype=np.float32)
    (answer,) = session.run(None, {"x_cat": np.array([[31]], dtype=np.int32), "x_cont": first})
    assert curve.elapsed[0] == pytest.approx(max(answer[0, 0], MIN_STEP), rel=1e-5)
    assert METRICS[0] == "val_accuracy"


def test_another_task_has_other_curves(model_bytes, blackbox):
    config = configs(1)[0]
    other = blackbox_of(model_bytes, "3945").curve(config, 0)
    assert not np.array_equal(other.metrics, blackbox.curve(config, 0).metrics)


def test_every_hyperparameter_reaches_the_model(blackbox):
    low, high = (SPACE.config(np.full(len(SPACE), unit)) for unit in (0.2, 0.8))
    plain = blackbox.curve(low, 0).metrics
    for name in SPACE.names[:-1]:
        assert not np.array_equal(blackbox.curve({**low, name: high[name]}, 0).metrics, plain), name


def test_a_curve_depends_on_nothing_that_was_asked_before(blackbox, model_bytes):
    first, *others = configs(5)
    alone = blackbox.curve(first, 0).metrics.tobytes()
    for config in others:
        blackbox.curve(config, 0)
    assert blackbox.curve(first, 0).metrics.tobytes() == alone
    assert blackbox_of(model_bytes).curve(first, 0).metrics.tobytes() == alone


PROCESS = """
import sys
from hashlib import sha256
from hpoctl.core.rng import stream
from hpoctl_lcbench import plugin
benchmark = {entry.name: entry for entry in plugin.hpoctl_benchmarks()}["lcbench-189908"]
blackbox, digest = benchmark.blackbox(), sha256()
space = benchmark.space
for config in space.configs(stream(0, 0, "test").random((20, len(space)))):
    curve = blackbox.curve(config, 0)
    digest.update(curve.metrics.tobytes() + curve.elapsed.tobytes())
print(blackbox.content_hash, digest.hexdigest())
"""


def test_another_process_with_other_threads_sees_the_same_bytes(imported):
    answers = {
        subprocess.run(
            [sys.executable, "-W", "error", "-c", PROCESS],
            env=os.environ | {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "4")
    }
    assert len(answers) == 1


@given(SECONDS)
def test_times_are_the_running_maximum_and_increase(predicted):
    raw = np.array(predicted, dtype=np.float32)
    elapsed = increasing(raw)
    assert (np.diff(elapsed, prepend=0.0) >= MIN_STEP * 0.99).all()
    assert (elapsed >= raw).all()
    highest = np.maximum.accumulate(np.maximum(raw, 0.0))
    assert (elapsed - highest <= MIN_STEP * np.arange(1, len(raw) + 1) * 1.01).all()


def test_times_that_increase_anyway_stay_as_they_are():
    raw = np.array([0.5, 0.52, 7.0], dtype=np.float32)
    assert increasing(raw).tolist() == raw.astype(float).tolist()


def test_times_by_hand():
    raw = np.array([-4.0, 2.0, 1.0, 2.0, 3.0], dtype=np.float32)
    assert increasing(raw).tolist() == pytest.approx([0.01, 2.0, 2.01, 2.02, 3.0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_a_time_without_sense_is_an_error(bad):
    with pytest.raises(IncompleteError, match="no usable time"):
        increasing(np.array([1.0, bad], dtype=np.float32))


def test_the_synthetic_model_needs_the_correction(blackbox, model_bytes):
    """Otherwise the tests above would not see a wrong one."""
    raw = [Model(model_bytes).curve(31, config)[:, 0] for config in configs(20)]
    assert any((np.diff(seconds) <= 0).any() for seconds in raw)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.2}, "cannot be 0.2"),
        ({"num_layers": 2.5}, "cannot be 2.5"),
        ({"epochs": 50}, "cannot be 50"),
        ({"depth": 3}, "Unknown hyperparameter"),
    ],
)
def test_other_configurations_are_refused(blackbox, change, message):
    with pytest.raises(UsageError, match=message):
        blackbox.curve(SPACE.middle() | change, 0)


def test_there_is_one_seed(blackbox):
    assert blackbox.num_seeds == 1
    with pytest.raises(UsageError, match="no seed 1"):
        blackbox.curve(SPACE.middle(), 1)


def test_the_hash_knows_the_file_and_the_task(model_bytes):
    hashes = {
        blackbox_of(model_bytes, task, model_hash).content_hash for task in ("3945", "7593") for model_hash in "ab"
    }
    assert len(hashes) == 4
