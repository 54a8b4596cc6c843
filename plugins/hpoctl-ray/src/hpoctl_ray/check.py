"""What would stop a launch on Ray, for `hpoctl doctor`. Nothing is started."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version

from hpoctl.core.errors import HpoctlError
from hpoctl.core.findings import Finding
from hpoctl_ray.connection import RayCluster, find_address, fits
from hpoctl_ray.options import RayOptions


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
    nodes = cluster.nodes()
    cpus, gpus = (sum(node.get(name, 0.0) for node in nodes) for name in ("CPU", "GPU"))
    yield Finding("cluster", "ok", f"{cluster.address} answers: {len(nodes)} nodes, {cpus:g} CPUs, {gpus:g} GPUs")
    wanted = ", ".join(f"{amount:g} {name}" for name, amount in options.demand.items()) or "nothing"
    if fits(options.demand, nodes):
        yield Finding("resources", "ok", f"a job needs {wanted}, and fits on a node")
    else:
        remedy = "Ask for less (launcher options cpus, gpus, resources), unless the cluster adds such nodes itself."
        yield Finding("resources", "warning", f"a job needs {wanted}, and no node has that", remedy)
    try:
        found = cluster.probe()
    except HpoctlError as error:
        yield Finding("task", "problem", error.what, error.fix)
        return
    yield Finding("task", "ok", f"runs on {found['host']} with Python {found['python']} ({found['executable']})")
