"""`hpoctl clean` as a person meets it: tables, questions, hints and exit codes."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
import typer

from clean_trees import OTHER, Tree, grow
from command_line import CommandLine
from hpoctl.cli.clean import clean
from hpoctl.core.cells import METADATA, Cell, claim_key
from hpoctl.core.errors import HpoctlError
from hpoctl.core.sealed import unseal
from hpoctl.ops.studies.config import open_root
from hpoctl.ops.upkeep.trash_entries import MANIFEST, TRASH
from hpoctl.stores.local import LocalStore
from trees import TAG, put_attempt
from wrecks import claimed_elsewhere, files, snapshot

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture
def tree(cli: CommandLine) -> Tree:
    return grow(open_root(str(cli.root)))


def test_clean_undo_clean_purge(cli: CommandLine, tree: Tree) -> None:
    before = files(cli.root)
    cleaned = cli("clean", "--tag", TAG, "--method", "ASHA", "--seed", "0,5-7")
    assert cleaned.code == 0
    for text in (
        "ASHA",
        "toy",
        "2 completed, 1 failed",
        "tag docs-2: 3 results",
        f"moved 3 results to {cli.root}/.trash/",
    ):
        assert text in cleaned.out
    assert cleaned.err.splitlines() == ["undo: hpoctl clean --undo", "run again: hpoctl launch --tag docs-2"]
    assert not (cli.root / tree.completed).exists()
    undone = cli("clean", "--undo")
    assert (undone.code, undone.err) == (0, "")
    assert undone.out.startswith("restored 3 results of tag docs-2 (cleaned at ")
    assert files(cli.root) == before
    assert cli("clean", "--undo").code == 3
    assert cli("clean", "--tag", TAG, "--failed").code == 0
    dry = cli("clean", "--purge", "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert "would free" in dry.out
    asked = cli("clean", "--purge")
    assert asked.code == 2
    assert "--yes" in asked.err
    assert (cli.root / TRASH).exists()
    purged = cli("clean", "--purge", "--yes")
    assert purged.code == 0
    assert "removed what 1 clean had moved" in purged.out
    assert not list(cli.root.glob(".trash/*/*"))
    assert cli("clean", "--purge", "--yes").code == 3


def test_a_dry_run_changes_nothing_and_says_how_to_do_it(cli: CommandLine, tree: Tree) -> None:
    before = snapshot(cli.root.parent)
    words = ["clean", "--results", str(cli.root), "--tag", TAG, "--incomplete", "--dry-run"]
    dry = cli(*words)
    assert dry.code == 0
    assert "tag docs-2: 5 results" in dry.out
    assert "nothing was moved" in dry.out
    assert snapshot(cli.root.parent) == before
    command = shlex.split(dry.err.removeprefix("next: "))
    assert command == ["hpoctl", "clean", "--tag", TAG, "--incomplete", "--results", str(cli.root)]
    done = cli(*command[1:], HPOCTL_ROOT="/nowhere")
    assert done.code == 0
    assert f"undo: hpoctl clean --undo --results {cli.root}" in done.err


def test_a_whole_tag_needs_a_yes_where_nobody_can_be_asked(cli: CommandLine, tree: Tree) -> None:
    before = files(cli.root)
    for words in (["clean", "--tag", TAG], ["clean", "--tag", TAG, "--json"]):
        asked = cli(*words)
        assert asked.code == 2
        assert "This moves all 7 results of docs-2" in asked.out + asked.err
        assert "--yes" in asked.out + asked.err
    assert files(cli.root) == before
    done = cli("clean", "--tag", TAG, "--yes")
    assert done.code == 0
    assert "moved tag docs-2 with 7 results" in done.out
    assert not (cli.root / TAG).exists()
    assert (cli.root / tree.other).exists()
    assert cli("clean", "--tag", TAG, "--yes").code == 3
    assert cli("clean", "--undo", "--tag", TAG).out.startswith("restored tag docs-2 ")
    assert files(cli.root) == before


@pytest.mark.parametrize(("answer", "moved"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_on_a_terminal_it_asks(cli: CommandLine, tree: Tree, answer: str, moved: bool) -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(
        cli.command("clean", "--tag", TAG),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=cli.environment,
    ) as process:
        os.write(ours, answer.encode())
        out, err = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0
    assert "This moves all 7 results of docs-2" in err
    assert "[y/N]" in err
    assert (cli.root / TAG).exists() == (not moved)
    assert ("nothing was moved" in out) == (not moved)


def test_what_runs_is_left_alone_and_named(cli: CommandLine, tree: Tree) -> None:
    with claimed_elsewhere(cli.root, claim_key(TAG, Cell("BO", "toy", 2))):
        dry = cli("clean", "--tag", TAG, "--method", "BO", "--method", "RS", "--dry-run")
        assert dry.code == 0
        assert "warning: being run: BO toy seed 2; their results would stay" in dry.err
        only = cli("clean", "--tag", TAG, "--method", "BO")
        assert only.code == 3
        assert "All that matches is being run" in only.err
        whole = cli("clean", "--tag", TAG, "--yes")
        assert whole.code == 1
        assert "Tag docs-2 is being run: BO toy seed 2." in whole.err
        some = cli("clean", "--tag", TAG, "--method", "BO", "--method", "RS")
        assert some.code == 0
        assert f"left alone, being run: {tree.died}" in some.err
        forced = cli("clean", "--tag", TAG, "--method", "BO", "--force")
        assert forced.code == 0
        assert "warning: being run, and will fail: BO toy seed 2" in forced.err
    assert not (cli.root / tree.died).exists()


def test_what_exists_again_is_named(cli: CommandLine, tree: Tree) -> None:
    cli("clean", "--tag", TAG, "--method", "BO")
    put_attempt(open_root(str(cli.root)).store, Cell("BO", "toy", 2), "running", expensive=True, seconds=86400)
    undone = cli("clean", "--undo")
    assert undone.code == 1
    assert f"error: still in the trash: {tree.died}: there is one of that name again" in undone.err
    as_json = cli("clean", "--undo", "--json")
    assert as_json.code == 1
    assert as_json.json["status"] == "partial"
    assert as_json.json["data"]["left"] == [{"directory": tree.died, "why": "there is one of that name again"}]


def test_what_cannot_be_moved_is_named(
    cli: CommandLine, tree: Tree, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = open_root(str(cli.root))
    before = files(cli.root)
    for seed in range(10, 13):
        put_attempt(root.store, Cell("RS", "toy", seed), "failed")
    move = LocalStore.move

    def refuse(store: LocalStore, folder: str, target: str) -> None:
        if "/RS/" in folder:
            raise HpoctlError(f"Cannot move {folder}: Input/output error.", "Look at the disk.")
        move(store, folder, target)

    monkeypatch.setattr(LocalStore, "move", refuse)
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(typer.Exit) as caught:
        clean(tag=TAG, incomplete=True, results=str(cli.root))
    printed = capsys.readouterr()
    assert caught.value.exit_code == 1
    assert "moved 2 results" in printed.out
    assert printed.err.count("error: not moved: docs-2/RS/") == 5
    assert "Input/output error" in printed.err
    assert "and 1 more; --json names all of them" in printed.err
    assert "  fix: Clean again when that is mended." in printed.err
    assert before.keys() - files(cli.root).keys() == {
        f"{tree.failed}/{METADATA}",
        f"{tree.died}/{METADATA}",
    }


def test_json(cli: CommandLine, tree: Tree) -> None:
    dry = cli("clean", "--tag", TAG, "--incomplete", "--method", "RS", "--dry-run", "--json")
    assert dry.json["data"]["directories"] == []
    done = cli("clean", "--tag", TAG, "--incomplete", "--method", "RS", "--json")
    assert (done.code, done.err, done.json["command"], done.json["status"]) == (0, "", "clean", "success")
    data = done.json["data"]
    assert sorted(data["directories"]) == sorted([tree.interrupted, tree.short])
    assert (data["tag"], data["matches"], data["moved"], data["whole"], data["dry_run"]) == (TAG, 2, 2, False, False)
    assert data["criteria"] == {"methods": ["RS"], "incomplete": True}
    assert data["matching"] == data["directories"] == dry.json["data"]["matching"]
    assert [left["directory"] for left in data["passed_over"]] == [tree.unknown]
    assert Path(data["trash"]).is_dir()
    assert {group["benchmark"]: group["states"] for group in data["groups"]} == {
        "toy": {"damaged": 1},
        "toy-max": {"interrupted": 1},
    }
    manifest = unseal((Path(data["trash"]) / MANIFEST).read_bytes())
    assert manifest["command"].endswith("clean --tag docs-2 --incomplete --method RS --json")
    undone = cli("clean", "--undo", "--json").json
    assert undone["data"]["directories"] == data["directories"]
    cli("clean", "--tag", TAG, "--failed")
    purged = cli("clean", "--purge", "--yes", "--json").json["data"]
    assert purged["freed"] == purged["size"] > 0


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        ([], 2, "There is no --tag."),
        (["--tag", TAG, "--method", "ASHSA"], 2, "Did you mean ASHA"),
        (["--tag", TAG, "--seed", "seven"], 2, "--seed cannot be 'seven'"),
        (["--undo", "--purge"], 2, "contradict"),
        (["--undo", "--failed"], 2, "--undo takes no choice of results"),
        (["--purge", "--tag", TAG], 2, "--purge takes no choice of results"),
        (["--tag", "docs-3", "--yes"], 3, "There is nothing of tag docs-3"),
        (["--tag", TAG, "--seed", "99"], 3, "Nothing in tag docs-2 matches."),
        (["--undo"], 3, "The trash is empty."),
    ],
)
def test_what_is_refused(cli: CommandLine, tree: Tree, words: list[str], code: int, expected: str) -> None:
    before = snapshot(cli.root)
    answer = cli("clean", *words)
    assert answer.code == code
    assert answer.out == ""
    assert answer.err.startswith("error: ")
    assert expected in answer.err
    assert len(answer.err.splitlines()) == 2
    assert snapshot(cli.root) == before


def test_damaged_results_that_are_passed_over_are_named(cli: CommandLine, tree: Tree) -> None:
    cleaned = cli("clean", "--tag", TAG, "--incomplete", "--method", "RS")
    assert f"warning: passed over: {tree.unknown}: which experiment it was" in cleaned.err


def test_a_tag_with_the_same_beginning_is_untouched(cli: CommandLine, tree: Tree) -> None:
    other = {name: what for name, what in files(cli.root).items() if name.startswith(f"{OTHER}/")}
    cli("clean", "--tag", TAG, "--incomplete")
    cli("clean", "--tag", TAG, "--yes")
    assert {name: what for name, what in files(cli.root).items() if name.startswith(f"{OTHER}/")} == other
