import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.gp.fitting import fit
from hpoctl.gp.likelihood import Priors
from hpoctl.gp.multifidelity import joint_inputs, target_level
from hpoctl.gp.posterior import condition
from hpoctl.gp.transforms import targets


def test_the_resource_is_an_input_on_a_log_scale() -> None:
    x = np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]])
    joint = joint_inputs(x, np.array([1, 10, 100]), 100)
    np.testing.assert_allclose(joint, np.column_stack([x, [0.0, 0.5, 1.0]]))


def test_a_single_level_and_no_data_are_fine() -> None:
    np.testing.assert_array_equal(joint_inputs(np.ones((2, 1)), np.array([1, 1]), 1)[:, 1], 0.0)
    assert joint_inputs(np.empty((0, 3)), np.empty(0, dtype=int), 81).shape == (0, 4)


@pytest.mark.parametrize("resources", [[0, 1], [1, 101], [1]])
def test_misuse_is_refused(resources: list[int]) -> None:
    with pytest.raises(ValueError, match="resources"):
        joint_inputs(np.ones((2, 1)), np.array(resources), 100)


@pytest.mark.parametrize(
    ("resources", "level"),
    [([1], 1), ([1, 1, 3], 1), ([1, 3], 3), ([1, 1, 1, 3, 3, 3, 9, 9], 3), ([1, 3, 3, 3, 9, 9, 9, 9], 9)],
)
def test_the_target_level_is_the_highest_with_enough_data(resources: list[int], level: int) -> None:
    assert target_level(np.array(resources)) == level


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([1, 3, 9, 27]), min_size=1))
def test_the_target_level_has_data(resources: list[int]) -> None:
    assert target_level(np.array(resources)) in resources


def test_no_data_have_no_target_level() -> None:
    with pytest.raises(ValueError, match="no data"):
        target_level(np.empty(0, dtype=int))


def test_cheap_levels_inform_the_costly_one() -> None:
    """With one value at level 9 the model still ranks configurations there, from what it saw at level 1."""
    rng = np.random.default_rng(0)
    x = rng.random((40, 1))
    quality = (x[:, 0] - 0.3) ** 2
    resources = np.append(np.ones(40, dtype=int), [9, 9])
    inputs = joint_inputs(np.vstack([x, [[0.9], [0.6]]]), resources, 9)
    y = targets(np.concatenate([quality + 0.5, [0.36, 0.09]]))
    posterior = condition(inputs, y, fit(inputs, y, Priors()))
    means = posterior.predict_mean(joint_inputs(np.array([[0.3], [0.6], [0.9]]), np.full(3, 9), 9))
    assert means[0] < means[1] < means[2]
