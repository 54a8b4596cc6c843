"""A real Ray cluster of two nodes, started when the first test asks for it."""

from collections.abc import Iterator

import pytest

from ray_cluster import RayNodes, running, why_not
from services.fixtures import data_of_tests, s3_root, seaweedfs

__all__ = ["data_of_tests", "s3_root", "seaweedfs"]


@pytest.fixture(scope="session")
def cluster(data_of_tests: None) -> Iterator[RayNodes]:
    """One cluster for all tests of a process, which is connected to it until it ends."""
    if reason := why_not():
        pytest.skip(reason)
    with running() as nodes:
        yield nodes
        import ray

        ray.shutdown()
