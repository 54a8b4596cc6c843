"""A model of SageMaker's training jobs on loopback, with as much of CloudWatch and STS as a launcher needs.

It is a model of AWS, written from its documentation, and no part of AWS. What it does as AWS does, as far as we know:

* requests are checked against botocore's own model of the service, and signed, though no signature is verified;
* who calls has the rights of one of the `policies`, and no others;
* a name is taken for ever (ResourceInUse); a quota of machines is refused with AWS's words; calls can be throttled;
* ListTrainingJobs comes in pages, and may not list at once what was created; an ended job cannot be stopped;
* the container's command really runs: with a private /opt/ml, the configuration and the channels from S3 in it, and
  nothing of the caller's environment; its exit code and /opt/ml/output/failure become status and FailureReason;
* a job is billed in whole seconds, from its machine's start to its end; a warm pool is billed until it is reused or
  ends;
* FilterLogEvents reads the logs of many jobs in one call;
* to stop is SIGTERM, then SIGKILL, and may take longer than that; a spot interruption is the same, and the job begins
  again, in a new /opt/ml with the checkpoints of the old one.

What it cannot show: the role's permissions and IAM itself, images (the container is this machine's Python), the minutes
that a machine takes to start, networks, KMS, prices, and whatever of AWS is not as its documentation says.
"""

import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import boto3
import botocore.session

ACCOUNT = "123456789012"
REGION = "eu-central-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/training"
MACHINE = Path("/opt/ml")
POLICIES = Path(__file__).parents[1] / "policies"
SERVICES = {"SageMaker": "sagemaker", "Logs_20140328": "logs"}
"""What a service is called in policies, by its name in requests."""
GRACE = 4.0
"""Seconds between SIGTERM and SIGKILL; AWS gives two minutes."""

BIND = 'mount --bind "$0" /opt/ml && exec "$@"'


