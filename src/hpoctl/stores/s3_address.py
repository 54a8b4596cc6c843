"""S3: what `s3://bucket/prefix` names, what `s3://` alone does, and boto3's client for it."""

import os
import re
from datetime import datetime
from typing import Any

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.names import check_blob_name
from hpoctl.stores.s3_errors import describe

SCHEME = "s3://"
DEFAULT_PREFIX = "hpoctl"
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)


def parse_address(address: str) -> tuple[str, str]:
    """The bucket and the prefix that an address names; `s3://`: the bucket that SageMaker uses by default.

    Raises:
        UsageError: It is not an address, or no region is set.
        HpoctlError: The account is asked for, and cannot be found out.
    """
    bucket, _, prefix = address.removeprefix(SCHEME).partition("/")
    if not bucket and not prefix:
        return default_bucket(), DEFAULT_PREFIX
    if not BUCKET.fullmatch(bucket):
        raise UsageError(f"{address!r} names no bucket of S3.", "Use s3://bucket/prefix, or s3:// for the default.")
    prefix = prefix.rstrip("/")
    if prefix:
        check_blob_name(prefix, f"{SCHEME}{bucket}")
    return bucket, prefix


def default_bucket() -> str:
    """`sagemaker-<region>-<account>`, the bucket that SageMaker's own tools use where none is named.

    Raises:
        UsageError: No region is set.
        HpoctlError: The account cannot be found out.
    """
    try:
        import boto3  # noqa: PLC0415 - heavy
        from botocore.config import Config  # noqa: PLC0415
    except ImportError as error:
        raise no_boto3() from error
    try:
        session: Any = boto3.session.Session()
        region = session.region_name
    except Exception as error:
        raise describe(error, "find out", "the AWS account", "") from error
    if not region:
        raise UsageError("No AWS region is set.", "Set AWS_DEFAULT_REGION, or name the bucket: s3://bucket/prefix.")
    try:
        retries = {"mode": "adaptive", "total_max_attempts": 5}
        client = session.client("sts", region_name=region, config=Config(retries=retries, connect_timeout=10))
        account = client.get_caller_identity()["Account"]
    except Exception as error:
        raise describe(error, "find out", "the AWS account", "") from error
    return f"sagemaker-{region}-{account}"


def custom_endpoint() -> str:
    """The address of a server that is not AWS; empty: none is set."""
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""


def no_boto3() -> HpoctlError:
    """The error for a missing library."""
    return HpoctlError("Results on S3 need boto3.", "Install it with `pip install 'hpoctl[aws]'`.")


ATTEMPTS = 5
"""Attempts that boto3 makes at one call."""

CONNECTIONS = 32


def make_client() -> Any:
    """A client, from the credentials, the profile, the region and the endpoint that boto3 finds.

    Raises:
        HpoctlError: There is no boto3, or what it finds is wrong.
    """
    try:
        import boto3  # noqa: PLC0415 - heavy
        import botocore.session  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
        from botocore.utils import parse_timestamp  # noqa: PLC0415
    except ImportError as error:
        raise no_boto3() from error
    config = Config(
        retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS},
        connect_timeout=10,
        read_timeout=60,
        max_pool_connections=CONNECTIONS,
        # Servers other than AWS seldom have a name for each bucket.
        s3={"addressing_style": "path"} if custom_endpoint() else {},
    )

    def parse(text: str) -> datetime:
        try:
            return datetime.fromisoformat(text)  # in listings; it takes a tenth of the time of all other ways
        except (TypeError, ValueError):
            moment: datetime = parse_timestamp(text)
            return moment

    try:
        session = botocore.session.Session()
        session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse)
        return boto3.session.Session(botocore_session=session).client("s3", config=config)
    except Exception as error:
        raise describe(error, "reach", "S3", "") from error
