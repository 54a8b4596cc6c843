"""What a person sees of an experiment while its script trains, and what cleaning removes."""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from command_line import CommandLine
from hpoctl.analysis.report_check import check_page

TRAIN = """
import argparse, os, time
from pathlib import Path
import hpoctl

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float)
parser.add_argument("--epochs", type=int)
args = parser.parse_args()
print("trial", os.environ["HPOCTL_TRIAL_ID"], "trains", flush=True)
state = Path(os.environ["HPOCTL_CHECKPOINT_DIR"]) / "state"
done = int(state.read_text()) if state.exists() else 0
end = time.monotonic() + 300
for epoch in range(done + 1, args.epochs + 1):
    hpoctl.report(epoch=epoch, loss=args.lr + 1 / epoch)
    state.write_text(str(epoch))
    while epoch == 2 and not (Path(__file__).parent / "go").exists() and time.monotonic() < end:
        time.sleep(0.02)
"""
REPORTED = re.compile(r'"resources":\[(?:1,)?2\]')
BENCHMARK = """
name = "own"
script = "train.py"
checkpoints = true
metric = "loss"
mode = "min"
resource_attr = "epoch"
max_resource_attr = "epochs"
n_workers = 2
max_wallclock_time = 600
[space]
lr = { type = "loguniform", lower = 0.001, upper = 1.0 }
epochs = 3
"""


@pytest.fixture
def training(cli: CommandLine) -> Iterator[tuple["subprocess.Popen[bytes]", Path]]:
    """An experiment whose two trials have reported twice and wait for a file."""
    folder = cli.root.parent / "own"
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    (folder / "benchmark.toml").write_text(BENCHMARK)
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
    (folder / "go").touch()
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

    (folder / "go").touch()
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
