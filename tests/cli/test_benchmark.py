"""`hpoctl benchmark new` and `hpoctl benchmark check`, and a benchmark file in the place of a name."""

from pathlib import Path

import pytest

from command_line import CommandLine

TRAIN = """
import argparse
import hpoctl

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=9)
args = parser.parse_args()
for epoch in range(1, args.epochs + 1):
    hpoctl.report(epoch=epoch, loss=args.lr / epoch)
"""


@pytest.fixture
def script(cli: CommandLine) -> Path:
    path = cli.root.parent / "own" / "train.py"
    path.parent.mkdir()
    path.write_text(TRAIN)
    return path


def test_from_a_script_to_a_benchmark_that_is_checked(cli: CommandLine, script: Path) -> None:
    made = cli("benchmark", "new", "own/train.py")
    assert (made.code, made.out) == (0, "wrote own/benchmark.toml; it tunes lr\n")
    assert "hpoctl benchmark check own/benchmark.toml" in made.err
    checked = cli("benchmark", "check", "own/benchmark.toml")
    assert checked.code == 0
    assert checked.out.splitlines()[-1] == "it can be tuned"
    assert "hpoctl run --method RS --benchmark own/benchmark.toml" in checked.err
    shown = cli("benchmarks", "own/benchmark.toml")
    assert shown.code == 0
    assert "checkpoints: no" in shown.out
    again = cli("benchmark", "new", "own/train.py")
    assert again.code == 2
    assert "already" in again.err


def test_what_is_wrong_ends_with_1_and_a_remedy(cli: CommandLine, script: Path) -> None:
    cli("benchmark", "new", "own/train.py")
    script.write_text(TRAIN.replace("loss=", "los="))
    checked = cli("benchmark", "check", "own/benchmark.toml")
    assert checked.code == 1
    assert "its reports have no loss, but epoch, los" in checked.out
    assert "fix: Set metric to what it reports. Did you mean los?" in checked.out
    answer = cli("benchmark", "check", "own/benchmark.toml", "--json")
    assert (answer.code, answer.json["status"]) == (1, "error")
    assert [error["what"] for error in answer.json["errors"]] == ["its reports have no loss, but epoch, los"]
    assert Path(answer.json["data"]["output"]).is_dir()


def test_tables_of_trial_backends_are_checked(cli: CommandLine, script: Path) -> None:
    cli("benchmark", "new", "own/train.py")
    file = script.with_name("benchmark.toml")
    file.write_text(file.read_text() + '[backends.locale]\n[backends.zeppelin]\ngas = "H"\n')
    checked = cli("benchmark", "check", "own/benchmark.toml")
    assert checked.code == 1
    assert (
        "problem  backends.locale: there is no trial backend locale\n           fix: Did you mean local?" in checked.out
    )
    assert "warning  backends.zeppelin: no trial backend zeppelin is installed here" in checked.out
    refused = cli("run", "--method", "RS", "--benchmark", "own/benchmark.toml", "--tag", "mine")
    assert (refused.code, "Did you mean local?" in refused.err) == (2, True)


def test_names_that_are_none(cli: CommandLine) -> None:
    for words, code, text in (
        (("benchmark", "check", "gone.toml"), 2, "There is no benchmark file"),
        (("benchmark", "check", "tyo"), 2, "Did you mean toy"),
        (("benchmark", "check", "toy"), 2, "toy is a table"),
        (("benchmark", "new", "gone.py"), 2, "Cannot read the script"),
        (("benchmarks", "gone.toml"), 2, "There is no benchmark file"),
    ):
        answer = cli(*words)
        assert (answer.code, text in answer.err) == (code, True), answer


def test_a_script_is_tuned_and_its_best_configuration_is_printed(cli: CommandLine, script: Path) -> None:
    cli("benchmark", "new", "own/train.py")
    file = script.with_name("benchmark.toml")
    file.write_text(
        file.read_text().replace("max_wallclock_time = 600", "max_num_evaluations = 30\nmax_wallclock_time = 90")
    )
    ran = cli("run", "--method", "ASHA", "--benchmark", "own/benchmark.toml", "--tag", "mine")
    assert ran.code == 0, ran.err
    assert "--benchmark own/benchmark.toml" in ran.err.splitlines()[-1]
    listed = cli("trials", "--tag", "mine", "--benchmark", "own/benchmark.toml", "--json")
    trials = listed.json["data"]["trials"]
    assert trials
    assert all(trial["starts"] >= 1 for trial in trials)
    best = cli("trials", "--tag", "mine", "--best")
    assert best.out.split() == ["--lr", str(trials[0]["config"]["lr"]), "--epochs", "9"]
