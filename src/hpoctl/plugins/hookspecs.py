"""The hooks of hpoctl: what a plugin may register.

A hook is a function without arguments that returns entries (a tuple, a list, or a generator). It is called once, when
the registry is loaded, so it should be quick: what is heavy belongs into the `make` or `blackbox` function of an
entry, which is called when the entry is used.

A plugin that raises, exits, or returns something else is reported by `hpoctl plugins`, and all others work. One that
kills or hangs the process is left out with the environment variable `HPOCTL_PLUGINS`: a comma-separated list of the
entry points to load, or an empty one for none.

The name of a built-in entry cannot be taken. A name that two plugins register belongs to neither of them, until one of
the two is left out. Names are case-sensitive, but two names of one kind may not differ in case alone: names become
directories, and some file systems do not tell case apart.
"""

from collections.abc import Iterable

from pluggy import HookimplMarker, HookspecMarker

from hpoctl.core.entries import Benchmark, ExtraResults, Importer, LauncherEntry, Method
from hpoctl.core.script_benchmark import ScriptBenchmark
from hpoctl.core.study import Study
from hpoctl.core.trial_backends import BackendEntry

PROJECT = "hpoctl"

hookspec = HookspecMarker(PROJECT)
hookimpl = HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook of its name."""


@hookspec
def hpoctl_methods() -> Iterable[Method]:
    """Register methods: named ways to make a scheduler for a benchmark.

    A variant of an existing method is data: `ASHA.with_fixed({"hp_activation_fn_1": "relu"}, name="ASHA-RELU")`.
    """
    return ()


@hookspec
def hpoctl_benchmarks() -> Iterable[Benchmark | ScriptBenchmark]:
    """Register benchmarks: tuning problems with their defaults.

    The function `blackbox` of a benchmark opens its table when an experiment needs it, not before. A training script
    is registered as `ScriptBenchmark(folder=Path(__file__).parent, script="train.py", ...)`, with the keys of a
    benchmark.toml.
    """
    return ()


@hookspec
def hpoctl_extra_results() -> Iterable[ExtraResults]:
    """Register extra-result composers, which add columns to the result rows from the state of the scheduler.

    A study names the composers that its experiments use.
    """
    return ()


@hookspec
def hpoctl_launchers() -> Iterable[LauncherEntry]:
    """Register launchers: where jobs execute."""
    return ()


@hookspec
def hpoctl_trial_backends() -> Iterable[BackendEntry]:
    """Register trial backends: where the trials of an experiment execute."""
    return ()


@hookspec
def hpoctl_importers() -> Iterable[Importer]:
    """Register importers: files that people have, which `hpoctl blackbox import` turns into benchmarks.

    The hook `hpoctl_benchmarks` of the same plugin registers what was imported before.
    """
    return ()


@hookspec
def hpoctl_studies() -> Iterable[Study]:
    """Register studies: which methods meet which benchmarks, with how many seeds.

    A study may name entries of other plugins. One that is not installed is shown by `hpoctl studies`, and is an error
    only when it is used.
    """
    return ()
