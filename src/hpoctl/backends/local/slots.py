"""Slots: the shares of this machine that trials get, in cores and GPUs."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hpoctl.backends.scripts.workers import Slot
from hpoctl.core.errors import UsageError

VISIBLE = "CUDA_VISIBLE_DEVICES"
NVIDIA = Path("/proc/driver/nvidia/gpus")


@dataclass(slots=True)
class Slots:
    """Gives slots to trials. GPUs that are free go first, among those the ones that were given least often.

    Attributes:
        count: How many trials run at a time.
        cores: The cores for each trial; none: trials share all of them.
        devices: All GPUs that may be used.
        per_trial: GPUs for each trial.
    """

    count: int
    cores: Sequence[tuple[int, ...]]
    devices: tuple[str, ...]
    per_trial: int
    _taken: dict[int, Slot] = field(default_factory=dict)
    _given: dict[str, int] = field(default_factory=dict)

    def take(self) -> Slot:
        """A free slot. Its number is the smallest one.

        Raises:
            RuntimeError: All are taken.
        """
        number = next((number for number in range(self.count) if number not in self._taken), None)
        if number is None:
            raise RuntimeError("more trials than slots")
        in_use = {device for slot in self._taken.values() for device in slot.devices}
        free = [device for device in self.devices if device not in in_use]
        free.sort(key=lambda device: self._given.get(device, 0))  # stable: equal ones in their order
        devices = tuple(sorted(free[: self.per_trial], key=self.devices.index))
        for device in devices:
            self._given[device] = self._given.get(device, 0) + 1
        slot = Slot(number, self.cores[number] if self.cores else (), devices)
        self._taken[number] = slot
        return slot

    def release(self, slot: Slot) -> None:
        """Take a slot back."""
        self._taken.pop(slot.number, None)


def make_slots(count: int, cpus: int, gpus: int, devices: Sequence[str], cores: Sequence[int]) -> Slots:
    """The slots of an experiment.

    Args:
        count: How many trials run at a time.
        cpus: Cores for each of them. Trials are bound to cores of their own where there are enough.
        gpus: GPUs for each of them.
        devices: The GPUs that may be used.
        cores: The cores that may be used.

    Raises:
        UsageError: There are fewer GPUs than that.
    """
    if gpus * count > len(devices):
        fit = len(devices) // gpus
        found = f"{len(devices)} can be used ({', '.join(devices)})" if devices else "none was found"
        raise UsageError(
            f"{count} trials at a time with {gpus} GPUs each need {gpus * count} GPUs, and {found}.",
            f"Use --n-workers {fit}, or fewer GPUs for each trial."
            if fit
            else f"Name them in {VISIBLE} or --gpus-to-use, or use fewer for each trial.",
        )
    own = [tuple(cores[place * cpus : (place + 1) * cpus]) for place in range(count)]
    bound = count * cpus <= len(cores)
    return Slots(count, own if bound else (), tuple(devices), gpus)


def usable_devices(chosen: str) -> list[str]:
    """The GPUs that may be used: those that were chosen, else those of CUDA_VISIBLE_DEVICES, else all NVIDIA GPUs.

    Args:
        chosen: Indices or identifiers with commas between them; empty: none are chosen. They count within
            CUDA_VISIBLE_DEVICES, which a cluster sets for a job.

    Raises:
        UsageError: One is chosen that CUDA_VISIBLE_DEVICES leaves out, or one is chosen twice.
    """
    variable = os.environ.get(VISIBLE)
    found = _names(variable) if variable is not None else _installed()
    if not chosen:
        return found
    names = _names(chosen)
    if len(set(names)) != len(names):
        raise UsageError(f"gpus_to_use names a GPU twice: {chosen}.", "Name each once.")
    missing = [name for name in names if variable is not None and name not in found]
    if missing:
        raise UsageError(
            f"gpus_to_use names the GPU {missing[0]}, and {VISIBLE} is {variable!r}.", f"Use those of {VISIBLE}."
        )
    return names


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _installed() -> list[str]:
    """The indices of the NVIDIA GPUs of this machine."""
    return [str(index) for index in range(len(list(NVIDIA.iterdir())))] if NVIDIA.is_dir() else []
