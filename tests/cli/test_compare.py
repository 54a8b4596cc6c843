"""`hpoctl compare` from the command line."""

import json
import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

from command_line import CommandLine
from hpoctl.core.cells import RESULTS, Cell
from hpoctl.stores.local import LocalStore
from toy_studies import SOURCE
from trees import TAG, put_attempt, put_curve

METHODS = ("ASHA", "MOBSTER", "RS")
BENCHMARKS = ("toy", "toy-2")
SHIFTS = {"RS": 0.5, "ASHA": 0.05, "MOBSTER": 0.0}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study: RS is worse than the two others, which are equal."""
    root = tmp_path_factory.mktemp("made") / "results"
    store = LocalStore(root)
    for benchmark in BENCHMARKS:
        for seed in range(8):
            shared, *own = np.random.default_rng([seed, len(benchmark)]).normal(size=4)
            for method, noise in zip(METHODS, own, strict=True):
                value = 3.0 + SHIFTS[method] + 0.2 * shared + 0.1 * noise
                put_curve(store, Cell(method, benchmark, seed), value)
    return root


@pytest.fixture
def store(cli: CommandLine, tree: Path) -> LocalStore:
    shutil.copytree(tree, cli.root)
    return LocalStore(cli.root)


def test_the_verdict_comes_first(cli: CommandLine, store: LocalStore) -> None:
    answer = cli("compare", "--tag", TAG, COLUMNS="80")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[0] == "docs-2: 3 methods, 2 benchmarks, at 100 % of the budget"
    assert len(lines) <= 25
    said = " ".join(answer.out.split())
    best = r"Over 2 benchmarks ASHA and MOBSTER have the best mean rank, 1\.50; rank by seed of \w+ 1\.\d\d \[1\.\d\d, "
    assert re.search(best, said)
    assert "better than 1 of 2 other methods" in said
    assert "undecided against" in said
    assert "Of 6 pairs of methods on a benchmark 4 are decided (signed-rank test at 5 %, Holm over the 3 pairs" in said
    assert answer.err == (
        "all tables: hpoctl compare --tag docs-2 --full\n"
        "2 pairs undecided; how many more seeds one of them needs: hpoctl compare ASHA MOBSTER --tag docs-2\n"
    )


def test_all_tables(cli: CommandLine, store: LocalStore) -> None:
    answer = cli("compare", "--tag", TAG, "--full")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert [line for line in lines if line in {*BENCHMARKS, "all benchmarks"}] == [*BENCHMARKS, "all benchmarks"]
    words = [line.split() for line in lines if line.startswith(METHODS)]
    verdicts = [some[:3] for some in words if len(some) > 2 and some[2][0].isalpha()]
    assert verdicts.count(["ASHA", "RS", "better"]) == 3  # on each benchmark, and over both of them
    assert verdicts.count(["ASHA", "MOBSTER", "undecided"]) == 3
    assert (
        "critical difference 2.34 ranks of at most 2 (Nemenyi at 5 %); it separates no pair of methods." in answer.out
    )
    assert "\x1b" not in answer.out


def test_one_seed_says_what_is_needed(cli: CommandLine) -> None:
    store = LocalStore(cli.root)
    for place, method in enumerate("ABCDEFGH"):
        for benchmark in BENCHMARKS:
            put_curve(store, Cell(method, benchmark, 0), 1.0 + place)
    answer = cli("compare", "--tag", TAG, COLUMNS="80")
    assert answer.code == 0, answer.err
    assert "1 seed cannot decide: to decide any of 28 pairs" in answer.out
    assert "takes 11 seeds" in " ".join(answer.out.split())
    assert len(answer.out.splitlines()) <= 25
    assert "unknown" not in answer.out


def test_seeds_that_only_some_have_are_said_with_the_verdict(cli: CommandLine) -> None:
    store = LocalStore(cli.root)
    for method, seeds in {"A": range(20), "B": range(7, 20), "C": range(20, 30)}.items():
        for seed in seeds:
            put_curve(store, Cell(method, "toy", seed), 1.0 + 0.01 * seed)
    said = cli("compare", "A", "B", "--tag", TAG).out
    assert "B has results of 13 of 20 seeds on toy: pairs leave the others out." in said
    assert "A has results" not in said
    assert "A and C have no seed in common on toy" in cli("compare", "A", "C", "--tag", TAG).out


def test_one_family_over_all_benchmarks(cli: CommandLine, store: LocalStore) -> None:
    alone = cli("compare", "--tag", TAG, "--json").json["data"]
    together = cli("compare", "--tag", TAG, "--family", "all", "--json").json["data"]
    assert (alone["family"], together["family"]) == ("benchmark", "all")
    one, other = (data["benchmarks"][0]["pairs"][1]["p_holm"] for data in (alone, together))
    assert one < other
    assert "Holm over all 6 pairs of all benchmarks" in " ".join(
        cli("compare", "--tag", TAG, "--family", "all").out.split()
    )


def test_equivalence_within_a_margin(cli: CommandLine, store: LocalStore) -> None:
    answer = cli("compare", "ASHA", "MOBSTER", "--tag", TAG, "--equivalent-within", "10%")
    assert answer.code == 0, answer.err
    assert answer.out.count("ASHA is equivalent") == 2
    said = " ".join(answer.out.split())
    assert "2 are equivalent within 10% (signed-rank test at 5 %" in said
    assert said.count(", that of a difference of 10% or more 0.0") == 2
    assert "$ hpoctl" not in answer.out
    narrow = " ".join(cli("compare", "ASHA", "MOBSTER", "--tag", TAG, "--equivalent-within", "0.01%").out.split())
    assert "ASHA is undecided: " in narrow
    assert ", that of a difference of 0.01% or more " in narrow


def test_targets_that_are_given(cli: CommandLine, store: LocalStore) -> None:
    data = cli("compare", "--tag", TAG, "--target", "3.2", "--target", "3.6", "--json").json["data"]
    assert {tuple(found["targets"]) for found in data["benchmarks"]} == {(3.2, 3.6)}
    assert "to 3.2 (s)" in cli("compare", "--tag", TAG, "--target", "3.2", "--full", COLUMNS="200").out


@pytest.mark.parametrize("columns", [80, 120])
def test_it_fits_the_terminal(cli: CommandLine, store: LocalStore, columns: int) -> None:
    answer = cli("compare", "MOBSTER", "ASHA", "--tag", TAG, "--full", COLUMNS=str(columns))
    assert answer.code == 0
    assert [line for line in answer.out.splitlines() if len(line) > columns and "$ hpoctl" not in line] == []


def test_two_methods_are_told_how_many_more_seeds(cli: CommandLine, store: LocalStore) -> None:
    put_curve(store, Cell("ASHA", "toy", 30), 3.0)
    answer = cli("compare", "ASHA", "MOBSTER", "--tag", TAG, "-b", "toy")
    assert answer.code == 0
    assert "8 pairs of seeds can detect a difference of" in answer.out
    said = " ".join(answer.out.split())
    assert re.search(
        r"Not decided\. \d+ more seeds decide with a probability of 50 %, \d+ with 80 % \(predictive", said
    )
    command, in_looks = [line.strip(" $") for line in answer.out.splitlines() if line.startswith("  $ ")]
    assert "--until-decided" in in_looks
    words = shlex.split(command)
    data = cli("compare", "ASHA", "MOBSTER", "--tag", TAG, "-b", "toy", "--json").json["data"]
    more = data["benchmarks"][0]["pairs"][0]["more"]["more"]
    expected = ["launch", "--tag", TAG, "--method", "ASHA", "--method", "MOBSTER", "--benchmark", "toy"]
    assert words[1:] == [*expected, "--start-seed", "31", "--num-seeds", str(31 + more)]
    assert data["launches"] == {"toy": [command]}
    full = cli("compare", "ASHA", "MOBSTER", "--tag", TAG, "-b", "toy", "--full")
    assert "ASHA and MOBSTER: seed 30 only one of them has, left out." in full.out


def test_few_seeds_are_told_to_be_six(cli: CommandLine) -> None:
    for seed in range(2):
        for method in ("A", "B"):
            put_curve(LocalStore(cli.root), Cell(method, "toy", seed), 1.0 + seed)
    answer = cli("compare", "--tag", TAG)
    assert "2 seeds cannot decide: to decide a pair of methods at 5 % takes 6 seeds." in answer.out
    assert "2 pairs of seeds cannot decide" in answer.out
    command = "hpoctl launch --tag docs-2 --method A --method B --benchmark toy --start-seed 2 --num-seeds 6"
    assert f"  $ {command}\n" in answer.out
    chosen = cli("compare", "--tag", TAG, "--seed", "0")
    assert "$ hpoctl" not in chosen.out


def test_more_seeds_of_results_of_run_have_its_options(cli: CommandLine) -> None:
    cli.install("toys", SOURCE)
    options = ["--n-workers", "2", "--max-num-evaluations", "40"]
    for method, own in (("RS", []), ("ASHA", ["--set", "ASHA.brackets=2"])):
        words = ["-m", method, "-b", "toy", "--tag", "t", "--random-seed", "3", "--num-seeds", "2"]
        assert cli("run", *words, *options, *own).code == 0
    (launches,) = json.loads(cli("compare", "RS", "ASHA", "--tag", "t", "--json").out)["data"]["launches"].values()
    assert len(launches) == 2
    for command in launches:
        answer = cli(*shlex.split(command)[1:], "-j", "1")
        assert answer.code == 0, answer.err
    found = json.loads(cli("compare", "RS", "ASHA", "--tag", "t", "--json").out)["data"]
    assert found["skipped"] == []
    (benchmark,) = found["benchmarks"]
    assert benchmark["pairs"][0]["paired"]["n"] == 6, benchmark


def test_more_seeds_of_imported_results_are_not_launched(cli: CommandLine) -> None:
    for seed in range(2):
        put_curve(LocalStore(cli.root), Cell("A", "toy", seed), 1.0 + seed, origin="imported: syne-tune")
        put_curve(LocalStore(cli.root), Cell("B", "toy", seed), 2.0 - seed, origin="imported: syne-tune")
        for method in ("A", "B"):
            put_curve(LocalStore(cli.root), Cell(method, "toy-2", seed), 1.0 + seed)
    answer = cli("compare", "A", "B", "--tag", TAG, COLUMNS="300")
    assert answer.code == 0, answer.err
    said = (
        "Imported in tag docs-2: A, B. hpoctl cannot launch more of these: run 4 more seeds where the others were made"
    )
    assert said in answer.out
    data = cli("compare", "A", "B", "--tag", TAG, "--json").json["data"]
    assert data["imported"] == {"toy": {"methods": ["A", "B"], "tags": [TAG], "more": 4}}
    assert set(data["launches"]) == {"toy-2"}
    assert data["until_decided"] is not None
    assert "toy-2" in shlex.split(data["until_decided"])
    assert "toy" not in shlex.split(data["until_decided"])


def test_what_is_decided_needs_no_more(cli: CommandLine, store: LocalStore) -> None:
    answer = cli("compare", "MOBSTER", "RS", "--tag", TAG)
    assert answer.out.count("MOBSTER is better: difference ") == 2
    assert "$ hpoctl" not in answer.out


def test_json(cli: CommandLine, store: LocalStore) -> None:
    answer = cli("compare", "--tag", TAG, "--at", "0.25", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.json["command"] == "compare"
    data = answer.json["data"]
    assert (data["at"], data["level"], data["methods"]) == (0.25, 0.05, list(METHODS))
    assert [found["time"] for found in data["benchmarks"]] == [450.0, 450.0]
    pair = data["benchmarks"][0]["pairs"][1]
    assert (pair["first"], pair["second"], pair["verdict"]) == ("ASHA", "RS", "better")
    assert pair["paired"]["n"] == 8
    assert data["overall"]["ranks"]["separated"] == 0
    assert data["launches"] == {}


def test_results_that_are_left_out_are_named(cli: CommandLine, store: LocalStore) -> None:
    directory = put_curve(store, Cell("ASHA", "toy", 7), 3.0, results_sha256="0")
    damaged = put_curve(store, Cell("ASHA", "toy", 9), 3.0)
    store.put(f"{damaged}/{RESULTS}", b"short")
    put_attempt(store, Cell("MOBSTER", "toy", 9), "failed")
    answer = cli("compare", "--tag", TAG, "--full")
    assert answer.code == 0, answer.err
    assert "left out, and notes" in answer.out
    assert "No verdict on toy: MOBSTER failed on 1 of" not in answer.out  # the other method has no result, either
    assert damaged in answer.out
    assert directory in answer.out
    assert "failed: MOBSTER on toy, tag docs-2, seed 9" in answer.out


@pytest.mark.parametrize(
    ("form", "begins"), [("markdown", "## docs-2: 3 methods"), ("latex", "\\paragraph{docs-2: 3 methods")]
)
def test_formats_are_shown(cli: CommandLine, store: LocalStore, form: str, begins: str) -> None:
    assert cli("compare", "--tag", TAG, "--format", form).out.startswith(begins)


def test_what_is_shown_can_go_to_a_file(cli: CommandLine, store: LocalStore) -> None:
    shown = cli("compare", "--tag", TAG, "--full")
    written = cli("compare", "--tag", TAG, "--output", "table")
    assert (written.code, written.out) == (0, "")
    assert (cli.root.parent / "table").read_text() == shown.out


def test_two_tags_are_taken_together(cli: CommandLine, store: LocalStore) -> None:
    for seed in range(8):
        put_curve(store, Cell("NEW", "toy", seed), 1.0 + 0.01 * seed, tag="newer")
    answer = cli("compare", "NEW", "RS", "--tag", TAG, "--tag", "newer", "--json")
    assert answer.code == 0, answer.err
    (found,) = [found for found in answer.json["data"]["benchmarks"] if found["benchmark"] == "toy"]
    assert [(pair["first"], pair["verdict"]) for pair in found["pairs"]] == [("NEW", "better")]


def test_one_method_of_two_tags(cli: CommandLine, store: LocalStore) -> None:
    for seed in range(8):
        put_curve(store, Cell("RS", "toy", seed), 1.0 + 0.01 * seed, tag="newer")
    answer = cli("compare", "RS (newer)", "RS (docs-2)", "--tag", TAG, "--tag", "newer", "-b", "toy", "--json")
    assert answer.code == 0, answer.err
    (pair,) = answer.json["data"]["benchmarks"][0]["pairs"]
    assert (pair["first"], pair["second"], pair["verdict"]) == ("RS (newer)", "RS (docs-2)", "better")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ((), "No tag is named."),
        (("RS", "--tag", TAG), "RS alone cannot be compared."),
        (("--tag", TAG, "--at", "nan"), "--at is nan."),
        (("--tag", TAG, "--at", "1.5"), "--at is 1.5."),
        (("--tag", TAG, "--family", "none"), "--family cannot be 'none'."),
        (("--tag", TAG, "--equivalent-within", "1"), "--equivalent-within cannot be '1'."),
        (("--tag", TAG, "--format", "word"), "--format cannot be 'word'."),
        (("--tag", TAG, "--format", "latex", "--json"), "--json does not go together"),
        (("--tag", TAG, "--output", "nowhere/table"), "There is no folder nowhere."),
    ],
)
def test_what_makes_no_sense(cli: CommandLine, words: tuple[str, ...], what: str) -> None:
    answer = cli("compare", *words)
    assert answer.code == 2
    assert what in (answer.out if "--json" in words else answer.err)


def test_what_there_is_not(cli: CommandLine, store: LocalStore) -> None:
    unknown = cli("compare", "RS", "ASHE", "--tag", TAG)
    assert unknown.code == 2
    assert "ASHE" in unknown.err
    nothing = cli("compare", "--tag", "docs-3")
    assert nothing.code == 3
    assert "There is nothing of tag docs-3" in nothing.err


def test_one_method_is_not_enough(cli: CommandLine) -> None:
    put_curve(LocalStore(cli.root), Cell("RS", "toy", 0), 1.0)
    answer = cli("compare", "--tag", TAG)
    assert answer.code == 2
    assert "There are results of RS only." in answer.err
