"""Streams depend on their key and on nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.core.errors import UsageError
from hpoctl.core.rng import Streams, stream

WORDS = st.integers(0, 2**32 - 1)
KEYS = st.tuples(WORDS, WORDS, st.sampled_from(["a", "b", "table-seeds"]), WORDS)


@given(KEYS, KEYS)
def test_equal_keys_give_equal_numbers_and_other_keys_others(
    one: tuple[int, int, str, int], other: tuple[int, int, str, int]
) -> None:
    first, second = stream(*one).random(4), stream(*other).random(4)
    assert np.array_equal(first, second) == (one == other)


def test_swapping_words_changes_the_stream() -> None:
    drawn = {tuple(stream(*words, "a", 5).random(2)) for words in [(1, 2), (2, 1), (1, 0), (0, 1), (0, 0)]}
    assert len(drawn) == 5


def test_neighbouring_random_seeds_share_no_seed() -> None:
    # The reference adds the two, so that (7, 1) and (8, 0) are the same experiment.
    assert stream(7, 1, "a").random() != stream(8, 0, "a").random()


def test_streams_are_the_function_with_two_arguments_filled_in() -> None:
    assert Streams(3, 4).get("x", 5).random() == stream(3, 4, "x", 5).random()


def test_the_numbers_stay_what_they_are() -> None:
    """A change of these numbers changes every result that was ever recorded."""
    np.testing.assert_array_equal(
        stream(0, 0, "random-configurations").random(2), [0.62707018391259, 0.22319110094544925]
    )


@pytest.mark.parametrize("key", [(-1, 0, 0), (0, 2**32, 0), (0, 0, -1)])
def test_words_out_of_range_are_refused(key: tuple[int, int, int]) -> None:
    with pytest.raises(UsageError, match="out of range"):
        stream(key[0], key[1], "a", key[2])
