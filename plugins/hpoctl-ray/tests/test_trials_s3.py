"""Trials on Ray whose nodes share no file system: their files lie on their nodes, with copies on a real S3."""

import shutil
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from hpoctl.backends.scripts.folders import trial_folder
from hpoctl.core.cells import ELSEWHERE
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.protocols import Ended, Known, Outcome, Report
from hpoctl.stores import opening
from hpoctl.stores.folder_copies import read_copy
from hpoctl.stores.opening import open_results
from hpoctl.stores.s3_bucket import Bucket
from hpoctl.testing import check_backend, check_recovery
from hpoctl.testing.polling import wait_until
from hpoctl.testing.trials import left, levels, to_the_end, until_level
from hpoctl_ray.check import check_trials
from hpoctl_ray.options import RayTrialOptions
from hpoctl_ray.trial_storage import FOLDER, CopiedStorage
from hpoctl_ray.trial_workers import ray_backend
from ray_cluster import RayNodes
from services.seaweedfs import Server
from training_scripts import context, script
from trials_on_ray import CONFIG, backend

PATIENCE = 120.0

TRAIN = """
begins = load() + 1
print("this is no report")
for epoch in range(begins, epochs + 1):
    time.sleep(0.01)
    values = {"epoch": epoch, "loss": 1 / epoch, "begins": begins, "state": state}
    if epoch <= 2:  # both ways count, one after the other
        report(**values)
    else:
        print("[tune-metric]: " + json.dumps(values), flush=True)
    save(epoch)
"""


def held_at(level: int) -> str:
    """The script, which waits at an epoch until it is killed."""
    return f"{TRAIN}    while epoch == {level}: time.sleep(0.02)\n"


def options(s3_root: str, seaweedfs: Server, **others: str) -> dict[str, str]:
    """Backend options for nodes that share nothing."""
    return {"s3": s3_root, "environment": ",".join(seaweedfs.environment), **others}


def saved(s3_root: str) -> bytes | None:
    """The checkpoint of the only trial below a root on S3."""
    store = open_results(s3_root).store
    (name,) = store.folders(FOLDER)
    copy = read_copy(store, f"{FOLDER}/{name}/0")
    pieces = () if copy is None else copy.files.get("checkpoints/epoch", ())
    return b"".join(store.get(f"{FOLDER}/{name}/0/pieces/{piece}") for piece in pieces) if pieces else None


def facts(events: list[Report | Ended], name: str) -> list[object]:
    """A value of each row besides the metrics."""
    return [row[name] for event in events if isinstance(event, Report) for row in event.extra]


@pytest.mark.timeout(600)
def test_a_trial_resumes_on_another_node(cluster: RayNodes, tmp_path: Path, s3_root: str, seaweedfs: Server) -> None:
    nodes = [cluster.add(f'--resources={{"{name}": 1}}', apart=True) for name in ("first", "second")]
    made = backend(cluster, tmp_path, held_at(5), options=options(s3_root, seaweedfs, resources="first=1"))
    made.recover([], 0.0)
    made.start(0, CONFIG, resume_from=None, until=4)
    found = until_level(made, 0, 4)
    made.stop(0, pause=True)
    (ended,) = made.wait()
    assert isinstance(ended, Ended)
    assert ended.outcome is Outcome.PAUSED
    made.close()
    (place,) = set(facts(found, "state"))
    assert str(place).startswith(f"{cluster.scratch(nodes[0])}/")
    assert not Path(str(place)).exists()
    cluster.kill(nodes[0])

    made = backend(cluster, tmp_path, held_at(7), options=options(s3_root, seaweedfs, resources="second=1"))
    made.recover([Known(0, 4, 1.0, 1)], 1.0)
    made.start(0, CONFIG, resume_from=4, until=None)
    found += until_level(made, 0, 7)
    made.proceed(0, until=None)
    assert levels(found) == list(range(1, 8))
    assert facts(found, "begins")[-1] in (5, 6)  # it has not trained again what it had
    assert str(facts(found, "state")[-1]).startswith(f"{cluster.scratch(nodes[1])}/")
    assert not any(trial_folder(tmp_path / "work", 0).checkpoints.iterdir())  # nor did the nodes meet on this disk

    # The node dies, and the disk of the controller is lost, but for an older copy of its journal.
    wait_until(lambda: saved(s3_root) == b"7", "the checkpoint is not copied", PATIENCE)
    cluster.kill(nodes[1])
    (ended,) = made.wait()
    assert isinstance(ended, Ended)
    assert ended.outcome is Outcome.FAILED
    assert "is lost" in ended.reason
    assert not left(tmp_path)
    made.close()
    shutil.rmtree(trial_folder(tmp_path / "work", 0).path / "starts")
    made = backend(cluster, tmp_path, TRAIN, options=options(s3_root, seaweedfs), settings={"delete_checkpoints": True})
    made.recover([Known(0, 5, 1.0, 2)], 1.0)
    made.start(0, CONFIG, resume_from=5, until=None)
    rest = to_the_end(made)
    assert levels(rest) == [6, 7, 8, 9]
    assert facts(rest, "begins")[-2:] == [8, 8]
    assert made.wait() == []  # the end was recorded
    made.close()
    assert saved(s3_root) is None


