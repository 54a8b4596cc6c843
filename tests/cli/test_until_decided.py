"""`hpoctl launch --until-decided` from the command line, and what `hpoctl compare` says of it."""

import json
import math
import re
import shlex
from pathlib import Path

import pytest

from command_line import Answer, CommandLine
from hpoctl.analysis.interim import InterimAnalysis
from hpoctl.analysis.paired import Interval
from hpoctl.cli.decided_report import repeated_interval
from hpoctl.core.cells import Cell
from hpoctl.stores.local import LocalStore
from trees import TAG, put_curve

SOURCE = """
from hpoctl.plugins import Study, hookimpl
from hpoctl.testing import toy_benchmark


@hookimpl
def hpoctl_benchmarks():
    yield toy_benchmark(name="small", budget=100.0)
    yield toy_benchmark(name="small-2", budget=150.0)
    yield toy_benchmark(name="small-100", budget=100.0)


@hookimpl
def hpoctl_studies():
    yield Study("small", "Toys", methods=("RS", "ASHA"), benchmarks=("small", "small-2"), random_seed=5)
"""
OPTIONS = ("--until-decided", "--pairs", "RS:ASHA", "--max-seeds", "8")


@pytest.fixture
def launch(cli: CommandLine) -> "Launch":
    cli.install("small-plugin", SOURCE)
    return Launch(cli)


class Launch:
    def __init__(self, cli: CommandLine) -> None:
        self.cli = cli

    def __call__(self, *words: str) -> Answer:
        environment = {"HPOCTL_PLUGINS": "small-plugin"}
        return self.cli("launch", "--tag", "t", *words, **environment)


def test_stage_after_stage_its_end_and_again(launch: "Launch") -> None:
    answer = launch("--study", "small", *OPTIONS)
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    heads = [line for line in lines if line.startswith("interim analysis at ")]
    assert heads[0] == "interim analysis at 6 seeds: 0 decided, 2 not decided"
    assert [int(head.split()[3]) for head in heads] == [6, 7, 8]
    assert lines[-2].startswith("tag t: ")
    assert "of at most 32 experiments" in lines[-2]
    assert answer.err.splitlines()[0] == (
        "tag t: 2 questions (1 pair on 2 benchmarks), interim analyses at 6, 7, 8 seeds from seed 0 on; "
        "family-wise error rate at most 5 %"
    )
    assert "\x1b" not in answer.out + answer.err
    again = launch("--until-decided")
    assert again.code == 0
    assert [line for line in again.out.splitlines() if line.startswith("interim analysis at ")] == heads
    as_json = launch("--until-decided", "--json")
    data = as_json.json["data"]
    assert as_json.json["status"] == "success"
    assert [stage["seeds"] for stage in data["stages"]] == [int(head.split()[3]) for head in heads]
    assert {answer["question"]["benchmark"] for answer in data["answers"]} == {"small", "small-2"}
    assert (data["next_look"], data["failures"], data["interrupted"]) == (None, [], False)
    other = launch("--until-decided", "--max-seeds", "20")
    assert other.code == 2
    assert "fix: `hpoctl launch --tag t --until-decided` continues" in other.err
    compared = launch.cli("compare", "ASHA", "RS", "--tag", "t", HPOCTL_PLUGINS="small-plugin")
    assert "ASHA and RS are decided by interim analyses at 6, 7, 8 seeds: " in compared.out
    pairs = launch.cli("compare", "ASHA", "RS", "--tag", "t", "--json", HPOCTL_PLUGINS="small-plugin").json["data"]
    assert {pair["p"] for found in pairs["benchmarks"] for pair in found["pairs"]} == {None}
    assert (pairs["interim"]["looks"], pairs["interim"]["level"]) == ([6, 7, 8], 0.05)
    assert "--num-seeds" not in compared.out
    for words in ((), ("--format", "latex")):
        every = launch.cli("compare", "--tag", "t", *words, HPOCTL_PLUGINS="small-plugin")
        said = " ".join(every.out.replace("\\%", "%").replace("\\", "").split())
        assert (
            "decided (signed-rank test in interim analyses at 6, 7, 8 seeds, Lan-DeMets spending, family-wise" in said
        )
        assert "error rate at most 5 %); undecided is not the same as equal." in said
        assert "Holm over" not in said.partition("all benchmarks")[0]
        assert "tests and intervals over all benchmarks do not account for that" in said
        assert "how many more seeds" not in every.err
    launched = launch.cli("report", "--tag", "t", "--output", "t.html", HPOCTL_PLUGINS="small-plugin")
    assert launched.code == 0, launched.err
    page = (launch.cli.root.parent / "t.html").read_text()
    assert "signed-rank test in interim analyses at 6, 7, 8 seeds" in page
    assert "Holm over the 1 pair" not in page


