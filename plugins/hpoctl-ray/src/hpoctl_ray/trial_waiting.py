"""What trials on Ray wait for, told to a person once in a while."""

import time
from collections.abc import Callable, Iterable, Mapping

from hpoctl_ray.connection import RayCluster, UnreachableError, fits
from hpoctl_ray.trial_places import Place

LOOK = 10.0
"""Seconds between two looks at the cluster as a whole, and until a trial is said to wait."""


class Waiting:
    """Tells what trials wait for, when that changes.

    Args:
        cluster: The cluster.
        demand: The resources of a trial, in Ray's names.
        say: Tells a person something.
    """

    def __init__(self, cluster: RayCluster, demand: Mapping[str, float], say: Callable[[str], None]) -> None:
        self._cluster, self._demand, self._say = cluster, demand, say
        self._looked = time.monotonic()
        self._said = ""

    def look(self, places: Iterable[Place]) -> None:
        """Look at the cluster, if it is time."""
        now = time.monotonic()
        if now - self._looked < LOOK:
            return
        self._looked = now
        text = self._text(sum(place.key != "" and not place.up and now - place.since > LOOK for place in places))
        if text and text != self._said:
            self._say(text)
        self._said = text

    def _text(self, waiting: int) -> str:
        try:
            self._cluster.require_answer()
            if not waiting:
                return ""
            wanted = ", ".join(f"{amount:g} {name}" for name, amount in self._demand.items() if amount)
            text = f"{waiting} trials wait for the cluster: each needs {wanted}"
            return text if fits(self._demand, self._cluster.nodes()) else f"{text}, and no node has that"
        except UnreachableError as error:
            return error.what
