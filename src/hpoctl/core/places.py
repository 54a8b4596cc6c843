"""Where things lie on this machine, unless an option says otherwise."""

import os
from pathlib import Path

from hpoctl.core.errors import UsageError


def results_root() -> str:
    """The root of results, a path or an address: `$HPOCTL_ROOT`, or `~/hpoctl`."""
    root = os.environ.get("HPOCTL_ROOT") or "~/hpoctl"
    return root if is_address(root) else str(expanded(root))


def expanded(path: str | Path) -> Path:
    """The path with the home folder of a user in place of `~` or `~user`.

    Raises:
        UsageError: The home folder is not known, as for the user of some containers.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"The home folder in {str(path)!r} is not known.", "Give a path without ~, or set HOME to a folder."
        ) from error


def is_address(root: str) -> bool:
    """Whether a root of results is an address, such as `s3://bucket`: nothing on a disk of this machine."""
    return "://" in root


def data_directory() -> Path:
    """What was imported: `$HPOCTL_DATA`, or `$XDG_DATA_HOME/hpoctl`, or `~/.local/share/hpoctl`."""
    if chosen := os.environ.get("HPOCTL_DATA"):
        return expanded(chosen)
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else expanded("~") / ".local" / "share") / "hpoctl"


def cache_directory() -> Path:
    """What can be made again: `$HPOCTL_CACHE`, or `$XDG_CACHE_HOME/hpoctl`, or `~/.cache/hpoctl`."""
    if chosen := os.environ.get("HPOCTL_CACHE"):
        return expanded(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else expanded("~") / ".cache") / "hpoctl"
