"""Where an experiment's trials are, on S3 and in containers, the same for each process that continues it."""

from dataclasses import replace
from pathlib import Path

from hpoctl.backends.scripts.folders import lasting_name
from hpoctl.core.cells import ELSEWHERE
from hpoctl.core.script import Script
from hpoctl.core.storage import Store
from hpoctl.core.trial_backends import BackendContext
from hpoctl.core.trial_call import TrialCall
from hpoctl.launchers.bundle import upload
from hpoctl.stores.s3_address import parse_address
from hpoctl_sagemaker.request import CHECKPOINTS, MACHINE
from hpoctl_sagemaker.trial_options import SagemakerTrialOptions
from hpoctl_sagemaker.trial_request import Place, mark_of, trial_bundle

FILE = "sagemaker"
"""The file that says what an experiment is called on S3 and in the names of its jobs."""

FOLDER = ".trials"


def make_place(context: BackendContext, options: SagemakerTrialOptions, store: Store, region: str) -> tuple[Place, str]:
    """Put what containers need on S3.

    Returns:
        The place, and the folder of the experiment in the store.

    Raises:
        UsageError: A file of the script or the requirements file cannot be read.
        HpoctlError: S3 cannot be used.
    """
    script, folder = context.needed_script
    bucket, prefix = parse_address(options.s3)
    identity = lasting_name(folder, FILE)
    own = f"{FOLDER}/{identity}"
    bundle = upload(store, trial_bundle(script, options))
    below = f"{prefix}/{own}" if prefix else own
    (folder / ELSEWHERE).write_text(f"s3://{bucket}/{below}/\n", encoding="utf-8")
    return Place(bucket, below, bundle, mark_of(context.name, identity), context.name, region), own


def in_container(script: Script, call: TrialCall) -> tuple[Script, TrialCall]:
    """A script and a call with the paths of the container."""
    machine = Path(MACHINE)
    work = machine / "work"
    there = replace(
        call,
        config_file=work / "config.json",
        checkpoints=machine / CHECKPOINTS,
        reports=work / "reports.jsonl",
        devices=(),
    )
    return replace(script, folder=machine / "code"), there
