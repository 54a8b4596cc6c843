"""What the plugin registers. boto3 is imported when the launcher is used, so that listing launchers stays fast."""

from collections.abc import Iterable, Sequence

from hpoctl.core.findings import Finding
from hpoctl.core.jobs import Estimate, Launcher
from hpoctl.plugins import LauncherEntry, hookimpl
from hpoctl_sagemaker.options import SagemakerOptions


def _make(options: SagemakerOptions) -> Launcher:
    from hpoctl_sagemaker.launcher import SagemakerLauncher

    return SagemakerLauncher(options)


def _estimate(options: SagemakerOptions, seconds: Sequence[float]) -> Estimate:
    from hpoctl_sagemaker.prices import estimate

    return estimate(options, seconds)


def _check(options: SagemakerOptions) -> Iterable[Finding]:
    from hpoctl_sagemaker.check import check

    return check(options)


SAGEMAKER = LauncherEntry(
    name="sagemaker",
    summary="Training jobs of Amazon SageMaker; results have to be on S3",
    make=_make,
    options=SagemakerOptions(),
    root="s3://",
    root_hint="s3:// (SageMaker's default bucket) or s3://BUCKET/PREFIX",
    outlives=True,
    estimate=_estimate,
    check=_check,
)


@hookimpl
def hpoctl_launchers() -> Iterable[LauncherEntry]:
    """The launcher."""
    return (SAGEMAKER,)
