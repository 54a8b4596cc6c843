"""Claims on S3: leases that end with their holder, or some time after it, and are never two people's."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hpoctl.stores.s3_bucket import Blob, Bucket
from hpoctl.stores.s3_claims import S3Claims
from hpoctl.testing import check_claims
from hpoctl.testing.claims import claimed_elsewhere
from services.seaweedfs import BUCKET

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
KEY = "docs-2/ASHA/toy/0"
TERM = 3.0


@pytest.fixture
def make(s3_root: str) -> Callable[..., S3Claims]:
    """Makes claims of one root, in whichever process; their holder's death can be seen, unless they are far away."""
    bucket, prefix = Bucket(BUCKET), s3_root.rpartition("/")[2]

    def claims(**options: object) -> S3Claims:
        return S3Claims(bucket, prefix, **options)  # type: ignore[arg-type]

    return claims


def far(make: Callable[..., S3Claims], term: float = TERM, renewal: float = 0.5) -> Callable[[], S3Claims]:
    """Claims of processes whose death cannot be seen from here."""
    return lambda: make(term=term, renewal=renewal, machine=lambda: "")


def test_contract(make: Callable[..., S3Claims]) -> None:
    check_claims(make, many=20)


def test_a_lease_is_renewed_and_ends_some_time_after_its_holder(make: Callable[..., S3Claims]) -> None:
    elsewhere = far(make)
    with claimed_elsewhere(elsewhere, KEY):
        time.sleep(TERM + 1.5)
        assert elsewhere().held(KEY)
        assert not elsewhere().take(KEY)
    # The process has ended without a word: for some time, its death is unknown.
    assert not elsewhere().take(KEY)
    end = time.monotonic() + TERM + 3.0
    while not elsewhere().take(KEY):
        assert time.monotonic() < end, "a lease that is not renewed does not end"
        time.sleep(0.2)
    elsewhere().release(KEY)


def test_one_of_many_takes_a_lease_over(make: Callable[..., S3Claims]) -> None:
    with claimed_elsewhere(far(make, term=60.0), KEY, "b"):
        pass
    short = far(make, term=0.0)
    time.sleep(1.1)  # times of S3 are whole seconds
    first, second = short(), make(machine=lambda: "")
    assert not second.take(KEY), "whose term is longer waits longer"
    assert first.take(KEY)
    with claimed_elsewhere(lambda: make(machine=lambda: "", term=0.0), "b"):
        assert make().held("b")


def test_a_lease_that_was_renewed_is_another_one(
    make: Callable[..., S3Claims], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody finds a lease that is over, and its holder comes back before he takes it over: he must not get it."""
    holder, other = make(renewal=600.0, machine=lambda: ""), make(term=60.0, machine=lambda: "", process="other")
    assert holder.take(KEY)
    get, put = other._bucket.get, other._bucket.put
    renewals: list[str] = []

    def expired(name: str) -> Blob:
        found = get(name)
        return found if renewals else replace(found, age=100.0)

    def meanwhile(name: str, data: bytes, **condition: Any) -> str:
        if "match" in condition and not renewals:
            renewals.append(name)
            holder._renew(name)
        return put(name, data, **condition)

    with monkeypatch.context() as patch:
        patch.setattr(other._bucket, "get", expired)
        patch.setattr(other._bucket, "put", meanwhile)
        assert not other.take(KEY)
    assert len(renewals) == 1
    holder.release(KEY)


def test_a_lost_lease_is_not_renewed_and_not_removed(make: Callable[..., S3Claims]) -> None:
    slow = make(term=1.0, renewal=0.2, machine=lambda: "")
    assert slow.take(KEY)
    slow._bucket.delete([slow._name(KEY)])  # as if it had been over, and taken by the next one
    with claimed_elsewhere(far(make, term=60.0), KEY):
        time.sleep(1.0)
        slow.release(KEY)
        assert make().held(KEY)


def test_a_process_that_was_stopped_for_longer_than_its_lease_looks_before_it_counts_on_it(
    make: Callable[..., S3Claims],
) -> None:
    stopped = make(term=1.0, renewal=600.0, machine=lambda: "")  # no thread renews it in the time of this test
    assert stopped.take(KEY)
    stopped._bucket.delete([stopped._name(KEY)])  # as if it had been over, and taken by the next one
    with claimed_elsewhere(far(make, term=60.0), KEY):
        time.sleep(1.1)
        assert not stopped.take(KEY)


def test_a_job_that_is_started_again_has_its_claims(
    make: Callable[..., S3Claims], monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = far(make, term=60.0, renewal=20.0)
    monkeypatch.setenv("HPOCTL_JOB", "docs-2/job-1")
    with claimed_elsewhere(elsewhere, KEY, "other"):
        pass
    monkeypatch.setenv("HPOCTL_JOB", "docs-2/job-2")
    assert elsewhere().held(KEY)
    assert not elsewhere().take(KEY)
    monkeypatch.setenv("HPOCTL_JOB", "docs-2/job-1")
    again = elsewhere()
    assert not again.held(KEY)
    assert again.take(KEY)
    monkeypatch.delenv("HPOCTL_JOB")
    again.release(KEY)
    assert elsewhere().take(KEY)


def test_ten_thousand_questions_are_one_look(make: Callable[..., S3Claims], monkeypatch: pytest.MonkeyPatch) -> None:
    with claimed_elsewhere(make, "t/RS/toy/7"):
        claims = make()
        looks: list[str] = []
        pages, get = claims._bucket.pages, claims._bucket.get
        monkeypatch.setattr(claims._bucket, "pages", lambda prefix: (looks.append(prefix), pages(prefix))[1])  # type: ignore[func-returns-value]
        monkeypatch.setattr(claims._bucket, "get", lambda key: (looks.append(key), get(key))[1])  # type: ignore[func-returns-value]
        held = [seed for seed in range(10_000) if claims.held(f"t/RS/toy/{seed}")]
    assert held == [7]
    assert len(looks) <= 4
