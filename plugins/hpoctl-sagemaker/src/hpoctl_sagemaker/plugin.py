"""What the plugin registers. boto3 is imported when it is used, so that listing what there is stays fast."""

from collections.abc import Iterable, Sequence

from hpoctl.core.findings import Finding
from hpoctl.core.jobs import Estimate, Launcher
from hpoctl.core.protocols import TrialBackend
from hpoctl.core.trial_backends import BackendContext, BackendEntry
from hpoctl.plugins import LauncherEntry, hookimpl
from hpoctl_sagemaker.options import SagemakerOptions
from hpoctl_sagemaker.trial_options import SagemakerTrialOptions


def _make(options: SagemakerOptions) -> Launcher:
    from hpoctl_sagemaker.launcher import SagemakerLauncher

    return SagemakerLauncher(options)


def _estimate(options: SagemakerOptions, seconds: Sequence[float]) -> Estimate:
    from hpoctl_sagemaker.prices import estimate

    return estimate(options, seconds)


def _check(options: SagemakerOptions) -> Iterable[Finding]:
    from hpoctl_sagemaker.check import check

    return check(options)


def _make_backend(context: BackendContext, options: SagemakerTrialOptions) -> TrialBackend:
    from hpoctl.backends.scripts.backend import ScriptBackend
    from hpoctl_sagemaker.trial_workers import SagemakerWorkers

    return ScriptBackend(context, SagemakerWorkers(context, options))


def _check_backend(options: SagemakerTrialOptions) -> Iterable[Finding]:
    from hpoctl_sagemaker.check import check_trials

    return check_trials(options)


TRIALS = BackendEntry(
    name="sagemaker",
    summary="Training scripts as training jobs of Amazon SageMaker; reports and checkpoints on S3",
    make=_make_backend,
    options=SagemakerTrialOptions(),
    needs="script",
    check=_check_backend,
)

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


@hookimpl
def hpoctl_trial_backends() -> Iterable[BackendEntry]:
    """The trial backend."""
    return (TRIALS,)
