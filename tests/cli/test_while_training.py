"""What a person sees of an experiment while its script trains, and what cleaning removes."""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import own_script
from command_line import CommandLine
from hpoctl.analysis.report_check import check_page

REPORTED = re.compile(r'"resources":\[(?:1,)?2\]')


@pytest.fixture
def training(cli: CommandLine) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """An experiment whose two trials have reported twice and wait for a file."""
    folder = own_script.write(cli.root.parent).parent
    words = ("run", "--method", "RS", "--benchmark", "own/benchmark.toml", "--tag", "t", "--max-num-trials", "4")
    process = subprocess.Popen(
        cli.command(*words), cwd=cli.root.parent, env=cli.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    end = time.monotonic() + 60
    while time.monotonic() < end:
        journals = list(cli.root.glob(".work/**/journal"))
        if journals and len(REPORTED.findall(journals[0].read_text())) == 2:
            break
        time.sleep(0.05)
    yield process, folder
    own_script.let_go(folder)
    process.communicate(timeout=60)


def test_everything_can_be_seen_while_it_trains(cli: CommandLine, training) -> None:
    process, folder = training
    listed = cli("trials", "--tag", "t", "--json").json["data"]
    assert listed["counts"] == {"Running": 2}
    assert [(trial["outcome"], trial["resource"]) for trial in listed["trials"]] == [("Running", 2)] * 2
    logs = cli("logs", "--tag", "t", "--trial", "1")
    assert (logs.code, "trial 1 trains" in logs.out) == (0, True)
    asked = cli("why", "--tag", "t", "--trial", "1", "--json").json["data"]
    assert (asked["agrees"], asked["source"], asked["moments"][0]["kind"]) == (None, "its journal", "suggested")
    drawn = cli("plot", "--tag", "t", "--running", "--terminal")
    assert (drawn.code, "Not complete, with the rows so far: RS own seed 0" in drawn.out + drawn.err) == (0, True)
    for words in (("plot", "--terminal"), ("report",)):
        answer = cli(*words, "--tag", "t")
        assert (answer.code, "show the rows so far with --running" in answer.err) == (3, True)  # nothing is complete
    written = cli("report", "--tag", "t", "--running", "--output", "running.html")
    assert written.code == 0, written
    assert "* 0 of 1 experiments that were asked for are complete; the rows so far of 1 more are counted" in written.out
    assert "* Not complete, with the rows so far: RS own seed 0." in written.out
    page = (cli.root.parent / "running.html").read_text()
    assert check_page(page).wrong == ()
    assert "hpoctl report --tag t --running" in page
    assert process.poll() is None
    status = cli("status", "--tag", "t", COLUMNS="80")
    assert "RS on own: seed 0" in status.out
    assert "checkpoints" in status.out
    assert all(len(line) <= 80 for line in status.out.splitlines() if str(cli.root) not in line)
    assert cli("logs", "--tag", "t", "--trial", "9").code == 3

    own_script.let_go(folder)
    process.wait(timeout=60)
    assert cli("status", "--tag", "t", "--json").json["data"]["outcomes"] == {"completed": 4}
    again = cli("trials", "--tag", "t", "--json").json["data"]
    assert again["counts"] == {"Completed": 4}

    work = cli.root / ".work" / "t" / "RS"
    (attempt,) = work.iterdir()
    used = sum(path.stat().st_blocks * 512 for path in attempt.rglob("*") if path.is_file())
    results = sum(path.stat().st_size for path in (cli.root / "t" / "RS").rglob("*") if path.is_file())
    cleaned = cli("clean", "--tag", "t", "--method", "RS", "--json").json["data"]
    assert cleaned["size"] == used + results
    assert not attempt.exists()
    assert cli("clean", "--undo").code == 0
    assert (attempt / "journal").exists()
    assert cli("why", "--tag", "t", "--trial", "1", "--json").json["data"]["agrees"] is True
