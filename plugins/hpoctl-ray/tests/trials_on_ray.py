"""A trial backend on a Ray cluster, for tests."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hpoctl.backends.scripts.backend import ScriptBackend
from hpoctl.core.script import Script
from hpoctl.core.settings import Settings
from hpoctl_ray.options import RayTrialOptions
from hpoctl_ray.trial_workers import ray_backend
from ray_cluster import RayNodes
from training_scripts import TRAIN, context, script

CONFIG = {"lr": 0.1, "epochs": 9}


def backend(cluster: RayNodes, folder: Path, body: str | Script = TRAIN, **facts: Any) -> ScriptBackend:
    """A backend on the cluster for a script."""
    folder.mkdir(exist_ok=True)
    options = RayTrialOptions(cluster.address, **facts.pop("options", {}))
    made = body if isinstance(body, Script) else script(folder, body)
    settings = replace(Settings(), trial_poll_interval=0.02, **facts.pop("settings", {}))
    return ray_backend(context(folder, made, settings=settings, **facts), options)
