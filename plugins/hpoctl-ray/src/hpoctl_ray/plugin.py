"""What the plugin registers. Ray is imported when it is used, so that listing what there is stays fast."""

from collections.abc import Iterable

from hpoctl.core.findings import Finding
from hpoctl.core.jobs import Launcher
from hpoctl.core.protocols import TrialBackend
from hpoctl.core.trial_backends import BackendContext, BackendEntry
from hpoctl.plugins import LauncherEntry, hookimpl
from hpoctl_ray.options import RayOptions, RayTrialOptions


def _make(options: RayOptions) -> Launcher:
    from hpoctl_ray.launcher import RayLauncher

    return RayLauncher(options)


def _check(options: RayOptions) -> Iterable[Finding]:
    from hpoctl_ray.check import check

    return check(options)


def _make_backend(context: BackendContext, options: RayTrialOptions) -> TrialBackend:
    from hpoctl_ray.trial_workers import ray_backend

    return ray_backend(context, options)


def _check_backend(options: RayTrialOptions) -> Iterable[Finding]:
    from hpoctl_ray.check import check_trials

    return check_trials(options)


TRIALS = BackendEntry(
    name="ray",
    summary="Training scripts on a Ray cluster whose nodes share the file system of the results, or checkpoints on S3",
    make=_make_backend,
    options=RayTrialOptions(),
    needs="script",
    check=_check_backend,
)

RAY = LauncherEntry(
    name="ray",
    summary="Jobs on a Ray cluster; results have to be on a file system that its nodes share, or on S3",
    make=_make,
    options=RayOptions(),
    outlives=True,
    check=_check,
)


@hookimpl
def hpoctl_launchers() -> Iterable[LauncherEntry]:
    """The launcher."""
    return (RAY,)


@hookimpl
def hpoctl_trial_backends() -> Iterable[BackendEntry]:
    """The trial backend."""
    return (TRIALS,)
