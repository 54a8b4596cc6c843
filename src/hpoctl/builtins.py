"""The composition root: what hpoctl brings itself, registered through the same hooks as everybody else's plugins.

Each method is a scheduler put together from existing pieces. The pieces are imported when a scheduler is made, so that
listing methods stays fast.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from hpoctl.core.entries import Benchmark, Imported, Importer, LauncherEntry, Method, MethodContext, Progress
from hpoctl.core.findings import Finding
from hpoctl.core.jobs import Launcher
from hpoctl.core.options import NoOptions
from hpoctl.core.protocols import Scheduler
from hpoctl.core.trial_backends import BackendEntry
from hpoctl.engine.trial_backends import LOCAL, SIMULATOR
from hpoctl.launchers.options import LocalOptions
from hpoctl.launchers.slurm_options import SlurmOptions
from hpoctl.plugins import Registry, hookimpl, load_registry
from hpoctl.schedulers.options import (
    AshaOptions,
    BoOptions,
    HyperbandOptions,
    MedianOptions,
    MobsterOptions,
    SyncHyperbandOptions,
)


def _random_search(context: MethodContext, options: NoOptions) -> Scheduler:  # noqa: ARG001 - nothing to set
    from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
    from hpoctl.schedulers.single_fidelity import SingleFidelity

    return SingleFidelity(RandomSearcher(RandomConfigs(context.space, context.streams)), context)


def _bayesian_optimization(context: MethodContext, options: BoOptions) -> Scheduler:
    from hpoctl.schedulers.gp_searcher import GpSearcher
    from hpoctl.schedulers.single_fidelity import SingleFidelity

    return SingleFidelity(GpSearcher(context, options), context)


def _asha(context: MethodContext, options: AshaOptions) -> Scheduler:
    from hpoctl.schedulers.asha import Asha
    from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher

    return Asha(RandomSearcher(RandomConfigs(context.space, context.streams)), context, options)


def _hyperband(context: MethodContext, options: HyperbandOptions) -> Scheduler:
    from hpoctl.schedulers.hyperband import Hyperband
    from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher

    return Hyperband(RandomSearcher(RandomConfigs(context.space, context.streams)), context, options)


def _sync_hyperband(context: MethodContext, options: SyncHyperbandOptions) -> Scheduler:
    from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher
    from hpoctl.schedulers.sync_hyperband import SyncHyperband

    return SyncHyperband(RandomSearcher(RandomConfigs(context.space, context.streams)), context, options)


def _median(context: MethodContext, options: MedianOptions) -> Scheduler:
    from hpoctl.schedulers.median_stopping import MedianStopping
    from hpoctl.schedulers.random_search import RandomConfigs, RandomSearcher

    return MedianStopping(RandomSearcher(RandomConfigs(context.space, context.streams)), context, options)


def _mobster(context: MethodContext, options: MobsterOptions) -> Scheduler:
    from hpoctl.schedulers.asha import Asha
    from hpoctl.schedulers.mf_searcher import MultiFidelitySearcher
    from hpoctl.schedulers.rung_trust import RungTrust
    from hpoctl.schedulers.rungs import rung_levels

    levels = rung_levels(options.grace_period, options.reduction_factor, context.largest)
    trust = RungTrust(levels, options.min_rank_correlation)
    return Asha(MultiFidelitySearcher(context, options), context, options, trust)


def _local(options: LocalOptions) -> Launcher:
    from hpoctl.launchers.local import LocalLauncher

    return LocalLauncher(options)


def _workers(options: LocalOptions) -> int:
    return options.workers


def _slurm(options: SlurmOptions) -> Launcher:
    from hpoctl.launchers.slurm import SlurmLauncher

    return SlurmLauncher(options)


def _check_slurm(options: SlurmOptions) -> Iterable[Finding]:
    from hpoctl.launchers.slurm_check import check_slurm

    return check_slurm(options)


def _import_table(path: Path, progress: Progress) -> Imported:
    from hpoctl.blackboxes.tables.importer import import_table

    return import_table(path, progress, _benchmarks_of_plugins)


def _benchmarks_of_plugins() -> Mapping[str, str]:
    """The names of their benchmarks, and the plugins; without the built-in ones, which are the imported tables."""
    return {name: str(registered.origin) for name, registered in load_registry([]).benchmarks.items()}


RS = Method(
    name="RS",
    summary="Random search without replacement; every trial runs to the end",
    kind="random-search",
    make=_random_search,
    options=NoOptions(),
)
BO = Method(
    name="BO",
    summary="Bayesian optimization with a Gaussian process; every trial runs to the end",
    kind="bayesian-optimization",
    make=_bayesian_optimization,
    options=BoOptions(),
    expensive=True,
)
ASHA = Method(
    name="ASHA",
    summary="Asynchronous successive halving of random configurations",
    kind="asha",
    make=_asha,
    options=AshaOptions(),
)
HYPERBAND = Method(
    name="HYPERBAND",
    summary="Asynchronous Hyperband: brackets of ASHA that start at different rungs and share the budget",
    kind="hyperband",
    make=_hyperband,
    options=HyperbandOptions(),
)
SYNCHB = Method(
    name="SYNCHB",
    summary="Synchronous Hyperband: rungs of a fixed size; trials wait until their rung is complete",
    kind="sync-hyperband",
    make=_sync_hyperband,
    options=SyncHyperbandOptions(),
)
MEDIAN = Method(
    name="MEDIAN",
    summary="Random search with the median stopping rule",
    kind="median-stopping",
    make=_median,
    options=MedianOptions(),
)
MOBSTER = Method(
    name="MOBSTER",
    summary="Asynchronous successive halving of configurations that a Gaussian process over epochs suggests",
    kind="mobster",
    make=_mobster,
    options=MobsterOptions(),
    expensive=True,
)


@hookimpl
def hpoctl_methods() -> Iterable[Method]:
    """The built-in methods."""
    return (RS, BO, ASHA, HYPERBAND, SYNCHB, MEDIAN, MOBSTER)


@hookimpl
def hpoctl_launchers() -> Iterable[LauncherEntry]:
    """The built-in launchers."""
    slurm = "Job arrays on a cluster with Slurm"
    return (
        LauncherEntry("local", "Worker processes on this machine", _local, LocalOptions(), workers=_workers),
        LauncherEntry("slurm", slurm, _slurm, SlurmOptions(), outlives=True, check=_check_slurm),
    )


@hookimpl
def hpoctl_trial_backends() -> Iterable[BackendEntry]:
    """The built-in trial backends."""
    return (SIMULATOR, LOCAL)


@hookimpl
def hpoctl_benchmarks() -> Iterable[Benchmark]:
    """The tables that were imported with `hpoctl blackbox import table`."""
    from hpoctl.blackboxes.tables.importer import imported_benchmarks

    return imported_benchmarks()


@hookimpl
def hpoctl_importers() -> Iterable[Importer]:
    """The built-in importers."""
    summary = "Your own table: FILE.npz or FILE.parquet, with a description FILE.toml beside it"
    return (Importer("table", summary, _import_table),)


def open_registry() -> Registry:
    """The registry of the built-ins and all installed plugins; a broken plugin is reported, not raised."""
    return load_registry([sys.modules[__name__]])
