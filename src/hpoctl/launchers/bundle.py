"""What another machine needs to run jobs: hpoctl and plugins as wheels, exact versions of all other libraries.

    <root>/.bundles/<hash>/unpack.py          installs the rest
                          /requirements.txt   the exact versions of all libraries, as they are installed here
                          /extra.txt          what a person asks for besides, if anything
                          /wheels/*.whl       hpoctl, the plugins, and other libraries that no index has
                          /...                the launcher's own files, such as the script that starts a job

A bundle is named by its content. It is written once, and read by all jobs of all launches that need the same.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.entries import LauncherEntry
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.files import read_regular
from hpoctl.core.storage import Store
from hpoctl.core.trial_backends import BackendEntry
from hpoctl.launchers.wheels import is_local, wheel_of
from hpoctl.plugins.kinds import Origin
from hpoctl.plugins.loading import SELECTION, load_plugins

FOLDER = ".bundles"
UNPACK, LOCK, EXTRA, WHEELS = "unpack.py", "requirements.txt", "extra.txt", "wheels"
OWN = "hpoctl"


@dataclass(frozen=True)
class Bundle:
    """A bundle.

    Attributes:
        files: Its files by name.
    """

    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """A hash of all of its files and their names."""
        return content_hash(canonical_json({name: content_hash(data) for name, data in self.files.items()}))

    @property
    def folder(self) -> str:
        """Its folder below a root of results."""
        return f"{FOLDER}/{self.digest[:32]}"


def make_bundle(files: Mapping[str, bytes], needs: Iterable[str] = (), extra: str = "") -> Bundle:
    """The bundle of what is installed here: hpoctl, the plugins that experiments use, and all that they require.

    Args:
        files: The launcher's own files, by name.
        needs: Libraries and plugins that jobs need besides, such as `hpoctl[aws]`, as requirements of pip without a
            version.
        extra: Requirements in the format of pip, to be installed on the other machine.

    Raises:
        HpoctlError: A library that is required is not installed, or its files cannot be found.
        UsageError: The environment variable `HPOCTL_PLUGINS` names a plugin that is not installed.
    """
    needs = list(needs)
    plugins = [_normalized(origin.distribution) for origin in _plugins(needs)]
    local, locked = [], []
    for found in _closure([OWN, *plugins, *needs]):
        name = _normalized(found.name)
        if name in {OWN, *plugins} or is_local(found):
            local.append(wheel_of(found))
        else:
            locked.append(f"{name}=={found.version}")
    bundled = {f"{WHEELS}/{wheel.name}": wheel.data for wheel in local}
    bundled[UNPACK] = Path(__file__).with_name("unpack.py").read_bytes()
    bundled[LOCK] = "".join(f"{line}\n" for line in sorted(locked)).encode()
    if extra:
        bundled[EXTRA] = extra.encode()
    return Bundle(dict(sorted((bundled | dict(files)).items())))


def bundled_selection(needs: Iterable[str] = ()) -> str | None:
    """The value of `HPOCTL_PLUGINS` for jobs that use a bundle of this process; None: it is not set.

    Args:
        needs: As for `make_bundle`.
    """
    if SELECTION not in os.environ:
        return None
    return ",".join(sorted({origin.entry_point for origin in _plugins(needs)}))


def upload(store: Store, bundle: Bundle) -> str:
    """Put a bundle below a root of results, unless it is there; returns its address.

    Raises:
        HpoctlError: The store cannot be written.
    """
    there = store.list(bundle.folder)
    for name, data in bundle.files.items():
        file = f"{bundle.folder}/{name}"
        if there.get(file) != len(data):
            store.put(file, data)
    return store.location(bundle.folder)


def read_requirements(requirements: str | None) -> str:
    """The text of a requirements file; None: nothing is required.

    Raises:
        UsageError: It cannot be read.
    """
    if requirements is None:
        return ""
    try:
        return read_regular(Path(requirements)).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The requirements file {requirements} cannot be read: {error}.",
            "Correct the launcher option requirements.",
        ) from error


def _plugins(needs: Iterable[str]) -> list[Origin]:
    """The loaded plugins that an experiment may use: not those that only say where jobs and trials execute.

    Those are bundled where they are needed. A plugin that has failed to load here would fail there, too.
    """
    named = {_normalized(need) for need in needs}
    return [
        found.origin
        for found in load_plugins()
        if found.state == "loaded"
        and (
            _normalized(found.origin.distribution) in named
            or any(not isinstance(entry, LauncherEntry | BackendEntry) for entry in found.entries)
        )
    ]


def _closure(requirements: Iterable[str]) -> list[Distribution]:
    """Distributions and all that they require, sorted by name."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - a launcher that makes bundles requires it

    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    asked = map(Requirement, requirements)
    todo = [(_normalized(one.name), extra, OWN) for one in asked for extra in ("", *sorted(one.extras))]
    while todo:
        name, extra, needs_it = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        try:
            present = distribution(name)
        except PackageNotFoundError as error:
            raise HpoctlError(
                f"{needs_it} requires {name}, which is not installed here.", f"Install it: `pip install {name}`."
            ) from error
        found[name] = present
        for text in present.requires or ():
            wanted = Requirement(text)
            if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
                extras = ("", *sorted(wanted.extras))
                todo.extend((_normalized(wanted.name), each, name) for each in extras)
    return [found[name] for name in sorted(found)]


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
