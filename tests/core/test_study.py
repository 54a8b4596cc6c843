"""A study that could not be run is refused when it is made, and its experiments have one order."""

from dataclasses import replace
from typing import Any

import pytest

from hpoctl.core.cells import Cell
from hpoctl.core.errors import UsageError
from hpoctl.core.study import Study

STUDY = Study("s", "", ("RS", "ASHA"), ("toy", "meadow"), num_seeds=3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "a b"}, "'a b' is not a study"),
        ({"launcher": "../x"}, "is not a launcher"),
        ({"tag": "docs--2"}, "'docs--2' is not a tag"),
        ({"methods": "RS"}, "methods of study s is no tuple"),
        ({"benchmarks": ["toy"]}, "benchmarks of study s is no tuple"),
        ({"extra_results": ["x"]}, "extra_results of study s is no tuple"),
        ({"settings": ["ASHA.type=stopping"]}, "settings of study s is no tuple"),
        ({"settings": ("ASHA.type",)}, "'ASHA.type' is not a setting"),
        ({"settings": ("AHSA.type=stopping",)}, "Study s has settings of AHSA, which it does not run"),
        ({"fixed": {"BO": {"x": 1}}}, "Study s has fixed values of BO, which it does not run"),
        ({"methods": ()}, "Study s is empty"),
        ({"benchmarks": ()}, "Study s is empty"),
        ({"num_seeds": 0}, "There is no seed from 0 up to, but not including, 0"),
        ({"start_seed": 3}, "There is no seed from 3 up to, but not including, 3"),
        ({"start_seed": -1}, "There is no seed from -1"),
        ({"num_seeds": 2**32}, "Study s has 17,179,869,184 experiments"),
        ({"num_seeds": 250_001}, "Study s has 1,000,004 experiments"),
        ({"num_seeds": 2**32 + 1}, "Seed 4294967296 is out of range"),
        ({"random_seed": -1}, "The random seed -1 is out of range"),
        ({"random_seed": 2**32}, "The random seed 4294967296 is out of range"),
    ],
    ids=str,
)
def test_what_cannot_be_run_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        replace(STUDY, **change)
    assert message in caught.value.what
    assert caught.value.fix
    assert "\n" not in str(caught.value)


def test_the_edges_of_what_can_be_run() -> None:
    replace(
        STUDY,
        start_seed=2**32 - 1,
        num_seeds=2**32,
        random_seed=2**32 - 1,
    )


def test_experiments_go_method_by_method_and_seed_by_seed() -> None:
    study = replace(STUDY, start_seed=1)
    assert study.cells() == [
        Cell("RS", "toy", 1),
        Cell("RS", "meadow", 1),
        Cell("RS", "toy", 2),
        Cell("RS", "meadow", 2),
        Cell("ASHA", "toy", 1),
        Cell("ASHA", "meadow", 1),
        Cell("ASHA", "toy", 2),
        Cell("ASHA", "meadow", 2),
    ]


def test_a_name_that_is_given_twice_counts_once() -> None:
    study = replace(STUDY, methods=("RS", "ASHA", "RS"), benchmarks=("toy", "toy"))
    assert study.cells() == replace(STUDY, benchmarks=("toy",)).cells()


def test_num_seeds_is_an_exclusive_upper_end() -> None:
    assert list(STUDY.seeds) == [0, 1, 2]
    assert list(replace(STUDY, start_seed=1).seeds) == [1, 2]
