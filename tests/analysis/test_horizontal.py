"""The horizontal axis: where lines are known, and when its scale is logarithmic."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.analysis.horizontal import horizontal, places_up_to


@given(st.integers(1, 10**6), st.sampled_from(["resource", "trials"]))
def test_places_of_what_is_spent_are_whole_numbers_up_to_the_end(end: int, axis: str) -> None:
    places = places_up_to(float(end), "resource" if axis == "resource" else "trials")
    assert places[0] == 1.0
    assert places[-1] == end
    assert np.all(np.diff(places) > 0)
    assert np.all(places == np.round(places))
    assert len(places) <= 200


def test_places_of_time_are_at_equal_distances() -> None:
    places = places_up_to(50.0, "time")
    assert np.allclose(np.diff(places, prepend=0.0), 0.25)
    assert places[-1] == 50.0


@pytest.mark.parametrize(
    ("axis", "ends", "logarithmic"),
    [("trials", [40.0, 800.0], True), ("trials", [400.0, 800.0], False), ("time", [40.0, 800.0], False)],
)
def test_what_is_spent_by_very_different_methods_is_logarithmic(
    axis: str, ends: list[float], logarithmic: bool
) -> None:
    across = horizontal("trials" if axis == "trials" else "time", ends, 4.0, "epoch")
    assert across.logarithmic == logarithmic
    assert (across.start, across.end) == (4.0 if logarithmic else 0.0, 800.0)


@given(st.booleans(), st.lists(st.floats(0.0, 1.0), max_size=20))
def test_shares_of_an_axis_run_from_its_start_to_its_end(wide: bool, shares: list[float]) -> None:
    across = horizontal("resource", [10.0 if wide else 900.0, 1000.0], 2.0, "epoch")
    assert across.label == "epoch spent by all trials together"
    assert across.at(np.array([0.0, 1.0])).tolist() == pytest.approx([2.0 if wide else 0.0, 1000.0])
    assert np.all(np.diff(across.at(np.array(sorted(shares)))) >= 0.0)
