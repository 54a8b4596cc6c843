"""S3 on a bad day: calls fail, answers are lost. Nothing is lost, nothing is doubled, and attempts are bounded."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from hpoctl.core.errors import HpoctlError
from hpoctl.stores import s3_bucket
from hpoctl.stores.s3 import S3Store
from hpoctl.stores.s3_address import ATTEMPTS
from hpoctl.stores.s3_bucket import WAITS, Bucket
from hpoctl.stores.s3_claims import S3Claims
from services.faulty_proxy import OUTAGE, Weather, faulty
from services.seaweedfs import BUCKET, Server

SHARES = [0.05, 0.3]


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between attempts take no time; how often there is one does not change."""
    clock = SimpleNamespace(sleep=lambda seconds: None, time=time.time)
    monkeypatch.setattr("botocore.endpoint.time", clock)
    monkeypatch.setattr("botocore.retries.bucket.TokenBucket._acquire", lambda self, amount, block: True)


@pytest.fixture(params=SHARES)
def bad_day(
    request: pytest.FixtureRequest, s3_root: str, seaweedfs: Server, monkeypatch: pytest.MonkeyPatch, no_waiting: None
) -> Iterator[Weather]:
    weather = Weather(request.param, seed=1)
    with faulty(seaweedfs.endpoint, weather) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        yield weather


def store_of(root: str) -> S3Store:
    name, _, prefix = root.removeprefix("s3://").partition("/")
    return S3Store(Bucket(name, sleep=lambda seconds: None), prefix)


def test_nothing_is_lost_and_nothing_doubled(bad_day: Weather, s3_root: str) -> None:
    store = store_of(s3_root)
    expected = {f"t/RS/{number:02d}/metadata.json": os.urandom(50) for number in range(30)}
    for name, data in expected.items():
        store.put(name, data, create=True)
    with pytest.raises(FileExistsError):
        store.put(next(iter(expected)), next(iter(expected.values())), create=True)
    assert {name: store.get(name) for name in store.list("")} == expected
    store.move("t", "u")
    moved = {f"u{name[1:]}": data for name, data in expected.items()}
    assert {name: store.get(name) for name in store.list("")} == moved
    listed = store.list("u")
    assert dict(store.contents(listed, list(listed))) == moved
    store.delete("u")
    assert list(store.list("")) == []
    assert bad_day.faults, "there were faults"


def test_one_of_many_creates(bad_day: Weather, s3_root: str) -> None:
    store = store_of(s3_root)

    def create(number: int) -> bool:
        try:
            store.put(f"t/{number % 4}", f"{number}".encode(), create=True)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(32)))
    winners = [number for number in range(32) if won[number]]
    assert sorted(number % 4 for number in winners) == [0, 1, 2, 3]
    assert sorted(int(store.get(f"t/{number}")) for number in range(4)) == winners


def test_one_of_many_claims(bad_day: Weather, s3_root: str) -> None:
    """Each of several machines, here threads that do not share claims, gets what no other has."""
    bucket, prefix = Bucket(BUCKET, sleep=lambda seconds: None), s3_root.rpartition("/")[2]
    keys = [f"t/RS/toy/{seed}" for seed in range(12)]
    taken: dict[str, list[int]] = {key: [] for key in keys}

    def machine(number: int) -> None:
        claims = S3Claims(bucket, prefix, process=f"machine {number}")
        for key in keys:
            if claims.take(key):
                taken[key].append(number)

    threads = [threading.Thread(target=machine, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(who) for who in taken.values()] == [1] * len(keys)


def test_without_s3_attempts_are_bounded_and_it_goes_on_later(
    s3_root: str, seaweedfs: Server, monkeypatch: pytest.MonkeyPatch, no_waiting: None
) -> None:
    weather = Weather(1.0, kinds=OUTAGE)
    with faulty(seaweedfs.endpoint, weather) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
        waited: list[float] = []
        store = store_of(s3_root)
        store.bucket._sleep = waited.append
        with pytest.raises(HpoctlError, match=r"keeps failing|cannot be reached") as caught:
            store.put("t/x", b"1")
        assert "repeat" in caught.value.fix
        assert tuple(waited) == WAITS
        assert sum(waited) > 60.0, "a minute without S3 is outlived"
        assert weather.calls <= ATTEMPTS * (len(WAITS) + 1)
        # It returns during the wait.
        store.bucket._sleep = lambda seconds: setattr(weather, "share", 0.0) if seconds > 10.0 else None
        store.put("t/x", b"1", create=True)
        assert store.get("t/x") == b"1"


def test_objects_that_are_not_removed_are_told(s3_root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 answers that all is well, with a list of what is not."""
    store = store_of(s3_root)
    for number in range(3):
        store.put(f"t/{number}", b"x")
    answers = [
        {"Errors": [{"Key": "k1", "Code": "InternalError", "Message": "again"}]},
        {"Errors": [{"Key": "k1", "Code": "AccessDenied", "Message": "no"}]},
    ]

    class Client:
        def delete_objects(self, **order: object) -> dict[str, list[dict[str, str]]]:
            return answers.pop(0)

    monkeypatch.setattr(s3_bucket, "make_client", Client)
    bucket = Bucket(BUCKET, sleep=lambda seconds: None)
    with pytest.raises(HpoctlError, match="Cannot remove 1 of 1 objects, such as s3://results/k1: AccessDenied"):
        bucket.delete(["k1", "k2"])
    assert not answers
