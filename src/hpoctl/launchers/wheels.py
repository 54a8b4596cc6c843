"""Wheels of what is installed here, editable installations included: equal files give equal bytes.

Nothing is built: a wheel is put together from the files that an import would find. So a container runs what runs here.
"""

import base64
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import Distribution
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from hpoctl.core.errors import HpoctlError

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of all files in a wheel: the earliest that there is."""

MODE = 0o100644 << 16
LEFT_OUT = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"})
"""What an installer adds to the metadata of a distribution."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel.

    Attributes:
        name: The name of its file.
        data: Its bytes.
    """

    name: str
    data: bytes


def is_local(distribution: Distribution) -> bool:
    """Whether a distribution was installed from a folder or file of this machine: no index has it."""
    return str(_origin(distribution).get("url", "")).startswith("file:")


def wheel_of(distribution: Distribution) -> Wheel:
    """A wheel of an installed distribution.

    Raises:
        HpoctlError: Its files cannot be found.
    """
    editable = distribution.files is None or _origin(distribution).get("dir_info", {}).get("editable", False)
    files = dict(_metadata(distribution))
    files |= dict(_sources(distribution) if editable else _installed(distribution))
    folder = _folder(distribution)
    if not any(not name.startswith(f"{folder}/") for name in files):
        raise HpoctlError(
            f"The files of {distribution.name} {distribution.version} cannot be found.",
            f"Install it without --editable, or leave it out: `hpoctl plugins` shows how ({distribution.name}).",
        )
    record = f"{folder}/RECORD"
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in sorted(files.items())]
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    return Wheel(f"{folder.removesuffix('.dist-info')}-{_tag(distribution)}.whl", _zip(files))


def _zip(files: dict[str, bytes]) -> bytes:
    """Not compressed: how well a library does that depends on its version, and tables are compressed already."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(files.items()):
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr, info.create_system = MODE, 3
            archive.writestr(info, data)
    return packed.getvalue()


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(sha256(data).digest()).rstrip(b"=").decode()


def _folder(distribution: Distribution) -> str:
    name = re.sub(r"[-_.]+", "_", distribution.name).lower()
    return f"{name}-{distribution.version}.dist-info"


def _origin(distribution: Distribution) -> dict[str, Any]:
    """Where a distribution was installed from, as its installer has noted; nothing: an index."""
    text = distribution.read_text("direct_url.json")
    return dict(json.loads(text)) if text else {}


def _tag(distribution: Distribution) -> str:
    """The tags of a wheel, several in one as far as its file has them."""
    text = distribution.read_text("WHEEL") or ""
    tags = [line.removeprefix("Tag:").strip().split("-") for line in text.splitlines() if line.startswith("Tag:")]
    if not tags:
        return "py3-none-any"
    return "-".join(".".join(dict.fromkeys(parts)) for parts in zip(*tags, strict=True))


def _metadata(distribution: Distribution) -> Iterator[tuple[str, bytes]]:
    folder = _folder(distribution)
    yield f"{folder}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {_tag(distribution)}\n".encode()
    for name in ("METADATA", "entry_points.txt", "top_level.txt"):
        text = distribution.read_text(name)
        if text is not None:
            yield f"{folder}/{name}", text.encode()


def _installed(distribution: Distribution) -> Iterator[tuple[str, bytes]]:
    """The files that an installer has noted; not those that are made of others, and no scripts."""
    for file in distribution.files or ():
        path = Path(str(file.locate()))
        outside = ".." in file.parts or file.parts[0].endswith(".dist-info")
        if not outside and _counts(path) and path.is_file():
            yield file.as_posix(), path.read_bytes()


def _sources(distribution: Distribution) -> Iterator[tuple[str, bytes]]:
    """The files of the packages of an editable installation, where they are imported from."""
    for name in sorted(_top_levels(distribution)):
        spec = find_spec(name)
        if spec is None:
            continue
        if spec.submodule_search_locations is None:
            if spec.origin:
                yield f"{name}.py", Path(spec.origin).read_bytes()
            continue
        for folder in map(Path, spec.submodule_search_locations):
            for path in sorted(folder.rglob("*")):
                if path.is_file() and _counts(path):
                    yield f"{name}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _top_levels(distribution: Distribution) -> set[str]:
    """Packages that belong to it: of its entry points, those that it names, those imported from its folder."""
    names = {point.module.partition(".")[0] for point in distribution.entry_points}
    names |= set((distribution.read_text("top_level.txt") or "").split())
    url = urlparse(_origin(distribution).get("url", ""))
    if url.path:
        project = Path(unquote(url.path))
        names |= {name for name, file in _imported() if file.is_relative_to(project) and _is_below(name, file, project)}
    return names


def _imported() -> Iterator[tuple[str, Path]]:
    """The top-level modules that are imported by now, and their files."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if "." not in name and not name.startswith("__") and isinstance(file, str):
            yield name, Path(file)


def _is_below(name: str, file: Path, project: Path) -> bool:
    """Whether a module lies where its project keeps what it installs: not beside it, as tests and other projects do."""
    package = file.parent if file.name == "__init__.py" else file
    return package.parent in {project, project / "src"} and name not in {"tests", "test", "conftest", "setup"}


def _counts(path: Path) -> bool:
    return "__pycache__" not in path.parts and path.suffix not in {".pyc", ".pyo"} and path.name not in LEFT_OUT
