"""What of S3 would stop a launch: credentials, region, bucket, and whether it can be written."""

from collections.abc import Callable, Iterator
from secrets import token_hex
from typing import Any

from hpoctl.core.errors import HpoctlError
from hpoctl.core.findings import Finding
from hpoctl.stores.s3_address import custom_endpoint, no_boto3, parse_address
from hpoctl.stores.s3_bucket import Bucket
from hpoctl.stores.s3_errors import CREDENTIALS, describe

PROBE = ".hpoctl-doctor"


def check_s3(root: str) -> Iterator[Finding]:
    """Look at a root on S3, step by step; after the first problem there is nothing more to look at.

    Args:
        root: The address, such as `s3://bucket/prefix`, or `s3://` for the default bucket.
    """
    try:
        session = _session()
        yield _credentials(session)
        yield _region(session)
        name, prefix = parse_address(root)
        bucket = Bucket(name, waits=())
        yield _reached(bucket, prefix)
        yield _written(bucket, prefix)
    except HpoctlError as error:
        yield Finding("S3", "problem", error.what, error.fix)


def _session() -> Any:
    try:
        import boto3  # noqa: PLC0415 - heavy
    except ImportError as error:
        raise no_boto3() from error
    try:
        return boto3.session.Session()
    except Exception as error:
        raise describe(error, "reach", "S3", "") from error


def _credentials(session: Any) -> Finding:
    found = session.get_credentials()
    if found is None:
        return Finding(
            "AWS credentials",
            "problem",
            "none were found",
            CREDENTIALS,
        )
    profile = f", profile {session.profile_name}" if session.profile_name != "default" else ""
    return Finding("AWS credentials", "ok", f"found in {found.method}{profile}")


def _region(session: Any) -> Finding:
    region = session.region_name
    if region:
        return Finding("AWS region", "ok", region)
    return Finding("AWS region", "warning", "none is set", "Set AWS_DEFAULT_REGION, such as eu-central-1.")


def _reached(bucket: Bucket, prefix: str) -> Finding:
    next(bucket.pages(f"{prefix}/" if prefix else "", limit=1))
    where = custom_endpoint()
    return Finding("S3 bucket", "ok", f"{bucket.location(prefix)} can be listed{f' at {where}' if where else ''}")


def _written(bucket: Bucket, prefix: str) -> Finding:
    """Whether a blob can be made once, read and removed: a launch does all three."""
    key = f"{prefix}/{PROBE}-{token_hex(8)}".lstrip("/")
    bucket.put(key, b"probe", create=True)
    try:
        bucket.get(key)
        conditions = _refuses(lambda: bucket.put(key, b"again", create=True))
    finally:
        bucket.delete([key])
    if not conditions:
        return Finding(
            "S3 bucket",
            "problem",
            f"{bucket.location(prefix)} overwrites objects although the request forbids it",
            "Use a server that knows If-None-Match: two jobs might run the same experiment here.",
        )
    return Finding("S3 bucket", "ok", f"{bucket.location(prefix)} can be written")


def _refuses(write: Callable[[], object]) -> bool:
    try:
        write()
    except FileExistsError:
        return True
    return False
