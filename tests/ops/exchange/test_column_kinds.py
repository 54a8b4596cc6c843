"""Values of hyperparameters keep their types on the way out and back: the configuration space says what they are."""

import json
from pathlib import Path

import pytest

from exchange_trees import put_tuner
from hpoctl.core.space import Choice, Domain, Fixed, LogUniform, RandInt, Space, Uniform
from hpoctl.ops.exchange.import_results import import_results
from hpoctl.ops.exchange.syne_tune_rows import column_kinds
from hpoctl.ops.reading.load_rows import load_rows
from hpoctl.ops.reading.results_of_tags import LoadRequest
from hpoctl.ops.studies.config import open_root

HEADER = "loss,epoch,st_tuner_time,trial_id,config_x\n"


def test_the_space_says_what_columns_hold() -> None:
    domains: dict[str, Domain] = {
        "words": Choice(("1", "01", "1.0")),
        "flag": Choice((True, False)),
        "whole": RandInt(0, 9),
        "number": Uniform(0.0, 1.0),
        "fixed": Fixed("7"),
        "log": LogUniform(0.1, 1.0),
    }
    kinds = column_kinds(json.dumps(Space(domains).to_json()))
    expected = {"words": "text", "flag": "flag", "whole": "whole", "number": "number", "fixed": "text", "log": "number"}
    assert kinds == {f"config_{name}": kind for name, kind in expected.items()}


def test_the_space_of_syne_tune_says_it_too() -> None:
    space = {
        "words": {"domain_cls": "Categorical", "domain_kwargs": {"categories": ["1", "2"]}},
        "mixed": {"domain_cls": "Categorical", "domain_kwargs": {"categories": ["1", 2]}},
        "numbers": {"domain_cls": "Categorical", "domain_kwargs": {"categories": [1, 0.5]}},
        "whole": {"domain_cls": "Integer", "domain_kwargs": {"lower": 1, "upper": 2}},
        "number": {"domain_cls": "Float", "domain_kwargs": {"lower": 1, "upper": 2}},
        "grid": {"domain_cls": "FiniteRange", "domain_kwargs": {"lower": 1, "upper": 2, "size": 2, "cast_int": True}},
        "epochs": 9,
        "odd": {"domain_cls": ["Float"], "domain_kwargs": 3},
    }
    expected = {"words": "text", "numbers": "number", "whole": "whole", "number": "number", "grid": "whole"}
    assert column_kinds(json.dumps(space)) == {f"config_{name}": kind for name, kind in expected.items()} | {
        "config_epochs": "whole"
    }


@pytest.mark.parametrize("space", [None, 3, "", "[]", "{", "[" * 100_000, '{"x": {"type": "no"}}', '{"x": [1]}'])
def test_a_space_that_says_nothing_names_no_kind(space: object) -> None:
    assert column_kinds(space) == {}


def test_texts_that_look_like_numbers_are_texts_after_an_import(tmp_path: Path) -> None:
    rows = HEADER + "1,1,1.0,0.0,1\n2,1,2.0,1.0,01\n3,1,3.0,2.0,1.0\n"
    space = json.dumps(Space({"x": Choice(("1", "01", "1.0"))}).to_json())
    put_tuner(tmp_path / "tree", rows=rows, config_space=space)
    root = open_root(str(tmp_path / "root"), tmp_path)
    assert import_results(tmp_path / "tree", root).refused == ()
    frame, _ = load_rows(LoadRequest(("old",), str(tmp_path / "root")))
    assert frame["config_x"].tolist() == ["1", "01", "1.0"]
    assert frame["trial_id"].tolist() == [0, 1, 2]  # whole numbers, though the file writes them as floats


def test_a_value_that_is_not_what_the_space_says_is_named(tmp_path: Path) -> None:
    space = json.dumps(Space({"x": RandInt(0, 9)}).to_json())
    put_tuner(tmp_path / "tree", "good", rows=HEADER + "1,1,1.0,0,3\n", config_space=space)
    bad = put_tuner(tmp_path / "tree", "bad", seed=1, rows=HEADER + "1,1,1.0,0,three\n", config_space=space)
    (refused,) = import_results(tmp_path / "tree", open_root(str(tmp_path / "root"), tmp_path)).refused
    assert (refused.path, refused.what) == (str(bad), "results.csv has something in config_x that is no whole number.")
