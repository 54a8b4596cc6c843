"""The store on S3, on a real server: the contract, moves that are killed, large blobs, clear errors."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from hpoctl.core.canonical import content_hash
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.stores import s3_bucket
from hpoctl.stores.opening import open_results
from hpoctl.stores.s3 import S3Store
from hpoctl.stores.s3_bucket import Bucket
from hpoctl.testing import check_store

BLOBS = {"t/ASHA-1/x/metadata.json": b"one", "t/ASHA-1/x/results.parquet": b"two", "t/ASHA-13/y/log.txt": b"three"}


@pytest.fixture
def store(s3_root: str) -> S3Store:
    opened = open_results(s3_root).store
    assert isinstance(opened, S3Store)
    return opened


def filled(store: S3Store) -> S3Store:
    for name, data in BLOBS.items():
        store.put(name, data)
    return store


def test_contract(store: S3Store) -> None:
    check_store(store)


def test_asha_1_is_not_asha_13(store: S3Store) -> None:
    filled(store).delete("t/ASHA-1")
    assert list(store.list("")) == ["t/ASHA-13/y/log.txt"]
    store.delete("t/ASHA-1")
    store.move("t/ASHA-13", "t/ASHA-1")
    assert list(store.list("t/ASHA-1")) == ["t/ASHA-1/y/log.txt"]
    assert "ASHA-1" in store.folders("t")  # SeaweedFS shows the folder that is empty now for a while; S3 never does


def test_addresses(s3_root: str, store: S3Store) -> None:
    assert store.location("") == s3_root
    assert store.location("t/x") == f"{s3_root}/t/x"
    assert open_results(f"{s3_root}/").store.location("t") == f"{s3_root}/t"
    store.put("t/x", b"1")
    assert open_results(store.location("")).store.get("t/x") == b"1"


@pytest.mark.parametrize("address", ["s3://X", "s3://ab/../c", "s3:///x", "s3://ok-bucket//x", "gs://bucket/x"])
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(UsageError):
        open_results(address)


def test_more_blobs_than_a_page_are_listed_and_removed(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_bucket, "PAGE", 7)
    names = [f"t/{number:02d}/x" for number in range(23)]
    for name in names:
        store.put(name, b"")
    assert list(store.list("t")) == names
    assert list(store.folders("t")) == [name.split("/")[1] for name in names]
    store.move("t", "u")
    assert list(store.list("")) == [name.replace("t/", "u/") for name in names]
    store.delete("u")
    assert not store.list("")


def test_a_large_blob_is_put_in_parts(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_bucket, "PART", 5 * 2**20)  # S3 takes no smaller ones
    monkeypatch.setattr(s3_bucket, "LARGE", 2**20)
    data = os.urandom(11 * 2**20)
    store.put("t/table", data, create=True)
    assert content_hash(store.get("t/table")) == content_hash(data)
    with pytest.raises(FileExistsError):
        store.put("t/table", data, create=True)
    store.put("t/table", data[:-1])
    assert store.list("t") == {"t/table": len(data) - 1}
    store.move("t", "u")
    assert store.get("u/table") == data[:-1]


def test_one_of_many_creates(store: S3Store) -> None:
    def create(number: int) -> bool:
        try:
            store.put("t/once", f"{number}".encode(), create=True)
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(create, range(16)))
    assert won.count(True) == 1
    assert store.get("t/once") == f"{won.index(True)}".encode()


class KilledError(BaseException):
    """Stands for the end of the process."""


def killed_after(bucket: Bucket, calls: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a bucket write, copy and remove so often, and no more."""
    left = [calls]

    def limited(call: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **options: object) -> object:
            if left[0] == 0:
                raise KilledError
            left[0] -= 1
            return call(*args, **options)

        return step

    for name in ("put", "copy", "delete"):
        monkeypatch.setattr(bucket, name, limited(getattr(bucket, name)))


@pytest.mark.parametrize("calls", range(7))
def test_a_move_that_was_killed_can_be_repeated(s3_root: str, calls: int) -> None:
    store = filled(S3Store(*bucket_of(s3_root)))
    with pytest.MonkeyPatch.context() as patch:
        killed_after(store.bucket, calls, patch)
        try:
            store.move("t", "u")
            done = True
        except KilledError:
            done = False
    # Each blob is in one of the two places at least, and whole.
    for name, data in BLOBS.items():
        copies = [place for place in (name, f"u/{name[2:]}") if place in store.list("")]
        assert copies
        assert all(store.get(copy) == data for copy in copies)
    assert done is (calls > 5)
    if not done:
        assert list(store.unfinished_moves()) == ([("t", "u")] if calls else [])
        store.move("t", "u")
    assert {name: store.get(name) for name in store.list("")} == {f"u/{k[2:]}": v for k, v in BLOBS.items()}
    assert not store.unfinished_moves()


