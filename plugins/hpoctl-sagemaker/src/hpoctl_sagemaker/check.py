"""What would stop a launch on SageMaker, as far as it can be told without submitting anything."""

import re
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any

from hpoctl.core.canonical import content_hash
from hpoctl.core.errors import HpoctlError
from hpoctl.core.findings import Finding
from hpoctl.core.jobs import Job
from hpoctl.core.options import option_values
from hpoctl.stores.job_files import Manifest
from hpoctl_sagemaker.api import SagemakerApi
from hpoctl_sagemaker.options import SagemakerOptions
from hpoctl_sagemaker.prices import MACHINES
from hpoctl_sagemaker.request import (
    Surroundings,
    check_training_job,
    image_for,
    training_job,
)
from hpoctl_sagemaker.sessions import account_of, session_in
from hpoctl_sagemaker.trial_options import SagemakerTrialOptions
from hpoctl_sagemaker.trial_request import Place, trial_job

ARN = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/.+")


def check(options: Any) -> Iterator[Finding]:
    """Look at region, credentials, role, image, machine and the whole request, and ask SageMaker for its jobs."""
    region = yield from _look("region", lambda: str(session_in(options.region).region_name))
    if region is None:
        return
    account = yield from _look("credentials", lambda: account_of(options.region), "of account ")
    yield from _role(options.role, account, "[launcher_options]")
    image = yield from _look("image", lambda: image_for(options, region, sys.version_info.minor))
    if image is not None and options.role is not None:
        yield from _request(options, region, image)
    if account is not None:
        yield from _look("sagemaker", lambda: _jobs(options.region))
    machine = options.instance_type
    if machine not in MACHINES:
        remedy = "Look it up on AWS's price page."
        yield Finding("price", "warning", f"no price of {machine} is known here", remedy)
    yield Finding(
        "quota",
        "warning",
        f"how many {machine} may train at a time cannot be told from here; for new accounts it is often 0",
        f"See Service Quotas, SageMaker, '{machine} for training job usage'"
        f"{' (spot training)' if options.use_spot else ''}.",
    )


def check_trials(options: SagemakerTrialOptions) -> Iterator[Finding]:
    """Look at region, credentials, role, image and the whole request of a trial, and ask SageMaker for its jobs."""
    if options.role is None:
        yield Finding("trials on SageMaker", "ok", "not looked at: no role is given (backend option role)")
        return
    region = yield from _look("region", lambda: str(session_in(options.region).region_name))
    if region is None:
        return
    account = yield from _look("credentials", lambda: account_of(options.region), "of account ")
    yield from _role(options.role, account, "[backend_options]")
    image = yield from _look("image", lambda: image_for(options, region, sys.version_info.minor))
    if image is not None:
        place = Place("sagemaker-bucket", "trials", "s3://sagemaker-bucket/bundle", "doctor-", "doctor", region)
        request = trial_job("0/0", "{}", (options.instance_type, options.instance_count), image, place, options)
        model = SagemakerApi(region).model_of_requests()
        yield from _look("request", lambda: _checked(request, model))
    if account is not None:
        yield from _look("sagemaker", lambda: _jobs(options.region))


def _look(subject: str, look: Callable[[], str], before: str = "") -> Generator[Finding, None, str | None]:
    try:
        found = look()
    except HpoctlError as error:
        yield Finding(subject, "problem", error.what, error.fix)
        return None
    yield Finding(subject, "ok", f"{before}{found}")
    return found


def _role(role: str | None, account: str | None, table: str) -> Iterator[Finding]:
    if role is None:
        text, remedy = "none is given", f'Put role = "arn:aws:iam::ACCOUNT:role/NAME" into {table}.'
        yield Finding("role", "problem", text, remedy)
        return
    arn = ARN.fullmatch(role)
    if arn is None:
        text, remedy = f"{role} is not the ARN of a role", "Write arn:aws:iam::ACCOUNT:role/NAME."
        yield Finding("role", "problem", text, remedy)
    elif account is not None and arn["account"] != account:
        text = f"{role} is of account {arn['account']}, and the credentials are of {account}"
        yield Finding("role", "problem", text, "Name a role of the account, or use another AWS_PROFILE.")
    else:
        text = f"{role}; whether it exists and you may pass it shows when a job is submitted"
        yield Finding("role", "ok", text)


def _request(options: SagemakerOptions, region: str, image: str) -> Iterator[Finding]:
    """Check the request of a job that will never be."""
    job = Job("doctor-job", "doctor", f"s3://sagemaker-{region}-000000000000/hpoctl", (), ())
    around = Surroundings(region, image, f"{job.results}/.bundles/{content_hash(b'')[:32]}", None, ())
    request = training_job(Manifest.of(job, "sagemaker", option_values(options), 0.0), options, around)
    model = SagemakerApi(region).model_of_requests()
    yield from _look("request", lambda: _checked(request, model))


def _checked(request: dict[str, Any], model: Any) -> str:
    check_training_job(request, model)
    return "as SageMaker's model wants it"


def _jobs(region: str | None) -> str:
    found = SagemakerApi(region).trainings("doctor-", 0.0)
    return f"it answers ({len(found)} jobs of tag doctor)" if found else "it answers"
