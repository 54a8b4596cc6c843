"""The Ray launcher keeps the contract of launchers, on a real cluster of two nodes."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from hpoctl.testing import OtherSide, check_launcher
from hpoctl_ray.connection import RayCluster, UnreachableError
from hpoctl_ray.launcher import RayLauncher
from hpoctl_ray.options import RayOptions
from ray_cluster import RayNodes, kill_job


@contextmanager
def losing_replies() -> Iterator[None]:
    """Meanwhile Ray creates actors, and its answers are lost."""
    create = RayCluster.create

    def lost(self: RayCluster, *words: object) -> None:
        create(self, *words)  # type: ignore[arg-type]
        raise UnreachableError(self.address, "the answer was lost")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RayCluster, "create", lost)
        yield


def submissions() -> int:
    """How many actors of jobs Ray has ever created."""
    from ray._private.state import actors

    with suppress(Exception):
        return sum(actor["ActorClassName"] == "JobActor" for actor in actors().values())
    return 0


@pytest.mark.timeout(600)  # some twenty jobs start, and a loaded machine takes seconds for each
def test_contract(cluster: RayNodes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HPOCTL_PLUGINS", "")
    options = RayOptions(address=cluster.address, cpus=0.5, poll_interval=0.2)
    other = OtherSide(kill_job, losing_replies, lambda: None, submissions)
    check_launcher(lambda: RayLauncher(options), other)
