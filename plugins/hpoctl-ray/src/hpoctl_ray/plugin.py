"""What the plugin registers. Ray is imported when the launcher is used, so that listing launchers stays fast."""

from collections.abc import Iterable

from hpoctl.core.findings import Finding
from hpoctl.core.jobs import Launcher
from hpoctl.plugins import LauncherEntry, hookimpl
from hpoctl_ray.options import RayOptions


def _make(options: RayOptions) -> Launcher:
    from hpoctl_ray.launcher import RayLauncher

    return RayLauncher(options)


def _check(options: RayOptions) -> Iterable[Finding]:
    from hpoctl_ray.check import check

    return check(options)


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
