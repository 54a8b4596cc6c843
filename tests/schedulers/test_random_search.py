"""The shared sequence of random configurations: the middle first, nothing twice, exhausted when it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.protocols import Start
from hpoctl.core.rng import Streams
from hpoctl.core.space import Choice, Fixed, RandInt, Space, TableSpace, Uniform, Value
from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
from hpoctl.schedulers.single_fidelity import SingleFidelity
from hpoctl.testing import toy_space
from support import context, report


def drawn(space: Space, count: int, *, seed: int = 0) -> list[dict[str, Value]]:
    configs = RandomConfigs(space, Streams(1, seed))
    return [dict(config) for config in (configs.draw() for _ in range(count)) if config is not None]


def test_the_first_is_the_middle_of_the_space() -> None:
    assert drawn(toy_space(), 1) == [{"activation": "tanh", "units": 64, "rate": 0.5, "epochs": 27}]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 100))
def test_a_finite_space_is_drawn_to_its_last_configuration(first: int, second: int, seed: int) -> None:
    space = Space({"a": RandInt(0, first), "b": RandInt(0, second), "c": Fixed(1)})
    configs = drawn(space, (space.size or 0) + 10, seed=seed)
    assert len(configs) == space.size
    assert len({space.key(config) for config in configs}) == space.size


def test_every_remaining_configuration_comes_last_sometimes() -> None:
    space = Space({"a": RandInt(0, 4)})
    lasts = {drawn(space, 5, seed=seed)[-1]["a"] for seed in range(60)}
    assert lasts == {0, 1, 3, 4}  # 2 is the middle, always first


def test_variants_share_all_other_draws() -> None:
    fixed = toy_space().with_fixed({"activation": "relu"})
    free = drawn(toy_space(), 40)
    variant = drawn(fixed, 40)
    assert [config["activation"] for config in variant] == ["relu"] * 40
    shared = [{**config, "activation": "relu"} for config in free]
    # Where two free draws fall together in the variant, the second one is skipped.
    assert variant[:20] == list({fixed.key(config): config for config in shared}.values())[:20]


def test_what_a_model_suggested_is_not_drawn_again() -> None:
    space = Space({"a": RandInt(0, 9)})
    configs = RandomConfigs(space, Streams(1, 0))
    assert configs.use({"a": 7})
    assert not configs.use({"a": 7})
    assert configs.is_used({"a": 7})
    assert not configs.is_used({"a": 3})
    left = [config["a"] for config in iter(configs.draw, None)]
    assert sorted(left) == [0, 1, 2, 3, 4, 5, 6, 8, 9]


def test_continuous_spaces_never_end() -> None:
    space = Space({"x": Uniform(0.0, 1.0), "c": Choice(("a",))})
    assert len(drawn(space, 3000)) == 3000


def test_random_search_runs_every_trial_to_the_end() -> None:
    made = context()
    scheduler = SingleFidelity(RandomSearcher(RandomConfigs(made.space, made.streams)), made)
    steps = [scheduler.suggest(trial) for trial in range(121)]
    assert all(isinstance(step, Start) and step.until == 27 for step in steps[:120])
    assert steps[120] is None
    assert [step.reason for step in steps[:3] if isinstance(step, Start)] == ["initial", "random", "random"]
    assert scheduler.rungs() == ()


def test_only_final_values_reach_the_searcher() -> None:
    class Notes(RandomSearcher):
        def __init__(self) -> None:
            made = context()
            super().__init__(RandomConfigs(made.space, made.streams))
            self.seen: list[tuple[int, int, float]] = []

        def observe(self, trial_id: int, resource: int, value: float) -> None:
            self.seen.append((trial_id, resource, value))

    notes = Notes()
    scheduler = SingleFidelity(notes, context(sign=-1.0))
    scheduler.suggest(0)
    scheduler.on_report(report(0, 5, 0.5))
    scheduler.on_report(report(0, 27, 0.25))
    assert notes.seen == [(0, 27, -0.25)]


@pytest.mark.parametrize("rows", [1, 5, 300])
def test_a_table_is_drawn_to_its_last_row_and_begins_with_its_middle(rows: int) -> None:
    space = Space({"u": Uniform(0.0, 1.0), "c": Fixed(1)})
    values = np.random.default_rng(0).permutation(rows) / rows
    table = TableSpace.of(space, [{"u": float(value), "c": 1} for value in values])
    configs = drawn(table, rows + 10)
    assert sorted(table.index(config) for config in configs) == list(range(rows))
    assert configs[0] == table.middle()
    assert rows < 5 or drawn(table, rows, seed=1) != configs
