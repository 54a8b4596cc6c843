"""Metadata are typed all the way down: what is wrong in a forged file is named by its path."""

from typing import Any

import pytest

from hpoctl.core.metadata import Metadata, read_metadata
from hpoctl.core.sealed import DamagedError, seal

SAID: dict[str, Any] = {
    "random_seed": 7,
    "metric_names": ["loss", "error"],
    "metric_mode": "min",
    "determinants": {
        "method": {"kind": "RS", "options": {"a": 1}},
        "benchmark": {"resource_attr": "epoch"},
        "budget": {"n_workers": 4, "max_num_evaluations": None},
        "clock": {"checkpointing": False},
        "seeds": {"master_seed": 7, "seed": 0},
    },
    "data": {"table": "ab"},
    "trials": 4,
    "imported": {"tuner": "t", "metadata": "{}"},
    "added_later": {"a": [1]},
}


def test_entries_are_typed_and_kept_as_they_stand() -> None:
    read = read_metadata(seal(SAID))
    assert read.determinants is not None
    assert (read.determinants.budget["n_workers"], read.determinants.clock["checkpointing"]) == (4, False)
    assert (read.metric_names, read.resource, read.made_by) == (("loss", "error"), "epoch", "hpoctl")
    assert read.entries == SAID
    assert read.determined_by == SAID["determinants"]
    assert (Metadata().determined_by, Metadata().resource) == ({}, "")


FORGED: dict[str, dict[str, Any]] = {
    "determinants cannot be 3": {"determinants": 3},
    "determinants.budget.n_workers cannot be 'four'": {"determinants": {"budget": {"n_workers": "four"}}},
    "determinants.clock cannot be []": {"determinants": {"clock": []}},
    "determinants.method.options cannot be 1": {"determinants": {"method": {"options": 1}}},
    "metric_names[1] cannot be 2": {"metric_names": ["loss", 2]},
    "metric_mode cannot be 'best'": {"metric_mode": "best"},
    "random_seed cannot be '7'": {"random_seed": "7"},
    "data.table cannot be ['ab']": {"data": {"table": ["ab"]}},
    "trials cannot be 'many'": {"trials": "many"},
    "imported.metadata cannot be {}": {"imported": {"metadata": {}}},
}


@pytest.mark.parametrize("what", FORGED)
def test_a_forged_entry_is_named_by_its_path(what: str) -> None:
    with pytest.raises(DamagedError) as caught:
        read_metadata(seal({**SAID, **FORGED[what]}))
    assert str(caught.value) == what
