import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.errors import UsageError
from hpoctl.core.rng import WORD
from hpoctl.ops.studies.seed_ranges import MOST, parse_seeds, seeds_text

NEAR = st.frozensets(st.integers(0, 40))
FAR = st.frozensets(st.integers(0, WORD - 1))


@given(NEAR.filter(bool) | FAR.filter(bool))
def test_what_is_written_is_read_back(seeds: frozenset[int]) -> None:
    assert parse_seeds([seeds_text(seeds)]) == seeds


@given(NEAR)
def test_the_text_is_as_short_as_it_can_be(seeds: frozenset[int]) -> None:
    parts = seeds_text(seeds).split(", ") if seeds else []
    begins_of_runs = [seed for seed in seeds if seed - 1 not in seeds]
    assert len(parts) == len(begins_of_runs)
    assert [int(part.split("-")[0]) for part in parts] == sorted(begins_of_runs)


@given(st.lists(NEAR.filter(bool), min_size=1))
def test_repeating_the_option_adds_seeds(several: list[frozenset[int]]) -> None:
    assert parse_seeds([seeds_text(seeds) for seeds in several]) == frozenset().union(*several)


@settings(deadline=None)  # a range of 100,000 seeds takes its time
@given(st.text(alphabet="0123456789-, x", max_size=7))
def test_any_text_is_seeds_or_a_usage_error(text: str) -> None:
    try:
        seeds = parse_seeds([text])
    except UsageError:
        return
    assert seeds
    assert parse_seeds([seeds_text(seeds)]) == seeds


@pytest.mark.parametrize(
    ("seeds", "text"),
    [
        ([], ""),
        ([7], "7"),
        ([3, 4], "3-4"),
        ([12, 0, 1, 2, 3, 7, 9, 10, 11, 3], "0-3, 7, 9-12"),
        (range(1000), "0-999"),
    ],
)
def test_seeds_as_text(seeds: list[int], text: str) -> None:
    assert seeds_text(seeds) == text


@pytest.mark.parametrize(
    ("texts", "seeds"),
    [
        ([], set()),
        (["13"], {13}),
        (["3-7"], {3, 4, 5, 6, 7}),
        (["1,4,6-9"], {1, 4, 6, 7, 8, 9}),
        ([" 1, 4 - 5 "], {1, 4, 5}),
        (["5-5", "5", "007"], {5, 7}),
        ([f"{WORD - 1}"], {WORD - 1}),
    ],
)
def test_what_a_person_types(texts: list[str], seeds: set[int]) -> None:
    assert parse_seeds(texts) == seeds


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "1,", "1,,2", "x", "-1", "1-", "-", "1-2-3", "1.5", "1e3", "+1", "1 2", "1_0", "\u0663", "9" * 5000],
)
def test_what_is_no_seed_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_seeds([text])
    assert len(str(caught.value)) < 200


def test_the_part_that_is_wrong_is_named() -> None:
    with pytest.raises(UsageError, match=r"--seed cannot be 'x' of '1,x'"):
        parse_seeds(["1,x"])


def test_a_range_that_runs_backwards_is_turned_around_in_the_remedy() -> None:
    with pytest.raises(UsageError, match=r"--seed 7-3 runs backwards.*--seed 3-7"):
        parse_seeds(["7-3"])


def test_a_seed_beyond_the_last_is_refused() -> None:
    with pytest.raises(UsageError, match=f"Seed '{WORD}' is out of range"):
        parse_seeds([f"{WORD}"])


@pytest.mark.parametrize("texts", [[f"0-{MOST}"], [f"0-{WORD - 1}"], [f"0-{MOST - 1}", f"{MOST}"]])
def test_absurdly_many_seeds_are_refused(texts: list[str]) -> None:
    with pytest.raises(UsageError, match="seeds"):
        parse_seeds(texts)


def test_the_longest_range_is_read() -> None:
    assert len(parse_seeds([f"1-{MOST}"])) == MOST