def bucket_of(root: str) -> tuple[Bucket, str]:
    name, _, prefix = root.removeprefix("s3://").partition("/")
    return Bucket(name), prefix


def test_what_was_written_since_a_killed_move_is_not_lost(s3_root: str) -> None:
    store = filled(S3Store(*bucket_of(s3_root)))
    with pytest.MonkeyPatch.context() as patch:
        killed_after(store.bucket, 4, patch)  # the note and three copies
        with pytest.raises(KilledError):
            store.move("t", "u")
    changed = "t/ASHA-1/x/metadata.json"
    store.put(changed, b"changed")
    store.put("t/new", b"new")
    store.move("t", "u")
    assert store.get("u/new") == b"new"
    assert store.get(changed) == b"changed"
    assert store.get("u/ASHA-1/x/metadata.json") == b"one"


def test_index_and_listing_agree(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads of many blobs return the present contents, for any cache."""
    names = [f"t/{number:03d}/metadata.json" for number in range(40)]

    def all_of() -> dict[str, bytes]:
        listed = store.list("t")
        return dict(store.contents(listed, [name for name in listed if name.endswith("metadata.json")]))

    expected = {name: f"first {name}".encode() for name in names}
    for name, data in expected.items():
        store.put(name, data)
    assert all_of() == expected
    for name in names[::2]:
        store.put(name, data := bytes(range(256)))
        expected[name] = data
    store.delete("t/001")
    del expected[names[1]]
    assert all_of() == expected
    got: list[str] = []
    get = store.bucket.get
    monkeypatch.setattr(store.bucket, "get", lambda key: (got.append(key), get(key))[1])  # type: ignore[func-returns-value]
    assert all_of() == expected
    assert len(got) == 1, "all of it came from the index"
    assert dict(store.hashes(store.list("t"), list(expected))) == {
        name: content_hash(data) for name, data in expected.items()
    }


@pytest.mark.parametrize("damage", [b"", b"not gzip", None])
def test_a_damaged_index_is_read_past(store: S3Store, damage: bytes | None) -> None:
    names = [f"t/{number:03d}/metadata.json" for number in range(20)]
    for name in names:
        store.put(name, name.encode())
    assert len(dict(store.contents(store.list("t"), names))) == 20
    index = next(name for name in store.list("t") if name.endswith(".gz"))
    whole = store.get(index)
    store.put(index, whole[:-20] if damage is None else damage)
    assert dict(store.contents(store.list("t"), names)) == {name: name.encode() for name in names}
    assert store.get(index) == whole, "a new one was written"


def test_names_that_no_blob_can_have_are_passed_over(store: S3Store) -> None:
    store.bucket.put(f"{store.location('').removeprefix(f's3://{store.bucket.name}/')}/t/folder/", b"")
    store.put("t/x", b"1")
    assert dict(store.list("t")) == {"t/x": 1}


@pytest.mark.parametrize(
    ("environment", "what", "fix"),
    [
        ({"AWS_ACCESS_KEY_ID": "nobody"}, "does not accept the AWS credentials", "AWS_PROFILE"),
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "does not accept the AWS credentials", "AWS_PROFILE"),
        ({"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None}, "no AWS credentials were found", "aws configure"),
        ({"AWS_PROFILE": "nobody"}, "could not be found", "AWS_PROFILE"),
        ({"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}, "cannot be reached", "AWS_ENDPOINT_URL_S3"),
    ],
)
def test_errors_say_what_to_do(
    s3_root: str, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str | None], what: str, fix: str
) -> None:
    for name, value in environment.items():
        if value is None:
            monkeypatch.delenv(name)
        else:
            monkeypatch.setenv(name, value)
    bucket, prefix = bucket_of(s3_root)
    store = S3Store(Bucket(bucket.name, waits=()), prefix)
    with pytest.raises(HpoctlError, match=what) as caught:
        store.put("t/x", b"1")
    assert fix in caught.value.fix


def test_no_bucket(s3_root: str) -> None:
    with pytest.raises(HpoctlError, match="There is no bucket nowhere-at-all"):
        open_results("s3://nowhere-at-all/x").store.list("")


def test_the_default_bucket_needs_a_region(s3_root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    with pytest.raises(UsageError, match="No AWS region is set"):
        open_results("s3://")


class Accounts(BaseHTTPRequestHandler):
    """The answer of STS about the caller."""

    def do_POST(self) -> None:
        text = (
            b"<GetCallerIdentityResponse xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><GetCallerIdentityResult>%b"
        )
        text += b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text % b"<Account>123456789012</Account>")

    def log_message(self, *args: object) -> None:
        """Nothing is said."""


def test_the_default_bucket_is_that_of_sagemaker(s3_root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Accounts) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_port}")
        try:
            store = open_results("s3://").store
        finally:
            server.shutdown()
            thread.join()
    assert store.location("t") == "s3://sagemaker-eu-central-1-123456789012/hpoctl/t"
