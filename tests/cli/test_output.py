"""Standard output and error, and a reader that has gone away."""

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from command_line import CommandLine

HEAD = """
from dataclasses import replace

from hpoctl.plugins import hookimpl
from hpoctl.testing import toy_benchmark

"""
UMLAUTS = (
    HEAD
    + """
@hookimpl
def hpoctl_benchmarks():
    toy = toy_benchmark()
    yield replace(toy, name="toy-uml", summary="Größe → Verlust", metrics=("verlust_ä→",), metric="verlust_ä→")
"""
)
UMLAUT_RUN = ("--method", "ASHA", "--benchmark", "toy-uml", "--tag", "uml", "--random-seed", "1")
WRONG = (
    HEAD
    + """
class Provenance(dict):
    def items(self):
        raise RuntimeError("the space is \x1b[2J broken")


@hookimpl
def hpoctl_benchmarks():
    yield replace(toy_benchmark(), name="toy-wrong", provenance=Provenance(a="b"))
"""
)
ESCAPES = (
    HEAD
    + """
def _broken():
    raise RuntimeError("a bell \a, \x1b[2J, \u202e and \x9b")


@hookimpl
def hpoctl_benchmarks():
    summary = "clears \x1b[2J the \u202e screen \a"
    yield replace(toy_benchmark(), name="toy-escapes", summary=summary, blackbox=_broken)
"""
)


def with_plugin(cli: CommandLine, name: str, source: str) -> CommandLine:
    cli.install(name, source)
    names = f"{cli.environment['HPOCTL_PLUGINS']},{name}"
    return replace(cli, environment=cli.environment | {"HPOCTL_PLUGINS": names})


LEAVES_A_THREAD = (
    HEAD
    + """
import os, threading, time
os.write(1, b"raw output at import")
threading.Thread(target=time.sleep, args=(1000.0,)).start()


@hookimpl
def hpoctl_benchmarks():
    yield replace(toy_benchmark(), name="toy-thread")
"""
)


def test_a_thread_that_a_plugin_has_left_and_raw_output_disturb_no_command(cli: CommandLine) -> None:
    cli = with_plugin(cli, "thread", LEAVES_A_THREAD)
    words = ("--method", "RS", "--benchmark", "toy-thread", "--tag", "thread", "--random-seed", "1", "--json")
    ran = cli("run", *words)  # it would wait for the thread, and the test would time out
    assert (ran.code, ran.json["status"]) == (0, "success")
    study = cli.root.parent / "study.toml"
    study.write_text('name = "threads"\nmethods = ["RS"]\nbenchmarks = ["toy-thread"]\nrandom_seed = 1\n')
    launched = cli("launch", "--study", str(study), "--tag", "threads", "--json")
    assert (launched.code, launched.json["status"]) == (0, "success")


def test_a_reader_that_goes_away_does_not_end_a_launch(cli: CommandLine) -> None:
    words = ("launch", "--study", "toys", "--tag", "quiet", "--num-seeds", "3")
    process = subprocess.Popen(
        cli.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cli.root.parent, env=cli.environment
    )
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
    assert process.wait(60) == 0
    answer = cli("status", "--tag", "quiet", "--json")
    assert answer.code == 0
    totals = answer.json["data"]["totals"]
    assert totals["done"] == totals["wanted"] == 12


def test_characters_that_the_encoding_does_not_have_are_shown_by_their_codes(cli: CommandLine) -> None:
    cli = with_plugin(cli, "umlauts", UMLAUTS)
    answer = cli("run", *UMLAUT_RUN, "--verbose", PYTHONIOENCODING="ascii")
    assert answer.code == 0, answer.err
    assert "Traceback" not in answer.err
    assert "verlust_" in answer.out
    for words in (
        ("methods",),
        ("benchmarks", "toy-uml"),
        ("status", "--tag", "uml"),
        ("plot", "--tag", "uml", "--terminal"),
    ):
        again = cli(*words, PYTHONIOENCODING="ascii")
        assert again.code == 0, again.err


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_standard_descriptors_fail_nothing(cli: CommandLine, closed: str) -> None:
    words = shlex.join(cli.command("run", "--method", "RS", "--benchmark", "toy", "--tag", "closed", "--verbose"))
    done = subprocess.run(
        f"{words} {closed}",
        shell=True,
        cwd=cli.root.parent,
        env=cli.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert cli("status", "--tag", "closed", "--json").json["data"]["totals"]["done"] == 1


@pytest.mark.parametrize("words", [("--verbose",), ("--json",)])
def test_a_full_standard_output_fails_no_experiment_and_is_told_by_the_exit_code(
    cli: CommandLine, words: tuple[str, ...]
) -> None:
    command = cli.command("run", "--method", "RS", "--benchmark", "toy", "--tag", "full", *words)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command,
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=cli.root.parent,
            env=cli.environment,
            text=True,
            check=False,
        )
    assert done.returncode == 5, done.stderr
    assert "Standard output cannot be written: No space left on device." in done.stderr
    assert "Traceback" not in done.stderr
    assert cli("status", "--tag", "full", "--json").json["data"]["totals"]["done"] == 1


