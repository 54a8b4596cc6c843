"""Where trials on Ray keep their files: on a file system that all nodes share, or on their node with copies on S3."""

import io
import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from hpoctl.backends.scripts.folders import TRIALS, TrialFolder, lasting_name
from hpoctl.backends.scripts.starts import AFTER, RUN, StartFolder
from hpoctl.core.canonical import content_hash
from hpoctl.core.cells import ELSEWHERE
from hpoctl.core.files import read_regular
from hpoctl.core.report_lines import MARK
from hpoctl.core.script import Script
from hpoctl.core.script_files import script_files
from hpoctl.core.storage import read_ahead
from hpoctl.core.trial_backends import BackendContext
from hpoctl.core.trial_call import TrialCall
from hpoctl.stores.folder_copies import fetch, read_copy
from hpoctl.stores.opening import open_results
from hpoctl_ray.trial_copies import CODE, CONFIG, NODE, PRINTED, SESSION
from hpoctl_ray.trial_files import ArrivingFile, KeptFile

FILE = "ray"
"""The file that says what an experiment is called on S3."""

FOLDER = ".trials"
EPOCH = (1980, 1, 1, 0, 0, 0)


class TrialStorage(Protocol):
    """Where trials keep their files."""

    @property
    def code(self) -> bytes:
        """What nodes need of the script, zipped; empty: nothing."""
        ...

    @property
    def copies(self) -> Mapping[str, Any] | None:
        """What nodes are told of copies; see `trial_node`."""
        ...

    @property
    def session(self) -> str:
        """The file that names the controller that may start trials."""
        ...

    def begin_session(self, token: str) -> None:
        """Become the controller that may start trials: from now on, no worker of another one does.

        Raises:
            HpoctlError: S3 cannot be written.
            OSError: The file cannot be written.
        """
        ...

    def seen(self, script: Script, call: TrialCall) -> tuple[Script, TrialCall]:
        """The script and the call with the paths that trials see."""
        ...

    def folder(self, start: StartFolder) -> str:
        """The folder of a start, as nodes are told."""
        ...

    def command(self, start: StartFolder) -> Mapping[str, Any]:
        """What a worker is told of the files of a start, besides its command."""
        ...

    def files(self, start: StartFolder) -> tuple[ArrivingFile | KeptFile, ...]:
        """What a start writes as it arrives: reports, standard output, standard error."""
        ...

    def bring(self, folder: TrialFolder) -> None:
        """Bring what the starts of a trial have reported and was on its way when their worker was lost.

        Raises:
            HpoctlError: S3 cannot be read.
        """
        ...

    def bring_all(self) -> None:
        """Bring that of all trials, after the controller was lost.

        Raises:
            HpoctlError: S3 cannot be read.
        """
        ...

    def remove(self, folder: TrialFolder) -> None:
        """Remove the checkpoints of a trial that is over.

        Raises:
            HpoctlError: S3 cannot be written.
        """
        ...


class SharedStorage:
    """All files lie on a file system that all nodes share; see `TrialStorage`.

    Args:
        folder: The working folder of the experiment.
    """

    code = b""
    copies = None

    def __init__(self, folder: Path) -> None:
        self.session = str(folder.absolute() / SESSION)

    def begin_session(self, token: str) -> None:
        """Become the controller that may start trials."""
        Path(self.session).write_text(token, encoding="ascii")

    def seen(self, script: Script, call: TrialCall) -> tuple[Script, TrialCall]:
        """All paths are the same on all nodes."""
        return script, call

    def folder(self, start: StartFolder) -> str:
        """The folder of a start."""
        return str(start.path.absolute())

    def command(self, start: StartFolder) -> Mapping[str, Any]:
        """Where the outputs of a start go."""
        return {"out": str(start.out.absolute()), "err": str(start.err.absolute())}

    def files(self, start: StartFolder) -> tuple[ArrivingFile, ...]:
        """What a start writes; what was on its way when a worker was lost is read from the files."""
        return tuple(ArrivingFile(path) for path in (start.reports, start.out, start.err))

    def bring(self, folder: TrialFolder) -> None:
        """It is here."""

    def bring_all(self) -> None:
        """It is here."""

    def remove(self, folder: TrialFolder) -> None:
        """Remove the checkpoints of a trial."""
        shutil.rmtree(folder.checkpoints, ignore_errors=True)


