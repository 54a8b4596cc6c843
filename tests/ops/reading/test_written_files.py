"""Files that commands make: whole or not there, and nothing else is lost."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.ops.reading.written_files import check_file, write_file


@pytest.mark.parametrize(
    ("make", "what"), [(os.mkfifo, "is a named pipe, not a file"), (Path.mkdir, "is a folder, not a file")]
)
def test_what_is_no_file_stays(tmp_path: Path, make: Callable[[Path], None], what: str) -> None:
    path = tmp_path / "named"
    make(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    before = path.stat()
    for named in (path, link):
        for act in (lambda name=named: write_file(name, b"x"), lambda name=named: check_file(name)):
            with pytest.raises(UsageError, match=what):
                act()
    assert path.stat() == before
    assert link.is_symlink()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["link", "named"]


def test_a_device_is_refused() -> None:
    for path in (Path("/dev/null"), Path("/dev/zero")):
        with pytest.raises(UsageError, match="is a device, not a file"):
            check_file(path)
        assert stat.S_ISCHR(path.stat().st_mode)


def test_a_link_stays_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for target in (tmp_path / "there" / "old", tmp_path / "there" / "new"):
        link = tmp_path / f"link-{target.name}"
        link.symlink_to(target)
    (tmp_path / "there" / "old").write_bytes(b"old")
    for name in ("old", "new"):
        write_file(tmp_path / f"link-{name}", b"written")
        assert (tmp_path / f"link-{name}").is_symlink()
        assert (tmp_path / "there" / name).read_bytes() == b"written"


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for path in (loop, tmp_path / "a\0", tmp_path / ("a" * 300)):
        with pytest.raises(HpoctlError, match="Cannot write"):
            write_file(path, b"x")
