"""The root of results that a command works on, and the commands that go on with it."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from hpoctl.core.protocols import Claims, Store
from hpoctl.ops.studies.config import read_config, results_address
from hpoctl.stores.opening import open_results


@dataclass(frozen=True)
class Root:
    """Where results live.

    Attributes:
        store: The results.
        claims: Who runs what.
        given: What a person named as the root; None: nothing.
    """

    store: Store
    claims: Claims
    given: str | None

    def command(self, *words: str) -> str:
        """An hpoctl command line on this root, to copy and paste."""
        return shlex.join(["hpoctl", *words, *([] if self.given is None else ["--results", self.given])])


def open_root(results: str | None, folder: Path | None = None) -> Root:
    """The root that `--results` names; None: `$HPOCTL_ROOT`, or that of the folder, or `~/hpoctl`. Nothing is made.

    Args:
        results: What `--results` names.
        folder: The folder whose configuration counts; None: the present one.

    Raises:
        UsageError: The configuration of the folder is wrong.
    """
    opened = open_results(results_address(results, read_config(folder or Path.cwd())))
    return Root(opened.store, opened.claims, None if results is None else str(results))
