"""Names of experiments: every one has a separate place and claim."""

from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from hpoctl.core.cells import Cell, claim_key, experiment_prefix, job_folder

CELL = Cell("ASHA", "toy", 13)
words = st.sampled_from(["a", "b", "1", "13", "A"])
tags = st.lists(words, min_size=1, max_size=3).map("-".join)
names = st.lists(words, min_size=1, max_size=3).map("-".join) | st.sampled_from(["a.1", "a_b"])
cells = st.builds(Cell, names, names, st.sampled_from([0, 1, 3, 13, 2**32 - 1]))


def test_the_layout_of_the_design() -> None:
    assert str(CELL) == "ASHA toy seed 13"
    assert job_folder("docs-2", "ASHA", 13, expensive=False) == "docs-2/ASHA"
    assert job_folder("docs-2", "MOBSTER", 13, expensive=True) == "docs-2/MOBSTER-13"
    assert experiment_prefix("docs-2", CELL, expensive=False) == "docs-2/ASHA/docs-2-toy-13-"
    assert experiment_prefix("docs-2", CELL, expensive=True) == "docs-2/ASHA-13/docs-2-toy-13-"


@settings(deadline=None)
@given(tags, cells, st.booleans())
def test_everything_of_a_tag_is_in_its_folder(tag: str, cell: Cell, expensive: bool) -> None:
    prefix = experiment_prefix(tag, cell, expensive=expensive)
    assert prefix.startswith(job_folder(tag, cell.method, cell.seed, expensive=expensive) + "/")
    assert prefix.split("/")[0] == tag
    assert prefix.count("/") == 2
    assert prefix.endswith("-")


def test_seeds_whose_digits_begin_alike_do_not_share_a_prefix() -> None:
    one = experiment_prefix("t", replace(CELL, seed=1), expensive=False)
    assert not experiment_prefix("t", replace(CELL, seed=13), expensive=False).startswith(one)


@settings(deadline=None)
@given(tags, cells, tags, cells)
def test_no_two_experiments_share_a_claim(tag: str, cell: Cell, other_tag: str, other: Cell) -> None:
    same = (tag, cell) == (other_tag, other)
    assert (claim_key(tag, cell) == claim_key(other_tag, other)) == same


def test_cells_that_look_alike_do_not_share_a_claim() -> None:
    parts = ("a", "a-1", "1", "a.1", "a-1-1")
    alike = [(tag, Cell(method, bench, seed)) for tag, method, bench, seed in product(parts, parts, parts, (1, 11))]
    assert len({claim_key(tag, cell) for tag, cell in alike}) == len(alike)


def test_cells_sort_by_method_benchmark_and_seed() -> None:
    first, second, third = Cell("a", "b", 9), Cell("a", "b", 10), Cell("b", "a", 0)
    assert sorted([third, second, first]) == [first, second, third]
