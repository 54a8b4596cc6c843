"""Only regular files are read, without waiting, and no more of them than fits."""

import ast
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

import hpoctl
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.files import UnreadableError, read_regular
from hpoctl.core.toml_files import read_toml
from hpoctl.stores.claims import CLAIMS, LocalClaims
from hpoctl.stores.local import LocalStore


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _giant(path: Path) -> None:
    path.touch()
    os.truncate(path, 2**43)


KINDS: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe": (os.mkfifo, "it is a named pipe, not a file"),
    "socket": (_socket, "o such device or address"),
    "device": (_device, "it is a device, not a file"),
    "folder": (Path.mkdir, "it is a folder, not a file"),
    "giant": (_giant, "8,796,093,022,208 bytes"),
}


@pytest.fixture(params=KINDS)
def no_file(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    make, why = KINDS[request.param]
    path = tmp_path / "tag" / "metadata.json"
    path.parent.mkdir()
    make(path)
    return path, why


def test_what_is_no_file_is_named_without_waiting(no_file: tuple[Path, str]) -> None:
    path, why = no_file
    with pytest.raises(OSError, match=why):
        read_regular(path)


def test_a_store_and_a_toml_reader_say_what_it_is(no_file: tuple[Path, str], tmp_path: Path) -> None:
    path, why = no_file
    with pytest.raises(IncompleteError, match=why) as damaged:  # of one result: others can be read
        LocalStore(tmp_path).get("tag/metadata.json")
    with pytest.raises(UsageError, match=why) as refused:
        read_toml(path)
    for caught in (damaged, refused):
        assert str(path) in caught.value.what


def test_a_file_is_read_whole_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert read_regular(path, most=100) == b"x" * 100
    with pytest.raises(UnreadableError, match="100 bytes, more than the 99 that are read"):
        read_regular(path, most=99)
    assert read_regular(Path("/proc/self/stat")).startswith(str(os.getpid()).encode())


def test_claims_do_not_wait_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / CLAIMS)
    claims = LocalClaims(tmp_path)
    for ask in (claims.take, claims.held):
        with pytest.raises(HpoctlError, match="it is a named pipe, not a file"):
            ask("key")


ELSEWHERE = {
    "analysis/report.py": "a file of the package",
    "backends/local/leftovers.py": "/proc",
    "backends/local/supervisor.py": "/proc",
    "backends/scripts/starts.py": "/proc",
    "core/machine.py": "/proc",
    "engine/training.py": "the journal, which this process has open and locked",
    "launchers/bundle.py": "a file of the package",
    "launchers/unpack.py": "a file of the bundle that it is in",
    "launchers/wheels.py": "files of installed packages",
    "ops/launching/smoke.py": "files that it has just written",
    "ops/reading/made_cache.py": "a file of the package",
}
"""The modules that read files without `hpoctl.core.files`, and what these are; `hpoctl.testing` may."""


def test_nothing_else_reads_files() -> None:
    package = Path(hpoctl.__file__).parent
    found = set()
    for path in package.rglob("*.py"):
        name = path.relative_to(package).as_posix()
        calls = (node.func for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call))
        read = any(isinstance(call, ast.Attribute) and call.attr in {"read_text", "read_bytes"} for call in calls)
        if read and not name.startswith("testing/"):
            found.add(name)
    assert found == set(ELSEWHERE)
