"""What the check of a root on S3 finds."""

import pytest

from hpoctl.stores.opening import open_results
from hpoctl.stores.s3_bucket import Bucket
from hpoctl.stores.s3_check import check_s3


def test_all_is_well(s3_root: str) -> None:
    found = list(check_s3(s3_root))
    assert [finding.verdict for finding in found] == ["ok"] * 4
    assert [finding.subject for finding in found] == ["AWS credentials", "AWS region", "S3 bucket", "S3 bucket"]
    assert f"{s3_root} can be written" in found[-1].text
    assert list(open_results(s3_root).store.list("")) == [], "nothing is left"


@pytest.mark.parametrize(
    ("name", "value", "what", "fix"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", "does not accept", "AWS_PROFILE"),
        ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9", "cannot be reached", "network"),
        ("AWS_PROFILE", "nobody", "could not be found", "AWS_PROFILE"),
    ],
)
def test_what_would_stop_a_launch(
    s3_root: str, monkeypatch: pytest.MonkeyPatch, name: str, value: str, what: str, fix: str
) -> None:
    monkeypatch.setenv(name, value)
    found = list(check_s3(s3_root))
    assert found[-1].verdict == "problem"
    assert what in found[-1].text
    assert fix in found[-1].remedy


def test_no_bucket_no_credentials_no_region(s3_root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no bucket" in [*check_s3("s3://nowhere-at-all")][-1].text
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert [finding.verdict for finding in check_s3(s3_root)][:2] == ["ok", "warning"]
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert next(iter(check_s3(s3_root))).text == "none were found"


def test_a_server_without_conditions_is_a_problem(s3_root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Bucket.put
    monkeypatch.setattr(Bucket, "put", lambda self, key, data, create: put(self, key, data))
    assert "overwrites objects" in [*check_s3(s3_root)][-1].text
