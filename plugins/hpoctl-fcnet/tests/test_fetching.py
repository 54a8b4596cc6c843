"""Fetching the archive of the originals from a server on this machine, and what may be wrong with an archive."""

import gzip
import io
import tarfile

import fcnet_originals
import pytest
from file_server import Served, serving

from hpoctl.core.errors import HpoctlError, IncompleteError
from hpoctl_fcnet import fetching, importing, plugin
from hpoctl_fcnet.original import FILES, find_files

CONTENT = {file_name: file_name.encode() * 5000 for file_name in FILES.values()}
FOLDER = "fcnet_tabular_benchmarks/"


def member(name: str, data: bytes = b"", **facts: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for fact, value in facts.items():
        setattr(info, fact, value)
    return info, data


def members() -> list[tuple[tarfile.TarInfo, bytes]]:
    """What an honest archive holds."""
    inside = [member(FOLDER + name, data) for name, data in CONTENT.items()]
    return [member(FOLDER, type=tarfile.DIRTYPE), *inside, member(FOLDER + "fcnet_year_prediction_data.hdf5", b"1")]


def archive(entries: list[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    return file.getvalue()


@pytest.fixture(autouse=True)
def own_place(monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("HPOCTL_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("hpoctl_fcnet.download.time.sleep", lambda seconds: None)
    return tmp_path / "cache"


@pytest.fixture
def server():
    with serving(Served(archive(members()))) as served:
        yield served


def fetch(server, progress=lambda *told: None):
    (entry,) = plugin.hpoctl_importers()
    assert entry.fetch is not None
    return entry.fetch(server.url, progress)


def test_the_four_files_come_out_ready_to_be_imported(server, own_place):
    seen = []
    folder = fetch(server, lambda *told: seen.append(told))
    assert folder == own_place / "fcnet-original"
    assert set(find_files(folder)) == set(FILES)
    assert sorted(path.name for path in folder.iterdir()) == sorted([*CONTENT, "unpacked.json"])
    for name, data in CONTENT.items():
        assert (folder / name).read_bytes() == data
    assert {what for what, _, _ in seen} == {
        "downloading fcnet_tabular_benchmarks.tar.gz",
        "checking fcnet_tabular_benchmarks.tar.gz",
        "unpacking fcnet_tabular_benchmarks.tar.gz",
    }


def test_fetched_again_nothing_is_done_again(server, monkeypatch):
    folder = fetch(server)
    stamps = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert fetch(server) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == stamps
    assert server.asked == [None]


def test_files_that_were_lost_or_cut_are_unpacked_again(server):
    folder = fetch(server)
    first, second, *_ = CONTENT
    (folder / first).unlink()
    (folder / second).write_bytes(b"short")
    fetch(server)
    assert (folder / first).read_bytes() == CONTENT[first]
    assert (folder / second).read_bytes() == CONTENT[second]
    assert server.asked == [None]


def test_another_archive_takes_the_place_of_the_old_one(server):
    folder = fetch(server)
    name = next(iter(CONTENT))
    server.data = archive([member(name, b"other")])
    server.url += "?version=2"
    assert fetch(server) == folder
    assert sorted(path.name for path in folder.iterdir()) == [name, "unpacked.json"]
    assert (folder / name).read_bytes() == b"other"


def test_an_interrupted_unpacking_leaves_nothing_half(server, own_place):
    def stop(what, done, total):
        if what.startswith("unpacking"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(server, stop)
    assert [path.name for path in own_place.iterdir()] == ["fcnet-download"]
    fetch(server)
    assert server.asked == [None]


def test_what_is_not_expected_is_not_written(server, own_place, tmp_path):
    """Whatever a member is called, only the four names are written, and only into the folder."""
    name = next(iter(CONTENT))
    server.data = archive(
        [
            member("../../evil", b"1"),
            member("/tmp/evil-absolute", b"1"),
            member("evil", type=tarfile.SYMTYPE, linkname="/etc"),
            member("evil/passwd", b"1"),
            member("pipe", type=tarfile.FIFOTYPE),
            member("device", type=tarfile.CHRTYPE),
            member(f"../../../{name}", b"data"),
        ]
    )
    folder = fetch(server)
    assert sorted(path.name for path in folder.iterdir()) == [name, "unpacked.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache"]
    assert sorted(path.name for path in own_place.iterdir()) == ["fcnet-download", "fcnet-original"]


def without_end(data: bytes) -> bytes:
    return data[: len(data) // 2]


def with_another_checksum(data: bytes) -> bytes:
    return data[:-8] + bytes(4) + data[-4:]


def with_a_flipped_byte(data: bytes) -> bytes:
    return data[:200] + bytes([data[200] ^ 255]) + data[201:]


def with_a_tar_cut_short(data: bytes) -> bytes:
    return gzip.compress(gzip.decompress(data)[:100_000])


def with_no_tar(data: bytes) -> bytes:
    return gzip.compress(b"no archive at all" * 1000)


def with_nothing(data: bytes) -> bytes:
    return archive([])


def with_other_files(data: bytes) -> bytes:
    return archive([member("readme.txt", b"1")])


def with_a_link(data: bytes) -> bytes:
    return archive([member(next(iter(CONTENT)), type=tarfile.SYMTYPE, linkname="/etc/passwd")])


def with_a_hard_link(data: bytes) -> bytes:
    return archive([member(next(iter(CONTENT)), type=tarfile.LNKTYPE, linkname="/etc/passwd")])


def with_a_folder_of_that_name(data: bytes) -> bytes:
    return archive([member(next(iter(CONTENT)), type=tarfile.DIRTYPE)])


def with_a_file_twice(data: bytes) -> bytes:
    return archive([member(next(iter(CONTENT)), b"1"), member(f"again/{next(iter(CONTENT))}", b"2")])


def with_a_huge_file(data: bytes) -> bytes:
    info, _ = member(next(iter(CONTENT)), size=1 << 40)
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT))


def with_a_huge_header(data: bytes) -> bytes:
    info, _ = member("././@PaxHeader", size=1 << 33, type=tarfile.XHDTYPE)
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT))


def with_headers_without_end(data: bytes) -> bytes:
    info, _ = member("././@PaxHeader", type=tarfile.XHDTYPE)
    return gzip.compress(info.tobuf(tarfile.GNU_FORMAT) * 5000)


@pytest.mark.parametrize(
    "damage",
    [
        without_end,
        with_another_checksum,
        with_a_flipped_byte,
        with_a_tar_cut_short,
        with_no_tar,
        with_nothing,
        with_other_files,
        with_a_link,
        with_a_hard_link,
        with_a_folder_of_that_name,
        with_a_file_twice,
        with_a_huge_file,
        with_a_huge_header,
        with_headers_without_end,
    ],
)
def test_a_bad_archive_is_one_error_and_is_not_kept(server, own_place, damage):
    good, server.data = server.data, damage(server.data)
    with pytest.raises(IncompleteError) as caught:
        fetch(server)
    assert server.url in caught.value.what
    assert "\n" not in str(caught.value)
    assert not (own_place / "fcnet-original").exists()
    assert list((own_place / "fcnet-download").iterdir()) == []
    server.data = good
    assert set(find_files(fetch(server))) == set(FILES)


def test_a_bad_archive_leaves_what_was_unpacked_before(server):
    folder = fetch(server)
    before = fcnet_originals.tree(folder)
    server.data = with_another_checksum(server.data)
    server.url += "?version=2"
    with pytest.raises(IncompleteError):
        fetch(server)
    assert fcnet_originals.tree(folder) == before


def test_an_archive_that_unpacks_to_more_than_an_honest_one_is_refused(server, monkeypatch):
    monkeypatch.setattr(fetching, "MAX_TOTAL", 200_000)
    with pytest.raises(IncompleteError, match="unpacks to more than 200,000 bytes"):
        fetch(server)


def test_a_page_instead_of_the_archive_is_refused(server):
    server.data, server.kind = b"<html>moved</html>", "text/html"
    with pytest.raises(IncompleteError, match="text/html"):
        fetch(server)


def test_a_cache_that_cannot_be_written_is_an_error(server, own_place):
    own_place.mkdir()
    (own_place / "fcnet-original").write_text("a file in the way")
    with pytest.raises(HpoctlError, match="HPOCTL_CACHE"):
        fetch(server)


def test_without_an_address_it_is_that_of_the_authors(monkeypatch):
    asked = []

    def stop(url, target, progress, **options):
        asked.append(url)
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "download", stop)
    with pytest.raises(KeyboardInterrupt):
        plugin.fetch_originals(None, lambda *told: None)
    assert asked == ["http://ml4aad.org/wp-content/uploads/2019/01/fcnet_tabular_benchmarks.tar.gz"]


def test_what_was_fetched_is_what_the_importer_looks_for(server, own_data):
    """These files are no HDF5: the importer says so, of the folder that fetch returned."""
    with pytest.raises(IncompleteError, match="fcnet_protein_structure_data"):
        importing.load(fetch(server), lambda *told: None)
    assert not own_data.exists()
