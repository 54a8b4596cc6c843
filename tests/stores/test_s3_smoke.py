"""The contracts on a real account: only if one is named, never in CI."""

import os
import uuid

import pytest

from hpoctl.stores.s3 import S3Store
from hpoctl.stores.s3_address import parse_address
from hpoctl.stores.s3_bucket import Bucket
from hpoctl.stores.s3_check import check_s3
from hpoctl.stores.s3_claims import S3Claims
from hpoctl.testing import check_claims, check_store

ROOT = os.environ.get("HPOCTL_SMOKE_S3", "")
pytestmark = [
    pytest.mark.skipif(not ROOT, reason="HPOCTL_SMOKE_S3=s3://bucket/prefix names no account to try"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def test_contracts() -> None:
    assert [finding.text for finding in check_s3(ROOT) if finding.verdict == "problem"] == []
    name, prefix = parse_address(ROOT)
    bucket, own = Bucket(name), f"{prefix}/{uuid.uuid4().hex}".lstrip("/")
    store = S3Store(bucket, own)
    try:
        check_store(store)
        check_claims(lambda: S3Claims(bucket, own), many=10)
    finally:
        for folder in store.folders(""):
            store.delete(folder)