class CopiedStorage:
    """Files lie on the disk of the node that runs a trial, with copies on S3; see `TrialStorage` and `trial_copies`.

    Args:
        context: The experiment.
        s3: Where copies go.

    Raises:
        UsageError: A file of the script cannot be read.
        HpoctlError: S3 cannot be used.
    """

    session = ""

    def __init__(self, context: BackendContext, s3: str) -> None:
        script, self._work = context.needed_script
        name = lasting_name(self._work, FILE)
        root = open_results(s3).store.location(f"{FOLDER}/{name}")
        self._store = open_results(root).store
        self._store.list(SESSION)  # better now than when the first trial has ended
        (self._work / ELSEWHERE).write_text(f"{root}/\n", encoding="utf-8")
        self.code = _zipped(script)
        self.copies = {
            "root": root,
            "name": name,
            "digest": content_hash(self.code)[:16],
            "needs": {library: f"{library}=={version(library)}" for library in ("boto3", "msgspec")},
        }

    def begin_session(self, token: str) -> None:
        """Become the controller that may start trials."""
        self._store.put(SESSION, token.encode("ascii"))

    def seen(self, script: Script, call: TrialCall) -> tuple[Script, TrialCall]:
        """The script and the call with the paths of a node."""
        config, checkpoints, reports = map(self._there, (call.config_file, call.checkpoints, call.reports))
        there = replace(call, config_file=config, checkpoints=checkpoints, reports=reports)
        return replace(script, folder=Path(NODE) / CODE), there

    def folder(self, start: StartFolder) -> str:
        """The folder of a start on its node."""
        return str(self._there(start.path))

    def command(self, start: StartFolder) -> Mapping[str, Any]:
        """Where the outputs of a start go on its node, and the small files that are written here."""
        trial = TrialFolder(start.path.parents[1])
        files = {CONFIG: trial.config.read_text(encoding="utf-8")}
        for path in (start.path / AFTER, start.path / RUN):
            with suppress(FileNotFoundError):
                files[path.relative_to(trial.path).as_posix()] = path.read_text(encoding="ascii")
        printed = f"{NODE}/{PRINTED}/{trial.path.name}-{start.path.name}"
        return {"out": f"{printed}.out", "err": f"{printed}.err", "files": files}

    def files(self, start: StartFolder) -> tuple[KeptFile, ...]:
        """What a start writes; it is kept here as it arrives."""
        return tuple(KeptFile(path) for path in (start.reports, start.out, start.err))

    def bring(self, folder: TrialFolder) -> None:
        """Bring what the starts of a trial have reported, so far as it is not here.

        The copy of another trial of the same number is removed: a controller that was lost had started it, and the
        journal that is continued does not know it.
        """
        copy = read_copy(self._store, folder.path.name)
        if copy is None:
            return
        config = folder.config.read_bytes() if folder.config.exists() else b""
        if copy.files.get(CONFIG) != (content_hash(config),):
            self._store.delete(folder.path.name)
            return
        with tempfile.TemporaryDirectory(prefix="hpoctl-trial-") as temporary:
            fetch(self._store, folder.path.name, Path(temporary), "starts")
            for start in TrialFolder(Path(temporary)).starts():
                _merge(start, StartFolder(folder.path / "starts" / start.path.name))

    def bring_all(self) -> None:
        """Bring that of all trials."""
        trials = [TrialFolder(self._work / TRIALS / name) for name in self._store.folders("") if name.isdigit()]
        for answer in read_ahead(self._store, self.bring, trials):
            answer()

    def remove(self, folder: TrialFolder) -> None:
        """Remove the copy of a trial; its files left its node when it ended."""
        self._store.delete(folder.path.name)

    def _there(self, path: Path) -> Path:
        return Path(NODE) / path.relative_to(self._work)


def _merge(copy: StartFolder, here: StartFolder) -> None:
    """Take from a copy of a start what is not here: each file of both began in the same way."""
    if not here.path.exists():
        shutil.copytree(copy.path, here.path)
        return
    if _size(copy.reports) > _size(here.reports):
        shutil.copyfile(copy.reports, here.reports)
    if copy.out.exists() and _size(copy.out) > len(_marked(here.out)):
        shutil.copyfile(copy.out, here.out)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _marked(path: Path) -> bytes:
    """The whole lines of a file that hold reports: what a copy has of it."""
    lines: Sequence[bytes] = path.read_bytes().split(b"\n")[:-1] if path.exists() else ()
    return b"".join(line + b"\n" for line in lines if MARK in line)


def _zipped(script: Script) -> bytes:
    """The files of a script: equal files give equal bytes.

    Raises:
        UsageError: They cannot be read.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name in script_files(script):
            info = zipfile.ZipInfo(name, EPOCH)
            info.external_attr = (0o755 if (script.folder / name).stat().st_mode & 0o100 else 0o644) << 16
            archive.writestr(info, read_regular(script.folder / name))
    return packed.getvalue()
