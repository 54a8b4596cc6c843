"""boto3's client for S3: how patiently it asks, and where."""

from datetime import datetime
from typing import Any

from hpoctl.stores.s3_address import custom_endpoint, no_boto3
from hpoctl.stores.s3_errors import describe

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
