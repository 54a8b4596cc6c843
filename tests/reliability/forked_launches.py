"""Rounds of launches of one tag at the same time, a forked process each; a program that test_concurrent.py runs.

    python forked_launches.py ROOT ROUNDS LAUNCHES

It loads everything once and has no threads, so that a launch costs milliseconds. For each round it prints a line of
JSON: the tag and what each launch says.
"""

import json
import os
import random
import selectors
import signal
import sys
import time
from pathlib import Path
from typing import Any

from hpoctl.core.study import Study
from hpoctl.ops.launching.launch_plan import LaunchRequest
from hpoctl.plugins import Registry
from launch_here import launch_here, toy_registry

PATIENCE = 100.0
"""Seconds for one round."""

STUDY = Study("toys", "Toys", methods=("RS", "ASHA"), benchmarks=("toy", "toy-2"), num_seeds=2)


def main(root: Path, rounds: int, launches: int) -> None:
    registry = toy_registry([STUDY])
    launch_here(LaunchRequest(tag="warm", results=str(root)), registry)
    for number in range(rounds):
        tag = f"round-{number}"
        answers = _round(root, tag, registry, [f"{number} {launch}" for launch in range(launches)])
        sys.stdout.write(json.dumps({"tag": tag, "answers": answers}) + "\n")
        sys.stdout.flush()


def _round(root: Path, tag: str, registry: Registry, seeds: list[str]) -> list[Any]:
    """Fork, let all of them begin at once, and take what they say; None: one has died."""
    wait, begin = os.pipe()
    children = {}
    for seed in seeds:
        listen, tell = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(begin)
            os.read(wait, 1)
            _launch(root, tag, registry, seed, tell)
        os.close(tell)
        children[pid] = listen
    os.close(begin)
    os.close(wait)
    deadline = time.monotonic() + PATIENCE
    try:
        return [_hear(listen, deadline) for listen in children.values()]
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)  # it has said all it had to say
            os.waitpid(pid, 0)


def _launch(root: Path, tag: str, registry: Registry, seed: str, tell: int) -> None:
    try:
        plan, outcome, counts = launch_here(LaunchRequest(tag=tag, results=str(root)), registry, random.Random(seed))
        said: Any = {
            "random_seed": outcome.random_seed,
            "complete": [outcome.done, outcome.wanted],
            "failures": [failure.error for failure in outcome.failures],
            "planned": plan.experiments,
            "ran": counts["done"],
        }
    except BaseException as error:  # noqa: BLE001 - a child must not continue with its parent's work
        said = f"{type(error).__name__}: {error}"
    os.write(tell, json.dumps(said).encode())
    os._exit(0)


def _hear(listen: int, deadline: float) -> Any:
    data = b""
    with selectors.DefaultSelector() as selector:
        selector.register(listen, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            part = os.read(listen, 65536)
            if not part:
                break
            data += part
    os.close(listen)
    return json.loads(data) if data else None


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
