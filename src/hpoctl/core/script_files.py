"""The files that belong to a script, and the hash that changes when the script does.

By default they are the files of its folder that git would not ignore. Results of hpoctl, study files and benchmark
files are not among them: what they say enters the identity of an experiment by itself. Nor are files that tools keep
credentials in, as the files of a script are sent with jobs.
"""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.cells import CONTROL, WORK
from hpoctl.core.errors import UsageError
from hpoctl.core.files import read_regular
from hpoctl.core.script import Script
from hpoctl.core.toml_files import MOST_BYTES

MAX_FILES, MAX_BYTES = 10_000, 500_000_000
"""What a script is expected not to exceed; more is data that lies beside it."""

TAG_FILE = "study.json"
"""What a tag keeps its random seed in."""

OURS = frozenset({WORK, ".claims", ".probe", ".blackboxes"})
"""What a root of results holds besides tags, where it is below the script's folder."""

PRIVATE = re.compile(
    r"(?:.*/)?(?:\.env(?:\..*)?|\.netrc|\.pgpass|\.pypirc|\.npmrc|\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)|.*\.pem"
    r"|\.(?:aws|ssh|kube)/.*)"
)
"""The names of files that tools keep credentials in."""

TIMEOUT = 60
"""Seconds that git may take to list a folder."""


def script_hash(script: Script) -> str:
    """The hash of a script's files, its command, how it is called, its environment and its share of the machine.

    Raises:
        UsageError: A file cannot be read, or they are too many or too large.
    """
    files = {}
    total = 0
    for name in script_files(script):
        data = _read(script.folder / name)
        total += len(data)
        if total > MAX_BYTES:
            raise _too_much(script, f"more than {MAX_BYTES // 1_000_000} MB")
        files[name] = content_hash(data)
    call = {
        "command": list(script.command),
        "python": script.python,
        "working_folder": script.working_folder,
        "arguments": script.arguments,
        "syne_tune_arguments": script.syne_tune_arguments,
        "environment": dict(script.environment),
        "checkpoints": script.checkpoints,
        "cpus": script.cpus,
        "gpus": script.gpus,
    }
    return content_hash(canonical_json({"files": files, "call": call}))


def script_files(script: Script) -> list[str]:
    """The names of a script's files relative to its folder, with `/` between their parts, sorted.

    The file that the command starts is always among them, if it lies in the folder.

    Raises:
        UsageError: A pattern matches no file, the folder cannot be listed, or there are too many files.
    """
    listed = _matching(script) if script.files else _in_folder(script.folder)
    names = set(_started(script))
    for name in listed:
        names.add(name)
        if len(names) > MAX_FILES:
            raise _too_much(script, f"more than {MAX_FILES:,} files")
    return sorted(names)


def option_files(script: Script) -> list[str]:
    """The names of the files in a script's folder that options of trial backends name, such as `requirements.txt`.

    They are not among the script's files, unless `files` names them: with other options it is the same script.
    """
    folder = script.folder
    texts = {str(value) for values in script.backend_options.values() for value in values.values()}
    paths = (Path(os.path.normpath(folder / text)) for text in texts if text and "\0" not in text)
    return sorted(_name(folder, path) for path in paths if path.is_relative_to(folder) and path.is_file())


def _started(script: Script) -> list[str]:
    """The file that the command starts, if it lies in the folder: its name there."""
    word = script.command[0]
    path = Path(os.path.normpath(script.folder / word))  # links are followed when it is read
    named = script.python is not None or "/" in word
    inside = named and path.is_relative_to(script.folder) and path.is_file()
    return [_name(script.folder, path)] if inside else []


def _too_much(script: Script, amount: str) -> UsageError:
    return UsageError(
        f"The folder {script.folder} of the script holds {amount}.",
        'Name those that belong to it: files = ["train.py", "lib"], or let .gitignore leave the others out.',
    )


def _read(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError as error:
        raise UsageError(
            f"Cannot read {path}, a file of the script: {error.strerror}.", "Check the file and its permissions."
        ) from error


def _matching(script: Script) -> Iterator[str]:
    """The files that the patterns name; a folder stands for all files in it."""
    for pattern in script.files:
        pure = PurePosixPath(pattern)
        if pure.is_absolute() or ".." in pure.parts or not pure.parts:
            raise UsageError(
                f"files: {pattern!r} does not lie in {script.folder}.", "Use paths relative to the benchmark file."
            )
        found = False
        for path in _glob(script.folder, pattern):
            for name in _walk(script.folder, path) if path.is_dir() else [_name(script.folder, path)]:
                found = True
                yield name
        if not found:
            raise UsageError(f"files: {pattern!r} matches no file in {script.folder}.", "Correct or remove it.")


def _glob(folder: Path, pattern: str) -> list[Path]:
    try:
        return list(folder.glob(pattern))
    except (OSError, ValueError) as error:  # a name that no file can have, ** within a part
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"files: {pattern[:80]!r} is no pattern: {reason}.", "Correct or remove it.") from error


def _in_folder(folder: Path) -> Iterator[str]:
    """The files of a folder that git would not ignore; without a checkout all that are not hidden. No credentials."""
    names = _of_git(folder)
    results: dict[Path, bool] = {folder: False}
    for name in _walk(folder, folder) if names is None else names:
        path = folder / name
        ours = not OURS.isdisjoint(PurePosixPath(name).parts) or _is_ours(path)
        if not ours and not PRIVATE.fullmatch(name) and path.is_file() and not _in_results(path.parent, results):
            yield name


def _of_git(folder: Path) -> list[str] | None:
    """What git lists, None where there is no git or no checkout."""
    try:
        answer = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 - git from PATH
            cwd=folder,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if answer.returncode != 0:
        return None
    return [os.fsdecode(name) for name in answer.stdout.split(b"\0") if name]


def _walk(folder: Path, start: Path) -> Iterator[str]:
    for place, folders, files in os.walk(start):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        folders[:] = [name for name in folders if not _is_tag(Path(place, name))]
        for name in files:
            if not name.startswith(".") and not name.endswith(".pyc"):
                yield _name(folder, Path(place, name))


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _in_results(folder: Path, known: dict[Path, bool]) -> bool:
    """Whether a folder lies in the results of a tag; what is known of folders grows."""
    if folder not in known:
        known[folder] = _is_tag(folder) or _in_results(folder.parent, known)
    return known[folder]


def _is_tag(folder: Path) -> bool:
    """Whether a folder holds the results of a tag."""
    if (folder / CONTROL).is_dir():
        return True
    try:
        return b'"master_seed"' in read_regular(folder / TAG_FILE, MOST_BYTES)
    except OSError:
        return False


def _is_ours(path: Path) -> bool:
    """Whether a file is one that hpoctl reads: hpoctl.toml, a study file, or a benchmark file."""
    if path.suffix != ".toml" or path.name == "pyproject.toml":
        return False
    if path.name == "hpoctl.toml":
        return True
    try:
        table = tomllib.loads(read_regular(path, MOST_BYTES).decode())
    except (OSError, ValueError, RecursionError):
        return False
    return {"methods", "benchmarks"} <= table.keys() or ("space" in table and bool({"script", "command"} & set(table)))
