"""The command line on S3: a study from its launch to the trash and back, on good days and on bad ones."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from command_line import Answer, CommandLine
from hpoctl.cli.app import app
from hpoctl.core.cells import RESULTS, Cell
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.storage import Store
from hpoctl.stores.ledger import read_attempts
from hpoctl.stores.local import LocalStore
from hpoctl.stores.opening import open_results
from services.faulty_proxy import Weather, faulty
from services.seaweedfs import Server
from trees import TAG, put_attempt

LAUNCH = ("launch", "--study", "toys", "--num-seeds", "1", "--random-seed", "7", "--max-num-evaluations", "20")


@dataclass(frozen=True)
class Remote:
    """The command line with results on S3."""

    cli: CommandLine
    environment: dict[str, str]
    root: str

    @property
    def store(self) -> Store:
        return open_results(self.root).store

    def launch(self, *words: str, **environment: str) -> Answer:
        """A launch, in a separate process."""
        answer = self.cli(*LAUNCH, *words, "--results", self.root, **(self.environment | environment))
        assert answer.code == 0, answer.err
        return answer

    def here(self, *words: str) -> Result:
        """Another command, in this process; what it raises is raised."""
        return CliRunner().invoke(app, [*words, "--results", self.root], catch_exceptions=False)


@pytest.fixture
def remote(cli: CommandLine, s3_root: str, seaweedfs: Server) -> Remote:
    return Remote(cli, seaweedfs.environment, s3_root)


def rows(store: Store, tag: str) -> dict[Cell | None, bytes]:
    """What each experiment has written; each is complete exactly once."""
    attempts = [attempt for attempt in read_attempts(store, tag, verify=True) if attempt.recorded == "completed"]
    found = {attempt.cell: store.get(f"{attempt.directory}/{RESULTS}") for attempt in attempts}
    assert len(found) == len(attempts)
    return found


def test_a_study_on_s3_has_the_bytes_of_one_here(remote: Remote) -> None:
    launched = remote.launch("--tag", "far")
    assert f"results: {remote.root}/far" in launched.out
    assert remote.cli(*LAUNCH, "--tag", "near").code == 0
    assert rows(remote.store, "far") == rows(LocalStore(remote.cli.root), "near")
    assert len(rows(remote.store, "far")) == 4
    assert not any(name.startswith(".claims") for name in remote.store.list("")), (
        "a process releases its claims when it exits"
    )
    assert "4 of 4 done" in remote.here("status", "--tag", "far", "--verify").output
    listed = remote.here("logs", "--tag", "far", "--method", "RS", "--benchmark", "toy", "--seed", "0")
    assert f"{remote.root}/far/RS/far-toy-0-" in listed.output.replace("\n", "")


def test_to_the_trash_and_back(remote: Remote) -> None:
    for method in ("ASHA-1", "ASHA-13"):
        put_attempt(remote.store, Cell(method, "toy", 0))
    before = {name: remote.store.get(name) for name in remote.store.list(TAG)}
    assert remote.here("clean", "--tag", TAG, "--method", "ASHA-1").exit_code == 0
    assert [cell.method for cell in rows(remote.store, TAG) if cell] == ["ASHA-13"]
    assert remote.here("clean", "--undo").exit_code == 0
    assert {name: remote.store.get(name) for name in remote.store.list(TAG)} == before
    assert remote.here("clean", "--tag", TAG, "--yes").exit_code == 0
    assert not remote.store.list(TAG)
    assert remote.here("clean", "--purge", "--yes").exit_code == 0
    assert not remote.store.list("")
    with pytest.raises(IncompleteError, match=f"There are no results in {remote.root}"):
        remote.here("status")


def test_a_launch_in_bad_weather(remote: Remote, seaweedfs: Server) -> None:
    weather = Weather(0.3, seed=3)
    with faulty(seaweedfs.endpoint, weather) as endpoint:
        remote.launch("--method", "RS", "--tag", "far", AWS_ENDPOINT_URL_S3=endpoint)
    assert sum(weather.faults.values()) > 5
    assert remote.cli(*LAUNCH, "--method", "RS", "--tag", "near").code == 0
    assert rows(remote.store, "far") == rows(LocalStore(remote.cli.root), "near")
    assert len(read_attempts(remote.store, "far")) == 2, "none was run twice"


def test_sync_down(remote: Remote, tmp_path: Path) -> None:
    for seed in range(4):
        put_attempt(remote.store, Cell("RS", "toy", seed))
    there = ("--to", str(tmp_path / "there"))
    looked = remote.here("sync", "--tag", TAG, *there, "--dry-run")
    assert looked.output.startswith("would bring 4 results and 0 other files")
    assert not (tmp_path / "there").exists()
    synced = remote.here("sync", "--tag", TAG, *there, "--json")
    assert synced.exit_code == 0
    assert '"status": "success"' in synced.output
    assert '"copied": 4' in synced.output
    assert rows(LocalStore(tmp_path / "there"), TAG) == rows(remote.store, TAG)
    with pytest.raises(IncompleteError, match="There is nothing of tag near"):
        remote.here("sync", "--tag", "near", *there)


def test_a_conflict_is_told(remote: Remote, tmp_path: Path) -> None:
    there = LocalStore(tmp_path / "there")
    directory = put_attempt(remote.store, rows=b"far")
    put_attempt(there, rows=b"near")
    down = remote.here("sync", "--tag", TAG, "--to", there.location(""))
    assert down.exit_code == 1
    assert f"conflict: {directory}: both sides have a complete one" in down.output
    up = remote.here("sync", "--tag", TAG, "--to", there.location(""), "--up", "--json")
    assert '"status": "partial"' in up.output
    assert (there.get(f"{directory}/{RESULTS}"), remote.store.get(f"{directory}/{RESULTS}")) == (b"near", b"far")


def test_an_error_is_two_lines(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = remote.environment | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    answer = remote.cli("status", "--tag", TAG, "--results", remote.root, **environment)
    assert answer.code == 1
    assert answer.err.startswith(f"error: Cannot list {remote.root}")
    assert answer.err.count("\n") == 2
    assert "fix: " in answer.err
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
    with pytest.raises(HpoctlError, match="S3 does not accept the AWS credentials"):
        remote.here("clean", "--undo")
    with pytest.raises(UsageError, match="Results cannot be at 'gs://bucket/x'"):
        CliRunner().invoke(app, ["status", "--results", "gs://bucket/x"], catch_exceptions=False)
