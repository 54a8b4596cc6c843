import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from hpoctl.core.errors import UsageError
from hpoctl.core.space import Choice, FinRange, Fixed, Space, Uniform, Value
from hpoctl.schedulers.mf_searcher import MultiFidelitySearcher
from hpoctl.schedulers.options import MobsterOptions
from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
from searcher_runs import drive
from support import context

GRID = Space({"x": FinRange(0.0, 1.0, 21), "y": FinRange(0.0, 1.0, 21), "c": Choice(("a", "b")), "epochs": Fixed(27)})
SMALL = Space({"x": FinRange(0.0, 1.0, 4), "c": Choice(("a", "b", "d")), "epochs": Fixed(27)})


def curve(config: Mapping[str, Value], level: int) -> float:
    """A bowl that is approached with more epochs."""
    x, y = float(config["x"]), float(config.get("y", 0.0))
    return (x - 0.7) ** 2 + (y - 0.2) ** 2 + 0.1 * (config["c"] == "a") + 1.0 / level


def searcher(space: Space = GRID, seed: int = 0, limit: int | None = None, **options: Any) -> MultiFidelitySearcher:
    return MultiFidelitySearcher(
        replace(context(space, seed=seed), max_size_data_for_model=limit), MobsterOptions(**options)
    )


def run(it: MultiFidelitySearcher, trials: int, objective: object = curve, **options: int) -> list:
    return drive(it, objective, trials, level=1, levels=4, **options)  # type: ignore[arg-type]


def test_it_begins_with_the_configurations_of_random_search() -> None:
    suggestions = run(searcher(), 12)
    random = drive(RandomSearcher(RandomConfigs(GRID, context().streams)), curve, 6)
    assert [each.config for each in suggestions[:6]] == [each.config for each in random]
    assert suggestions[0].config == GRID.middle()
    assert [each.origin for each in suggestions[:6]] == ["initial"] * 6


def test_every_fourth_suggestion_is_random() -> None:
    origins = [each.origin for each in run(searcher(), 40)]
    assert [place for place, origin in enumerate(origins) if origin == "random"] == list(range(8, 40, 4))
    assert {each.origin for each in run(searcher(random_every=0), 40)[6:]} == {"model"}


def test_random_suggestions_continue_the_sequence_of_random_search() -> None:
    suggestions = run(searcher(), 60)
    configs = RandomConfigs(GRID, context().streams)
    from_model = [GRID.key(each.config) for each in suggestions if each.origin == "model"]
    expected = [configs.draw() for _ in range(60)]
    expected = [config for config in expected if config is not None and GRID.key(config) not in from_model]
    found = [each.config for each in suggestions if each.origin != "model"]
    assert found == expected[: len(found)]


def test_it_finds_the_best_configurations_of_a_bowl() -> None:
    for seed in range(3):
        suggestions = run(searcher(seed=seed), 60)
        random = run(RandomSearcher(RandomConfigs(GRID, context(seed=seed).streams)), 60)  # type: ignore[arg-type]
        found = min(curve(each.config, 27) for each in suggestions)
        assert found <= 0.0051 + 1 / 27  # at most one step of the grid in each direction
        assert found <= min(curve(each.config, 27) for each in random)


def test_equal_histories_give_equal_suggestions_whatever_the_number_of_threads() -> None:
    runs = []
    for threads in (1, 3):
        with threadpool_limits(threads, "blas"):
            runs.append(run(searcher(), 100))
    assert runs[0] == runs[1]
    assert run(searcher(seed=1), 100) != runs[0]


def test_many_trials_are_served_in_batches_without_repetition() -> None:
    suggestions = run(searcher(), 400)
    assert len({GRID.key(each.config) for each in suggestions}) == 400


@pytest.mark.parametrize("workers", [1, 4])
def test_a_finite_space_is_used_up_and_then_it_ends(workers: int) -> None:
    suggestions = run(searcher(SMALL), 100, workers=workers)
    assert len({SMALL.key(each.config) for each in suggestions}) == len(suggestions) == SMALL.size


@pytest.mark.parametrize("seed", [1, 2])
def test_a_larger_finite_space_is_used_up_with_batches_under_way(seed: int) -> None:
    """The last configurations may wait in a batch when it is a random one's turn."""
    space = Space({"x": FinRange(0.0, 1.0, 16), "c": Choice(tuple("abcdefghijklmnop"))})
    suggestions = run(searcher(space, seed, random_every=2), 300)
    assert len({space.key(each.config) for each in suggestions}) == len(suggestions) == 256


def test_notes_name_the_level_that_is_aimed_at() -> None:
    notes = [each.note for each in run(searcher(), 120, workers=1) if each.note]
    assert notes[0].endswith("target level 1")
    assert notes[-1].endswith("target level 27")
    assert all(note.startswith("model fitted to ") for note in notes)
    assert 5 < len(notes) < 20


def test_limits_on_the_data_are_kept() -> None:
    suggestions = run(searcher(limit=8), 40)
    assert len(suggestions) == 40
    assert any("fitted to 8 of " in each.note for each in suggestions)
    with pytest.raises(UsageError, match="at least 2"):
        searcher(limit=1)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=20, max_size=20))
def test_any_values_give_suggestions(values: list[float]) -> None:
    remaining = iter(values)
    assert len(run(searcher(), 16, lambda config, level: next(remaining, 0.0))) == 16


@pytest.mark.parametrize("value", [math.nan, -math.inf, 1.0, 1e300])
def test_constant_and_diverged_trials_are_no_trouble(value: float) -> None:
    suggestions = run(searcher(), 30, lambda config, level: value)
    assert len({GRID.key(each.config) for each in suggestions}) == 30


@pytest.mark.parametrize(
    "space",
    [
        Space({"x": Fixed(1)}),
        Space({"x": Uniform(0.0, 1.0)}),
        Space({f"x{place}": Uniform(0.0, 1.0) for place in range(30)}),
        Space({f"c{place}": Choice(("a", "b", "c", "d")) for place in range(6)}),
    ],
)
def test_spaces_of_all_kinds(space: Space) -> None:
    suggestions = run(searcher(space), 20, lambda config, level: len(str(config)) + 1.0 / level)
    assert len(suggestions) == min(20, space.size or 20)
    for each in suggestions:
        space.validate(each.config)


def test_early_values_are_enough_to_begin() -> None:
    """While nothing has gone beyond the first level, suggestions aim at it."""
    suggestions = drive(searcher(), curve, 30, level=1, levels=1)
    assert {each.origin for each in suggestions[10:]} == {"model", "random"}
    assert min(curve(each.config, 1) for each in suggestions) < 1.02
