import numpy as np
import pytest

from hpoctl.core.errors import UsageError
from hpoctl.core.space import Choice, FinRange, Fixed, Space
from hpoctl.schedulers.observations import Observations
from support import context

SPACE = Space({"x": FinRange(0.0, 1.0, 5), "c": Choice(("a", "b")), "epochs": Fixed(27)})


def observations(limit: int = 100) -> Observations:
    return Observations(context(SPACE), limit)


def started(count: int, limit: int = 100) -> Observations:
    it = observations(limit)
    for trial_id in range(count):
        assert it.start_random(trial_id, "initial") is not None
    return it


def test_pending_reports_are_those_announced_and_not_yet_made() -> None:
    it = started(4)
    for trial_id in range(4):
        it.pending(trial_id, 1)
    it.report(0, 1, 0.5)  # has reported, and still holds its worker
    it.report(1, 1, 0.4)
    it.pending(1, 3)  # continues to the next level
    it.end(2)  # failed
    points, levels = it.waiting()
    np.testing.assert_array_equal(levels, [1, 3])  # of trials 3 and 1
    assert points.shape == (2, 3)


def test_nothing_pending_has_no_points() -> None:
    points, levels = started(1).waiting()
    assert points.shape == (0, 3)
    assert levels.shape == (0,)


def test_data_are_the_reports_in_their_order() -> None:
    it = observations()
    first = it.start_random(0, "initial")
    it.start_random(1, "initial")
    it.report(1, 1, 0.3)
    assert not it.suffice
    it.report(0, 1, 0.2)
    it.report(1, 3, 0.1)
    assert it.suffice
    data = it.data()  # type: ignore[unreachable]
    np.testing.assert_array_equal(data.levels, [1, 1, 3])
    np.testing.assert_array_equal(data.values, [0.3, 0.2, 0.1])
    np.testing.assert_array_equal(data.distinct, [0, 1])
    assert data.total == 3
    assert first is not None
    np.testing.assert_array_equal(data.points[1], SPACE.units(first.config))
    np.testing.assert_array_equal(data.points[0], data.points[2])


def test_too_many_data_are_cut_to_the_best_and_some_others() -> None:
    it = started(10, limit=4)
    for trial_id in range(10):
        it.report(trial_id, 1, float(trial_id))
    data = it.data()
    assert data.total == 10
    assert len(data.values) == len(data.points) == len(data.levels) == len(data.distinct) == 4
    assert {0.0, 1.0} <= set(data.values.tolist())
    np.testing.assert_array_equal(it.data().values, data.values)


def test_a_point_is_used_once_by_whoever_comes_first() -> None:
    it = observations()
    point = SPACE.units({"x": 0.25, "c": "b", "epochs": 27})
    assert it.use(np.stack([point, point])) == [{"x": 0.25, "c": "b", "epochs": 27}, None]
    assert it.use(np.stack([point])) == [None]
    assert len(it.fresh(np.stack([point, point]))) == 0
    drawn = [it.start_random(trial_id, "random") for trial_id in range(20)]
    configs = [suggestion.config for suggestion in drawn if suggestion is not None]
    assert len(configs) == (SPACE.size or 0) - 1
    assert {"x": 0.25, "c": "b", "epochs": 27} not in configs


def test_a_model_needs_two_data() -> None:
    with pytest.raises(UsageError, match="max_size_data_for_model is 1"):
        observations(1)