class Refusal(Exception):
    """An error that AWS would answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class LostReplyError(Exception):
    """The request was done, and its answer does not arrive."""


@dataclass
class Job:
    """A training job."""

    request: Mapping[str, Any]
    created: float
    log: Path
    status: str = "InProgress"
    detail: str = "Starting"
    reason: str = ""
    process: subprocess.Popen[bytes] | None = None
    wanted: str = ""
    """What is to happen to it: stop, or interrupt."""
    ended: threading.Event = field(default_factory=threading.Event)
    starts: int = 0
    billed: float = 0.0
    """Seconds for which its machines ran."""
    pool: str = ""
    """What has become of its machines: Available, Reused or Terminated; empty: they were not kept."""
    pool_since: float = 0.0
    pool_until: float = 0.0
    pool_seconds: float = 0.0
    warm: bool = False
    """Whether it has the machines of an earlier job."""
    stamps: list[float] = field(default_factory=list)
    """When the lines of its log were first seen."""

    @property
    def name(self) -> str:
        return str(self.request["TrainingJobName"])

    @property
    def arn(self) -> str:
        return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{self.name.lower()}"


class SagemakerModel:
    """The model. It serves between `start` and `stop`.

    Args:
        folder: Where containers have their files.
        environment: What a container's role can do: the variables that let it use S3.
        quota: How many machines of one type may train at a time.
        page: How many jobs a page of a list has at most.
        policy: The policies that say which calls are allowed, with spaces between them.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        quota: int = 8,
        page: int = 100,
        policy: str = "launch",
    ) -> None:
        self.folder = folder
        self.environment = dict(environment)
        self.quota = quota
        self.page = page
        self.lag = 0.0
        """Seconds for which a list does not show a new job."""
        self.throttled: Counter[str] = Counter()
        """How many of the next calls of an operation are refused for being too many."""
        self.losing = False
        """Whether answers to CreateTrainingJob are lost."""
        self.refused = 0
        """How many of the next calls of CreateTrainingJob are refused for good."""
        self.stop_delay = 0.0
        """Seconds that it takes to stop a job, after its container has ended."""
        self.cold_start = 0.0
        """Seconds that it takes until a machine runs, unless it is warm."""
        self.logs_shown = True
        """Whether logs have arrived in CloudWatch."""
        self.jobs: dict[str, Job] = {}
        self.created: list[str] = []
        self.calls: Counter[str] = Counter()
        self.used: set[tuple[str, str]] = set()
        """Services and operations that were called."""
        self._allowed = allowed(policy)
        self.private = _can_bind()
        self._lock = threading.RLock()
        self._service = botocore.session.get_session().get_service_model("sagemaker")
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._client = boto3.client(  # one for all: it costs as much CPU time as a process that starts
            "s3",
            endpoint_url=environment["AWS_ENDPOINT_URL_S3"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """End all containers, and the server."""
        for job in list(self.jobs.values()):
            self.kill(job.name)
            job.wanted = job.wanted or "stop"
        for job in list(self.jobs.values()):
            job.ended.wait(10.0)
        self._server.shutdown()
        self._server.server_close()

    def kill(self, name: str) -> None:
        """Kill all processes of a container, as a crash of its machine would."""
        process = self.jobs[name].process
        if process is not None and process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)

    def interrupt(self, name: str) -> None:
        """Take the spot capacity of a job away; it gets other capacity at once."""
        job = self.jobs[name]
        if not job.request.get("EnableManagedSpotTraining"):
            raise ValueError(f"{name} does not run on spot capacity")
        job.wanted = "interrupt"

    def forget(self) -> None:
        """Know nothing of jobs that have ended."""
        with self._lock:
            for name in [name for name, job in self.jobs.items() if job.ended.is_set()]:
                del self.jobs[name]

    @contextmanager
    def losing_replies(self) -> Iterator[None]:
        """Meanwhile, answers to CreateTrainingJob are lost."""
        self.losing = True
        try:
            yield
        finally:
            self.losing = False

    def answer(self, target: str, request: dict[str, Any]) -> Mapping[str, Any]:
        """Do what a request asks for."""
        service, _, operation = target.partition(".")
        with self._lock:
            self.calls[operation] += 1
            self.used.add((SERVICES[service], operation))
            if f"{SERVICES[service]}:{operation}" not in self._allowed:
                raise Refusal("AccessDeniedException", f"not authorized to perform {SERVICES[service]}:{operation}")
            if self.throttled[operation]:
                self.throttled[operation] -= 1
                raise Refusal("ThrottlingException", "Rate exceeded")
        if service == "SageMaker":
            mistakes = list(_mistakes(self._service.operation_model(operation).input_shape, request, "request"))
            if mistakes:
                text = f"{len(mistakes)} validation errors detected: {'; '.join(mistakes)}"
                raise Refusal("ValidationException", text)
        known: dict[str, Callable[[dict[str, Any]], Mapping[str, Any]]] = {
            "CreateTrainingJob": self._create,
            "ListTrainingJobs": self._list,
            "DescribeTrainingJob": self._describe,
            "StopTrainingJob": self._stop,
            "UpdateTrainingJob": self._update,
            "DescribeLogStreams": self._streams,
            "FilterLogEvents": self._filtered,
            "GetLogEvents": self._events,
        }
        return known[operation](request)

    def _create(self, request: dict[str, Any]) -> Mapping[str, Any]:
        name, machine = request["TrainingJobName"], request["ResourceConfig"]["InstanceType"]
        limit, spot = request["StoppingCondition"], request.get("EnableManagedSpotTraining", False)
        if spot and limit.get("MaxWaitTimeInSeconds", 0) < limit["MaxRuntimeInSeconds"]:
            raise Refusal("ValidationException", "MaxWaitTimeInSeconds must be at least MaxRuntimeInSeconds")
        if not spot and "MaxWaitTimeInSeconds" in limit:
            raise Refusal("ValidationException", "MaxWaitTimeInSeconds above 0 is not supported without spot training")
        with self._lock:
            if name in self.jobs or name in self.created:
                raise Refusal(
                    "ResourceInUse",
                    "Training job names must be unique within an AWS account and region, and a training job with this "
                    f"name already exists (arn:aws:sagemaker:{REGION}:{ACCOUNT}:training-job/{name.lower()})",
                )
            if self.refused:
                self.refused -= 1
                raise Refusal("ValidationException", "The requested instance type is not available in this zone")
            resources = request["ResourceConfig"]
            if spot and resources.get("KeepAlivePeriodInSeconds"):
                raise Refusal("ValidationException", "Warm pools are not supported with managed spot training")
            count = resources["InstanceCount"]
            used = sum(
                job.request["ResourceConfig"]["InstanceCount"]
                for job in self.jobs.values()
                if job.status in {"InProgress", "Stopping"} and job.request["ResourceConfig"]["InstanceType"] == machine
            )
            if used + count > self.quota:
                use = "spot training job usage" if spot else "training job usage"
                raise Refusal(
                    "ResourceLimitExceeded",
                    f"The account-level service limit '{machine} for {use}' is {self.quota} Instances, with current "
                    f"utilization of {used} Instances and a request delta of {count} Instances. Please use AWS Service "
                    "Quotas to request an increase for this quota.",
                )
            folder = self.folder / name
            folder.mkdir(parents=True)
            job = Job(request, time.time(), folder / "log")
            job.warm = self._reuse(request)
            self.jobs[name] = job
            self.created.append(name)
        threading.Thread(target=self._train, args=(job, folder), daemon=True).start()
        if self.losing:
            raise LostReplyError
        return {"TrainingJobArn": job.arn}

    def _list(self, request: dict[str, Any]) -> Mapping[str, Any]:
        with self._lock:
            found = sorted(self.jobs.values(), key=lambda job: (-job.created, job.name))
        found = [
            job
            for job in found
            if request.get("NameContains", "") in job.name
            and request.get("StatusEquals", job.status) == job.status
            and job.created >= request.get("CreationTimeAfter", 0.0)
            and time.time() - job.created >= self.lag
        ]
        begin = int(request.get("NextToken", "0"))
        end = begin + min(request.get("MaxResults", 10), self.page)
        summaries = [
            {
                "TrainingJobName": job.name,
                "TrainingJobArn": job.arn,
                "CreationTime": job.created,
                "TrainingJobStatus": job.status,
                "SecondaryStatus": job.detail,
                **self._pool_of(job),
            }
            for job in found[begin:end]
        ]
        return {"TrainingJobSummaries": summaries, **({"NextToken": str(end)} if end < len(found) else {})}

    def _describe(self, request: dict[str, Any]) -> Mapping[str, Any]:
        job = self._find(request["TrainingJobName"])
        return {
            "TrainingJobName": job.name,
            "TrainingJobArn": job.arn,
            "TrainingJobStatus": job.status,
            "SecondaryStatus": job.detail,
            "CreationTime": job.created,
            **({"BillableTimeInSeconds": billable(job)} if job.status not in {"InProgress", "Stopping"} else {}),
            **self._pool_of(job),
            **({"FailureReason": job.reason} if job.reason else {}),
        }

    def _reuse(self, request: Mapping[str, Any]) -> bool:
        """Take the machines of an ended job that fit, if there are any."""
        for job in self.jobs.values():
            self._pool_of(job)
            same = all(
                job.request["ResourceConfig"].get(name) == request["ResourceConfig"].get(name)
                for name in ("InstanceType", "InstanceCount", "VolumeSizeInGB")
            )
            if job.pool == "Available" and same and job.request["RoleArn"] == request["RoleArn"]:
                job.pool, job.pool_seconds = "Reused", time.time() - job.pool_since
                return True
        return False

    def _pool_of(self, job: Job) -> dict[str, Any]:
        """What has become of the machines of a job."""
        now = time.time()
        if job.pool == "Available":
            job.pool_seconds = min(now, job.pool_until) - job.pool_since
            if now >= job.pool_until:
                job.pool = "Terminated"
        if not job.pool:
            return {}
        seconds = math.ceil(job.pool_seconds)
        return {"WarmPoolStatus": {"Status": job.pool, "ResourceRetainedBillableTimeInSeconds": seconds}}

    def _update(self, request: dict[str, Any]) -> Mapping[str, Any]:
        job = self._find(request["TrainingJobName"])
        with self._lock:
            self._pool_of(job)
            if job.pool != "Available":
                raise Refusal("ValidationException", "The warm pool of the training job is not available")
            job.pool_until = min(job.pool_until, time.time() + request["ResourceConfig"]["KeepAlivePeriodInSeconds"])
        return {"TrainingJobArn": job.arn}

    def _stop(self, request: dict[str, Any]) -> Mapping[str, Any]:
        job = self._find(request["TrainingJobName"])
        with self._lock:
            if job.status not in {"InProgress", "Stopping"}:
                raise Refusal(
                    "ValidationException",
                    f"The request was rejected because the training job is in status {job.status}.",
                )
            job.status, job.detail, job.wanted = "Stopping", "Stopping", "stop"
        return {}

    def _find(self, name: str) -> Job:
        if name not in self.jobs:
            raise Refusal("ValidationException", "Requested resource not found.")
        return self.jobs[name]

    def _streams(self, request: dict[str, Any]) -> Mapping[str, Any]:
        name = request["logStreamNamePrefix"].rstrip("/")
        there = name in self.jobs and self.jobs[name].log.exists()
        return {"logStreams": [{"logStreamName": f"{name}/algo-1-1"}] if there else []}

    def _events(self, request: dict[str, Any]) -> Mapping[str, Any]:
        name = request["logStreamName"].partition("/")[0]
        lines = self.jobs[name].log.read_text(errors="replace").splitlines()
        begin = int(request.get("nextToken", "f/0").partition("/")[2])
        events = [{"timestamp": 0, "ingestionTime": 0, "message": line} for line in lines[begin : begin + 100]]
        return {"events": events, "nextForwardToken": f"f/{begin + len(events)}", "nextBackwardToken": "b/0"}

    def _filtered(self, request: dict[str, Any]) -> Mapping[str, Any]:
        """Pages of a thousand lines of all logs; a page may hold none that fit, as with AWS."""
        found, now = [], time.time()
        with self._lock:
            for job in self.jobs.values():
                if (
                    not self.logs_shown
                    or not job.log.exists()
                    or not job.name.startswith(request["logStreamNamePrefix"])
                ):
                    continue
                lines = job.log.read_text(errors="replace").split("\n")[:-1]
                job.stamps += [now] * (len(lines) - len(job.stamps))
                found += [(stamp, job.name, line) for stamp, line in zip(job.stamps, lines, strict=True)]
        pattern, begin = request["filterPattern"].strip('"'), int(request.get("nextToken", "0"))
        page = found[begin : begin + 1000]
        events = [
            {"logStreamName": f"{name}/algo-1", "timestamp": int(stamp * 1000), "message": line, "eventId": "0"}
            for stamp, name, line in page
            if pattern in line and stamp * 1000 >= request.get("startTime", 0)
        ]
        more = {"nextToken": str(begin + 1000)} if begin + 1000 < len(found) else {}
        return {"events": events, "searchedLogStreams": [], **more}

    def _train(self, job: Job, folder: Path) -> None:
        try:
            began = time.monotonic()
            while not job.warm and not job.wanted and time.monotonic() < began + self.cold_start:
                time.sleep(0.02)
            while self._run_once(job, folder / f"run-{job.starts}"):
                job.starts += 1
        except Exception as error:  # noqa: BLE001
            job.status, job.detail, job.reason = "Failed", "Failed", f"InternalServerError: {error}"
        finally:
            job.ended.set()

    def _run_once(self, job: Job, machine: Path) -> bool:
        """Run a job's container once; returns whether it is to be begun again."""
        began = time.monotonic()
        self._furnish(job, machine)
        command = [*job.request["AlgorithmSpecification"]["ContainerEntrypoint"]]
        command += job.request["AlgorithmSpecification"].get("ContainerArguments", [])
        if self.private:
            command = ["unshare", "-m", "--propagation", "private", "sh", "-c", BIND, str(machine), *command]
        else:
            command = [word.replace(str(MACHINE), str(machine)) for word in command]
        environment = {
            "PATH": os.pathsep.join(
                [str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"]
            ),
            "HOME": str(machine / "home"),
            "LANG": "C.UTF-8",
            "TRAINING_JOB_NAME": job.name,
            "TRAINING_JOB_ARN": job.arn,
            **self.environment,
            **job.request.get("Environment", {}),
        }
        if not job.wanted:
            with job.log.open("ab") as log:
                job.process = subprocess.Popen(
                    command,
                    env=environment,
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            job.detail = "Training" if job.status == "InProgress" else job.detail
            self._wait(job)
        self._push(job, machine)
        again = job.wanted == "interrupt" and job.status == "InProgress"
        if again:
            job.wanted, job.detail = "", "Interrupted"
        elif job.wanted == "stop":
            time.sleep(self.stop_delay)
        job.billed += time.monotonic() - began
        if not again:
            self._close(job, machine)
        shutil.rmtree(machine, ignore_errors=True)
        return again

    def _wait(self, job: Job) -> None:
        process, end = job.process, time.monotonic() + job.request["StoppingCondition"]["MaxRuntimeInSeconds"]
        assert process is not None
        killing = float("inf")
        while process.poll() is None:
            now = time.monotonic()
            if now > end and not job.wanted:
                job.wanted, job.status, job.detail = "limit", "Stopping", "Stopping"
            if job.wanted and killing == float("inf"):
                process.terminate()
                killing = now + GRACE
            if now > killing:
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.02)

    def _close(self, job: Job, machine: Path) -> None:
        code = job.process.returncode if job.process else 0
        if job.wanted == "limit":
            job.status, job.detail = "Stopped", "MaxRuntimeExceeded"
        elif job.wanted == "stop":
            job.status, job.detail = "Stopped", "Stopped"
        elif code == 0:
            if keep := job.request["ResourceConfig"].get("KeepAlivePeriodInSeconds", 0):
                job.pool, job.pool_since = "Available", time.time()
                job.pool_until = job.pool_since + keep
            job.status, job.detail = "Completed", "Completed"
        else:
            failure = machine / "output" / "failure"
            text = failure.read_text(errors="replace") if failure.exists() else ""
            code = 128 - code if code < 0 else code
            job.reason = f"AlgorithmError: {text or 'no message'}, exit code: {code}"[:1024]
            job.status, job.detail = "Failed", "Failed"

    def _furnish(self, job: Job, machine: Path) -> None:
        """What a container finds in /opt/ml."""
        for name in ("input/config", "model", "output/data", "home"):
            (machine / name).mkdir(parents=True, exist_ok=True)
        config = machine / "input" / "config"
        (config / "hyperparameters.json").write_text(json.dumps(job.request.get("HyperParameters", {})))
        (config / "resourceconfig.json").write_text(json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]}))
        channels = {}
        for channel in job.request.get("InputDataConfig", ()):
            channels[channel["ChannelName"]] = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
            folder = machine / "input" / "data" / channel["ChannelName"]
            self._download(channel["DataSource"]["S3DataSource"]["S3Uri"], folder)
        (config / "inputdataconfig.json").write_text(json.dumps(channels))
        if checkpoints := job.request.get("CheckpointConfig"):
            folder = machine / "checkpoints"
            folder.mkdir()
            self._download(f"{checkpoints['S3Uri']}/", folder)

    def _download(self, address: str, folder: Path) -> None:
        client, bucket, prefix = self._s3(address)
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", ()):
                file = folder / entry["Key"].removeprefix(prefix)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(client.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())

    def _push(self, job: Job, machine: Path) -> None:
        if checkpoints := job.request.get("CheckpointConfig"):
            client, bucket, prefix = self._s3(f"{checkpoints['S3Uri']}/")
            for file in (machine / "checkpoints").rglob("*"):
                if file.is_file():
                    key = prefix + file.relative_to(machine / "checkpoints").as_posix()
                    client.put_object(Bucket=bucket, Key=key, Body=file.read_bytes())

    def _s3(self, address: str) -> tuple[Any, str, str]:
        parsed = urlparse(address)
        return self._client, parsed.netloc, parsed.path.lstrip("/")


