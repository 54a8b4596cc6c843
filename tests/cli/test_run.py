"""`hpoctl run` as a person uses it."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from command_line import CommandLine, hold

Results = Callable[[], list[Path]]


def test_a_run_ends_with_a_table_and_the_next_command(cli: CommandLine, results: Results) -> None:
    answer = cli("run", "--method", "ASHA", "--benchmark", "toy", "--tag", "docs-2", "--random-seed", "5")
    assert answer.code == 0, answer.err
    assert "ASHA toy seed 0" in answer.out
    assert "activation=" in answer.out
    assert f"results: {cli.root}/docs-2" in answer.out
    assert "toy data: curves: made up" in answer.out
    assert "next: hpoctl run --tag docs-2 --random-seed 5 --method ASHA --benchmark toy --start-seed 1" in answer.err
    (path,) = results()
    assert path.parent.parent.name == "ASHA"
    assert "\x1b" not in answer.out + answer.err


def test_the_next_command_works(cli: CommandLine, results: Results) -> None:
    first = cli(
        "run", "-m", "RS", "-b", "toy", "--max-wallclock-time", "300", "--set", "ASHA.type=stopping", "-m", "ASHA"
    )
    assert first.code == 0, first.err
    following = next(line for line in first.err.splitlines() if line.startswith("next: hpoctl "))
    second = cli(*following.removeprefix("next: hpoctl ").split())
    assert second.code == 0, second.err
    assert "RS toy seed 1" in second.out
    assert len(results()) == 4
    metadata = [json.loads((path.parent / "metadata.json").read_text()) for path in results()]
    assert {entry["random_seed"] for entry in metadata} == {metadata[0]["random_seed"]}
    assert {entry["max_wallclock_time"] for entry in metadata} == {300.0}


def test_without_a_benchmark_all_of_the_study_are_run(cli: CommandLine, results: Results) -> None:
    answer = cli("run", "--method", "RS", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["command"] == "run"
    assert answer.json["status"] == "success"
    assert [entry["name"] for entry in answer.json["data"]["experiments"]] == ["RS toy seed 0", "RS toy-max seed 0"]
    assert len(results()) == 2


def test_json_is_all_there_is_on_standard_output(cli: CommandLine) -> None:
    answer = cli("run", "-m", "ASHA", "-b", "toy", "--json", "--verbose", "--tag", "a")
    data = answer.json["data"]
    assert data["tag"] == "a"
    assert data["experiments"][0]["rows"] > 0
    assert data["data"] == {"toy": {"curves": "made up"}}
    assert "start   trial 0" in answer.err


def test_the_same_seed_gives_the_same_bytes_in_another_process_with_other_threads(
    cli: CommandLine, results: Results
) -> None:
    words = ("run", "-m", "ASHA", "-m", "MOBSTER", "-m", "BO", "-b", "toy", "--max-wallclock-time", "900")
    for tag, seed, threads in (("a", "1", "1"), ("b", "1", "2"), ("c", "2", "1")):
        assert cli(*words, "--tag", tag, "--random-seed", seed, OPENBLAS_NUM_THREADS=threads).code == 0
    data = {}
    for path in results():
        method = path.parent.parent.name
        data[path.relative_to(cli.root).parts[0], method] = path.read_bytes()
    methods = {method for _, method in data}
    assert methods == {"ASHA", "MOBSTER-0", "BO-0"}
    for method in methods:
        assert data["a", method] == data["b", method]
        assert data["a", method] != data["c", method]


def test_methods_of_one_seed_share_their_first_configurations(cli: CommandLine, results: Results) -> None:
    assert cli("run", "-m", "RS", "-m", "BO", "-m", "MOBSTER", "-b", "toy", "--tag", "a").code == 0
    firsts = []
    for path in results():
        table = pq.read_table(path).to_pandas().sort_values("trial_id").drop_duplicates("trial_id")
        names = [name for name in table.columns if name.startswith("config_")]
        firsts.append([tuple(row) for row in table[names].head(4).itertuples(index=False)])
    assert firsts[0] == firsts[1] == firsts[2]
    assert firsts[0][0] == ("tanh", 64, 0.5, 27)


def test_verbose_has_a_line_for_each_start_promotion_pause_and_fit(cli: CommandLine) -> None:
    answer = cli("run", "-m", "MOBSTER", "-b", "toy", "--verbose", "--random-seed", "1")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    words = {line.split("] ")[1].split()[0] for line in lines if line.startswith("[")}
    assert words == {"start", "promote", "pause", "stop", "fit"}
    starts = [line for line in lines if "] start" in line]
    assert all("activation=" in line and "units=" in line for line in starts)


def test_set_changes_an_option_and_is_recorded(cli: CommandLine, results: Results) -> None:
    assert cli("run", "-m", "ASHA", "-b", "toy", "--set", "ASHA.grace_period=3", "--json").code == 0
    (path,) = results()
    metadata = json.loads((path.parent / "metadata.json").read_text())
    assert metadata["determinants"]["method"]["options"]["grace_period"] == 3
    paused = pq.read_table(path).to_pandas().query("st_decision == 'PAUSE'")
    assert set(paused.epoch) <= {3, 9}


def test_a_study_sets_options_and_the_command_line_overrides_them(cli: CommandLine, results: Results) -> None:
    for tag, words in (("a", ()), ("b", ("--set", "ASHA.grace_period=9"))):
        assert cli("run", "-m", "ASHA", "-b", "toy", "--study", "toys-3", "--tag", tag, *words, "--json").code == 0
    periods = {}
    for path in results():
        metadata = json.loads((path.parent / "metadata.json").read_text())
        periods[metadata["tag"]] = metadata["determinants"]["method"]["options"]["grace_period"]
    assert periods == {"a": 3, "b": 9}


def test_a_tag_keeps_its_random_seed(cli: CommandLine, results: Results) -> None:
    words = ("run", "-m", "RS", "-b", "toy", "--tag", "a", "--max-wallclock-time", "100", "--json")
    first, second = cli(*words), cli(*words)
    assert first.json["data"]["random_seed"] == second.json["data"]["random_seed"]
    assert len(results()) == 2
    third = cli(*words, "--random-seed", str(first.json["data"]["random_seed"] + 1))
    assert third.code == 0
    assert "cannot be paired" in third.err


def test_bad_metrics_are_counted_and_shown(cli: CommandLine) -> None:
    answer = cli("run", "-m", "RS", "-b", "toy-nan")
    assert answer.code == 0, answer.err
    assert "not finite)" in answer.out


WRONG = [
    (("-m", "MOBSTR", "-b", "toy"), "Unknown method 'MOBSTR'.", "MOBSTER"),
    (("-m", "RS", "-b", "tyo"), "Unknown benchmark 'tyo'.", "toy"),
    (("-m", "RS", "-b", "toy", "--study", "tosy"), "Unknown study 'tosy'.", "toys"),
    (("-m", "BO"), "BO is in no study", "--benchmark"),
    (("-m", "MOBSTER", "-b", "toy-nan"), "MOBSTER is in several studies: nan, toys-3.", "--study"),
    (("-m", "RS", "--tag", "a--b"), "'a--b' is not a tag.", "single dashes"),
    (("-m", "RS", "--tag", "x" * 64), "has 64 characters", "at most 63"),
    (("-m", "RS", "--num-seeds", "3", "--start-seed", "3"), "There is no seed from 3", "exclusive"),
    (("-m", "RS", "-b", "toy", "--start-seed", "4294967296"), "Seed 4294967296 is out of range.", "--num-seeds"),
    (("-m", "RS", "--start-seed", "-1"), "There is no seed from -1", "--num-seeds"),
    (("-m", "RS", "-b", "toy", "--n-workers", "0"), "--n-workers cannot be 0.", "Use a whole number from 1 to 10,000."),
    (("-m", "RS", "-b", "toy", "--max-wallclock-time", "-5"), "--max-wallclock-time cannot be -5.", "> 0"),
    (("-m", "RS", "-b", "toy", "--decision-time", "soon"), "--decision-time cannot be 'soon'.", "measured"),
    (("-m", "ASHA", "-b", "toy", "--set", "ASHA.grace_perod=3"), "Unknown option of ASHA", "grace_period"),
    (("-m", "ASHA", "-b", "toy", "--set", "ASHA.grace_period=x"), "cannot be 'x'", "whole number"),
    (("-m", "ASHA", "-b", "toy", "--set", "BO.num_initial=3"), "which is not run", "--method BO"),
    (("-m", "RS", "-b", "toy", "--backend", "lokal"), "Unknown trial backend 'lokal'.", "Did you mean local"),
    (("-m", "RS", "-b", "toy", "--backend-option", "a=b"), "--backend-option goes with a backend", "--backend NAME"),
    (
        ("-m", "RS", "-b", "toy", "--backend", "simulator", "--backend-option", "a=b"),
        "The backend simulator takes no options.",
        "--poll-interval",
    ),
    (
        ("-m", "RS", "-b", "toy", "--backend", "local", "--backend-option", "a"),
        "'a' is not an option of a trial",
        "as in",
    ),
    (("-m", "RS", "-b", "toy", "--max-cost", "3"), "no price is known", "Add --price-per-hour"),
    (
        ("-m", "RS", "-b", "toy", "--backend", "local"),
        "The backend local runs a script, and toy is a table.",
        "Leave --backend out",
    ),
    (("-m", "ASHA", "-b", "toy", "--set", "nonsense"), "is not a setting", "METHOD.option=value"),
]


@pytest.mark.parametrize(("words", "what", "fix"), WRONG)
def test_wrong_usage_is_one_line_what_and_one_line_what_to_do(
    cli: CommandLine, results: Results, words: tuple[str, ...], what: str, fix: str
) -> None:
    answer = cli("run", *words)
    assert answer.code == 2
    assert answer.out == ""
    first, second = answer.err.strip().splitlines()
    assert first.startswith("error: ")
    assert what in first
    assert second.strip().startswith("fix: ")
    assert fix in second
    assert not cli.root.exists()


def test_an_error_speaks_json_when_asked_to(cli: CommandLine) -> None:
    answer = cli("run", "-m", "MOBSTR", "--json")
    assert answer.code == 2
    assert answer.json["status"] == "error"
    assert answer.json["errors"][0]["what"] == "Unknown method 'MOBSTR'."


def test_a_root_that_cannot_be_written_is_an_error(cli: CommandLine, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    answer = cli("run", "-m", "RS", "-b", "toy", "--results", str(blocked / "below"))
    assert answer.code == 1
    assert answer.err.splitlines()[-2].startswith("error: Cannot write")
    assert "--results" in answer.err


def test_a_table_that_does_not_open_fails_alone(cli: CommandLine, results: Results) -> None:
    answer = cli("run", "-m", "RS", "-b", "toy-broken", "-b", "toy", "--tag", "a")
    assert answer.code == 1
    assert "RS toy seed 0" in answer.out
    assert "error: The table of toy-broken cannot be opened: RuntimeError: the table is gone." in answer.err
    assert "--benchmark toy-broken" in answer.err.splitlines()[-1]
    assert len(results()) == 1


def test_ctrl_c_keeps_what_is_complete_and_names_the_rest(cli: CommandLine, results: Results) -> None:
    hold(cli)
    words = cli.command("run", "-m", "ASHA", "-b", "toy", "-b", "toy-held", "--tag", "a", "--verbose")
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=cli.environment,
        cwd=cli.plugins,
        # A shell that runs the tests in the background has them ignore the signal; a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "== ASHA toy-held" in line:
            break
    while len(list(cli.root.glob("*/*/*/metadata.json"))) < 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted in ASHA toy-held seed 0: 1 of 2 experiments are complete and saved" in err
    assert "--benchmark toy-held" in err
    assert "Traceback" not in err
    assert len(results()) == 1
    states = {json.loads(path.read_text())["status"] for path in cli.root.glob("*/*/*/metadata.json")}
    assert states == {"completed", "interrupted"}


def test_a_reader_who_leaves_does_not_spoil_the_experiment(cli: CommandLine, results: Results) -> None:
    process = subprocess.Popen(
        cli.command("run", "-m", "ASHA", "-b", "toy", "--verbose"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=cli.environment,
        cwd=cli.plugins,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    process.wait(timeout=60)
    assert len(results()) == 1


HOOK = "from hpoctl.builtins import RS\nfrom hpoctl.plugins import hookimpl\n\n@hookimpl\ndef hpoctl_methods():\n"
BROKEN = {
    "import error": "import nothing_of_that_name",
    "exit": "raise SystemExit(3)",
    "syntax error": "def broken(:",
    "wrong types": f"{HOOK}    return [1, 'two']",
    "duplicate name": f"{HOOK}    return [RS]",
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_is_named_and_everything_else_works(cli: CommandLine, source: str) -> None:
    cli.install("third-party", source)
    environment = {"HPOCTL_PLUGINS": "toys-plugin,third-party"}
    assert cli("--help", **environment).code == 0
    listing = cli("plugins", **environment)
    assert "third-party" in listing.out + listing.err
    answer = cli("run", "--method", "RS", "-b", "toy", "--max-wallclock-time", "200", **environment)
    assert answer.code == 0
    assert "warning: plugin third-party" in answer.err


def test_help_imports_nothing_heavy(cli: CommandLine) -> None:
    code = (
        "import sys\nfrom hpoctl.__main__ import main\nsys.argv = ['hpoctl', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'pandas', 'scipy', 'matplotlib', 'boto3', 'pyarrow', 'sagemaker'} & set(sys.modules)\n"
        "print('heavy:', sorted(heavy))"
    )
    command = cli.command()
    done = subprocess.run([*command[:-2], "-c", code], capture_output=True, text=True, check=True, env=cli.environment)
    assert done.stdout.endswith("heavy: []\n")


def test_the_random_seed_of_a_study_file_is_used_unless_the_tag_or_an_option_has_another(cli: CommandLine) -> None:
    (cli.root.parent / "mine.toml").write_text('methods = ["RS"]\nbenchmarks = ["toy"]\nrandom_seed = 2026\n')
    words = ("run", "--study", "mine.toml", "--method", "RS", "--json")
    assert cli(*words, "--tag", "a").json["data"]["random_seed"] == 2026
    assert cli(*words, "--tag", "b", "--random-seed", "7").json["data"]["random_seed"] == 7
    assert cli(*words, "--tag", "b").json["data"]["random_seed"] == 7
