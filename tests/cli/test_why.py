"""`hpoctl why` as a person meets it."""

import re
from pathlib import Path

import pytest

from command_line import CommandLine


@pytest.fixture
def ran(cli: CommandLine) -> CommandLine:
    words = ("--benchmark", "toy", "--tag", "t", "--random-seed", "3", "--max-wallclock-time", "300")
    assert cli("run", "--method", "RS", "--method", "ASHA", *words).code == 0
    return cli


def test_the_verdict_comes_first_and_the_rows_are_checked(ran: CommandLine) -> None:
    answer = ran("why", "--tag", "t", "--method", "ASHA", "--trial", "0", COLUMNS="80")
    assert answer.code == 0, answer
    lines = answer.out.splitlines()
    assert lines[0].startswith("ASHA toy seed 0: trial 0 ")
    assert max(map(len, lines)) <= 80
    assert any(line.split()[2:3] == ["suggested"] for line in lines)
    assert "number 1 of 1 at level 1, no cut-off yet" in answer.out
    assert lines[-1].endswith("rows are equal to the stored ones")
    data = ran("why", "--tag", "t", "--method", "ASHA", "--trial", "0", "--json").json["data"]
    assert (data["trial_id"], data["agrees"], data["metric"], data["resource"]) == (0, True, "loss", "epoch")
    assert data["moments"][1]["rank"]["place"] == 1


def test_what_happened_stands_in_the_order_of_time(ran: CommandLine) -> None:
    promoted = 0
    for trial in range(8):
        answer = ran("why", "--tag", "t", "--method", "ASHA", "--trial", str(trial), COLUMNS="80")
        times = [float(found) for found in re.findall(r"^ *([\d.]+) s (?:\w)", answer.out, re.MULTILINE)]
        assert len(times) > 1
        assert times == sorted(times), answer.out
        promoted += "promoted   to" in answer.out
    assert promoted


def test_an_experiment_is_named_by_its_result_directory_too(ran: CommandLine) -> None:
    (directory,) = (ran.root / "t" / "RS").iterdir()
    name = str(directory.relative_to(ran.root))
    for words in ((str(directory),), (name, "--results", str(ran.root))):
        assert "RS toy seed 0: trial 1 " in ran("why", *words, "--trial", "1").out


def test_what_is_wrong_is_said(ran: CommandLine) -> None:
    for words, code, text in (
        (("--tag", "t", "--trial", "0"), 2, "2 experiments of tag t match"),
        (("--trial", "0"), 2, "No experiment is named"),
        (("--tag", "t", "--method", "RS", "--trial", "999"), 2, "There is no trial 999"),
        (("--tag", "t", "--method", "BO", "--trial", "0"), 3, "No experiment of tag t matches"),
        ((str(Path("no") / "such"), "--trial", "0"), 3, "There is no result directory"),
        (("t/RS/x", "--tag", "t", "--trial", "0"), 2, "say the same twice"),
    ):
        answer = ran("why", *words)
        assert (answer.code, text in answer.err) == (code, True), answer
