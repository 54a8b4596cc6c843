"""What would stop a launch or trials on Ray, for `hpoctl doctor`. Nothing is started."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import version

from hpoctl.core.errors import HpoctlError, UsageError
from hpoctl.core.findings import Finding
from hpoctl.stores.opening import check_results
from hpoctl_ray.addresses import find_address
from hpoctl_ray.connection import RayCluster, fits
from hpoctl_ray.options import RayOptions, RayTrialOptions, amounts


def check(options: RayOptions) -> Iterator[Finding]:
    """Look at Ray, the cluster, its nodes, the resources of a job, and whether a task runs there."""
    yield Finding("Ray", "ok", f"version {version('ray')} is installed here")
    try:
        cluster = RayCluster(find_address(replace(options, start=False)))
    except HpoctlError as error:
        if options.start and options.address is None:
            yield Finding("cluster", "ok", "none runs here; a launch starts one on this machine")
        else:
            yield Finding("cluster", "problem", error.what, error.fix)
        return
    yield from _cluster(cluster, "a job", options.demand, "launcher options cpus, gpus, resources")


def check_trials(options: RayTrialOptions) -> Iterator[Finding]:
    """Look at S3, if checkpoints go there, and at the cluster, if there is one: whether a task runs there."""
    if options.s3 is not None:
        yield from check_results(options.s3)
    try:
        cluster = RayCluster(find_address(replace(options, start=False)))
    except UsageError as error:
        yield Finding("trials on Ray", "ok", f"not looked at: {error.what}")
        return
    except HpoctlError as error:
        yield Finding("trials on Ray", "problem", error.what, error.fix)
        return
    demand = {"CPU": 1.0, **amounts(options.resources)}
    yield from _cluster(cluster, "a trial of one CPU", demand, "backend option resources")


def _cluster(cluster: RayCluster, what: str, demand: Mapping[str, float], said_by: str) -> Iterator[Finding]:
    nodes = cluster.nodes()
    cpus, gpus = (sum(node.get(name, 0.0) for node in nodes) for name in ("CPU", "GPU"))
    yield Finding("cluster", "ok", f"{cluster.address} answers: {len(nodes)} nodes, {cpus:g} CPUs, {gpus:g} GPUs")
    wanted = ", ".join(f"{amount:g} {name}" for name, amount in demand.items()) or "nothing"
    if fits(demand, nodes):
        yield Finding("resources", "ok", f"{what} needs {wanted}, and fits on a node")
    else:
        remedy = f"Ask for less ({said_by}), unless the cluster adds such nodes itself."
        yield Finding("resources", "warning", f"{what} needs {wanted}, and no node has that", remedy)
    try:
        found = cluster.probe()
    except HpoctlError as error:
        yield Finding("task", "problem", error.what, error.fix)
        return
    yield Finding("task", "ok", f"runs on {found['host']} with Python {found['python']} ({found['executable']})")
