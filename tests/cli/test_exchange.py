"""`hpoctl export` and `hpoctl import` as a person uses them."""

import json
from pathlib import Path

import pandas as pd
import pytest

from command_line import CommandLine
from exchange_trees import GOLDEN, put_tuner


@pytest.fixture
def study(cli: CommandLine) -> CommandLine:
    """Two seeds of RS on two benchmarks, tag own."""
    words = ("--method", "RS", "--benchmark", "toy", "--benchmark", "toy-max", "--max-wallclock-time", "100")
    answer = cli("run", *words, "--tag", "own", "--num-seeds", "2", "--random-seed", "5")
    assert answer.code == 0, answer.err
    return cli


def test_there_and_back(study: CommandLine) -> None:
    place = study.root.parent
    answer = study("export", "--tag", "own", "--output", "trees")
    assert (answer.code, answer.out) == (0, f"wrote 4 experiments of own with {count(place)} rows to trees\n")
    assert answer.err == f"Syne Tune reads it as its own results with SYNETUNE_FOLDER={place / 'trees'}\n"
    again = study("export", "--tag", "own", "--output", "trees", "--json").json
    assert (again["command"], again["status"]) == ("export", "success")
    assert (again["data"]["present"], again["data"]["rows"], again["data"]["form"]) == (4, 0, "syne-tune")
    answer = study("import", "trees", "--tag", "back")
    assert answer.code == 0, answer.err
    titles, line = answer.out.splitlines()
    assert titles.split() == ["tag", "methods", "benchmarks", "imported", "there", "already"]
    assert line.split() == ["back", "RS", "toy,", "toy-max", "4", "0"]
    finals = [numbers(study, tag) for tag in ("own", "back")]
    assert finals[0] == finals[1]
    merged = study("plot", "--tag", "own", "--tag", "back", "--terminal", "--benchmark", "toy")
    assert "RS (own)" in merged.out
    assert "Results of tag back are imported from syne-tune: RS" in merged.out
    assert "Results on toy are partly imported: seeds of one number are not the same randomness" in merged.out
    compared = study("compare", "--tag", "own", "--tag", "back", "--benchmark", "toy")
    assert compared.code == 0, compared.err
    assert "results on toy are partly imported" in compared.out


def count(place: Path) -> int:
    return sum(len(pd.read_parquet(path)) for path in place.glob("results/own/*/*/results.parquet"))


def numbers(cli: CommandLine, tag: str) -> list[object]:
    setups = cli("plot", "--tag", tag, "--json").json["data"]["setups"]
    return [[setup[key] for key in ("method", "benchmark", "mode", "seeds", "finals", "centre")] for setup in setups]


def test_imported_results_are_shown_as_such(cli: CommandLine) -> None:
    answer = cli("import", str(GOLDEN))
    assert answer.code == 3
    assert answer.err.count("refused: ") == 2
    assert f"refused: {GOLDEN / 'plain'}" in answer.err
    assert "Its metadata name no tag. Give one with --tag." in answer.err
    assert answer.out.splitlines()[-1] == "8 of 8 name no budget: it ends at the time of its last row"
    assert "next: hpoctl status --tag old-1" in answer.err
    status = cli("status", "--tag", "old-1")
    assert "8 of 8 done" in status.out
    assert "imported: syne-tune: 8 experiments (4 of ASHA, 4 of RS)" in status.out
    assert cli("status", "--tag", "old-1", "--json").json["data"]["imported"] == {
        "imported: syne-tune": {"ASHA": 4, "RS": 4}
    }
    assert "8 imported" in cli("status", COLUMNS="160").out
    exported = cli("export", "--tag", "old-1", "--format", "csv", "--output", "rows.csv")
    assert (
        "results of tag old-1 are imported from syne-tune: ASHA, RS; the data behind them are not known" in exported.out
    )
    assert set(pd.read_csv(cli.root.parent / "rows.csv")["origin"]) == {"imported: syne-tune"}


