"""The simulator: golden times by hand, and conservation under random schedules."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.backends.simulator import Simulator
from hpoctl.blackboxes.tabular import TabularBlackbox
from hpoctl.core.clock import VirtualClock
from hpoctl.core.protocols import Ended, Outcome, Report
from hpoctl.core.rng import Streams
from hpoctl.core.settings import Settings
from hpoctl.core.space import Choice, Fixed, Space
from hpoctl.testing import check_backend, toy_table

SPACE = Space({"x": Choice((0, 1, 2)), "epochs": Fixed(4)})
EPOCHS = np.arange(1, 5)


def table() -> TabularBlackbox:
    """Configuration x trains (x + 1) seconds an epoch; its loss is 10 x + epoch."""
    losses = np.array([[[[10.0 * x + epoch] for epoch in EPOCHS]] for x in range(3)])
    times = np.array([[(x + 1.0) * EPOCHS] for x in range(3)])
    return TabularBlackbox(SPACE, ("loss",), EPOCHS, losses, times)


def simulator(deadline: float = 100.0, **settings: Any) -> tuple[Simulator, VirtualClock]:
    clock = VirtualClock()
    return Simulator(table(), clock, Streams(1, 0), deadline, Settings(**settings)), clock


def config(x: int) -> dict[str, int]:
    return {"x": x, "epochs": 4}


def only_report(backend: Simulator) -> Report:
    (event,) = backend.wait()
    assert isinstance(event, Report)
    return event


def test_times_by_hand() -> None:
    backend, clock = simulator()
    backend.start(0, config(1), resume_from=None, until=2)
    first = only_report(backend)
    # start delay .05, two seconds an epoch, result delay .05
    np.testing.assert_allclose(first.times, [2.1, 4.1])
    np.testing.assert_array_equal(first.resources, [1, 2])
    np.testing.assert_array_equal(first.metrics[:, 0], [11.0, 12.0])
    assert clock.now() == pytest.approx(4.1)
    backend.proceed(0, until=4)
    second = only_report(backend)
    np.testing.assert_allclose(second.times, [6.1, 8.1])
    assert backend.wait() == [Ended(0, Outcome.COMPLETED, pytest.approx(8.15))]  # type: ignore[arg-type]
    assert backend.wait() == []


def test_a_pause_takes_stop_and_completion_delay_and_its_time_is_not_spent_twice() -> None:
    backend, _ = simulator()
    backend.start(0, config(0), resume_from=None, until=1)
    only_report(backend)
    backend.stop(0, pause=True)
    assert backend.wait() == [Ended(0, Outcome.PAUSED, pytest.approx(1.1 + 0.1))]  # type: ignore[arg-type]
    backend.start(0, config(0), resume_from=1, until=3)
    resumed = only_report(backend)
    np.testing.assert_array_equal(resumed.resources, [2, 3])
    np.testing.assert_allclose(resumed.times, [1.2 + 0.05 + 1 + 0.05, 1.2 + 0.05 + 2 + 0.05])
    np.testing.assert_allclose(resumed.elapsed, [2.0, 3.0])


def test_without_checkpoints_a_resumed_trial_starts_over_but_repeats_no_row() -> None:
    backend, _ = simulator(checkpointing=False)
    backend.start(0, config(0), resume_from=None, until=2)
    only_report(backend)
    backend.stop(0, pause=True)
    backend.wait()
    backend.start(0, config(0), resume_from=2, until=3)
    resumed = only_report(backend)
    np.testing.assert_array_equal(resumed.resources, [3])
    np.testing.assert_allclose(resumed.times, [2.2 + 0.05 + 3 + 0.05])
    np.testing.assert_allclose(resumed.elapsed, [2.0 + 3.0])


def test_a_stopped_trial_reports_nothing_more() -> None:
    backend, _ = simulator()
    backend.start(0, config(0), resume_from=None, until=None)
    assert only_report(backend).resources.tolist() == [1]
    backend.stop(0, pause=False)
    assert backend.wait() == [Ended(0, Outcome.STOPPED, pytest.approx(1.2))]  # type: ignore[arg-type]
    assert backend.wait() == []
    assert backend.close() == []


def test_nothing_is_reported_past_the_deadline_and_close_hands_over_the_rest() -> None:
    backend, clock = simulator(deadline=6.5)
    backend.start(0, config(1), resume_from=None, until=4)
    backend.start(1, config(0), resume_from=None, until=2)
    assert only_report(backend).trial_id == 1
    backend.proceed(1, until=4)
    assert only_report(backend).trial_id == 1
    backend.wait()
    assert backend.wait() == []
    assert clock.now() == 6.5
    (rest,) = backend.close()
    assert rest.trial_id == 0
    np.testing.assert_allclose(rest.times, [2.1, 4.1, 6.1])


def test_equal_times_come_in_order_of_insertion() -> None:
    backend, _ = simulator()
    for trial_id in (2, 0, 1):
        backend.start(trial_id, config(0), resume_from=None, until=1)
    assert [only_report(backend).trial_id for _ in range(3)] == [2, 0, 1]


def test_polling_sees_events_late_and_stops_hold_up_everybody() -> None:
    backend, clock = simulator(poll_interval=5.0)
    backend.start(0, config(0), resume_from=None, until=1)
    backend.start(1, config(1), resume_from=None, until=1)
    events = backend.wait()
    assert [event.trial_id for event in events] == [0, 1]
    assert clock.now() == 5.0
    backend.stop(0, pause=True)
    assert clock.now() == pytest.approx(5.1)
    backend.stop(1, pause=True)
    assert clock.now() == pytest.approx(5.2)
    assert [event.trial_id for event in backend.wait()] == [0, 1]
    assert clock.now() == pytest.approx(5.2)  # freed workers are seen without waiting


def test_a_poll_past_the_deadline_sees_nothing_that_comes_after_it() -> None:
    backend, _ = simulator(poll_interval=5.0, deadline=1.5)
    backend.start(0, config(0), resume_from=None, until=1)  # reports at 1.1
    backend.start(1, config(1), resume_from=None, until=1)  # would report at 2.1
    assert [event.trial_id for event in backend.wait()] == [0]
    backend.proceed(0, until=2)
    assert backend.wait() == []
    assert backend.close() == []


def test_a_poll_leaves_the_clock_at_its_own_time() -> None:
    backend, clock = simulator(poll_interval=5.0, deadline=6.0)
    backend.start(0, config(0), resume_from=None, until=1)  # reports at 1.1
    backend.start(1, config(2), resume_from=None, until=4)  # would report at 12.1
    assert [event.trial_id for event in backend.wait()] == [0]
    assert clock.now() == 5.0


def test_the_table_seed_belongs_to_the_trial_and_not_to_the_order() -> None:
    def losses(order: list[int]) -> dict[int, float]:
        clock = VirtualClock()
        backend = Simulator(toy_table(), clock, Streams(3, 4), 1e6, Settings())
        middle = toy_table().space.middle()
        for trial_id in order:
            backend.start(trial_id, middle, resume_from=None, until=1)
        return {event.trial_id: float(event.metrics[0, 0]) for event in (only_report(backend) for _ in order)}

    one, other = losses([0, 1, 2, 3, 300]), losses([300, 3, 1, 0, 2])
    assert one == other
    assert len(set(one.values())) > 1


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.integers(0, 5), min_size=5, max_size=80),
    st.booleans(),
    st.sampled_from([0.0, 5.0]),
    st.floats(5.0, 60.0),
)
def test_conservation(choices: list[int], checkpointing: bool, poll: float, deadline: float) -> None:
    """Resources of a trial strictly increase, no row after a stop, none past the deadline, no time spent twice."""
    backend, _ = simulator(deadline=deadline, checkpointing=checkpointing, poll_interval=poll)
    busy: dict[int, bool] = {}
    paused: dict[int, int] = {}
    seen: dict[int, list[Report]] = {}
    configs: dict[int, dict[str, int]] = {}
    ends = {}
    ids = itertools.count()
    for choice in choices:
        while len(busy) < 2:
            if paused and choice % 2:
                trial_id, level = paused.popitem()
            else:
                trial_id, level = next(ids), None
                configs[trial_id] = config(choice % 3)
            backend.start(trial_id, configs[trial_id], resume_from=level, until=None if choice == 3 else 1 + choice % 4)
            busy[trial_id] = True
        for event in backend.wait():
            if isinstance(event, Ended):
                assert event.trial_id in busy
                assert busy.pop(event.trial_id) is (event.outcome is Outcome.COMPLETED)
                ends[event.trial_id] = event.time
                continue
            assert busy[event.trial_id], "a row after a stop"
            seen.setdefault(event.trial_id, []).append(event)
            at_end = event.resources[-1] == 4
            if choice in {0, 1} or at_end:
                backend.stop(event.trial_id, pause=choice == 0)
                busy[event.trial_id] = bool(at_end)
                if choice == 0 and not at_end:
                    paused[event.trial_id] = int(event.resources[-1])
            else:
                backend.proceed(event.trial_id, until=4)
        for trial_id in [trial_id for trial_id in paused if trial_id in busy]:
            del paused[trial_id]
    for last in backend.close():
        seen.setdefault(last.trial_id, []).append(last)
    for trial_id, reports in seen.items():
        resources = np.concatenate([report.resources for report in reports])
        times = np.concatenate([report.times for report in reports])
        elapsed = np.concatenate([report.elapsed for report in reports])
        assert (np.diff(resources) > 0).all()
        assert (np.diff(times) > 0).all()
        assert (np.diff(elapsed) > 0).all()
        assert times[-1] <= deadline
        if checkpointing:
            np.testing.assert_allclose(elapsed, resources * (configs[trial_id]["x"] + 1.0))
        assert (times >= elapsed - 1e-9).all()
    assert all(end <= deadline for end in ends.values()) or poll > 0.0


@pytest.mark.parametrize("checkpointing", [True, False])
def test_contract(checkpointing: bool) -> None:
    check_backend(lambda: simulator(checkpointing=checkpointing)[0], config(1), 4)
