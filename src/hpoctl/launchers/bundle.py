"""What a container needs to run jobs, beside its image: hpoctl and plugins as wheels, exact versions of the rest.

    <root>/.bundles/<hash>/entry.py           what the container runs
                          /requirements.txt   the exact versions of all libraries, as they are installed here
                          /extra.txt          what a person asks for besides, if anything
                          /wheels/*.whl       hpoctl, the plugins, and what else no index has

A bundle is named by its content. It is put there once, and read by all jobs of all launches that need the same.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from hpoctl.core.canonical import canonical_json, content_hash
from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.protocols import Store
from hpoctl.launchers.wheels import is_local, wheel_of
from hpoctl.plugins.loading import load_plugins

FOLDER = ".bundles"
ENTRY, LOCK, EXTRA, WHEELS = "entry.py", "requirements.txt", "extra.txt", "wheels"
OWN = "hpoctl"
NEEDED = (OWN, "boto3")
"""What every container needs; boto3 is an optional requirement of hpoctl."""


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


def make_bundle(extra: str = "") -> Bundle:
    """The bundle of what is installed here: hpoctl, the plugins that are loaded, and all that they require.

    Args:
        extra: Requirements in the format of pip, besides.

    Raises:
        HpoctlError: A library that is required is not installed, or its files cannot be found.
        UsageError: The environment variable `HPOCTL_PLUGINS` names a plugin that is not installed.
    """
    plugins = _plugins()
    local, locked = [], []
    for found in _closure([*NEEDED, *plugins]):
        name = _normalized(found.name)
        if name in {OWN, *plugins} or is_local(found):
            local.append(wheel_of(found))
        else:
            locked.append(f"{name}=={found.version}")
    files = {f"{WHEELS}/{wheel.name}": wheel.data for wheel in local}
    files[ENTRY] = Path(__file__).with_name("container.py").read_bytes()
    files[LOCK] = "".join(f"{line}\n" for line in sorted(locked)).encode()
    if extra:
        files[EXTRA] = extra.encode()
    return Bundle(dict(sorted(files.items())))


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
        return Path(requirements).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The requirements file {requirements} cannot be read: {error}.",
            "Correct the launcher option requirements.",
        ) from error


def _plugins() -> list[str]:
    """The distributions of the plugins that are loaded; one that has failed would fail there, too."""
    names = {found.origin.distribution for found in load_plugins() if found.state == "loaded"}
    return sorted(_normalized(name) for name in names)


def _closure(names: Iterable[str]) -> list[Distribution]:
    """Distributions and all that they require, sorted by name."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - comes with the libraries for AWS

    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    todo = [(name, "", "hpoctl") for name in names]
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
