"""Completion of names in a shell: methods, their options, benchmarks, studies, launchers and tags.

What is registered comes from a cache, because plugins take longer to load than a person waits for a key. The cache
holds while the same packages are installed, for ten minutes at most.
"""

import inspect
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from hpoctl import __version__
from hpoctl.core.places import cache_directory, data_directory, is_address

if TYPE_CHECKING:
    from hpoctl.plugins import Registered

FILE = "completion.json"
LASTS = 600.0
"""Seconds for which names are taken from the cache."""

OPTIONS = {
    "method": "methods",
    "benchmark": "benchmarks",
    "study": "studies",
    "on": "launchers",
    "settings": "settings",
    "tag": "tags",
}
"""What the parameters of commands take."""

ARGUMENTS = {"methods": "methods", "benchmarks": "benchmarks", "show": "studies", "info": "benchmarks"}
"""What the argument NAME of commands takes."""

Names = Mapping[str, Mapping[str, str]]
"""Names with what each is, by what they are names of."""


def complete_names(command: Callable[..., Any] | None) -> None:
    """Let the options and arguments of a command complete the names that they take."""
    if command is None:
        return
    for name, parameter in inspect.signature(command).parameters.items():
        kind = ARGUMENTS.get(command.__name__) if name == "name" else OPTIONS.get(name)
        for info in get_args(parameter.annotation)[1:]:
            if kind is not None and getattr(info, "autocompletion", kind) is None:
                info.autocompletion = _completer(kind)


def _completer(kind: str) -> Callable[[str], list[tuple[str, str]]]:
    def complete(incomplete: str) -> list[tuple[str, str]]:
        # The shell is in the middle of a line: an error would be printed into it, and there is nothing to complete.
        try:
            known = _tags() if kind == "tags" else _registered()[kind]
        except Exception:  # noqa: BLE001
            return []
        return [(name, what) for name, what in known.items() if name.startswith(incomplete)]

    return complete


def _tags() -> Mapping[str, str]:
    """The tags of the root of results, if that is a folder."""
    from hpoctl.ops.studies.config import read_config, results_address

    root = results_address(None, read_config(Path.cwd()))
    if is_address(root):
        return {}
    return {entry.name: "" for entry in sorted(Path(root).iterdir()) if entry.is_dir() and entry.name[0] != "."}


def _registered() -> Names:
    file, key = cache_directory() / FILE, _key()
    kept = _read(file)
    if kept.get("key") == key and 0.0 <= time.time() - kept["time"] <= LASTS:
        names: Names = kept["names"]
        return names
    names = _find()
    _write(file, {"key": key, "time": time.time(), "names": names})
    return names


def _key() -> list[str]:
    """What changes when another package is installed, selected, or imported."""
    folders = [*map(Path, sys.path), data_directory()]
    seen = [f"{folder} {folder.stat().st_mtime_ns}" for folder in folders if folder.is_dir()]
    return [__version__, os.environ.get("HPOCTL_PLUGINS", ""), *seen]


def _read(file: Path) -> Mapping[str, Any]:
    try:
        kept = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _write(file: Path, kept: Mapping[str, Any]) -> None:
    """Write the cache at once, so that another shell reads the old one or this one; without a cache it works, too."""
    beside = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(kept), encoding="utf-8")
        beside.replace(file)
    except OSError:
        return


def _find() -> Names:
    from hpoctl.ops.studies.listing import list_methods
    from hpoctl.ops.studies.registry import open_registry

    registry = open_registry()
    options = {
        f"{method.name}.{option.name}=": option.help for method in list_methods(registry) for option in method.options
    }
    tables: dict[str, Mapping[str, Registered[Any]]] = {
        "benchmarks": registry.benchmarks,
        "studies": registry.studies,
        "launchers": registry.launchers,
    }
    return {
        "methods": {name: found.entry.summary for name, found in registry.methods.items()},
        "settings": options,
        **{kind: {name: found.entry.summary for name, found in table.items()} for kind, table in tables.items()},
    }
