"""Blackboxes that list some configurations of the toy space, and benchmarks on them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from hpoctl.core.blackbox import Blackbox, Curve
from hpoctl.core.entries import Benchmark
from hpoctl.core.space import Config, TableSpace
from hpoctl.testing import toy_benchmark, toy_space, toy_table


@dataclass(frozen=True)
class Listed:
    """Some of the configurations of a blackbox on a finite space."""

    blackbox: Blackbox
    space: TableSpace

    @property
    def metrics(self) -> tuple[str, ...]:
        return self.blackbox.metrics

    @property
    def num_seeds(self) -> int:
        return self.blackbox.num_seeds

    @property
    def content_hash(self) -> str:
        return sha256(self.blackbox.content_hash.encode() + self.space.numbers.tobytes()).hexdigest()

    def curve(self, config: Config, seed: int) -> Curve:
        self.space.validate(config)
        return self.blackbox.curve(config, seed)


def listed_table(rows: int | Sequence[int] = 40, table: Callable[[], Blackbox] = toy_table) -> Listed:
    """A table of a number of configurations of the toy space, or of those with these numbers."""
    space = toy_space()
    chosen = np.random.default_rng(5).permutation(space.size or 0)[:rows] if isinstance(rows, int) else np.array(rows)
    return Listed(table(), TableSpace.of(space, [space.at(int(row)) for row in chosen]))


def listed_benchmark(
    rows: int | Sequence[int] = 40, *, restricted: bool = False, name: str = "listed", budget: float = 1500.0
) -> Benchmark:
    """A benchmark on such a table."""
    made = toy_benchmark(name=name, budget=budget)
    return replace(made, blackbox=lambda: listed_table(rows), restricted=restricted)