def test_what_is_refused_as_json(cli: CommandLine) -> None:
    tree = cli.root.parent / "tree"
    put_tuner(tree, "good")
    bad = put_tuner(tree, "bad", rows=b"PK")
    answer = cli("import", "tree", "--max-wallclock-time", "9", "--json")
    assert (answer.code, answer.json["status"]) == (3, "partial")
    assert answer.json["data"]["tags"] == [
        {"tag": "old", "methods": ["ASHA"], "benchmarks": ["toy"], "imported": 1, "present": 0}
    ]
    (error,) = answer.json["errors"]
    assert error["what"].startswith(f"{bad.relative_to(cli.root.parent)}: results.csv.zip is damaged")
    (refused,) = answer.json["data"]["refused"]
    assert refused["path"] == str(bad.relative_to(cli.root.parent))


def test_a_launch_does_not_take_imported_results_for_its_own(cli: CommandLine) -> None:
    put_tuner(cli.root.parent / "tree", algorithm="RS")
    assert cli("import", "tree").code == 0
    answer = cli("launch", "--study", "toys", "--tag", "old", "--dry-run")
    assert answer.code == 2
    assert "1 complete results that this launch would not make again" in answer.err
    assert "--allow-mixed" in answer.err


def test_errors_of_import(cli: CommandLine) -> None:
    answer = cli("import", "nowhere")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines()[0] == "error: There is no folder nowhere."
    answer = cli("import", "s3://bucket/old/")
    assert answer.code == 2
    assert "`aws s3 sync s3://bucket/old/ FOLDER` copies it" in answer.err
    (cli.root.parent / "empty").mkdir()
    answer = cli("import", "empty")
    assert (answer.code, answer.err.splitlines()[0]) == (3, "error: There are no results of Syne Tune below empty.")
    answer = cli("import", "empty", "--json")
    assert (answer.code, answer.json["status"]) == (3, "error")
    assert cli("import", "empty", "--format", "other").code == 2
    answer = cli("import", "empty", "--tag", "a b")
    assert (answer.code, answer.err.splitlines()[0]) == (2, "error: 'a b' is not a tag.")
    answer = cli("import", "empty", "--max-wallclock-time", "0")
    assert (answer.code, answer.err.splitlines()[0]) == (2, "error: The budget is 0.0 seconds.")
    put_tuner(cli.root.parent / "tree", rows=None)
    answer = cli("import", "tree")
    assert answer.code == 3
    assert "None of 1 results below tree can be imported" in answer.err


def test_errors_of_export(study: CommandLine) -> None:
    assert study("export", "--tag", "own").code == 2  # no output
    assert study("export", "--output", "x").code == 2  # no tag
    assert study("export", "--tag", "own", "--output", "x", "--format", "xls").code == 2
    answer = study("export", "--tag", "own", "--output", "no/such/x")
    assert (answer.code, answer.err.splitlines()[0]) == (2, "error: There is no folder no/such.")
    answer = study("export", "--tag", "owm", "--output", "x")
    assert answer.code == 3
    assert "Did you mean own?" in answer.err
    answer = study("export", "--tag", "own", "--output", "x", "--method", "ASHA")
    assert (answer.code, answer.err.splitlines()[0]) == (2, "error: Tag own has no method 'ASHA'.")
    answer = study("export", "--tag", "own", "--output", "x", "--where", "n_worker=4")
    assert answer.code == 2
    assert "Did you mean n_workers" in answer.err
    for path in study.root.glob("own/RS/own-toy-1-*/results.parquet"):
        path.write_bytes(b"gone")
    answer = study("export", "--tag", "own", "--output", "x", "--seed", "1", "--benchmark", "toy")
    assert answer.code == 3
    assert not (study.root.parent / "x").exists()
    answer = study("export", "--tag", "own", "--output", "x.parquet", "--format", "parquet")
    assert answer.code == 0
    assert "damaged: " in answer.err
    assert "own-toy-1-" in answer.err
    answer = study("export", "--tag", "own", "--output", "x", "--json")
    assert [entry["kind"] for entry in answer.json["data"]["skipped"]] == ["damaged"]
    said = [json.loads(path.read_text()) for path in (study.root.parent / "x").rglob("metadata.json")]
    assert sorted((each["benchmark"], each["seed"]) for each in said) == [("toy", 0), ("toy-max", 0), ("toy-max", 1)]
