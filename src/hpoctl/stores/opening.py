"""Opens the root of results that a person, a configuration or a job names."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hpoctl.core.errors import UsageError
from hpoctl.core.findings import Finding
from hpoctl.core.places import is_address
from hpoctl.core.storage import Claims, Store
from hpoctl.stores.claims import LocalClaims
from hpoctl.stores.local import LocalStore
from hpoctl.stores.s3 import S3Store
from hpoctl.stores.s3_address import SCHEME, parse_address
from hpoctl.stores.s3_bucket import Bucket
from hpoctl.stores.s3_check import check_s3
from hpoctl.stores.s3_claims import S3Claims


@dataclass(frozen=True, slots=True)
class Opened:
    """Where results live, and who runs what there.

    Attributes:
        store: The results.
        claims: Who runs what.
    """

    store: Store
    claims: Claims


def open_results(root: str) -> Opened:
    """Open a root of results. Nothing is made.

    Args:
        root: A path, or `s3://bucket/prefix`; `s3://` alone: the default bucket of SageMaker, prefix `hpoctl`.

    Raises:
        UsageError: It is an address of another kind, or a wrong one.
        HpoctlError: The default bucket is asked for, and cannot be found out.
    """
    if root.startswith(SCHEME):
        name, prefix = parse_address(root)
        bucket = Bucket(name)
        return Opened(S3Store(bucket, prefix), S3Claims(bucket, prefix))
    if is_address(root):
        raise UsageError(f"Results cannot be at {root!r}.", "Name a folder, or s3://bucket/prefix.")
    store = LocalStore(Path(root))
    return Opened(store, LocalClaims(store.root))


def check_results(root: str) -> Iterable[Finding]:
    """What a root of results takes before it can be opened, for `hpoctl doctor`: nothing, for a folder."""
    return check_s3(root) if root.startswith(SCHEME) else ()
