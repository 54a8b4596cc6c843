"""Asking whether files of a folder may say what code a launcher runs."""

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from hpoctl.ops.launching.launch_plan import LaunchPlan, LaunchRequest


def settle_trust(plan: "LaunchPlan", request: "LaunchRequest", *, as_json: bool) -> None:
    """Ask once about options of files that run code, unless the command line says that they are trusted.

    Raises:
        UsageError: They are not trusted, or the user cannot be asked here.
    """
    from hpoctl.ops.launching.launchers import not_trusted, trust, untrusted

    new = untrusted(plan.from_files)
    if not new:
        return
    if not request.trust_config:
        error = not_trusted(new)
        if as_json or not sys.stdin.isatty() or not typer.confirm(f"{error.what} Trust it?", err=True):
            raise error
    trust(new)
