"""Training scripts beside results, for jobs on other machines: what belongs to a script is kept with the plan.

<tag>/.hpoctl/scripts/<plan>-<hash of the benchmark file's path>.tar

A worker that does not find a benchmark file of its plan unpacks the archive among hpoctl's own data, by its hash.
"""

import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import CONTROL
from hpoctl.core.errors import IncompleteError, UsageError
from hpoctl.core.files import read_regular
from hpoctl.core.places import data_directory
from hpoctl.core.script import Script
from hpoctl.core.script_files import option_files, script_files
from hpoctl.core.storage import Store
from hpoctl.ops.studies.benchmark_files import load_benchmark

FOLDER = "scripts"


def share_scripts(store: Store, tag: str, plan: str, files: Iterable[str]) -> None:
    """Keep the files of scripts with a plan.

    These are the benchmark file, those that belong to the script, and those that options of trial backends name.

    Args:
        store: Where results are.
        tag: The tag.
        plan: The name of the plan.
        files: The benchmark files of its jobs.

    Raises:
        UsageError: A file of a script cannot be read, or is not below the folder of its benchmark file.
        HpoctlError: The store cannot be written.
    """
    for path in files:
        script = load_benchmark(Path(path)).script
        if script is not None:
            store.put(_blob(tag, plan, path), _packed(Path(path), script))


def shared_scripts(store: Store, tag: str, plan: str, files: Mapping[str, str]) -> dict[str, str]:
    """Benchmark files that this machine has, by name: those that it lacks are taken from where results are.

    Raises:
        IncompleteError: An archive is damaged.
        HpoctlError: The store cannot be read, or this machine's disk cannot be written.
    """
    found = dict(files)
    for name, path in files.items():
        if Path(path).exists():
            continue
        try:
            data = store.get(_blob(tag, plan, path))
        except FileNotFoundError:
            continue  # the benchmark says that its file is missing
        found[name] = str(_unpacked(data, Path(path)))
    return found


def _blob(tag: str, plan: str, path: str) -> str:
    return f"{tag}/{CONTROL}/{FOLDER}/{plan}-{content_hash(path.encode())[:16]}.tar"


def _packed(file: Path, script: Script) -> bytes:
    """An archive of the files, the same bytes for the same files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in dict.fromkeys([file.name, *script_files(script), *option_files(script)]):
            path = script.folder / name
            try:
                data, mode = read_regular(path), path.stat().st_mode
            except OSError as error:
                raise UsageError(f"Cannot read {path}: {error.strerror}.", "Check the files of the script.") from error
            entry = tarfile.TarInfo(f"{file.parent.name}/{name}")
            entry.size, entry.mode = len(data), 0o755 if mode & 0o100 else 0o644
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _unpacked(data: bytes, file: Path) -> Path:
    """The benchmark file, unpacked on this machine; its folder keeps its name, which may be that of the benchmark."""
    place = data_directory() / FOLDER / content_hash(data)[:32]
    found = place / file.parent.name / file.name
    if found.exists():
        return found
    place.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=place.parent) as folder:
        whole = Path(folder) / "whole"
        try:
            _extract(data, whole)
        except (tarfile.TarError, EOFError, ValueError) as error:
            what = f"The files of {file} are damaged where results are: {error}."
            raise IncompleteError(what, "Launch again.") from error
        try:
            whole.rename(place)
        except OSError:
            if not found.exists():  # otherwise another worker has been faster
                raise
    return found


def _extract(data: bytes, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            name, content = PurePosixPath(member.name), archive.extractfile(member)
            if content is None or name.is_absolute() or ".." in name.parts:
                raise ValueError(f"{member.name!r} is no file of a script")
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.read())
            path.chmod(member.mode & 0o755)
