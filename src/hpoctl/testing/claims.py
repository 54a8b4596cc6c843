"""The contract of claims: they exclude other processes, and end with the process that made them."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hpoctl.core.storage import Claims
from hpoctl.testing.contract import require

KEY = "tag/ASHA/toy/0"
MANY = 1_000


def check_claims(make: Callable[[], Claims], many: int = MANY) -> None:
    """Check claims with the help of forked processes; needs a system that has `os.fork`.

    Args:
        make: Makes the claims of one place, in whichever process it is called; nothing is claimed there yet.
        many: How many keys to claim at once; fewer where a claim takes time.

    Raises:
        ContractError: What is broken.
    """
    _check_own(make)
    _check_ends(make)
    _check_others(make)
    _check_release(make)
    _check_many(make, many)


@contextmanager
def claimed_elsewhere(make: Callable[[], Claims], *keys: str) -> Iterator[int]:
    """Another process that has claimed some keys, until the end of the block or its own; gives its process id."""
    with _child(lambda: all(make().take(key) for key in keys)) as (pid, took):
        require(took, "a key cannot be claimed although it is free, or was released")
        yield pid


def _check_own(make: Callable[[], Claims]) -> None:
    claims = make()
    require(not claims.held(KEY), "a key is held although no process has claimed it")
    claims.release(KEY)
    require(claims.take(KEY), "a key cannot be claimed although it is free")
    require(not claims.held(KEY), "a claim of this process counts as held by another one")
    require(claims.take(KEY), "a process cannot claim a key again that it holds")
    require(make().take(KEY), "the claims of one process exclude each other")
    claims.release(KEY)
    claims.release(KEY)


def _check_others(make: Callable[[], Claims]) -> None:
    with claimed_elsewhere(make, KEY):
        claims = make()
        require(claims.held(KEY), "a claim of another process is not held")
        require(not claims.take(KEY), "two processes have the same claim")
        require(claims.held(KEY), "a claim ends when another process asks for it")
        claims.release(KEY)
        require(not make().take(KEY), "a process can release the claim of another one")
        for other in ("tag/ASHA/toy/1", "tag-2/ASHA/toy/0", "tag/ASHA/toy", ""):
            require(not claims.held(other) and claims.take(other), f"claim {KEY!r} excludes {other!r}, too")
            claims.release(other)


def _check_ends(make: Callable[[], Claims]) -> None:
    with claimed_elsewhere(make, KEY) as pid:
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        require(not make().held(KEY), "a claim outlives its process when that is killed")
        require(make().take(KEY), "what a killed process had claimed cannot be claimed")
        make().release(KEY)
    with _child(lambda: make().take(KEY), stays=False) as (pid, took):
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        require(took and not make().held(KEY), "a claim outlives its process when that ends")


def _check_release(make: Callable[[], Claims]) -> None:
    claims = make()
    claims.take(KEY)
    claims.take("other")
    with _child(lambda: not make().held(KEY) or make().take(KEY)) as (_, free):
        require(not free, "another process does not see the claim")
    claims.release(KEY)
    with _child(lambda: not make().held(KEY) and make().take(KEY)) as (_, free):
        require(free, "a released claim is still held")
    with _child(lambda: make().held("other")) as (_, held):
        require(held, "release gives up other claims, too")
    claims.release("other")


def _check_many(make: Callable[[], Claims], many: int) -> None:
    keys = [f"tag/RS/toy/{seed}" for seed in range(many)]
    with claimed_elsewhere(make, *keys[::2]):
        claims = make()
        taken = [key for key in keys if claims.take(key)]
        require(taken == keys[1::2], f"of {many} keys, not exactly the free ones can be claimed")
        require([key for key in keys if claims.held(key)] == keys[::2], "held names other keys")
        for key in taken:
            claims.release(key)


@contextmanager
def _child(ask: Callable[[], bool], *, stays: bool = True) -> Iterator[tuple[int, bool]]:
    """A forked process: its id, and what it answers. It stays until the end of the block, unless it is not to."""
    answer, tell = os.pipe()
    wait, leave = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(leave)
        _answer(ask, tell)
        if stays:
            os.read(wait, 1)
        os._exit(0)
    os.close(tell)
    os.close(wait)
    try:
        yield pid, os.read(answer, 1) == b"1"
    finally:
        os.close(leave)
        os.close(answer)
        os.waitpid(pid, 0)


def _answer(ask: Callable[[], bool], tell: int) -> None:
    """Say 1 or 0; nothing at all if the question fails."""
    try:
        os.write(tell, b"1" if ask() else b"0")
    except BaseException:  # noqa: BLE001 - a child must not continue its parent's work
        os._exit(1)