def billable(job: Job) -> int:
    """The seconds that each machine of a job is billed."""
    return math.ceil(job.billed)


def allowed(policies: str) -> set[str]:
    """The actions that policies allow, whose names have spaces between them."""
    texts = [(POLICIES / f"{policy}.json").read_text() for policy in policies.split()]
    return {action for text in texts for statement in json.loads(text)["Statement"] for action in statement["Action"]}


@contextmanager
def running(
    environment: Mapping[str, str], quota: int = 8, page: int = 100, policy: str = "launch"
) -> Iterator[SagemakerModel]:
    """The model, with a separate folder."""
    with tempfile.TemporaryDirectory(prefix="sagemaker-", ignore_cleanup_errors=True) as folder:
        model = SagemakerModel(Path(folder), environment, quota, page, policy)
        model.start()
        try:
            yield model
        finally:
            model.stop()


def environment_of(model: SagemakerModel) -> dict[str, str]:
    """What a process needs to use the model, and S3 beside it, and no AWS."""
    names = ("SAGEMAKER", "CLOUDWATCH_LOGS", "STS")
    return {**model.environment, **{f"AWS_ENDPOINT_URL_{name}": model.endpoint for name in names}}


def _can_bind() -> bool:
    """Whether a private /opt/ml can be had: as root, where mounts are allowed. It leaves an empty /opt/ml behind."""
    try:
        MACHINE.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    with tempfile.TemporaryDirectory() as folder:
        words = ["unshare", "-m", "--propagation", "private", "sh", "-c", BIND, folder, "true"]
        try:
            return subprocess.run(words, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False


def _mistakes(shape: Any, value: Any, where: str) -> Iterator[str]:
    """What of a request the service's model does not allow; written apart from the launcher's own check."""
    rules = shape.metadata
    kinds: dict[str, type[Any]] = {
        "structure": dict,
        "map": dict,
        "list": list,
        "string": str,
        "integer": int,
        "boolean": bool,
    }
    if not isinstance(value, kinds.get(shape.type_name, object)):
        yield f"{where}: not a {shape.type_name}"
        return
    if shape.type_name == "structure":
        yield from (f"{where}.{name}: missing" for name in rules.get("required", ()) if name not in value)
        for name, part in value.items():
            if name in shape.members:
                yield from _mistakes(shape.members[name], part, f"{where}.{name}")
            else:
                yield f"{where}.{name}: unknown"
    if shape.type_name == "list":
        for part in value:
            yield from _mistakes(shape.member, part, f"{where}[]")
    if shape.type_name == "map":
        for name, part in value.items():
            yield from _mistakes(shape.key, name, f"{where} key")
            yield from _mistakes(shape.value, part, f"{where}[{name}]")
    size = len(value) if isinstance(value, str | list | dict) else value if type(value) is int else None
    if size is not None and not rules.get("min", size) <= size <= rules.get("max", size):
        yield f"{where}: {size} is not from {rules.get('min')} to {rules.get('max')}"
    if shape.type_name == "string":
        if rules.get("enum") and value not in rules["enum"]:
            yield f"{where}: {value} is not among the values"
        pattern = rules.get("pattern", "")
        for name, python in ((r"\p{L}", r"\w"), (r"\p{Z}", " "), (r"\p{N}", r"\d"), (r"\p{Alnum}", "a-zA-Z0-9")):
            pattern = pattern.replace(name, python)
        if pattern and not re.fullmatch(pattern, value, re.DOTALL):
            yield f"{where}: {value} does not match {pattern}"


IDENTITY = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{0}:user/test</Arn><UserId>test</UserId><Account>{0}</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>"""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *args: Any) -> None:
        """Clients are killed, and hang up."""


def _handler(model: SagemakerModel) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if "Authorization" not in self.headers:
                self._send(403, b'{"__type": "AccessDeniedException", "message": "not signed"}')
                return
            target = self.headers.get("X-Amz-Target")
            if target is None:
                assert parse_qs(body.decode())["Action"] == ["GetCallerIdentity"]
                self._send(200, IDENTITY.format(ACCOUNT).encode(), "text/xml")
                return
            try:
                answer = model.answer(target, json.loads(body or b"{}"))
            except Refusal as refusal:
                text = json.dumps({"__type": refusal.code, "message": str(refusal)})
                self._send(400, text.encode())
            except LostReplyError:
                self.close_connection = True
            else:
                self._send(200, json.dumps(answer).encode())

        def _send(self, status: int, body: bytes, kind: str = "application/x-amz-json-1.1") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("x-amzn-RequestId", uuid.uuid4().hex)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    return Handler
