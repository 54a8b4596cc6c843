"""Learning curves of one experiment: what became of each trial, and the figure of it."""

import re
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpoctl.analysis.trial_curves import Mark, TrialCurves, level_counts, mark_counts, trial_curves
from hpoctl.analysis.trial_curves_figure import TrialCurvesPicture, draw_trial_curves, shown_range

Row = tuple[int, int, float, str]
"""Trial, resource, value, decision."""

PROMOTION: list[Row] = [
    (0, 1, 0.5, "PAUSE"),
    (1, 1, 0.7, "PAUSE"),
    (0, 2, 0.45, "CONTINUE"),
    (0, 3, 0.4, "PAUSE"),
    (2, 1, 0.3, "PAUSE"),
    (2, 2, 0.3, "CONTINUE"),
    (2, 3, 0.2, "PAUSE"),
    (2, 4, 0.1, "STOP"),
    (3, 1, 0.9, "CONTINUE"),
]
"""Of four trials, up to resource 4: one is promoted twice, one once, one never, one runs when the time is over."""


def curves(rows: list[Row], mode: Literal["min", "max"] = "min") -> TrialCurves:
    ids, resources, values, decisions = (np.array(column) for column in zip(*rows, strict=True))
    return trial_curves(ids, resources, values.astype(float), decisions.astype(object), resources >= 4, mode)


def marks(found: TrialCurves) -> list[tuple[int, int, Mark]]:
    rows = zip(found.trial_ids.tolist(), found.resources.tolist(), found.marks.tolist(), strict=True)
    return [(trial, resource, mark) for trial, resource, mark in rows if mark is not Mark.NONE]


def test_what_became_of_trials_that_are_promoted() -> None:
    found = curves(PROMOTION)
    assert found.levels == (1, 3)
    assert marks(found) == [
        (0, 1, Mark.WENT_ON),
        (0, 3, Mark.PAUSED),
        (1, 1, Mark.PAUSED),
        (2, 1, Mark.WENT_ON),
        (2, 3, Mark.WENT_ON),
        (2, 4, Mark.COMPLETED),
        (3, 1, Mark.OPEN),
    ]
    first, second = level_counts(found)
    assert (first.level, first.reached, first.marks[Mark.WENT_ON], first.marks[Mark.PAUSED]) == (1, 4, 2, 1)
    assert (second.level, second.reached, second.best) == (3, 2, 0.2)
    assert mark_counts(found) == {Mark.WENT_ON: 3, Mark.PAUSED: 2, Mark.COMPLETED: 1, Mark.OPEN: 1}


def test_what_became_of_trials_that_are_stopped() -> None:
    rows: list[Row] = [(0, 1, 0.5, "CONTINUE"), (1, 1, 0.9, "STOP"), (0, 2, 0.4, "CONTINUE"), (0, 3, 0.3, "STOP")]
    found = curves(rows)
    assert found.levels == (1, 3)
    assert marks(found) == [(0, 1, Mark.WENT_ON), (0, 3, Mark.STOPPED), (1, 1, Mark.STOPPED)]


def test_a_rule_that_decides_everywhere_has_no_levels() -> None:
    ids, stops = np.arange(13), np.full(13, "STOP", dtype=object)
    found = trial_curves(ids, ids + 1, np.ones(13), stops, np.zeros(13, dtype=bool), "min")
    assert found.levels == ()
    assert mark_counts(found) == {Mark.STOPPED: 13}


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["CONTINUE", "PAUSE", "STOP"])), min_size=1, max_size=40))
def test_each_trial_has_one_end_and_no_row_is_lost(drawn: list[tuple[int, str]]) -> None:
    seen: dict[int, int] = {}
    rows: list[Row] = []
    for trial, decision in drawn:
        seen[trial] = seen.get(trial, 0) + 1
        rows.append((trial, seen[trial], float(seen[trial]), decision))
    found = curves(rows)
    assert sorted(zip(found.trial_ids.tolist(), found.resources.tolist(), strict=True)) == sorted(
        (trial, resource) for trial, resource, _, _ in rows
    )
    slices = list(found.trials())
    assert [len(np.unique(found.trial_ids[rows])) for rows in slices] == [1] * found.count
    assert all(found.marks[rows.stop - 1] not in (Mark.NONE, Mark.WENT_ON) for rows in slices)


def test_the_best_row() -> None:
    assert curves(PROMOTION).best() == 7
    assert curves(PROMOTION, "max").values[curves(PROMOTION, "max").best() or 0] == 0.9
    assert curves([(0, 1, float("nan"), "PAUSE")]).best() is None


def picture(found: TrialCurves) -> TrialCurvesPicture:
    return TrialCurvesPicture("docs-2: ASHA on toy, seed 0", "loss", "epoch", found, ["4 trials."])


@pytest.mark.parametrize(("kind", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_equal_pictures_are_equal_bytes_of_their_format(kind: str, magic: bytes) -> None:
    one, two = (draw_trial_curves(picture(curves(PROMOTION)), kind) for _ in range(2))
    assert one == two
    assert one.startswith(magic)


def text(found: TrialCurves) -> str:
    """All text of the figure; matplotlib writes each as a comment beside its outlines."""
    drawn = draw_trial_curves(picture(found), "svg").decode()
    return " ".join(" ".join(re.findall(r"<!-- (.*?) -->", drawn, re.DOTALL)).split())


def test_the_figure_says_what_happened() -> None:
    said = text(curves(PROMOTION))
    for words in (
        "docs-2: ASHA on toy, seed 0",
        "paused, never resumed (2)",
        "went on (3 times)",
        "completed (1)",
        "without a decision at the end (1)",
        "best: trial 2, 0.1 at 4",
        "4→2",
        "2→1",
        "4 trials.",
        "epoch",
    ):
        assert words in said
    assert "vertical range" not in said


def test_values_far_from_all_others_are_cut_off_and_counted() -> None:
    rows = [*PROMOTION, *((trial, 1, 1e6, "PAUSE") for trial in range(4, 5)), (5, 1, float("nan"), "PAUSE")]
    found = curves(rows)
    assert shown_range(found)[1] < 1e6
    assert "1 of 11 values lie outside the vertical range." in text(found)
    upside_down = shown_range(curves([(trial, level, -value, what) for trial, level, value, what in rows], "max"))
    assert upside_down == tuple(-end for end in reversed(shown_range(found)))


@pytest.mark.parametrize(
    "rows",
    [
        [(0, 1, float("nan"), "CONTINUE")],
        [(0, 1, 0.0, "PAUSE"), (1, 1, 0.0, "PAUSE")],
        [(0, 1, -1.0, "CONTINUE"), (0, 2, -2.0, "CONTINUE")],
        [(trial, 1, float(trial + 1), "PAUSE") for trial in range(2100)],
    ],
)
def test_any_experiment_can_be_drawn(rows: list[Row]) -> None:
    assert draw_trial_curves(picture(curves(rows)), "svg").startswith(b"<?xml")
