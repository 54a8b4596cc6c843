"""The critical-difference diagram: what is joined, in what order, and as a file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.analysis.critical_difference import RanksPicture, draw_ranks, ordered
from hpoctl.analysis.ranks import mean_ranks, together

NAMES = ["RS", "ASHA", "A-METHOD-WITH-A-NAME-THAT-IS-AS-LONG-AS-A-NAME-CAN-BE-0123456789"]


def picture(blocks: int = 2) -> RanksPicture:
    names, ranks = ordered(NAMES, mean_ranks(np.tile([3.0, 1.0, 2.0], (blocks, 1))))
    return RanksPicture("docs-2: ranks", names, ranks, ["What the picture shows."])


def test_the_best_comes_first() -> None:
    found = picture()
    assert list(found.methods) == ["ASHA", NAMES[2], "RS"]
    assert found.ranks.mean_ranks == (1.0, 2.0, 3.0)


def test_what_cannot_be_told_apart_by_hand() -> None:
    assert together([1.0, 2.0, 3.5, 6.0], 2.0) == [(0, 1), (1, 2)]
    assert together([1.0, 3.0], 2.0) == []  # a difference as large as the critical one is told apart
    assert together([2.0, 2.0, 2.0], 0.1) == [(0, 2)]


@given(st.lists(st.floats(1.0, 10.0), min_size=1, max_size=10), st.floats(0.01, 10.0))
def test_all_pairs_that_are_too_close_are_joined_and_no_others(ranks: list[float], difference: float) -> None:
    ranks.sort()
    runs = together(ranks, difference)
    for first in range(len(ranks)):
        for last in range(first + 1, len(ranks)):
            joined = any(low <= first and last <= high for low, high in runs)
            assert joined == (ranks[last] - ranks[first] < difference)
    assert all(
        not (low <= first and last <= high)
        for low, high in runs
        for first, last in runs
        if (low, high) != (first, last)
    )


@pytest.mark.parametrize(("kind", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
@pytest.mark.parametrize("blocks", [2, 200])
def test_equal_pictures_are_equal_files(kind: str, begins: bytes, blocks: int) -> None:
    drawn = draw_ranks(picture(blocks), kind)
    assert drawn.startswith(begins)
    assert drawn == draw_ranks(picture(blocks), kind)


def test_the_note_and_the_names_are_in_the_picture() -> None:
    drawn = draw_ranks(picture(), "svg").decode()
    for text in ("What the picture shows.", "critical difference 2.34", "ASHA  1.00", NAMES[2]):
        assert text in drawn
