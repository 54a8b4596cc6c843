"""The calls to a Ray cluster of the launcher and of trials, and their errors in plain words."""

import os
import signal
import socket
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any

from hpoctl.core.errors import HpoctlError
from hpoctl_ray.addresses import CONNECT, KEEP_LOOPBACK, LOOPBACK, resolved
from hpoctl_ray.options import RayOptions, host_and_port

NAMESPACE = "hpoctl"
ANSWER = 10.0
"""Seconds for the answer of an actor that exists."""

CALLS = 4
"""Calls at a time that a worker for trials answers: one of them waits for what happens."""


class UnreachableError(HpoctlError):
    """The cluster does not answer."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"The Ray cluster at {address} does not answer: {why}.",
            "Check the address, and that `ray status` answers there; then repeat. Jobs survive a network that fails.",
        )


class LostError(Exception):
    """An actor or a task has died."""


class LostAnswerError(Exception):
    """A call may or may not have been carried out."""


class RayCluster:
    """A Ray cluster.

    Args:
        address: Its address.

    Raises:
        UnreachableError: It does not answer.
        HpoctlError: It has another version of Ray or Python, or this process is connected to another cluster.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.require_answer()
        if host_and_port(address)[0] in LOOPBACK:
            os.environ.setdefault(KEEP_LOOPBACK, "0")
        import ray  # noqa: PLC0415 - takes a second

        self._ray: Any = ray
        self._finished: SimpleQueue[Future[Any]] = SimpleQueue()
        if ray.is_initialized():
            connected = ray.get_runtime_context().gcs_address
            if resolved(connected) != resolved(address):
                raise HpoctlError(
                    f"This process is connected to the Ray cluster at {connected}, not to {address}.",
                    "Use another process for another cluster.",
                )
            return
        in_main_thread = threading.current_thread() is threading.main_thread()
        on_terminate = signal.getsignal(signal.SIGTERM)
        try:
            ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, configure_logging=False)
            # Ray would print messages about workers and nodes among what we print; it has no public switch for that.
            ray._private.worker._worker_logs_enabled = False
        except (ConnectionError, TimeoutError, ValueError) as error:
            raise UnreachableError(address, _line(error)) from error
        except RuntimeError as error:
            raise HpoctlError(
                f"The Ray cluster at {address} cannot be used from here: {_line(error)}.",
                "Install the cluster's versions of Ray and Python here.",
            ) from error
        finally:
            if in_main_thread:
                signal.signal(signal.SIGTERM, on_terminate)  # Ray has set its own

    def require_answer(self) -> None:
        """Ask whether the cluster's head can be reached.

        Ray ends the whole process of a driver whose cluster is gone for a minute: this is asked before each call.

        Raises:
            UnreachableError: It cannot be.
        """
        try:
            socket.create_connection(host_and_port(self.address), CONNECT).close()
        except OSError as error:
            raise UnreachableError(self.address, error.strerror or str(error)) from error

    def create(self, name: str, spec: Mapping[str, Any], options: RayOptions) -> Any:
        """Create the actor of a job, unless there is one of that name; returns its handle."""
        from hpoctl_ray import node  # noqa: PLC0415 - sent by value, as the nodes have no hpoctl

        self._ray.cloudpickle.register_pickle_by_value(node)
        actor = self._ray.remote(node.JobActor).options(
            name=name,
            namespace=NAMESPACE,
            lifetime="detached",
            get_if_exists=True,
            max_restarts=options.restarts,
            num_cpus=options.cpus,
            num_gpus=options.gpus,
            resources=options.resource_amounts,
        )
        return actor.remote(spec)

    def names(self) -> set[str]:
        """The names of all jobs' actors that wait or run."""
        found = self._ray.util.list_named_actors(all_namespaces=True)
        return {entry["name"] for entry in found if entry["namespace"] == NAMESPACE}

    def why(self, handle: Any) -> str:
        """Why an actor has died."""
        try:
            self._ray.get(handle.ready.remote(), timeout=ANSWER)
        except Exception as error:  # noqa: BLE001 - any error of Ray is the answer
            return _cause(error)
        return ""

    def kill(self, name: str) -> None:
        """End an actor for good; one that is not there is left alone."""
        with suppress(ValueError):
            self._ray.kill(self._ray.get_actor(name, namespace=NAMESPACE), no_restart=True)

    def nodes(self) -> list[Mapping[str, float]]:
        """The resources of each node that is alive."""
        return [entry["Resources"] for entry in self._ray.nodes() if entry["Alive"]]

    def hosts(self) -> dict[str, str]:
        """The ids of a living node of each machine, by the name of the machine."""
        return {entry["NodeManagerHostname"]: entry["NodeID"] for entry in self._ray.nodes() if entry["Alive"]}

    def put(self, data: bytes) -> Any:
        """Keep bytes in the cluster, as long as what is returned is kept."""
        return self._ray.put(data)

    def trial_worker(self, spec: Mapping[str, Any], wheel: Any, code: Any, demand: Mapping[str, float]) -> Any:
        """Create a worker for trials, which ends with this process; returns its handle. It may wait for resources.

        Args:
            spec: What it is told, see `trial_node.TrialActor`.
            wheel: What `put` has returned for the wheel of hpoctl.
            code: What `put` has returned for the files of the script.
            demand: The resources that it needs, in Ray's names.
        """
        from hpoctl_ray import trial_node  # noqa: PLC0415 - sent by value, as the nodes have no hpoctl

        self._by_value()
        own = {name: amount for name, amount in demand.items() if name not in ("CPU", "GPU")}
        actor = self._ray.remote(trial_node.TrialActor).options(
            num_cpus=demand.get("CPU", 0),
            num_gpus=demand.get("GPU", 0),
            resources=own,
            max_restarts=0,
            max_concurrency=CALLS,
            scheduling_strategy="SPREAD",
        )
        return actor.remote(spec, wheel, code)

    def end_there(self, node: str, spec: Mapping[str, Any], wheel: Any, folders: Sequence[str]) -> "Future[Any]":
        """Start to end the processes of starts of trials on a node; returns a call that `finished` tells of.

        Args:
            node: The node's id.
            spec: As for `trial_worker`.
            wheel: As for `trial_worker`.
            folders: The folders of the starts.
        """
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415 - see above

        from hpoctl_ray import trial_node  # noqa: PLC0415

        self._by_value()
        where = NodeAffinitySchedulingStrategy(node, soft=False)
        task = self._ray.remote(trial_node.end_there).options(num_cpus=0, max_retries=2, scheduling_strategy=where)
        return self.watched(task.remote(spec, wheel, list(folders)))

    def watched(self, call: Any) -> "Future[Any]":
        """A call that `finished` tells of, with its answer: `ray.wait` and `ray.get` for each would cost more."""
        found: Future[Any] = call.future()
        found.add_done_callback(self._finished.put)
        return found

    def finished(self, seconds: float) -> "list[Future[Any]]":
        """Wait so long at most until a watched call has finished; returns all that have."""
        found = []
        with suppress(Empty):
            found.append(self._finished.get(timeout=seconds))
            while True:
                found.append(self._finished.get_nowait())
        return found

    def answer(self, call: "Future[Any]") -> Any:
        """What a finished call has returned.

        Raises:
            LostError: Its actor or node has died, or cannot run what it is told.
            LostAnswerError: The answer was lost, or the actor was out of reach for a moment.
        """
        errors = self._ray.exceptions
        try:
            return call.result()
        except (errors.ActorUnavailableError, errors.ObjectLostError) as error:
            raise LostAnswerError(_cause(error)) from error
        except errors.RayError as error:
            raise LostError(_cause(error)) from error

    def end_worker(self, handle: Any) -> None:
        """End a worker for trials; one that has ended is left alone."""
        self._ray.kill(handle, no_restart=True)

    def _by_value(self) -> None:
        from hpoctl_ray import node, trial_copies, trial_node  # noqa: PLC0415

        for module in (node, trial_copies, trial_node):
            self._ray.cloudpickle.register_pickle_by_value(module)

    def probe(self) -> dict[str, str]:
        """What one of the nodes says of itself.

        Raises:
            HpoctlError: No node runs a task in time.
        """
        from hpoctl_ray import node  # noqa: PLC0415

        self._ray.cloudpickle.register_pickle_by_value(node)
        task = self._ray.remote(node.probe).options(num_cpus=0)
        try:
            return dict(self._ray.get(task.remote(), timeout=6 * ANSWER))
        except self._ray.exceptions.GetTimeoutError as error:
            what = f"No node of the cluster has run a task within {6 * ANSWER:g} seconds."
            raise HpoctlError(what, "Look at `ray status`: nodes may be busy, or starting; then repeat.") from error
        except Exception as error:
            what = f"A task on the cluster fails: {_cause(error).rstrip('. ')}."
            raise HpoctlError(what, "Look at Ray's own logs.") from error


def fits(demand: Mapping[str, float], nodes: Sequence[Mapping[str, float]]) -> bool:
    """Whether one node at least has all resources of a job."""
    return any(all(node.get(name, 0.0) >= amount for name, amount in demand.items()) for node in nodes)


def _cause(error: Exception) -> str:
    """The line of an error of Ray that says what has happened, without the traceback around it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    causes = [line.partition("Error: ")[2] for line in lines if "Error: " in line]
    return next(iter([*causes[-1:], *lines[-1:]]), type(error).__name__)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(". ")
