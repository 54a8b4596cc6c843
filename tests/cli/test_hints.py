"""Refusals name what is wrong and what to do, and hints repeat what was meant."""

import re
import shlex
from pathlib import Path

import pytest

from command_line import CommandLine
from hpoctl.cli.run_report import _empty_notes
from hpoctl.cli.status_report import hints
from hpoctl.engine.finished import Finished
from hpoctl.ops.studies.config import open_root
from hpoctl.ops.upkeep.status_model import StudyStatus, Totals

RUN = ("run", "--method", "RS", "--benchmark", "toy", "--tag", "made-1", "--random-seed", "1")


def test_a_launch_needs_no_study_if_methods_and_benchmarks_are_named(cli: CommandLine) -> None:
    words = ("launch", "--method", "RS", "--benchmark", "toy", "--tag", "named", "--random-seed", "1")
    done = cli(*words, "--json")
    assert (done.code, done.json["status"]) == (0, "success")
    more = cli("launch", "--tag", "named", "--num-seeds", "2", "--json")
    assert (more.code, more.json["status"]) == (0, "success")
    assert "2/2" in cli("status").out
    refused = cli("launch", "--method", "RS")
    assert refused.code == 2


def test_what_a_run_has_made_is_not_mixed_with_the_default_study(cli: CommandLine) -> None:
    assert cli(*RUN).code == 0
    refused = cli("launch", "--tag", "made-1", "--dry-run")
    assert refused.code == 2
    assert "Tag made-1 has results, but no study was launched under it." in refused.err
    cleaned = cli("clean", "--tag", "made-1", "--yes")
    assert cleaned.code == 0
    assert "undo: hpoctl clean --undo" in cleaned.err
    assert "launch" not in cleaned.err


def test_a_tag_of_nearly_the_same_name_is_offered(cli: CommandLine) -> None:
    assert cli(*RUN).code == 0
    refused = cli("launch", "--tag", "mode-1", "--dry-run")
    assert refused.code == 2
    assert "There is nothing of tag mode-1, and no study is named." in refused.err
    assert "Did you mean made-1?" in refused.err
    assert "nothing of tag" not in cli("launch", "--tag", "made-2", "--dry-run").err  # the next stage


def test_a_condition_that_nothing_fulfils_is_named(cli: CommandLine) -> None:
    assert cli(*RUN).code == 0
    refused = cli("plot", "--tag", "made-1", "--where", "n_workers=7", "--terminal")
    assert refused.code == 3
    assert "No complete experiment of made-1 has n_workers=7." in refused.err
    assert "n_workers is 4 there." in refused.err


def test_tags_and_methods_of_which_nothing_fits_are_told(cli: CommandLine) -> None:
    assert cli(*RUN).code == 0
    other = (*RUN[:6], "made-2", "--random-seed", "1", "--n-workers", "2")
    assert cli(*other).code == 0
    shown = cli("plot", "--tag", "made-1", "--tag", "made-2", "--where", "n_workers=2", "--terminal")
    assert shown.code == 0
    assert "nothing of tag made-1 fits" in shown.out + shown.err


def test_more_seeds_of_a_training_script_are_those_of_its_benchmark_file(cli: CommandLine) -> None:
    folder = cli.root.parent / "own"
    folder.mkdir()
    (folder / "train.py").write_text("import hpoctl, sys\nhpoctl.report(loss=float(sys.argv[2]))\n")
    (folder / "benchmark.toml").write_text(
        'name = "own"\nscript = "train.py"\nmetric = "loss"\nn_workers = 1\nmax_wallclock_time = 7200\n'
        '[space]\nlr = { type = "uniform", lower = 0.0, upper = 1.0 }\n'
    )
    words = ("run", "--method", "RS", "--method", "BO", "--benchmark", "own/benchmark.toml", "--tag", "t")
    assert cli(*words, "--max-num-trials", "1").code == 0
    (hint, *_) = re.findall(r"\$ hpoctl (launch .* --num-seeds \d+)", cli("compare", "RS", "BO", "--tag", "t").out)
    launch = cli(*shlex.split(hint), "--dry-run")
    assert launch.code == 0, launch.err
    assert "6 jobs, 10 experiments" in launch.out, launch.out
    assert "with 1 at a time: 20:00:00" in launch.out  # what their budgets allow
    again = cli(
        "run",
        "--method",
        "RS",
        "--benchmark",
        "own",
        "--tag",
        "t",
        "--start-seed",
        "1",
        "--num-seeds",
        "2",
        "--max-num-trials",
        "1",
    )
    assert again.code == 0, again.err


@pytest.mark.parametrize("budget", ["0.5"])
def test_a_budget_that_ends_before_the_first_report_is_named(cli: CommandLine, budget: str) -> None:
    done = cli(*RUN, "--max-wallclock-time", budget)
    assert done.code == 0
    assert "RS toy seed 0: its budget ended before the first report" in done.out
    assert cli("trials", "--tag", "made-1").code == 0


def test_an_experiment_whose_trials_all_failed_is_not_told_to_get_more_time() -> None:
    told = Finished("RS own seed 0", "", "", 2, 0, 0, None, None, 1.0, 1.0, outcomes={"failed": 2})
    (note,) = _empty_notes([told], "t")
    assert note == "RS own seed 0: no report: 2 of 2 trials failed, `hpoctl trials --tag t` shows why"


def test_the_status_of_trials_that_failed_names_the_command_that_says_why(tmp_path: Path) -> None:
    root, totals = open_root(str(tmp_path)), Totals(done=1, wanted=1)
    status = StudyStatus("t", "", (), (), (), totals, (), (), 0, (), None, 0, 0, (), (), (), {}, outcomes={"failed": 2})
    (line,) = hints(status, root)
    assert line == f"all done; 2 trials failed: {root.command('trials', '--tag', 't')} says why"
