"""Workers on a Ray cluster: an actor for each slot, on the node that Ray chooses, which runs one trial after another.

Actors belong to this process: when it dies, Ray ends them, and their supervisors end what runs. An actor that dies with
its node is made again elsewhere for the next trial. What a trial has written travels with the answers of its
actor, each piece once; what was on its way when an actor died is read from the shared files, or from the copy on S3.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution
from typing import Any

from hpoctl.backends.local.slots import Slots
from hpoctl.backends.scripts.backend import ScriptBackend
from hpoctl.backends.scripts.folders import TrialFolder
from hpoctl.backends.scripts.starts import StartFolder
from hpoctl.backends.scripts.workers import Began, Command, Exit, Output, Slot, StartBill
from hpoctl.core.canonical import content_hash
from hpoctl.core.script import Script
from hpoctl.core.trial_backends import BackendContext
from hpoctl.core.trial_call import TrialCall
from hpoctl.launchers.wheels import wheel_of
from hpoctl_ray.addresses import find_address
from hpoctl_ray.connection import LostAnswerError, LostError, RayCluster
from hpoctl_ray.options import RayTrialOptions, amounts, chosen
from hpoctl_ray.trial_places import Call, Place
from hpoctl_ray.trial_storage import CopiedStorage, SharedStorage, TrialStorage
from hpoctl_ray.trial_takeover import MARGIN, end_everywhere
from hpoctl_ray.trial_waiting import Waiting

LISTEN = 2.0
"""Seconds after which an actor answers that has nothing to tell."""

SOON = 0.1
"""Seconds after which a call is repeated whose answer was lost."""

ACTORS = 3
"""How many actors are made for a start, where each dies before it runs."""


def ray_backend(context: BackendContext, options: RayTrialOptions) -> ScriptBackend:
    """The backend that runs the trials of an experiment on a Ray cluster.

    Raises:
        UsageError: There is no cluster, or an option is wrong.
        HpoctlError: The cluster cannot be used.
    """
    return ScriptBackend(context, RayWorkers(context, options))


class RayWorkers:
    """The workers of one experiment on a Ray cluster; see `Workers`.

    Args:
        context: The experiment.
        options: Which cluster, with which resources.

    Raises:
        UsageError: There is no cluster, or an option is wrong.
        HpoctlError: The cluster cannot be used.
    """

    def __init__(self, context: BackendContext, options: RayTrialOptions) -> None:
        script, folder = context.needed_script
        self._grace = context.limits.grace_period
        self._demand = {"CPU": float(script.cpus), "GPU": float(script.gpus), **amounts(options.resources)}
        environment = chosen(options.environment)
        self._storage: TrialStorage = CopiedStorage(context, options.s3) if options.s3 else SharedStorage(folder)
        self._cluster = RayCluster(find_address(options))
        wheel = wheel_of(distribution("hpoctl")).data
        self._wheel, self._code = self._cluster.put(wheel), self._cluster.put(self._storage.code)
        self._spec = {
            "digest": content_hash(wheel)[:16],
            "environment": environment,
            "grace": self._grace,
            "gpus": script.gpus > 0,
            "interval": context.settings.trial_poll_interval,
            "session": self._storage.session,
            "copies": self._storage.copies,
            "token": uuid.uuid4().hex,
        }
        self._slots = Slots(context.n_workers, (), (), 0)
        self._places = [Place() for _ in range(context.n_workers)]
        self._calls: dict[Any, Call] = {}
        self._happened: list[Began | Exit] = []
        self._waiting = Waiting(self._cluster, self._demand, context.say)

    @property
    def python(self) -> str:
        """Empty: the Python of the node."""
        return ""

    @property
    def inherited(self) -> Mapping[str, str]:
        """Nothing: trials get the environment of their node."""
        return {}

    def recover(self, starts: Sequence[StartFolder]) -> int:
        """End what an earlier controller has left, on all machines of the cluster; see `Workers.recover`.

        Raises:
            HpoctlError: A machine does not do so in time.
        """
        self._storage.begin_session(str(self._spec["token"]))
        count = end_everywhere(self._cluster, self._spec, self._wheel, starts, self._storage)
        self._storage.bring_all()
        return count

    def continues(self, start: StartFolder) -> bool:  # noqa: ARG002 - see below
        """No: what an earlier controller has started ends with it."""
        return False

    def seen(self, script: Script, call: TrialCall) -> tuple[Script, TrialCall]:
        """The script and the call with the paths of a node."""
        return self._storage.seen(script, call)

    def take(self) -> Slot:
        """A free slot."""
        return self._slots.take()

    def release(self, slot: Slot) -> None:
        """Take a slot back; its actor stays for the next trial."""
        self._slots.release(slot)

    def start(self, key: str, start: StartFolder, slot: Slot, command: Command) -> Output:
        """Start a trial, as soon as Ray has a place for it."""
        place = self._places[slot.number]
        reports, out, err = self._storage.files(start)
        place.key, place.start, place.since = key, start, time.monotonic()
        place.files = (reports, out, err)
        place.left, place.actors, place.lost, place.gone_at = False, 0, "", None
        place.command = {
            "words": list(command.words),
            "environment": dict(command.environment),
            "folder": str(command.folder),
            **self._storage.command(start),
        }
        self._start(place)
        return Output(reports, out, err, begun=False)

    def leave(self, key: str) -> None:
        """Ask a trial to leave; an actor that waits for resources is given up."""
        place = next((place for place in self._places if place.key == key), None)
        if place is None or place.actor is None:
            return
        place.left = True
        if place.up:
            self._call(place, "leave", key)
        else:
            self._cluster.end_worker(place.actor)

    def hold(self, *, go_on: bool) -> None:
        """Suspend all trials, or let them continue."""
        for place in self._places:
            if place.key and place.up and place.actor is not None:
                self._call(place, "hold", go_on)

    def listen(self, seconds: float) -> Sequence[Began | Exit]:
        """Wait so long at most for something to happen."""
        if not self._calls:
            time.sleep(seconds)
        else:
            for answered in self._cluster.finished(seconds):
                if answered in self._calls:
                    self._take_in(self._calls.pop(answered), answered)
        for place in self._places:
            if place.gone_at is not None and time.monotonic() >= place.gone_at:
                self._give_up(place)
        self._waiting.look(self._places)
        happened, self._happened = self._happened, []
        return happened

    def remove_checkpoints(self, folder: TrialFolder) -> None:
        """Remove the checkpoints of a trial."""
        self._storage.remove(folder)

    def cost(self) -> None:
        """Costs follow from the seconds of training."""

    def bills(self) -> Sequence[StartBill]:
        """None."""
        return ()

    def close(self) -> None:
        """End all actors, and with them what they run."""
        self._calls.clear()
        for place in self._places:
            actor, place.actor = place.actor, None
            if actor is not None:
                self._cluster.end_worker(actor)

    def _start(self, place: Place) -> None:
        """Tell the actor of a place what to start; create the actor first if it is missing."""
        if place.actor is None:
            place.actor = self._cluster.trial_worker(self._spec, self._wheel, self._code, self._demand)
            place.up, place.last_event = False, 0
            place.actors += 1
        self._call(place, "start", place.key, self._storage.folder(place.start), place.command)
        self._listen(place)

    def _call(self, place: Place, method: str, *arguments: Any) -> None:
        call = Call(place, place.actor, method, arguments)
        self._calls[self._cluster.watched(getattr(place.actor, method).remote(*arguments))] = call

    def _listen(self, place: Place) -> None:
        self._call(place, "listen", LISTEN, place.last_event)

    def _take_in(self, call: Call, answered: Any) -> None:
        """Take in the answer to a call, or its loss."""
        place = call.place
        if call.method == "end":
            self._ended_there(call, answered)
            return
        if call.actor is not place.actor:
            return  # it has died; another call has seen that
        try:
            answer = self._cluster.answer(answered)
        except LostAnswerError:
            time.sleep(SOON)
            if call.method != "listen":
                self._call(place, call.method, *call.arguments)
            elif place.key:
                self._listen(place)
        except LostError as error:
            self._lose(place, str(error))
        else:
            place.up = True
            if call.method == "listen":
                self._take_events(place, answer)

    def _take_events(self, place: Place, events: Sequence[tuple[int, Any]]) -> None:
        """Take in events that are new, and ask for more while a trial runs."""
        for number, event in events:
            if number > place.last_event:
                place.last_event = number
                self._take_event(place, *event)
        if place.key:
            self._listen(place)

    def _take_event(self, place: Place, what: str, key: str, facts: Mapping[str, Any]) -> None:
        if key != place.key:
            return
        if what == "began":
            if self._storage.copies is not None and facts["process"]:
                place.start.keep(facts["process"])
            self._happened.append(Began(key, tuple(facts["devices"])))
        elif what == "wrote":
            place.arrive(facts["pieces"], facts["sizes"])
        else:
            place.key = ""
            self._happened.append(Exit(key, **facts))

    def _lose(self, place: Place, why: str) -> None:
        """An actor has died: end what is left of its trial before that is told."""
        self._cluster.end_worker(place.actor)
        never_up = not place.up
        place.actor, place.up = None, False
        if not place.key:
            return
        host = place.start.host
        if never_up and not host and not place.left and place.actors < ACTORS:
            self._start(place)  # as when the actor was meant for a node that has died
            return
        place.lost = f"its worker on {host} is lost: {why}" if host else f"no worker for it: {why}"
        if not host:
            self._give_up(place)  # it was not started
        else:
            self._end_there(place, host)

    def _end_there(self, place: Place, host: str) -> None:
        node = self._cluster.hosts().get(host)
        if node is None:
            place.gone_at = time.monotonic() + self._grace + MARGIN
            return
        call = self._cluster.end_there(node, self._spec, self._wheel, [self._storage.folder(place.start)])
        self._calls[call] = Call(place, None, "end", (place.key,))

    def _ended_there(self, call: Call, answered: Any) -> None:
        """What an actor has left was ended, or its machine is gone by now."""
        place = call.place
        if call.arguments != (place.key,):
            return
        try:
            self._cluster.answer(answered)
        except (LostError, LostAnswerError):
            place.gone_at = time.monotonic() + self._grace + MARGIN
        else:
            self._give_up(place)

    def _give_up(self, place: Place) -> None:
        """The processes of a start are gone, without a word of how: what it has written is in its files."""
        self._storage.bring(TrialFolder(place.start.path.parents[1]))
        for file in place.files:
            file.look_itself()
        self._happened.append(Exit(place.key, None, None, why=place.lost))
        place.key, place.gone_at = "", None
