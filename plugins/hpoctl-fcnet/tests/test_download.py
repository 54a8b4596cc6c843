"""Downloads from a server on this machine."""

import hashlib
import json
import resource
import socket
import threading
import time

import fcnet_originals
import pytest
from file_server import Served, serving

from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl_fcnet.download import Limits, download
from hpoctl_fcnet.partial_file import forget, recorded_hash

DATA = b"\x1f\x8b" + bytes(range(256)) * 4000
QUICK = Limits(pause=0.0, timeout=5.0, attempts=3)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server():
    with serving(Served(DATA)) as served:
        yield served


@pytest.fixture
def target(tmp_path):
    return tmp_path / "kept" / "files.tar.gz"


def get(server, target, *, progress=lambda *told: None, limits=QUICK, url=None):
    return download(url or server.url, target, progress, magic=b"\x1f\x8b", limits=limits)


def test_a_file_comes_whole_with_its_hash_beside(server, target):
    seen = []
    assert get(server, target, progress=lambda *told: seen.append(told)) == target
    assert target.read_bytes() == DATA
    assert recorded_hash(target) == hashlib.sha256(DATA).hexdigest()
    assert sorted(path.name for path in target.parent.iterdir()) == ["files.tar.gz", "files.tar.gz.json"]
    assert seen[0] == ("downloading files.tar.gz", 0, len(DATA))
    assert ("downloading files.tar.gz", len(DATA), len(DATA)) in seen


def test_a_file_that_is_there_is_not_asked_for_again(server, target):
    get(server, target)
    get(server, target)
    assert server.asked == [None]


def test_a_kept_file_that_has_changed_comes_anew(server, target):
    get(server, target)
    target.write_bytes(DATA[:-1] + b"?")
    get(server, target)
    assert target.read_bytes() == DATA
    assert server.asked == [None, None]


def test_a_file_of_another_address_comes_anew(server, target):
    get(server, target)
    server.data = DATA[:1000]
    get(server, target, url=server.url.replace("files", "others"))
    assert target.read_bytes() == DATA[:1000]


def test_a_forgotten_file_comes_anew(server, target):
    get(server, target)
    forget(target)
    assert list(target.parent.iterdir()) == []
    get(server, target)
    assert target.read_bytes() == DATA


def test_a_dropped_connection_is_taken_up_where_it_was(server, target):
    server.breaks = [300_000, 300_000]
    get(server, target)
    assert target.read_bytes() == DATA
    assert server.asked == [None, "bytes=300000-", "bytes=600000-"]


def test_what_came_before_an_interruption_is_not_asked_for_again(server, target):
    def stop(what, done, total):
        if done > 500_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(server, target, progress=stop)
    have = (target.parent / "files.tar.gz.part").stat().st_size
    assert 0 < have < len(DATA)
    get(server, target)
    assert target.read_bytes() == DATA
    assert server.asked == [None, f"bytes={have}-"]


def test_a_server_without_ranges_starts_over(server, target):
    server.ranges, server.breaks = False, [300_000]
    get(server, target)
    assert target.read_bytes() == DATA
    assert server.asked == [None, "bytes=300000-"]


@pytest.mark.parametrize("etag", ["", 'W/"1"'])
def test_without_a_tag_that_promises_the_same_bytes_it_starts_over(server, target, etag):
    server.etag, server.breaks = etag, [300_000]
    get(server, target)
    assert target.read_bytes() == DATA
    assert server.asked == [None, None]


def test_a_file_that_changed_in_between_comes_whole(server, target):
    server.breaks = [300_000, 0, 0]
    with pytest.raises(HpoctlError):
        get(server, target)
    server.data, server.etag = DATA[:2] + b"other" * 100_000, '"2"'
    get(server, target)
    assert target.read_bytes() == server.data


def test_a_file_that_became_shorter_comes_whole(server, target):
    server.breaks = [300_000, 0, 0]
    with pytest.raises(HpoctlError):
        get(server, target)
    server.data = DATA[:1000]  # with the same tag
    get(server, target)
    assert target.read_bytes() == DATA[:1000]


def test_without_a_length_the_end_is_the_end(server, target):
    server.length = False
    get(server, target)
    assert target.read_bytes() == DATA


@pytest.mark.parametrize("notes", [b"", b"[]", b'{"url": 1}', b"\xff"])
def test_damaged_notes_of_a_part_start_over(server, target, notes):
    target.parent.mkdir()
    (target.parent / "files.tar.gz.part").write_bytes(b"rubbish")
    (target.parent / "files.tar.gz.part.json").write_bytes(notes)
    get(server, target)
    assert target.read_bytes() == DATA


def test_a_part_of_another_address_is_not_gone_on_with(server, target):
    server.breaks = [300_000, 0, 0]
    with pytest.raises(HpoctlError):
        get(server, target)
    get(server, target, url=server.url.replace("files", "others"))
    assert target.read_bytes() == DATA
    assert server.asked[-1] is None