def test_a_full_standard_error_fails_nothing(cli: CommandLine) -> None:
    command = cli.command("run", "--method", "RS", "--benchmark", "toy", "--tag", "full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, stderr=full, stdout=subprocess.PIPE, cwd=cli.root.parent, env=cli.environment, check=False
        )
    assert done.returncode == 0


def test_a_failure_keeps_its_exit_code_when_output_is_lost_too(cli: CommandLine) -> None:
    command = cli.command("run", "--method", "NOTHING", "--benchmark", "toy", "--json")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=cli.environment, check=False)
    assert done.returncode == 2


def test_a_deleted_working_folder_is_refused_in_two_lines(cli: CommandLine, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    words = shlex.join(cli.command("launch", "--study", "toys", "--tag", "gone"))
    done = subprocess.run(
        f"rmdir {gone}; {words}", shell=True, cwd=gone, env=cli.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: The working folder cannot be used")
    assert len(done.stderr.splitlines()) == 2


def test_a_working_folder_that_is_deleted_during_a_launch_fails_nothing(cli: CommandLine, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    words = cli.command("launch", "--study", "toys", "--tag", "gone", "--num-seeds", "2")
    process = subprocess.Popen(words, cwd=gone, env=cli.environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    gone.rmdir()
    assert process.wait(60) in {0, 2}  # 2: it was deleted before the command looked
    code = process.returncode
    process.communicate()
    if code == 0:
        assert cli("status", "--tag", "gone", "--json").json["data"]["totals"]["done"] == 8


def test_an_unforeseen_error_is_two_lines_and_a_file(cli: CommandLine, tmp_path: Path) -> None:
    cli = with_plugin(cli, "wrong", WRONG)
    words = ("benchmarks", "toy-wrong")
    answer = cli(*words, HPOCTL_CACHE=str(tmp_path / "cache"))
    assert answer.code == 4, answer.err
    lines = answer.err.splitlines()
    assert lines[0] == "error: Unforeseen RuntimeError: the space is \\x1b[2J broken."
    assert len(lines) == 2
    (file,) = (tmp_path / "cache" / "errors").iterdir()
    assert str(file) in lines[1]
    assert "Traceback (most recent call last)" in file.read_text()
    assert "benchmarks toy-wrong" in file.read_text()
    assert "Traceback" in cli("--debug", *words).err
    envelope = cli(*words, "--json").json
    assert envelope["status"] == "error"
    assert envelope["errors"][0]["what"] == "Unforeseen RuntimeError: the space is \\x1b[2J broken."


def test_an_unforeseen_error_is_told_where_its_file_cannot_be_written(cli: CommandLine, tmp_path: Path) -> None:
    cli = with_plugin(cli, "wrong", WRONG)
    (tmp_path / "file").write_text("")
    answer = cli("benchmarks", "toy-wrong", HPOCTL_CACHE=str(tmp_path / "file"))
    assert answer.code == 4
    assert "--debug" in answer.err.splitlines()[1]


def test_control_characters_of_names_and_errors_never_reach_a_terminal(cli: CommandLine) -> None:
    cli = with_plugin(cli, "escapes", ESCAPES)
    ran = cli("run", "--method", "RS", "--benchmark", "toy-escapes", "--tag", "esc")
    assert ran.code == 1
    seen = [
        ran,
        *(cli(*words, "--tag", "esc") for words in (("status",), ("logs", "--method", "RS"), ("launch", "--dry-run"))),
    ]
    seen += [cli("benchmarks"), cli("benchmarks", "toy-escapes")]
    for answer in seen:
        assert not set("\x1b\x07\u202e\x9b\x00") & set(answer.out + answer.err), answer
    assert any("\\x1b" in answer.out + answer.err for answer in seen)
