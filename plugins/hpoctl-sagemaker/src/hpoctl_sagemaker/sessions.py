"""Sessions and clients of boto3."""

from collections.abc import Mapping
from typing import Any

from hpoctl.core.errors import UsageError
from hpoctl_sagemaker.errors import plain_error

PATIENT: dict[str, Any] = {"mode": "adaptive", "total_max_attempts": 12}
BRIEF: dict[str, Any] = {"mode": "standard", "total_max_attempts": 3}
"""How boto3 repeats a call that fails. A caller with other things to do meanwhile is brief, and repeats it later."""


def session_in(region: str | None) -> Any:
    """A session of boto3 that has a region.

    Raises:
        UsageError: No region is set, or no such profile exists.
    """
    import boto3  # noqa: PLC0415 - heavy

    try:
        session = boto3.session.Session(region_name=region)
    except Exception as error:
        raise plain_error(error, "reach SageMaker") from error
    if not session.region_name:
        raise UsageError(
            "No AWS region is set.", "Set AWS_DEFAULT_REGION, or the option region, as in region=us-east-1."
        )
    return session


def client_of(session: Any, service: str, retries: Mapping[str, Any] = PATIENT) -> Any:
    """A client of a service."""
    from botocore.config import Config  # noqa: PLC0415 - heavy

    return session.client(service, config=Config(retries=dict(retries), connect_timeout=10, read_timeout=60))


def account_of(region: str | None) -> str:
    """The account that the credentials are for.

    Raises:
        HpoctlError: There are no credentials, they have expired, or AWS cannot be reached.
    """
    session = session_in(region)
    try:
        return str(client_of(session, "sts").get_caller_identity()["Account"])
    except Exception as error:
        raise plain_error(error, "find out the AWS account") from error
