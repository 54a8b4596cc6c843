"""A trial backend on the model of SageMaker, for tests."""

import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

from hpoctl.backends.scripts.backend import ScriptBackend
from hpoctl.core.script import Script
from hpoctl.core.settings import Settings
from hpoctl_sagemaker.trial_options import SagemakerTrialOptions
from hpoctl_sagemaker.trial_workers import SagemakerWorkers
from sagemaker_model import ROLE
from services.seaweedfs import BUCKET
from training_scripts import PRELUDE, TRAIN, context

CONFIG = {"lr": 0.1, "epochs": 9}
FAST = SagemakerTrialOptions(role=ROLE, image="python", poll_interval=0.1, upload_interval=0.1)
ROOT = f"s3://{BUCKET}/{uuid.uuid4().hex}"


def backend(folder: Path, body: str = TRAIN, options: dict[str, Any] | None = None, **facts: Any) -> ScriptBackend:
    """A backend for a script."""
    folder.mkdir(exist_ok=True)
    (folder / "script").mkdir(exist_ok=True)
    (folder / "script" / "train.py").write_text(PRELUDE + body)
    made = Script(folder / "script", ("train.py",), python="python", checkpoints=True, **facts.pop("script", {}))
    settings = replace(Settings(), trial_poll_interval=0.05, **facts.pop("settings", {}))
    chosen = replace(FAST, **{"s3": ROOT, **(options or {})})
    there = context(folder, made, settings=settings, **facts)
    return ScriptBackend(there, SagemakerWorkers(there, chosen))