def test_equivalent_methods_end_a_launch(launch: "Launch") -> None:
    closing = ("--equivalent-within", "99%", "--futility")
    answer = launch("--study", "small", *OPTIONS[:3], "--max-seeds", "20", *closing)
    assert answer.code == 0, answer.err
    assert "; equivalent within 99%, at the same error rate; futile questions are closed" in answer.err
    data = launch("--until-decided", "--json").json["data"]
    assert (data["margin"], data["futility"], data["not_decided"]) == ("99%", True, [])
    assert "equivalent" in {found["verdict"] for found in data["answers"]}
    for found in data["answers"]:
        equal = found["verdict"] == "equivalent"
        # Each p value has its level.
        assert (found["look"]["p_equivalent"] <= found["level_equivalent"]) == equal
        assert found["look"]["p"] <= found["level"] or equal
        assert found["estimate"] is not None
    shown = " ".join(launch("--until-decided").out.split())
    assert "A is p decides at p of a difference of 99% decides at" in shown
    other = launch("--until-decided", "--equivalent-within", "1%")
    assert other.code == 2
    assert "another --equivalent-within" in other.err
    compared = " ".join(launch.cli("compare", "RS", "ASHA", "--tag", "t", HPOCTL_PLUGINS="small-plugin").out.split())
    equal = sum(found["verdict"] == "equivalent" for found in data["answers"])
    assert f"{equal} {'is' if equal == 1 else 'are'} equivalent within 99% (signed-rank test in interim" in compared
    assert "they are equivalent after " in compared
    assert ", that of a difference of 99% or more " in compared
    assert "(median-unbiased), repeated interval [" in compared


def test_a_launch_that_ends_futile(launch: "Launch") -> None:
    options = ("--benchmark", "small-100", *OPTIONS, "--futility", "--equivalent-within", "0.1%")
    answer = launch("--study", "small", *options)
    assert answer.code == 0, answer.err
    heads = [line for line in answer.out.splitlines() if line.startswith("interim analysis at ")]
    assert heads == ["interim analysis at 6 seeds: 0 decided, 1 not decided"]
    assert "undecided, futile" in answer.out
    assert "tag t: closed as futile: RS:ASHA on small-100; 12 of at most 16 experiments, " in answer.out
    assert "not decided is not the same as equal" in answer.out
    data = launch("--until-decided", "--json").json["data"]
    (found,) = data["answers"]
    assert (found["verdict"], found["futile"], data["next_look"]) == ("undecided", True, None)
    compared = " ".join(launch.cli("compare", "RS", "ASHA", "--tag", "t", HPOCTL_PLUGINS="small-plugin").out.split())
    first = r"it is undecided after 6 seeds, p = 1\.0000 at a level of 0\.\d+, "
    both = first + r"that of a difference of 0\.1% or more [\d.]+ at a level of 0\.\d+; shift"
    assert re.search(both, compared)
    assert "closed, as a decision had become unlikely" in compared


def test_so_few_seeds_that_nothing_is_bounded_have_no_interval() -> None:
    unbounded = Interval(-math.inf, math.inf)
    assert repeated_interval(InterimAnalysis(6, 0.03, "better", interval=unbounded)) == "-"
    assert (
        repeated_interval(InterimAnalysis(6, 0.03, "better", log=True, interval=Interval(-math.inf, math.inf))) == "-"
    )
    assert repeated_interval(InterimAnalysis(9, 0.03, "better", interval=Interval(-0.5, 0.25))) == "[-0.5, 0.25]"
    assert repeated_interval(InterimAnalysis(9, 0.03, "better", interval=Interval(0.0, math.inf))) == "[0, unknown]"


def test_a_dry_run_shows_the_first_interim_analysis_and_writes_nothing(launch: "Launch") -> None:
    answer = launch("--study", "small", *OPTIONS, "--dry-run")
    assert answer.code == 0, answer.err
    assert "next interim analysis: at 6 seeds" in answer.out
    assert "24 experiments" in answer.out
    data = launch("--study", "small", *OPTIONS, "--dry-run", "--json").json["data"]
    assert (data["next_look"], data["looks"], data["stages"]) == (6, [6, 7, 8], [])
    assert {entry["seed"] for job in data["jobs"] for entry in job["experiments"]} == set(range(6))
    assert not launch.cli.root.exists()


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--pairs", "RS:ASHA"), "--pairs and --max-seeds go with --until-decided only."),
        (("--max-seeds", "9"), "--pairs and --max-seeds go with --until-decided only."),
        (("--equivalent-within", "1%"), "--equivalent-within and --futility go with --until-decided only."),
        (("--futility",), "--equivalent-within and --futility go with --until-decided only."),
        ((*OPTIONS, "--equivalent-within", "1"), "--equivalent-within cannot be '1'."),
        (("--until-decided", "--pairs", "RS", "--max-seeds", "9"), "--pairs cannot be 'RS'."),
        (("--until-decided",), "--until-decided needs pairs and the largest number of seeds."),
    ],
)
def test_what_makes_no_sense(launch: "Launch", words: tuple[str, ...], what: str) -> None:
    answer = launch("--study", "small", *words)
    assert answer.code == 2
    assert what in answer.err


