"""The command line as users see it: a separate process, with a toy benchmark from a plugin."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import CommandLine

TOY = '''
import os
from dataclasses import replace
from functools import partial

import numpy as np

from hpoctl.plugins import Study, hookimpl
from hpoctl.testing import toy_benchmark, toy_table


def _held():
    """A table whose curves wait until the file `held` is gone, but not for ever."""
    import time
    from pathlib import Path

    held, end = Path(os.environ["TOY_HELD"]), time.monotonic() + 100.0

    class Held:
        def __init__(self):
            self.table = toy_table()

        def __getattr__(self, name):
            return getattr(self.table, name)

        def curve(self, config, seed):
            while held.exists() and time.monotonic() < end:
                time.sleep(0.01)
            return self.table.curve(config, seed)

    return Held()


def _broken():
    raise RuntimeError("the table\\nis gone")


@hookimpl
def hpoctl_benchmarks():
    yield replace(toy_benchmark(), name="toy-broken", blackbox=_broken)
    yield toy_benchmark()
    yield toy_benchmark(partial(toy_table, change=np.negative), name="toy-max", mode="max")
    yield toy_benchmark(_held, name="toy-held")
    yield toy_benchmark(partial(toy_table, change=lambda losses: losses * np.nan), name="toy-nan")


@hookimpl
def hpoctl_studies():
    yield Study("toys", "Toys", methods=("RS", "ASHA"), benchmarks=("toy", "toy-max"))
    yield Study("nan", "Bad metrics", methods=("MOBSTER",), benchmarks=("toy-nan",))
    methods, settings = ("ASHA", "MOBSTER"), ("ASHA.grace_period=3",)
    yield Study("toys-3", "Options", methods=methods, benchmarks=("toy-nan",), settings=settings)
'''


@pytest.fixture
def cli(tmp_path: Path) -> CommandLine:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    root = tmp_path / "results"
    # Runners of tests may set COLUMNS; what is piped has a separate width.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HPOCTL_", "COLUMNS"))}
    environment = kept | {
        "PYTHONPATH": str(plugins),
        "HPOCTL_ROOT": str(root),
        "HPOCTL_CACHE": str(tmp_path / "cache"),
        "HPOCTL_DATA": str(tmp_path / "data"),
        "HPOCTL_PLUGINS": "toys-plugin",
        "TOY_HELD": str(tmp_path / "held"),
        "OPENBLAS_NUM_THREADS": "1",
        "NO_COLOR": "1",
    }
    made = CommandLine(plugins, root, environment)
    made.install("toys-plugin", TOY)
    return made


@pytest.fixture
def results(cli: CommandLine) -> Callable[[], list[Path]]:
    """The result files that are there."""
    return lambda: sorted(cli.root.glob("*/*/*/results.parquet"))


@pytest.fixture
def study(cli: CommandLine) -> CommandLine:
    """Three seeds of RS and ASHA on two benchmarks, tag t."""
    words = ("--method", "RS", "--method", "ASHA", "--benchmark", "toy", "--benchmark", "toy-max")
    answer = cli("run", *words, "--tag", "t", "--num-seeds", "3", "--random-seed", "5", "--max-wallclock-time", "200")
    assert answer.code == 0, answer.err
    return cli
