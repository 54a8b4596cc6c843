"""What a worker spends on the store, on claims and on answers: used by launch_overhead.py."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hpoctl.builtins import open_registry
from hpoctl.core.study import Study
from hpoctl.engine.spec import ExperimentSpec
from hpoctl.ops.running.worker import WorkerContext, work
from hpoctl.ops.studies.tags import keep_plan, keep_random_seed
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.local import LocalStore

TAG = "overhead"
RANDOM_SEED = 1


@dataclass
class Accounts:
    """CPU seconds and calls by what they were spent on."""

    seconds: dict[str, float] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def charge(self, name: str) -> Iterator[None]:
        began = time.process_time()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.process_time() - began
            self.calls[name] = self.calls.get(name, 0) + 1


class AccountedStore(LocalStore):
    """A store that keeps accounts."""

    def __init__(self, root: Path, accounts: Accounts) -> None:
        super().__init__(root)
        self.accounts = accounts

    def put(self, name: str, data: bytes, *, create: bool = False) -> None:
        with self.accounts.charge("store: writes"):
            super().put(name, data, create=create)

    def get(self, name: str) -> bytes:
        with self.accounts.charge("store: reads"):
            return super().get(name)

    def list(self, prefix: str) -> Mapping[str, int]:
        with self.accounts.charge("store: reads"):
            return super().list(prefix)

    def folders(self, folder: str) -> Sequence[str]:
        with self.accounts.charge("store: reads"):
            return super().folders(folder)


class AccountedClaims(LocalClaims):
    """Claims that keep accounts."""

    def __init__(self, root: Path, accounts: Accounts) -> None:
        super().__init__(root)
        self.accounts = accounts

    def take(self, key: str) -> bool:
        with self.accounts.charge("claims"):
            return super().take(key)

    def release(self, key: str) -> None:
        with self.accounts.charge("claims"):
            super().release(key)


def work_accounts(specs: Sequence[ExperimentSpec], study: Study) -> tuple[Accounts, float]:
    """What a worker spends on the store, on claims and on answers, and its CPU seconds in all."""
    registry = open_registry()
    accounts = Accounts()
    with tempfile.TemporaryDirectory() as folder:
        store = AccountedStore(Path(folder), accounts)
        keep_random_seed(store, TAG, RANDOM_SEED)
        plan = keep_plan(store, TAG, study, "benchmark")
        shop = WorkerContext(store, AccountedClaims(Path(folder), accounts), registry, TAG, RANDOM_SEED, "hpoctl", None)
        lines = [
            json.dumps(
                {"plan": plan.name, "method": spec.cell.method, "benchmark": spec.cell.benchmark, "seed": spec.seed}
            )
            for spec in specs
        ]
        with output_to_file():
            began = time.process_time()
            work(lines, answering(accounts), shop)
            return accounts, time.process_time() - began


@contextmanager
def output_to_file() -> Iterator[None]:
    """A file for standard error, as a launcher gives its workers one; they empty it before each experiment."""
    kept = os.dup(2)
    with tempfile.TemporaryFile("a+b") as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def answering(accounts: Accounts) -> Callable[[Mapping[str, Any]], None]:
    """Answers into the void, as costly as those into a pipe."""
    void = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until the end

    def answer(message: Mapping[str, Any]) -> None:
        with accounts.charge("answers"):
            void.write(json.dumps(message) + "\n")
            void.flush()

    return answer
