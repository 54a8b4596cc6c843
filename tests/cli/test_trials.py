"""`hpoctl trials`: which trials there were, how each stands, and the best configuration."""

import json
import math
import os
import shlex
import tomllib

import pytest

from command_line import CommandLine


@pytest.fixture
def ran(cli: CommandLine) -> CommandLine:
    words = ("--benchmark", "toy", "--tag", "t", "--random-seed", "3", "--max-wallclock-time", "400")
    assert cli("run", "--method", "RS", "--method", "ASHA", *words).code == 0
    return cli


def test_trials_are_listed_sorted_and_filtered(ran: CommandLine) -> None:
    answer = ran("trials", "--tag", "t", "--limit", "0", "--json")
    assert answer.code == 0
    data = answer.json["data"]
    trials = data["trials"]
    assert data["experiments"] == 2
    assert sum(data["counts"].values()) == len(trials)
    assert data["metrics"] == {"toy": ["loss", "min"]}
    best = [trial["best"] for trial in trials]
    assert best == sorted(best)
    first = trials[0]
    assert set(first["config"]) == {"activation", "units", "rate", "epochs"}
    assert (first["tag"], first["cell"]["benchmark"], first["config"]["epochs"]) == ("t", "toy", 27)
    by_resource = ran("trials", "--tag", "t", "--method", "ASHA", "--sort", "resource", "--limit", "0", "--json")
    levels = [trial["resource"] for trial in by_resource.json["data"]["trials"]]
    assert levels == sorted(levels, reverse=True)
    paused = ran("trials", "--tag", "t", "--outcome", "paused", "--least-resource", "3", "--limit", "0", "--json")
    for trial in paused.json["data"]["trials"]:
        assert (trial["outcome"], trial["resource"] >= 3) == ("Paused", True)
    assert paused.json["data"]["counts"] == data["counts"]


def test_the_best_configuration_in_three_forms(ran: CommandLine) -> None:
    listed = ran("trials", "--tag", "t", "--json").json["data"]["trials"][0]
    config = listed["config"]
    words = shlex.split(ran("trials", "--tag", "t", "--best").out)
    assert dict(zip(words[::2], words[1::2], strict=True)) == {
        f"--{name}": str(value) for name, value in config.items()
    }
    assert json.loads(ran("trials", "--tag", "t", "--best", "--format", "json").out) == config
    assert tomllib.loads(ran("trials", "--tag", "t", "--best", "--format", "toml").out) == config


def test_people_see_numbers_and_configurations(ran: CommandLine) -> None:
    answer = ran("trials", "--tag", "t", "--limit", "2", COLUMNS="80")
    lines = answer.out.splitlines()
    assert "trials of 2 experiments:" in lines[0]
    assert lines[1].split() == ["trial", "best", "at", "last", "to", "seconds", "outcome"]
    assert max(map(len, lines)) <= 80
    assert "activation=" in answer.out
    assert "--limit 0 shows all of them" in answer.err


def test_what_trials_cost_is_shown_where_a_price_is_known(cli: CommandLine) -> None:
    (cli.root.parent / "train.py").write_text(
        "import hpoctl, sys\nfor epoch in range(1, 4):\n    hpoctl.report(epoch=epoch, loss=1 / epoch)\n"
    )
    (cli.root.parent / "own.toml").write_text(
        'script = "train.py"\nmetric = "loss"\nresource_attr = "epoch"\nmax_wallclock_time = 600\nn_workers = 1\n'
        'max_resource_attr = "epochs"\n[space]\nlr = { type = "uniform", lower = 0.0, upper = 1.0 }\nepochs = 3\n'
    )
    words = ("run", "--method", "RS", "--benchmark", "own.toml", "--max-num-trials", "2")
    assert cli(*words, "--tag", "dear", "--price-per-hour", "360000").code == 0
    trials = cli("trials", "--tag", "dear", "--sort", "cost", "--json").json["data"]["trials"]
    costs = [trial["cost"] for trial in trials]
    assert costs == sorted(costs, reverse=True)
    assert costs == pytest.approx([100.0 * trial["seconds"] for trial in trials])
    lines = cli("trials", "--tag", "dear", "--sort", "cost", COLUMNS="80").out.splitlines()
    assert lines[1] == f"cost of 2 trials: {sum(costs):,.2f}"
    assert lines[2].split()[-2:] == ["cost", "outcome"]
    assert f"{costs[0]:,.2f}  Completed" in lines[3]
    assert cli(*words, "--tag", "free").code == 0
    free = cli("trials", "--tag", "free", "--json").json["data"]["trials"]
    assert [trial["cost"] for trial in free] == [None, None]


def test_what_is_no_file_leaves_out_its_experiment_only(ran: CommandLine) -> None:
    (directory,) = (ran.root / "t" / "RS").iterdir()
    os.mkfifo(directory / "trials.parquet")
    answer = ran("trials", "--tag", "t", "--json")
    assert answer.code == 0, answer.err
    assert {trial["cell"]["method"] for trial in answer.json["data"]["trials"]} == {"ASHA"}
    alone = ran("trials", "--tag", "t", "--method", "RS")
    assert alone.code == 3
    assert "it is a named pipe, not a file" in " ".join(alone.err.split())


def test_what_is_wrong_is_said(ran: CommandLine) -> None:
    for words, code, text in (
        (("--sort", "worst"), 2, "Use one of best, last, resource, seconds, cost, trial"),
        (("--best", "--format", "yaml"), 2, "Use one of arguments, json, toml"),
        (("--outcome", "pausd"), 2, "Did you mean Paused"),
        (("--method", "BO"), 2, "Tag t has no method 'BO'"),
        (("--least-resource", "99", "--best"), 3, "No trial has a finite value"),
    ):
        answer = ran("trials", "--tag", "t", *words)
        assert (answer.code, text in answer.err) == (code, True), answer


def test_trials_without_a_finite_value_come_last(cli: CommandLine) -> None:
    words = ("--benchmark", "toy-nan", "--tag", "n", "--max-wallclock-time", "100")
    assert cli("run", "--method", "RS", *words).code == 0
    answer = cli("trials", "--tag", "n", "--json")
    assert all(trial["best"] is None or math.isnan(float(trial["best"])) for trial in answer.json["data"]["trials"])
    assert cli("trials", "--tag", "n", "--best").code == 3
