"""`hpoctl plot` as a person uses it: real experiments on toys, pictures, numbers, errors."""

import json
import shutil
from pathlib import Path

import pytest

from command_line import CommandLine


@pytest.fixture
def study(cli: CommandLine) -> CommandLine:
    """Three seeds of RS and ASHA on two benchmarks, tag t."""
    words = ("--method", "RS", "--method", "ASHA", "--benchmark", "toy", "--benchmark", "toy-max")
    answer = cli("run", *words, "--tag", "t", "--num-seeds", "3", "--random-seed", "5", "--max-wallclock-time", "200")
    assert answer.code == 0, answer.err
    return cli


def test_a_figure_is_the_same_twice_and_from_the_cache(study: CommandLine) -> None:
    path = study.root.parent / "x.svg"
    answer = study("plot", "--tag", "t", "--output", str(path))
    assert answer.code == 0, answer.err
    assert f"wrote {path}" in answer.out
    first = path.read_bytes()
    assert first.startswith(b"<?xml")
    assert study("plot", "--tag", "t", "--output", str(path)).code == 0  # from the cache
    assert path.read_bytes() == first
    shutil.rmtree(study.root.parent / "cache")
    assert study("plot", "--tag", "t", "--output", str(path)).code == 0
    assert path.read_bytes() == first


def test_the_numbers_behind_the_figure(study: CommandLine) -> None:
    answer = study("plot", "--tag", "t", "--json", "--aggregate", "mean")
    data = answer.json["data"]
    assert {(each["method"], each["benchmark"], each["mode"]) for each in data["setups"]} == {
        ("RS", "toy", "min"),
        ("RS", "toy-max", "max"),
        ("ASHA", "toy", "min"),
        ("ASHA", "toy-max", "max"),
    }
    for each in data["setups"]:
        assert each["seeds"] == [0, 1, 2]
        assert each["times"][-1] == 200.0
        assert each["centre"][-1] == pytest.approx(sum(each["finals"]) / 3)
        assert each["low"][-1] <= each["centre"][-1] <= each["high"][-1]
    assert data["skipped"] == data["notes"] == []
    assert data["aggregate"] == "mean over seeds"


def test_what_is_missing_is_said(study: CommandLine) -> None:
    for path in study.root.glob("t/ASHA/t-toy-1-*/metadata.json"):
        path.write_text(path.read_text()[:-20])
    answer = study("plot", "--tag", "t", "--terminal", "--benchmark", "toy")
    assert answer.code == 0
    assert "metadata.json is damaged" in answer.err
    assert "left out" in answer.err
    for path in study.root.glob("t/RS/t-toy-2-*/results.parquet"):
        path.unlink()
    answer = study("plot", "--tag", "t", "--terminal", "--benchmark", "toy")
    assert "RS on toy: 2 of 3 seeds, without 2." in answer.out
    assert "2 of 3" in answer.out
    skipped = study("plot", "--tag", "t", "--json", "--benchmark", "toy").json["data"]["skipped"]
    assert {entry["kind"] for entry in skipped} == {"damaged"}
    assert all(Path(entry["path"]).is_dir() for entry in skipped)


def test_a_chart_in_the_terminal(study: CommandLine) -> None:
    answer = study("plot", "--tag", "t", "--terminal", COLUMNS="80")
    assert answer.code == 0, answer.err
    assert "● ASHA  ▲ RS" in answer.out
    assert answer.out.count("toy-max") >= 2
    assert all(len(line) <= 80 for line in answer.out.splitlines() if "●" in line)
    assert "\x1b" not in answer.out


def test_groups_and_filters(study: CommandLine) -> None:
    groups = ("--group", "random=RS", "--group", "halving=ASHA")
    path = study.root.parent / "x.svg"
    answer = study("plot", "--tag", "t", *groups, "--output", str(path), "--json", "--where", "n_workers>=1")
    assert answer.json["data"]["panels"] == [
        {"title": "random", "methods": ["RS"]},
        {"title": "halving", "methods": ["ASHA"]},
    ]
    assert "toy-max: halving" in path.read_text()
    alone = study("plot", "--tag", "t", "--group", "halving=ASHA", "--json").json["data"]["setups"]
    assert {each["method"] for each in alone} == {"ASHA"}
    only = study("plot", "--tag", "t", "--method", "RS", "--seed", "0-1", "--json", "--no-groups").json["data"]
    assert [(each["method"], each["seeds"]) for each in only["setups"]] == [("RS", [0, 1])] * 2


