"""Costs of starts and resumes, from seconds of training or from what a backend is billed."""

from hpoctl.core.protocols import Bill
from hpoctl.core.space import Space, Uniform
from hpoctl.engine.trial_log import Run
from hpoctl.engine.trials_table import total_cost, trials_table

RUNS = [Run(0, 0.0, 0, 1, end=10.0), Run(1, 0.0, 0, 1, end=20.0), Run(0, 20.0, 1, 3, end=50.0)]
CONFIGS = [{"x": 0.1}, {"x": 0.2}]
SPACE = Space({"x": Uniform(0.0, 1.0)})


def test_costs_follow_from_seconds_where_nothing_is_billed() -> None:
    table = trials_table(RUNS, CONFIGS, SPACE, 3600.0).to_pydict()
    assert table["cost"] == [10.0, 20.0, 30.0]
    assert table["billed_seconds"] == [None, None, None]
    assert total_cost(RUNS, 3600.0, []) == 60.0
    assert total_cost(RUNS, None, []) is None


def test_bills_count_once_for_each_job_and_belong_to_a_start() -> None:
    bills = [
        Bill(0, 0, 0, 12.0, 1.0),
        Bill(0, 1, 1, 30.0, 3.0),
        Bill(0, 1, 2, 5.0, 0.5),  # another job of the same resume, after a takeover
        Bill(0, 0, 0, 15.0, 1.5),  # told again, with the time for which the machine was kept
        Bill(1, 0, 0, 7.0, None),
    ]
    table = trials_table(RUNS, CONFIGS, SPACE, 3600.0, bills).to_pydict()
    assert table["billed_seconds"] == [15.0, 7.0, 35.0]
    assert table["cost"] == [1.5, None, 3.5]
    assert total_cost(RUNS, 3600.0, bills) == 5.0
