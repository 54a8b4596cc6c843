"""Errors of AWS in plain words, as exceptions of the kind that they are."""

import re
from collections.abc import Set as AbstractSet
from typing import Any

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.stores.s3_errors import CREDENTIALS, EXPIRED, LOGIN, NO_CREDENTIALS, REJECTED, RENEW, code_of, is_transient

BUSY = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})
GONE = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedException", "403"})
QUOTA = re.compile(r"service limit (?:'(?P<name>[^']+)'|for (?P<plain>\S+)) is (?P<limit>\d+)")
PERMISSIONS = {
    "submit a training job": "sagemaker:CreateTrainingJob, sagemaker:AddTags and iam:PassRole",
    "list training jobs": "sagemaker:ListTrainingJobs",
    "look at a training job": "sagemaker:DescribeTrainingJob",
    "stop a training job": "sagemaker:StopTrainingJob",
    "end a warm pool": "sagemaker:UpdateTrainingJob",
    "read a log": "logs:DescribeLogStreams and logs:GetLogEvents",
    "read the logs of trials": "logs:FilterLogEvents",
}


class BusyError(HpoctlError):
    """SageMaker answers later, or not yet: what was asked may work in a while."""


class QuotaError(HpoctlError):
    """A quota is used up.

    Args:
        name: The name of the quota.
        limit: How much it allows; None: SageMaker does not tell.
        what: What SageMaker says.
    """

    def __init__(self, name: str, limit: int | None, what: str) -> None:
        super().__init__(what, f"Ask AWS for more: Service Quotas, SageMaker, {name}.")
        self.name = name
        self.limit = limit


class ZeroQuotaError(UsageError):
    """A quota is zero: it makes no sense to wait."""


class InUseError(HpoctlError):
    """There is a training job of that name already."""


class GoneError(HpoctlError):
    """There is no training job of that name, or it has ended."""


def plain_error(error: Exception, what: str) -> HpoctlError:
    """The error in plain words, as an exception of the kind that it is."""
    code = code_of(error)
    answer: Any = getattr(error, "response", None)
    answered = answer.get("Error", {}).get("Message", "") if isinstance(answer, dict) else str(error)
    message = " ".join(str(answered).split())[:600].rstrip(". ")
    if code == "ResourceInUse":
        return InUseError(message, "Nothing has to be done.")
    if code in GONE or (code == "ValidationException" and _is_over(message)):
        return GoneError(message, "Nothing has to be done.")
    if code == "ResourceLimitExceeded":
        found = QUOTA.search(message)
        name = (found["name"] or found["plain"]) if found else "of training jobs"
        return QuotaError(name, int(found["limit"]) if found else None, f"Cannot {what}: {message}.")
    if code in BUSY or is_transient(error):
        return BusyError(
            f"SageMaker is busy or out of reach ({code}: {message}).", "Jobs continue; launch again later."
        )
    return _refusal(code, message, what)


def _refusal(code: str, message: str, what: str) -> HpoctlError:
    """An error that persists until its cause is removed."""
    permissions = PERMISSIONS.get(what, "the permission to")
    known: list[tuple[AbstractSet[str], str, str]] = [
        (NO_CREDENTIALS, "no AWS credentials were found", CREDENTIALS),
        (EXPIRED | LOGIN, "the AWS credentials have expired", RENEW),
        (REJECTED | {"UnrecognizedClientException"}, f"AWS does not accept the credentials ({code})", CREDENTIALS),
        (DENIED, f"access is denied: {message}", f"Ask for {permissions}, or use another AWS_PROFILE."),
    ]
    for codes, text, fix in known:
        if code in codes:
            return HpoctlError(f"Cannot {what}: {text}.", fix)
    if code == "ProfileNotFound":
        return UsageError(
            f"Cannot {what}: {message}.", "Correct AWS_PROFILE; `aws configure list-profiles` lists them."
        )
    if code == "ValidationException":
        return UsageError(f"Cannot {what}: {message}.", "Change the option behind it.")
    return HpoctlError(f"Cannot {what}: {code}: {message}.", "Look the code up in AWS's documentation, and repeat.")


def _is_over(message: str) -> bool:
    """Whether a request was refused because the training job has ended, or never was."""
    return "not found" in message.lower() or "is in status" in message or "in a terminal" in message.lower()