def test_a_connection_that_always_breaks_is_given_up_and_what_came_is_kept(server, target):
    server.breaks = [300_000, 0, 0, 0]
    with pytest.raises(HpoctlError) as caught:
        get(server, target)
    assert len(server.asked) == 3
    assert "300,000 bytes" in caught.value.what
    assert "it resumes" in caught.value.fix
    assert not target.exists()
    server.breaks = []
    get(server, target)
    assert target.read_bytes() == DATA
    assert server.asked[-1] == "bytes=300000-"


def test_a_busy_server_is_asked_again(server, target):
    server.answers = [(503, b"busy"), (429, b"busy")]
    waits = []
    get(server, target, progress=lambda *told: waits.append(told))
    assert target.read_bytes() == DATA
    assert sum("503" in what or "429" in what for what, _, _ in waits) == 2


def test_a_server_that_stays_busy_is_given_up(server, target):
    server.answers = [(503, b"busy")] * 3
    with pytest.raises(HpoctlError, match="503"):
        get(server, target)
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_missing_file_is_told_at_once(server, target, status):
    server.answers = [(status, b"<html>no</html>")]
    with pytest.raises(IncompleteError) as caught:
        get(server, target)
    assert str(status) in caught.value.what
    assert "--url" in caught.value.fix
    assert list(target.parent.iterdir()) == []


def test_a_page_instead_of_a_file_is_refused_and_not_kept(server, target):
    server.data, server.kind = b"<html>Sign in</html>", "text/html"
    with pytest.raises(IncompleteError, match="text/html"):
        get(server, target)
    assert list(target.parent.iterdir()) == []


def test_a_part_of_something_else_is_refused(server, target):
    server.breaks = [300_000, 0, 0]
    with pytest.raises(HpoctlError):
        get(server, target)
    server.answers = [(206, DATA)]  # without saying which bytes they are
    with pytest.raises(IncompleteError, match="bytes from 300000"):
        get(server, target)


@pytest.mark.parametrize("length", [True, False])
def test_a_file_that_is_too_large_is_refused(server, target, length):
    server.length = length
    with pytest.raises(IncompleteError, match="more than 100,000 bytes"):
        get(server, target, limits=Limits(size=100_000))
    assert list(target.parent.iterdir()) == []


def test_a_redirection_is_followed_to_http_only(server, target):
    server.moved = server.url
    get(server, target, url=server.url.replace("files.tar.gz", "moved"))
    assert target.read_bytes() == DATA
    for elsewhere in ("file:///etc/passwd", "ftp://127.0.0.1/files"):
        server.moved = elsewhere
        with pytest.raises(HpoctlError):
            get(server, target.with_name("other"), url=server.url.replace("files.tar.gz", "moved"))
        assert not target.with_name("other").exists()


@pytest.mark.parametrize("url", ["", "files.tar.gz", "file:///etc/passwd", "ftp://example.org/x", "http://"])
def test_what_is_no_address_is_refused(target, url):
    with pytest.raises(UsageError, match="address"):
        download(url, target, lambda *told: None)


def test_no_network_is_an_error_with_a_remedy(target):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(HpoctlError) as caught:
        get(None, target, url=f"http://127.0.0.1:{port}/files.tar.gz")
    assert "refused" in caught.value.what
    assert "network" in caught.value.fix


def test_a_name_that_nobody_knows_is_an_error(target, monkeypatch):
    def unknown(*args, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(HpoctlError, match="Name or service not known"):
        get(None, target, url="http://nowhere.invalid/files.tar.gz")


def test_a_silent_server_is_given_up(target):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/files.tar.gz"
        with pytest.raises(HpoctlError, match="timed out"):
            get(None, target, url=url, limits=Limits(timeout=0.05, attempts=2, pause=0.0))


def test_a_disk_that_takes_no_more_is_an_error_and_what_came_is_kept(server, target):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
    try:
        with pytest.raises(HpoctlError, match="File too large") as caught:
            get(server, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "HPOCTL_CACHE" in caught.value.fix
    assert server.asked == [None], "the network is not to blame"
    get(server, target)
    assert target.read_bytes() == DATA
    assert server.asked == [None, "bytes=400000-"]


def test_a_place_that_cannot_be_written_is_an_error(server, tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(HpoctlError, match="cannot be written"):
        get(server, tmp_path / "file" / "files.tar.gz")
    assert server.asked == []


def test_pauses_grow(server, target, monkeypatch):
    waited: list[float] = []
    sleep = time.sleep

    def note(seconds: float) -> None:
        if threading.current_thread() is threading.main_thread():
            waited.append(seconds)
        else:  # threads of other tests sleep as well
            sleep(seconds)

    monkeypatch.setattr(time, "sleep", note)
    server.answers = [(503, b"")] * 4
    get(server, target, limits=Limits(pause=1.0))
    assert waited == [1.0, 2.0, 4.0, 8.0]


def test_notes_name_the_address(server, target):
    get(server, target)
    notes = json.loads(target.with_name("files.tar.gz.json").read_bytes())
    assert notes == {"url": server.url, "size": len(DATA), "sha256": hashlib.sha256(DATA).hexdigest()}
    assert set(fcnet_originals.tree(target.parent)) == {"files.tar.gz", "files.tar.gz.json"}
