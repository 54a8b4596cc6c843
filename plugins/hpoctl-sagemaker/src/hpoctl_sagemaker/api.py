"""The calls to SageMaker and CloudWatch that the launcher and trials make."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl_sagemaker.errors import GoneError, InUseError, plain_error
from hpoctl_sagemaker.sessions import PATIENT, client_of, session_in

REPORT = "[hpoctl-report"
"""How the lines of a log begin that are reports of trials."""

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
PAGE = 100


@dataclass(frozen=True, slots=True)
class Training:
    """A training job, as SageMaker lists it.

    Attributes:
        status: Its status: InProgress, Completed, Failed, Stopping or Stopped.
        detail: What it is at, such as Starting or Training.
        kept: What has become of its machines after it: Available, InUse, Reused or Terminated; empty: they were not
            kept.
        kept_seconds: Billed seconds for which its machines were kept after it.
    """

    status: str
    detail: str
    kept: str = ""
    kept_seconds: int = 0

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.status in {"InProgress", "Stopping"}


@dataclass(frozen=True, slots=True)
class LogEvent:
    """A line of a log.

    Attributes:
        name: The training job that has printed it.
        time: When, in seconds since 1970.
        text: The line.
    """

    name: str
    time: float
    text: str


@dataclass(frozen=True, slots=True)
class Ending:
    """A training job that was looked at by itself.

    Attributes:
        training: How far it is.
        reason: Why it failed; empty: it did not, or SageMaker does not say.
        seconds: Billed seconds of each of its machines, up to now.
    """

    training: Training
    reason: str
    seconds: int


class SagemakerApi:
    """SageMaker in one region.

    Args:
        region: The region; None: the one that the environment or the profile says.
        retries: How calls are repeated before SageMaker is said to be busy.

    Raises:
        UsageError: No region is set.
    """

    def __init__(self, region: str | None, retries: Mapping[str, Any] = PATIENT) -> None:
        self._session, self._retries = session_in(region), retries
        self.region: str = self._session.region_name
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()

    def model_of_requests(self) -> Any:
        """What botocore's model of SageMaker says of the requests for training jobs."""
        model = self._client("sagemaker").meta.service_model
        return model.operation_model("CreateTrainingJob").input_shape

    def create(self, request: Mapping[str, Any]) -> None:
        """Create a training job; one of that name that is there already is the same, and was created before.

        Raises:
            QuotaError: A quota is used up.
            BusyError: SageMaker is busy, or cannot be reached; the job may have been created all the same.
        """
        try:
            self._call("submit a training job", "sagemaker", "create_training_job", request)
        except InUseError:
            return

    def trainings(self, beginning: str, since: float, status: str | None = None) -> dict[str, Training]:
        """Training jobs by name.

        Args:
            beginning: How their names begin.
            since: When the first of them was created at the earliest, in seconds since 1970.
            status: Their status; None: any.
        """
        found: dict[str, Training] = {}
        request: dict[str, Any] = {
            "NameContains": beginning,
            "CreationTimeAfter": datetime.fromtimestamp(since, UTC),
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
            "MaxResults": PAGE,
            **({} if status is None else {"StatusEquals": status}),
        }
        while True:
            answer = self._call("list training jobs", "sagemaker", "list_training_jobs", request)
            for entry in answer["TrainingJobSummaries"]:
                found[entry["TrainingJobName"]] = _training(entry)
            if not answer.get("NextToken"):
                return {name: training for name, training in found.items() if name.startswith(beginning)}
            request["NextToken"] = answer["NextToken"]

    def describe(self, name: str) -> tuple[Training, str] | None:
        """A training job and why it failed; None: no job of that name."""
        found = self.ending(name)
        return None if found is None else (found.training, found.reason)

    def ending(self, name: str) -> Ending | None:
        """A training job, why it failed, and what it is billed; None: no job of that name."""
        request = {"TrainingJobName": name}
        try:
            answer = self._call("look at a training job", "sagemaker", "describe_training_job", request)
        except GoneError:
            return None
        reason = " ".join(str(answer.get("FailureReason", "")).split())
        return Ending(_training(answer), reason, int(answer.get("BillableTimeInSeconds", 0)))

    def let_go(self, name: str) -> None:
        """End the warm pool of a training job; one that has ended, or is in use, is left alone."""
        request = {"TrainingJobName": name, "ResourceConfig": {"KeepAlivePeriodInSeconds": 0}}
        try:
            self._call("end a warm pool", "sagemaker", "update_training_job", request)
        except (GoneError, UsageError):
            return

    def stop(self, name: str) -> None:
        """Stop a training job; one that has ended, or never was, is left alone."""
        try:
            self._call("stop a training job", "sagemaker", "stop_training_job", {"TrainingJobName": name})
        except GoneError:
            return

    def log(self, name: str) -> str:
        """What a training job has printed, according to CloudWatch; empty: it has nothing, or not yet."""
        wanted = {"logGroupName": LOG_GROUP, "logStreamNamePrefix": f"{name}/"}
        try:
            streams = self._call("read a log", "logs", "describe_log_streams", wanted)["logStreams"]
            lines = [line for stream in streams for line in self._events(stream["logStreamName"])]
        except GoneError:
            return ""
        return "".join(f"{line}\n" for line in lines)

    def logs(self, beginning: str, since: float, token: str | None) -> tuple[list[LogEvent], str | None]:
        """A page of what training jobs have printed, so far as it has the mark of a report; in one call for all jobs.

        Args:
            beginning: How their names begin.
            since: From when on, in seconds since 1970.
            token: What the page before has returned; None: this is the first one.

        Returns:
            The lines, and the token of the next page; None: this is the last page.
        """
        request: dict[str, Any] = {
            "logGroupName": LOG_GROUP,
            "logStreamNamePrefix": beginning,
            "startTime": max(0, int(since * 1000)),
            "filterPattern": f'"{REPORT}"',
            **({} if token is None else {"nextToken": token}),
        }
        try:
            answer = self._call("read the logs of trials", "logs", "filter_log_events", request)
        except GoneError:
            return [], None
        events = [
            LogEvent(event["logStreamName"].partition("/")[0], event["timestamp"] / 1000.0, event["message"])
            for event in answer.get("events", ())
        ]
        return events, answer.get("nextToken")

    def _events(self, stream: str) -> list[str]:
        lines: list[str] = []
        request: dict[str, Any] = {"logGroupName": LOG_GROUP, "logStreamName": stream, "startFromHead": True}
        while True:
            answer = self._call("read a log", "logs", "get_log_events", request)
            lines += [event["message"] for event in answer["events"]]
            token = answer["nextForwardToken"]
            if token == request.get("nextToken"):  # the same again: the end
                return lines
            request["nextToken"] = token

    def _call(self, what: str, service: str, operation: str, request: Mapping[str, Any]) -> Any:
        try:
            return getattr(self._client(service), operation)(**request)
        except HpoctlError:
            raise
        except Exception as error:
            raise plain_error(error, what) from error

    def _client(self, service: str) -> Any:
        with self._lock:
            if service not in self._clients:
                self._clients[service] = client_of(self._session, service, self._retries)
            return self._clients[service]


def _training(answer: Mapping[str, Any]) -> Training:
    pool = answer.get("WarmPoolStatus") or {}
    kept_seconds = int(pool.get("ResourceRetainedBillableTimeInSeconds", 0))
    status, detail = answer["TrainingJobStatus"], str(answer.get("SecondaryStatus", ""))
    return Training(status, detail, str(pool.get("Status", "")), kept_seconds)