def test_two_tags_are_put_together(study: CommandLine) -> None:
    answer = study(
        "run", "--method", "RS", "--benchmark", "toy", "--tag", "u", "--num-seeds", "2", "--random-seed", "6"
    )
    assert answer.code == 0
    data = study("plot", "--tag", "t", "--tag", "u", "--benchmark", "toy", "--json").json["data"]
    assert [each["method"] for each in data["setups"]] == ["ASHA", "RS (t)", "RS (u)"]
    assert any("different master seeds" in note for note in data["notes"])
    grouped = study("plot", "--tag", "t", "--tag", "u", "--benchmark", "toy", "--json", "--group", "all RS=RS")
    assert grouped.json["data"]["panels"] == [{"title": "all RS", "methods": ["RS (t)", "RS (u)"]}]


def test_the_panels_of_a_study_file(cli: CommandLine) -> None:
    file = cli.root.parent / "study.toml"
    file.write_text(
        'methods = ["RS", "ASHA"]\nbenchmarks = ["toy"]\nmax_wallclock_time = 100\n[panels]\n'
        '"without rungs" = ["RS"]\nrungs = ["ASHA"]\n'
    )
    assert cli("launch", "--study", str(file), "--tag", "p").code == 0
    panels = cli("plot", "--tag", "p", "--json").json["data"]["panels"]
    assert [panel["title"] for panel in panels] == ["without rungs", "rungs"]
    assert cli("plot", "--tag", "p", "--json", "--no-groups").json["data"]["panels"][0]["methods"] == ["RS", "ASHA"]


def test_other_figures(study: CommandLine) -> None:
    made = set()
    for words in (("--kind", "strip", "--aggregate", "median"), ("--simultaneous", "--bootstrap-seed", "3")):
        path = study.root.parent / "y.png"
        assert study("plot", "--tag", "t", "--output", str(path), *words).code == 0
        made.add(path.read_bytes())
    assert len(made) == 2


def test_metrics_that_are_never_finite_are_nothing_to_draw(cli: CommandLine) -> None:
    cli("run", "--method", "RS", "--benchmark", "toy-nan", "--tag", "n", "--max-wallclock-time", "50")
    answer = cli("plot", "--tag", "n", "--terminal")
    assert answer.code == 3
    assert "No experiment reported a finite value." in answer.err


WRONG = [
    ((), 2, "No --output says where the figure goes."),
    (("--output", "x.jpg"), 2, "x.jpg names no format of pictures."),
    (("--output", "no/x.png"), 2, "There is no folder no."),
    (("--terminal", "--json"), 2, "--terminal draws lines against time only."),
    (("--terminal", "--group", "a"), 2, "--group cannot be 'a'"),
    (("--terminal", "--group", "a=RS", "--group", "a=ASHA"), 2, "--group 'a' is given twice."),
    (("--terminal", "--group", "a=AHSA"), 2, "Unknown method 'AHSA'."),
    (("--terminal", "--group", "a=RS", "--no-groups"), 2, "do not go together"),
    (("--terminal", "--simultaneous", "--aggregate", "median"), 2, "The quartiles around a median are no interval"),
    (("--terminal", "--method", "AHSA"), 2, "There is no method 'AHSA' in t."),
    (("--terminal", "--where", "n_workers=99"), 3, "No complete experiment of tag t fits"),
]


def test_errors(cli: CommandLine) -> None:
    cli("run", "--method", "RS", "--benchmark", "toy", "--tag", "t", "--max-wallclock-time", "30")
    for words, code, what in WRONG:
        answer = cli("plot", "--tag", "t", *words)
        shown = json.loads(answer.out)["errors"][0]["what"] if "--json" in words else answer.err
        assert (answer.code, what in shown) == (code, True), (words, shown)


def test_a_tag_that_is_not_there(cli: CommandLine) -> None:
    answer = cli("plot", "--tag", "none", "--terminal")
    assert answer.code == 3
    assert "There is nothing of tag none" in answer.err


def test_results_of_two_metrics_are_not_drawn_into_one_panel(study: CommandLine) -> None:
    from hpoctl.core.cells import METADATA
    from hpoctl.core.sealed import seal, unseal

    for path in study.root.glob(f"t/ASHA/t-toy-[012]-*/{METADATA}"):
        metadata = unseal(path.read_bytes())
        path.write_bytes(seal({**metadata, "metric_mode": "max"}))
    answer = study("plot", "--tag", "t", "--terminal")
    assert answer.code == 2
    assert "Results on toy are of different metrics" in answer.err