@pytest.mark.timeout(600)
def test_a_trial_of_another_configuration_leaves_nothing_behind(
    cluster: RayNodes, tmp_path: Path, s3_root: str, seaweedfs: Server
) -> None:
    chosen = options(s3_root, seaweedfs)
    for config in (CONFIG, {**CONFIG, "lr": 0.2}):  # the journal of a lost controller had one that this one has not
        made = backend(cluster, tmp_path, TRAIN, options=chosen)
        made.recover([], 0.0)
        made.start(0, config, resume_from=None, until=None)
        found = to_the_end(made)
        made.close()
        assert levels(found) == list(range(1, 10))
        assert set(facts(found, "begins")) == {1}
        shutil.rmtree(tmp_path / "work" / "trials")


@pytest.mark.timeout(600)
def test_a_node_without_credentials_says_so(cluster: RayNodes, tmp_path: Path, s3_root: str) -> None:
    chosen = {"s3": s3_root, "environment": "AWS_EC2_METADATA_DISABLED,AWS_DEFAULT_REGION,AWS_ENDPOINT_URL_S3"}
    made = backend(cluster, tmp_path, TRAIN, options=chosen)
    made.recover([], 0.0)
    made.start(0, CONFIG, resume_from=None, until=None)
    (ended,) = to_the_end(made)
    made.close()
    assert isinstance(ended, Ended)
    assert ended.outcome is Outcome.FAILED
    assert "no AWS credentials were found. Set AWS_PROFILE" in ended.reason


def test_what_is_wrong_with_s3_is_said_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in Server("http://127.0.0.1:9").environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(opening, "Bucket", partial(Bucket, waits=()))
    problem = context(tmp_path, script(tmp_path, TRAIN))
    with pytest.raises(HpoctlError) as refused:
        ray_backend(problem, RayTrialOptions(s3="s3://results/prefix"))
    assert "S3 cannot be reached" in refused.value.what
    assert refused.value.fix.startswith("Check the network and AWS_ENDPOINT_URL_S3")
    with pytest.raises(UsageError, match="Option s3 of ray is results/prefix"):
        RayTrialOptions(s3="results/prefix")


def test_the_working_folder_names_where_copies_are(tmp_path: Path, s3_root: str) -> None:
    problem = context(tmp_path, script(tmp_path, TRAIN))
    storage = CopiedStorage(problem, s3_root)
    storage.begin_session("a controller")
    (kept,) = open_results(s3_root).store.folders(FOLDER)
    assert (problem.needed_script[1] / ELSEWHERE).read_text() == f"{s3_root}/{FOLDER}/{kept}/\n"


def test_doctor_looks_at_s3(s3_root: str) -> None:
    *found, cluster = check_trials(RayTrialOptions("127.0.0.1:9", s3=s3_root))
    assert {finding.verdict for finding in found} == {"ok"}
    assert any(s3_root.removeprefix("s3://").partition("/")[0] in finding.text for finding in found)
    assert cluster.subject == "trials on Ray"
    *_, missing, cluster = check_trials(RayTrialOptions("127.0.0.1:9", s3="s3://no-such-bucket/x"))
    assert (missing.verdict, missing.text) == ("problem", "There is no bucket no-such-bucket.")


@pytest.mark.timeout(600)
def test_contract(cluster: RayNodes, tmp_path: Path, s3_root: str, seaweedfs: Server) -> None:
    chosen = options(s3_root, seaweedfs)
    numbers = count()
    check_backend(lambda: backend(cluster, tmp_path / str(next(numbers)), options=chosen), CONFIG, 9)
    check_recovery(lambda: backend(cluster, tmp_path / "recovery", options=chosen), CONFIG, 9)
