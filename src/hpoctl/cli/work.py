"""`hpoctl work`: what a launcher starts; people do not type it."""

import contextlib
import faulthandler
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import typer


def work(
    tag: Annotated[str, typer.Option(help="Tag.")],
    random_seed: Annotated[int, typer.Option(help="Master seed.")],
    results: Annotated[Path, typer.Option(help="Root of results.")],
    entrypoint: Annotated[str, typer.Option(help="Command line that results are to name.")],
    git_commit: Annotated[str | None, typer.Option(help="Commit that results are to name.")] = None,
) -> None:
    """Run experiments that come as JSON on standard input, a line each, and answer on standard output."""
    from hpoctl.core.errors import HpoctlError
    from hpoctl.ops.registry import open_registry
    from hpoctl.ops.work import Workshop
    from hpoctl.ops.work import work as work_off
    from hpoctl.stores.claims import LocalClaims
    from hpoctl.stores.local import LocalStore

    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what plugins print goes to the log, as errors do
    faulthandler.enable()
    # Ctrl-C in a terminal reaches us, too; whoever started us decides what becomes of it, and terminates us then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)

    def answer(message: Mapping[str, Any]) -> None:
        # Nobody may be listening any more: what was begun is worth finishing all the same.
        with contextlib.suppress(OSError):
            answers.write(json.dumps(message) + "\n")
            answers.flush()

    shop = Workshop(
        LocalStore(results), LocalClaims(results), open_registry(), tag, random_seed, entrypoint, git_commit
    )
    try:
        work_off(sys.stdin, answer, shop)
    except KeyboardInterrupt:
        os._exit(130)
    except HpoctlError as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(error.exit_code) from error


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    raise KeyboardInterrupt
