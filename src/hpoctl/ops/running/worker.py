"""The process of a worker: `python -m hpoctl.ops.running.worker JSON`, started by launchers.

The JSON object names `tag`, `random_seed` (the master seed), `results` (the root), `entrypoint` and `git_commit` (what
results are to name). Tasks come on standard input and answers go to standard output, a line of JSON each; see `work`.
It is not a command of `hpoctl`, because the command line costs as much to import as a small experiment to run.
"""

import contextlib
import faulthandler
import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from hpoctl.core.errors import INTERRUPTED, HpoctlError
from hpoctl.ops.running.work import WorkerContext, work
from hpoctl.ops.studies.provenance import own_python
from hpoctl.ops.studies.registry import open_registry
from hpoctl.stores.opening import open_results

MODULE = "hpoctl.ops.running.worker"


def worker_words(tag: str, master_seed: int, results: str, entrypoint: str, git_commit: str | None) -> tuple[str, ...]:
    """The command of a worker."""
    setup = {
        "tag": tag,
        "random_seed": master_seed,
        "results": results,
        "entrypoint": entrypoint,
        "git_commit": git_commit,
    }
    return (*own_python(), MODULE, json.dumps(setup))


def main(argument: str) -> int:
    """Work off tasks until standard input ends; returns the exit code."""
    setup = json.loads(argument)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what plugins print goes to the log, as errors do
    faulthandler.enable()
    # Ctrl-C in a terminal reaches us, too; whoever started us decides what becomes of it, and terminates us then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    def answer(message: Mapping[str, Any]) -> None:
        # Nobody may be listening any more: what was begun is worth finishing all the same.
        with contextlib.suppress(OSError):
            answers.write(json.dumps(message) + "\n")
            answers.flush()

    try:
        opened = open_results(setup["results"])
        context = WorkerContext(
            opened.store,
            opened.claims,
            open_registry(),
            setup["tag"],
            setup["random_seed"],
            setup["entrypoint"],
            setup["git_commit"],
        )
        gc.freeze()  # what is loaded stays: the collector need not look at it during each experiment
        work(sys.stdin, answer, context)
    except KeyboardInterrupt:
        return INTERRUPTED
    except HpoctlError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
