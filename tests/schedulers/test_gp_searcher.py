import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from hpoctl.core.errors import UsageError
from hpoctl.core.space import Choice, Config, FinRange, Fixed, LogUniform, Ordinal, Space, Uniform, Value
from hpoctl.schedulers.gp_searcher import GpSearcher, priors
from hpoctl.schedulers.options import BoOptions
from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
from searcher_runs import drive
from support import context

GRID = Space({"x": FinRange(0.0, 1.0, 21), "y": FinRange(0.0, 1.0, 21), "c": Choice(("a", "b")), "epochs": Fixed(27)})
SMALL = Space({"x": FinRange(0.0, 1.0, 4), "c": Choice(("a", "b", "d")), "epochs": Fixed(27)})


def bowl(config: Mapping[str, Value], level: int) -> float:
    x, y = float(config["x"]), float(config.get("y", 0.0))
    return (x - 0.7) ** 2 + (y - 0.2) ** 2 + 0.1 * (config["c"] == "a")


def searcher(space: Space = GRID, seed: int = 0, limit: int | None = None, num_initial: int = 4) -> GpSearcher:
    return GpSearcher(
        replace(context(space, seed=seed), max_size_data_for_model=limit), BoOptions(num_initial=num_initial)
    )


def test_it_begins_with_the_configurations_of_random_search() -> None:
    suggestions = drive(searcher(), bowl, 6)
    random = drive(RandomSearcher(RandomConfigs(GRID, context().streams)), bowl, 4)
    assert [each.config for each in suggestions[:4]] == [each.config for each in random]
    assert suggestions[0].config == GRID.middle()
    assert [each.origin for each in suggestions[:4]] == ["initial"] * 4
    assert "model" in {each.origin for each in suggestions[4:]}


def test_the_number_of_initial_configurations_is_an_option() -> None:
    suggestions = drive(searcher(num_initial=9), bowl, 12)
    assert [each.origin for each in suggestions] == ["initial"] * 9 + ["model"] * 3


def test_it_finds_the_best_configurations_of_a_bowl() -> None:
    for seed in range(5):
        found = min(bowl(each.config, 27) for each in drive(searcher(seed=seed), bowl, 30))
        random = drive(RandomSearcher(RandomConfigs(GRID, context(seed=seed).streams)), bowl, 30)
        assert found <= 0.0026  # at most one step of the grid from the best
        assert found <= min(bowl(each.config, 27) for each in random)


def test_equal_histories_give_equal_suggestions_whatever_the_number_of_threads() -> None:
    runs = []
    for threads in (1, 3):
        with threadpool_limits(threads, "blas"):
            runs.append(drive(searcher(), bowl, 45))
    assert runs[0] == runs[1]
    assert drive(searcher(seed=1), bowl, 45) != runs[0]


def test_nothing_is_suggested_twice() -> None:
    keys = [GRID.key(each.config) for each in drive(searcher(), bowl, 80)]
    assert len(set(keys)) == 80


@pytest.mark.parametrize("workers", [1, 4])
def test_a_finite_space_is_used_up_and_then_it_ends(workers: int) -> None:
    suggestions = drive(searcher(SMALL), bowl, 100, workers=workers)
    assert len({SMALL.key(each.config) for each in suggestions}) == len(suggestions) == SMALL.size


def test_pending_trials_are_taken_into_account() -> None:
    """Without answers, suggestions spread out; a searcher that does not know what is pending asks in one place."""
    space = Space({"x": Uniform(0.0, 1.0), "c": Fixed("b")})
    for seed in range(4):
        spread = []
        for told in (True, False):
            it, found = searcher(space, seed, num_initial=2), []
            drive(it, bowl, 3, workers=1)
            for trial_id in range(3, 8):
                suggestion = it.suggest(trial_id)
                assert suggestion is not None
                found.append(float(suggestion.config["x"]))
                if told:
                    it.pending(trial_id, 27)
            spread.append(np.ptp(found[1:]))
        assert spread[0] > 5.0 * spread[1]


def test_every_fit_leaves_a_note_and_fits_follow_the_number_of_data() -> None:
    notes = [each.note for each in drive(searcher(), bowl, 40, workers=1)]
    fitted = [index for index, note in enumerate(notes) if note]
    assert fitted == [4, 6, 8, 11, 15, 20, 26, 34]  # each 1.3 times the one before, rounded up
    assert notes[11].startswith("model fitted to 11 of 11 data, noise ")
    assert "shortest length scale " in notes[11]
    assert notes[11].split("longest ")[1].split()[0] in GRID.encoded_names


def test_a_limit_on_the_data_is_kept() -> None:
    notes = [each.note for each in drive(searcher(limit=10), bowl, 40, workers=1) if each.note]
    assert "fitted to 10 of 34 data" in notes[-1]
    with pytest.raises(UsageError, match="at least 2"):
        searcher(limit=1)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=12, max_size=12))
def test_any_values_give_suggestions(values: list[float]) -> None:
    it = searcher()
    remaining = iter(values)
    assert len(drive(it, lambda config, level: next(remaining, 0.0), 14)) == 14


@pytest.mark.parametrize("value", [math.nan, math.inf, 1.0, 0.0, 1e-300])
def test_constant_and_diverged_trials_are_no_trouble(value: float) -> None:
    suggestions = drive(searcher(), lambda config, level: value, 20)
    assert len({GRID.key(each.config) for each in suggestions}) == 20


def scaled(scale: float, config: Config, level: int) -> float:
    return scale * bowl(config, level)


def test_the_scale_of_the_metric_changes_nothing_that_matters() -> None:
    best = [
        min(bowl(each.config, 27) for each in drive(searcher(), partial(scaled, scale), 30))
        for scale in (1e-8, 1.0, 1e8)
    ]
    assert max(best) <= 0.0026


@pytest.mark.parametrize(
    "space",
    [
        Space({"x": Fixed(1)}),
        Space({"x": FinRange(0.0, 1.0, 2)}),
        Space({"x": LogUniform(1e-6, 1.0)}),
        Space({f"x{place}": Uniform(0.0, 1.0) for place in range(30)}),
        Space({f"c{place}": Choice(("a", "b", "c", "d")) for place in range(6)}),
        Space({"o": Ordinal(("s", "m", "l")), "x": Uniform(-1.0, 1.0), "f": Fixed(True)}),
    ],
)
def test_spaces_of_all_kinds(space: Space) -> None:
    suggestions = drive(searcher(space), lambda config, level: float(len(str(config))), 16)
    assert len(suggestions) == min(16, space.size or 16)
    for each in suggestions:
        space.validate(each.config)
    assert len({space.key(each.config) for each in suggestions}) == len(suggestions)


def test_a_trial_that_fails_is_not_waited_for() -> None:
    it = searcher()
    drive(it, bowl, 8)
    assert it.suggest(8) is not None
    it.pending(8, 27)
    it.ended(8)
    after = it.suggest(9)
    assert after is not None
    assert np.isfinite(bowl(after.config, 27))


@pytest.mark.parametrize(("inputs", "expected"), [(0, 0.5), (1, 0.5), (4, 1.0), (16, 2.0)])
def test_length_scales_are_expected_to_grow_with_the_root_of_the_number_of_inputs(inputs: int, expected: float) -> None:
    length_scale, *rest = priors(inputs).all(max(inputs, 1))
    assert math.exp(length_scale.mean) == pytest.approx(expected)
    assert length_scale.lower < length_scale.mean < length_scale.upper
    assert len(rest) == max(inputs, 1) + 1
