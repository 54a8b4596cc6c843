"""Makes the request of each start of an experiment's trials."""

import json
import sys
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

from hpoctl.backends.scripts.folders import TrialFolder
from hpoctl.backends.scripts.workers import Command
from hpoctl.core.trial_call import DEVICES, THREADS
from hpoctl_sagemaker.request import check_training_job, image_for
from hpoctl_sagemaker.trial_job import TrialJob
from hpoctl_sagemaker.trial_options import SagemakerTrialOptions
from hpoctl_sagemaker.trial_request import Place, call_of, machine_of, trial_job


class Requests:
    """Makes requests.

    Args:
        place: Where the experiment is.
        options: The options.
        model: What botocore's model of SageMaker says of such requests.
        fixed: The environment variables that the benchmark and the options set.
        grace: Seconds between SIGTERM and SIGKILL for a script.
        price: What an hour of the options' machine costs, unless they say; None: not known.

    Raises:
        UsageError: SageMaker would refuse a trial with these options.
    """

    def __init__(
        self,
        place: Place,
        options: SagemakerTrialOptions,
        model: Any,
        fixed: AbstractSet[str],
        grace: float,
        price: float | None,
    ) -> None:
        self._place, self._options, self._model, self._grace, self._price = place, options, model, grace, price
        # The machine is the trial's alone: it has all cores and GPUs, unless the benchmark says otherwise.
        self._free = {*THREADS, DEVICES} - fixed
        self._request("0/0", "{}", (options.instance_type, options.instance_count))

    def make(self, job: TrialJob, command: Command) -> None:
        """Give a job its request, its machines and their price.

        Raises:
            UsageError: SageMaker would refuse it.
        """
        text = TrialFolder(job.start.path.parents[1]).config.read_text(encoding="utf-8")
        job.machine, job.count = machine = machine_of(json.loads(text), self._options)
        default = self._price if job.machine == self._options.instance_type else None
        job.price = self._options.price_values.get(job.machine, default)
        environment = {name: value for name, value in command.environment.items() if name not in self._free}
        told = replace(command, environment=environment)
        call = call_of(job.key, text, told, self._place, self._options, self._grace)
        job.request = self._request(job.key, call, machine)

    def _request(self, key: str, call: str, machine: tuple[str, int]) -> dict[str, Any]:
        options = replace(self._options, instance_type=machine[0])
        image = image_for(options, self._place.region, sys.version_info.minor)
        request = trial_job(key, call, machine, image, self._place, self._options)
        check_training_job(request, self._model)
        return request