def test_what_fails_is_said_with_the_next_command(cli: CommandLine) -> None:
    answer = cli("launch", "--study", "toys", "--tag", "t", *OPTIONS, "--benchmark", "toy-broken")
    assert answer.code == 1
    assert "tag t: the interim analysis at 6 seeds is not complete, 12 experiments failed" in answer.out
    assert "why: hpoctl logs --tag t --method " in answer.err
    assert answer.err.splitlines()[-1] == "next: hpoctl launch --tag t --until-decided"
    as_json = cli("launch", "--tag", "t", "--until-decided", "--json")
    assert (as_json.code, as_json.json["status"]) == (1, "error")
    assert len(as_json.json["data"]["failures"]) == 12


def test_compare_proposes_the_way_that_holds(cli: CommandLine) -> None:
    store = LocalStore(cli.root)
    for seed, difference in enumerate((0.1, -0.05, 0.2, -0.03, 0.15, -0.1, 0.05, 0.08)):
        put_curve(store, Cell("ASHA", "toy", seed), 3.0 + 0.01 * seed)
        put_curve(store, Cell("RS", "toy", seed), 3.0 + 0.01 * seed + difference)
    answer = cli("compare", "ASHA", "RS", "--tag", TAG)
    assert "keeps 5 %:" in answer.out
    commands = [line.strip(" $") for line in answer.out.splitlines() if line.startswith("  $")]
    assert len(commands) == 2
    words = shlex.split(commands[1])
    assert words[:5] == ["hpoctl", "launch", "--tag", TAG, "--benchmark"]
    assert words[-7:-1] == ["--until-decided", "--pairs", "ASHA:RS", "--start-seed", "8", "--max-seeds"]
    planned = cli(*words[1:], "--study", "toys", "--dry-run", "--json")
    assert planned.code == 0, planned.err
    first = {entry["seed"] for job in planned.json["data"]["jobs"] for entry in job["experiments"]}
    assert min(first) == 8


def test_a_design_that_is_damaged_is_said(cli: CommandLine) -> None:
    store = LocalStore(cli.root)
    for seed in range(8):
        for method in ("ASHA", "RS"):
            put_curve(store, Cell(method, "toy", seed), 3.0 + (method == "RS") + 0.01 * seed)
    file = Path(cli.root) / TAG / ".hpoctl" / "until-decided.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"looks": [6]}))
    answer = cli("compare", "ASHA", "RS", "--tag", TAG)
    assert answer.code == 0, answer.err
    assert "until-decided.json is damaged" in " ".join(answer.out.split())
    launched = cli("launch", "--tag", TAG, "--until-decided")
    assert launched.code == 3


def test_the_ranks_as_a_diagram(cli: CommandLine) -> None:
    store = LocalStore(cli.root)
    for benchmark in ("toy", "toy-2"):
        for place, method in enumerate(("ASHA", "MOBSTER", "RS")):
            put_curve(store, Cell(method, benchmark, 0), 3.0 + place, data={"curves": "modelled"})
    answer = cli("compare", "--tag", TAG, "--critical-difference", "ranks.svg", "--json")
    assert answer.code == 0, answer.err
    drawn = (cli.root.parent / "ranks.svg").read_text()
    for text in ("separates no pair of", "critical difference 2.34", "modelled curves", "MOBSTER  2.00"):
        assert text in drawn
    refused = cli("compare", "--tag", TAG, "--benchmark", "toy", "--critical-difference", "ranks.svg")
    assert refused.code == 2
    assert "There are no ranks" in refused.err


@pytest.mark.parametrize(
    ("name", "what"), [("ranks.gif", "names no format"), ("nowhere/ranks.png", "no folder nowhere")]
)
def test_where_no_diagram_can_go(cli: CommandLine, name: str, what: str) -> None:
    answer = cli("compare", "--tag", TAG, "--critical-difference", name)
    assert answer.code == 2
    assert what in answer.err
