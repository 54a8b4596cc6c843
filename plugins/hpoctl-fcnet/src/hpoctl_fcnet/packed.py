"""The data files inside the package: the original final values, and the models of the curves.

Floats are stored as byte planes (all first bytes, then all second bytes, ...), which deflate better.
"""

import io
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpoctl_fcnet.grid import NUM_CONFIGS, NUM_SEEDS

FORMAT = 2
"""Changes when the same packaged files expand to another table."""

Float32Array = NDArray[np.float32]

PUBLISHED_OPTIMA: Final[Mapping[str, float]] = {
    "protein": 0.221378855407238,
    "naval": 3.19113473778998e-05,
    "parkinsons": 0.0067059280117973685,
    "slice": 0.00019159916337230243,
}
"""What the original's authors give as the lowest mean over seeds of the final validation loss."""


@dataclass(frozen=True, slots=True, eq=False)
class Finals:
    """What the original table says about a set.

    Attributes:
        loss: Validation loss (mean squared error of the standardised target) after 100 epochs, shape (62208, 4).
        runtime: Seconds of training for 100 epochs, shape (62208, 4).
    """

    loss: Float32Array
    runtime: Float32Array


def to_planes(values: Float32Array) -> NDArray[np.uint8]:
    """The byte planes of float32 numbers, shape (4, number of values), least significant byte first."""
    raw = np.ascontiguousarray(values, dtype="<f4").view(np.uint8)
    return np.ascontiguousarray(raw.reshape(-1, 4).T)


def from_planes(planes: NDArray[np.uint8], shape: tuple[int, ...]) -> Float32Array:
    """The float32 numbers behind byte planes; the inverse of `to_planes`."""
    return np.ascontiguousarray(planes.T).view("<f4").reshape(shape).astype(np.float32, copy=False)


def finals_file(name: str) -> str:
    """The packaged file with the original final values of a set."""
    return f"finals-{name}.npz"


def curves_file(name: str) -> str:
    """The packaged file with the model of the learning curves of a set."""
    return f"curves-{name}.npz"


def load_finals(name: str) -> Finals:
    """The original final values of a set."""
    arrays = load_arrays(finals_file(name))
    shape = (NUM_CONFIGS, NUM_SEEDS)
    return Finals(from_planes(arrays["loss"], shape), from_planes(arrays["runtime"], shape))


def optimum(loss: Float32Array) -> float:
    """The lowest mean over seeds of final losses, shape (n, 4)."""
    return float(loss.astype(np.float64).mean(axis=1).min())


def load_arrays(file_name: str, only: Collection[str] | None = None) -> Mapping[str, NDArray[Any]]:
    """The arrays of a packaged .npz file: all of them, or only these."""
    with np.load(io.BytesIO(_read(file_name)), allow_pickle=False) as arrays:
        return {key: arrays[key] for key in only or arrays.files}


@cache
def table_hash(name: str) -> str:
    """A hash of all that determines the table of a set: its packaged files and how they are expanded."""
    digest = sha256(f"hpoctl-fcnet {FORMAT} {name}".encode())
    for file_name in (finals_file(name), curves_file(name)):
        digest.update(sha256(_read(file_name)).digest())
    return digest.hexdigest()


def packaged_hashes(file_names: Iterable[str]) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The SHA-256 of packaged files, and what the package lists for them (and maybe others)."""
    lines = _read("SHA256SUMS").decode().splitlines()
    listed = {file_name: digest for digest, _, file_name in (line.partition("  ") for line in lines)}
    return {file_name: sha256(_read(file_name)).hexdigest() for file_name in file_names}, listed


def _read(file_name: str) -> bytes:
    return files("hpoctl_fcnet").joinpath("data", file_name).read_bytes()
