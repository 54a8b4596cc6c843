"""The space, against YAHPO Gym's description of it and against configurations sampled from it."""

from pathlib import Path

import numpy as np
import pytest

from hpoctl.core.space import Fixed, LogRandInt, LogUniform, RandInt, Uniform
from hpoctl_lcbench.space import ENCODING, INPUTS, METRICS, OUTPUTS, SPACE, TASKS

SAMPLE = Path(__file__).parent / "data" / "lcbench_189908_sample.npz"


@pytest.fixture(scope="module")
def sample():
    with np.load(SAMPLE, allow_pickle=False) as table:
        return {name: table[name] for name in table}


def test_seven_hyperparameters_and_the_fixed_epochs():
    assert SPACE.names == (*INPUTS, "epochs")
    assert SPACE["epochs"] == Fixed(52)
    assert SPACE["batch_size"] == LogRandInt(16, 512)
    assert SPACE["learning_rate"] == LogUniform(1e-4, 1e-1)
    assert SPACE["momentum"] == Uniform(0.1, 0.99)
    assert SPACE["weight_decay"] == Uniform(1e-5, 1e-1)
    assert SPACE["num_layers"] == RandInt(1, 5)
    assert SPACE["max_units"] == LogRandInt(64, 1024)
    assert SPACE["max_dropout"] == Uniform(0.0, 1.0)


def test_the_seconds_come_first_in_the_model_and_last_in_a_curve():
    assert sorted(METRICS) == sorted(OUTPUTS)
    assert (OUTPUTS[0], METRICS[-1]) == ("time", "time")


def test_tasks_keep_the_published_numbers():
    assert len(TASKS) == len(set(TASKS)) == len(ENCODING) == 34
    assert sorted(ENCODING.values()) == [place for place in range(1, 36) if place != 5]
    published = {"126025": 1, "146212": 4, "167104": 6, "189908": 31, "189909": 32, "34539": 33, "3945": 34, "7593": 35}
    assert {task: ENCODING[task] for task in published} == published
    assert "167083" not in ENCODING


def test_the_space_holds_every_sampled_configuration(sample):
    assert sorted(sample["param_names"]) == sorted(INPUTS)
    for row in range(len(sample["batch_size"])):
        SPACE.validate({name: sample[name][row].item() for name in INPUTS} | {"epochs": 52})


@pytest.mark.parametrize("name", INPUTS)
def test_sampled_configurations_are_uniform_on_the_scale_of_the_space(sample, name):
    units = [SPACE[name].unit(value) for value in sample[name].tolist()]
    counts, _ = np.histogram(units, bins=5, range=(0.0, 1.0))
    # 300 in 5 equal bins: chi-square with 4 degrees of freedom exceeds 20 once in 2,000 tables; on the wrong scale of
    # weight_decay or learning_rate it is above 400.
    assert ((counts - 60) ** 2 / 60).sum() < 20.0
