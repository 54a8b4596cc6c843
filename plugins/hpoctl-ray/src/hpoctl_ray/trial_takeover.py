"""What a new controller does first: it ends what an earlier one has left, on all machines of the cluster."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from hpoctl.backends.scripts.starts import StartFolder
from hpoctl.core.errors import HpoctlError
from hpoctl_ray.connection import LostAnswerError, LostError, RayCluster
from hpoctl_ray.trial_storage import TrialStorage

MARGIN = 2.0
"""Seconds beyond the grace period after which the trials of a machine are taken to have ended that cannot be asked."""

PATIENCE = 60.0
"""Seconds beyond the grace period that machines get to end what an earlier controller has left."""


def end_everywhere(
    cluster: RayCluster, spec: Mapping[str, Any], wheel: Any, starts: Sequence[StartFolder], storage: TrialStorage
) -> int:
    """End the processes that starts have left, on the machines that are recorded; returns how many there were.

    Args:
        cluster: The cluster.
        spec: As for `RayCluster.trial_worker`.
        wheel: As for `RayCluster.trial_worker`.
        starts: The folders of the starts.
        storage: Where they are on nodes.

    Raises:
        HpoctlError: A machine does not do so in time.
    """
    by_host: dict[str, list[str]] = {}
    for start in starts:
        if start.host:
            by_host.setdefault(start.host, []).append(storage.folder(start))
    nodes = cluster.hosts()
    calls = {
        cluster.end_there(nodes[host], spec, wheel, folders): host for host, folders in by_host.items() if host in nodes
    }
    count, left = 0, set(by_host) - set(nodes)
    end = time.monotonic() + spec["grace"] + PATIENCE
    while calls:
        if time.monotonic() > end:
            raise HpoctlError(
                f"Trials of an earlier run cannot be ended on {', '.join(calls.values())}.",
                "Look whether these machines of the cluster run tasks, and run the command again.",
            )
        for call in cluster.finished(1.0):
            host = calls.pop(call)
            try:
                count += cluster.answer(call)
            except (LostError, LostAnswerError):
                left.add(host)
    if left:  # their trials end with their part of Ray
        time.sleep(spec["grace"] + MARGIN)
    return count
