"""The root of results that a command works on, and the commands that go on with it."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from hpoctl.ops.config import read_config, results_folder
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.local import LocalStore


@dataclass(frozen=True)
class Root:
    """Where results live.

    Attributes:
        store: The results.
        claims: Who runs what.
        given: What a person named as the root; None: nothing.
    """

    store: LocalStore
    claims: LocalClaims
    given: Path | None

    def command(self, *words: str) -> str:
        """An hpoctl command line on this root, to copy and paste."""
        return shlex.join(["hpoctl", *words, *([] if self.given is None else ["--results", str(self.given)])])


def open_root(results: Path | None, folder: Path | None = None) -> Root:
    """The root that `--results` names; None: `$HPOCTL_ROOT`, or that of the folder, or `~/hpoctl`. Nothing is made.

    Args:
        results: What `--results` names.
        folder: The folder whose configuration counts; None: the present one.

    Raises:
        UsageError: The configuration of the folder is wrong.
    """
    store = LocalStore(results_folder(results, read_config(folder or Path.cwd())))
    return Root(store, LocalClaims(store.root), results)
