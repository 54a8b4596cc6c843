"""What boto3 raises, in plain words: one line of what is wrong, one line of what to do."""

from typing import Any, Literal

from hpoctl.core.errors import HpoctlError

ErrorKind = Literal["missing", "condition", "other"]
MISSING = frozenset({"NoSuchKey", "NoSuchUpload", "404", "NotFound"})
CONDITION = frozenset({"PreconditionFailed", "412"})
TRANSIENT = frozenset(
    {
        "ConditionalRequestConflict", "InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable",
        "SlowDown", "Throttling", "ThrottlingException", "RequestLimitExceeded", "BadDigest", "IncompleteBody",
    }
)  # fmt: skip
CREDENTIALS = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run `aws configure`."
RENEW = "Log in again (`aws sso login`, or renew the AWS_SESSION_TOKEN), and repeat: what is written stays."
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired"})
REJECTED = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidClientTokenId"})
REDIRECTED = frozenset(
    {
        "PermanentRedirect",
        "TemporaryRedirect",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "301",
    }
)
DENIED = frozenset({"AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "Forbidden", "UnauthorizedAccess"})
LOGIN = frozenset({"UnauthorizedSSOTokenError", "SSOTokenLoadError", "TokenRetrievalError", "LoginRefreshTokenExpired"})
NO_CREDENTIALS = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "NoAuthTokenError"}
)
NO_REGION, NO_BUCKET, PROFILE = (
    frozenset({"NoRegionError"}),
    frozenset({"NoSuchBucket"}),
    frozenset({"ProfileNotFound"}),
)
SKEWED = frozenset({"RequestTimeTooSkewed"})
PERMISSIONS = {
    "read": "s3:GetObject", "write": "s3:PutObject", "remove": "s3:DeleteObject", "list": "s3:ListBucket",
    "copy": "s3:GetObject and s3:PutObject",
}  # fmt: skip


class NotThereError(Exception):
    """There is no such blob."""


class ConditionError(Exception):
    """The condition of a write is not met."""


def code_of(error: BaseException) -> str:
    """The code of an answer, or the name of an exception."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        return str(answer.get("Error", {}).get("Code", ""))
    return type(error).__name__


def status_of(error: BaseException) -> ErrorKind:
    """Whether a blob was missing, or the condition of a write not met."""
    code = code_of(error)
    if not hasattr(error, "response"):
        return "other"
    if code in MISSING:
        return "missing"
    return "condition" if code in CONDITION else "other"


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later."""
    answer: Any = getattr(error, "response", None)
    if isinstance(answer, dict):
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code_of(error) in TRANSIENT or status >= 500 or status == 429
    # A proxy or certificate that is wrong stays wrong.
    stays = type(error).__name__ in {"SSLError", "ProxyConnectionError"}
    return (_is_connection(error) and not stays) or _is_broken(error)


def _is_connection(error: BaseException) -> bool:
    """Whether S3 could not be reached, or did not answer."""
    from botocore.exceptions import ConnectionError as NotConnected  # noqa: PLC0415 - heavy
    from botocore.exceptions import HTTPClientError  # noqa: PLC0415

    return isinstance(error, HTTPClientError | NotConnected)


def _is_broken(error: BaseException) -> bool:
    """Whether an answer came in part, or was not what was sent."""
    from botocore.exceptions import FlexibleChecksumError, IncompleteReadError, ResponseStreamingError  # noqa: PLC0415

    return isinstance(error, FlexibleChecksumError | IncompleteReadError | ResponseStreamingError)


def describe(error: BaseException, what: str, location: str, bucket: str) -> HpoctlError:
    """The error that a person is shown.

    Args:
        error: What was raised.
        what: What was being done, a verb.
        location: To what.
        bucket: The bucket; empty: none yet.
    """
    if isinstance(error, HpoctlError):
        return error
    code, message = code_of(error), _message(error)
    cannot, region = f"Cannot {what} {location}", _region(error)
    for codes, wrong, fix in (
        (NO_CREDENTIALS, f"{cannot}: no AWS credentials were found.", CREDENTIALS),
        (PROFILE, f"{cannot}: {message}.", "Correct AWS_PROFILE; `aws configure list-profiles` lists them."),
        (EXPIRED | LOGIN, f"{cannot}: the AWS credentials have expired.", RENEW),
        (REJECTED, f"{cannot}: S3 does not accept the AWS credentials ({code}).", CREDENTIALS),
        (NO_REGION, f"{cannot}: no AWS region is set.", "Set AWS_DEFAULT_REGION, such as eu-central-1."),
        (NO_BUCKET, f"There is no bucket {bucket}.", f"Correct the address, or make it: `aws s3 mb s3://{bucket}`."),
        (
            REDIRECTED,
            f"{cannot}: the bucket is in another region{f', {region}' if region else ''}.",
            f"Set AWS_DEFAULT_REGION{f'={region}' if region else ' to the region of the bucket'}.",
        ),
        (
            DENIED,
            f"{cannot}: access is denied.",
            f"Ask for {PERMISSIONS.get(what, 'the right to do that')} on bucket {bucket}, or use another AWS_PROFILE.",
        ),
        (SKEWED, f"{cannot}: the clock of this machine is wrong.", "Set the clock, and repeat."),
    ):
        if code in codes:
            return HpoctlError(wrong, fix)
    if not hasattr(error, "response") and _is_connection(error):
        fix = "Check the network and AWS_ENDPOINT_URL_S3, and repeat: what is written stays."
        return HpoctlError(f"{cannot}: S3 cannot be reached ({message}).", fix)
    if is_transient(error):
        fix = "Wait a while, and repeat: what is written stays."
        return HpoctlError(f"{cannot}: S3 keeps failing ({code}: {message}).", fix)
    return HpoctlError(f"{cannot}: {code}: {message}.", "Look the code up in the documentation of S3, and repeat.")


def _message(error: BaseException) -> str:
    answer: Any = getattr(error, "response", None)
    text = str(answer.get("Error", {}).get("Message", "")) if isinstance(answer, dict) else str(error)
    return " ".join(text.split())[:300].rstrip(". ")


def _region(error: BaseException) -> str:
    answer: Any = getattr(error, "response", None)
    if not isinstance(answer, dict):
        return ""
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(answer.get("Error", {}).get("Region") or headers.get("x-amz-bucket-region") or "")
