"""Bringing in a model file: everything is checked before anything is written."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from hpoctl.core.canonical import content_hash
from hpoctl.core.entries import Imported, Progress
from hpoctl.core.errors import HpoctlError, IncompleteError, UsageError
from hpoctl.core.rng import stream
from hpoctl.core.space import Config
from hpoctl_lcbench.blackbox import LcbenchBlackbox, increasing
from hpoctl_lcbench.files import Stored, keep, read
from hpoctl_lcbench.model import WRONG_FILE, Float32Array, Model
from hpoctl_lcbench.space import ENCODING, SPACE, TASKS

MAX_BYTES: Final = 256 * 2**20
"""The largest file that is read at all."""

_MODEL_NAMES: Final = ("model.onnx", "new_model.onnx")
"""What the model is called in releases of YAHPO Gym, old ones last."""

_ENCODING_NAME: Final = "encoding.json"
_PROBES: Final = 4
_CHECKED: Final = 200


def load(path: Path, progress: Progress) -> Imported:
    """Bring in a model file, or the folder of the scenario that holds one.

    Raises:
        UsageError: There is no such file.
        IncompleteError: It is damaged, or no model of lcbench.
        HpoctlError: It cannot be read or kept.
    """
    path = _model_file(path)
    data = _read(path, MAX_BYTES)
    encoding = _encoding(path.parent / _ENCODING_NAME)
    stored = Stored(data, encoding or ENCODING, str(path.absolute()))
    model = Model(data)
    corrected = []
    for done, task in enumerate(TASKS):
        progress(f"checking task {task}", done, len(TASKS))
        corrected.append(_probe(model, task, stored.encoding[task], _PROBES))
    progress("checking tasks", len(TASKS), len(TASKS))
    folder = keep(stored)
    return Imported(tuple(benchmark_name(task) for task in TASKS), _notes(path, folder, encoding, corrected))


def open_blackbox(name: str, task: str) -> LcbenchBlackbox:
    """The blackbox of a task from an imported model.

    Raises:
        IncompleteError: The model is missing or damaged.
    """
    stored = read(name)
    return LcbenchBlackbox(task, Model(stored.data), stored.encoding[task], stored.model_hash)


def check(name: str, task: str) -> Iterator[str]:
    """Look at an imported model and at the curves of one task.

    Yields:
        A line for each thing that is right.

    Raises:
        HpoctlError: What is wrong first.
    """
    stored = read(name)
    yield f"the model file is as it was imported: {len(stored.data):,} bytes, SHA-256 {content_hash(stored.data)}"
    model = Model(stored.data)
    yield "its inputs and outputs are those of YAHPO Gym's scenario lcbench"
    corrected = _probe(model, task, stored.encoding[task], _CHECKED)
    yield f"{_CHECKED} random configurations have finite curves, and the same ones when asked again"
    yield f"predicted seconds had to be raised at {corrected:.1%} of their epochs, to make them increase"


def benchmark_name(task: str) -> str:
    """The name of a task's benchmark."""
    return f"lcbench-{task}"


def _model_file(path: Path) -> Path:
    if not path.is_dir():
        return path
    found = [path / name for name in _MODEL_NAMES if (path / name).is_file()]
    if not found:
        raise UsageError(f"{path} holds no {' or '.join(_MODEL_NAMES)}.", "Give the file, or the scenario's folder.")
    if len(found) > 1:
        raise UsageError(f"{path} holds {' and '.join(_MODEL_NAMES)}.", "Give the file that is to be used.")
    return found[0]


def _read(path: Path, limit: int) -> bytes:
    try:
        if not path.is_file():
            raise UsageError(f"There is no file {path}.", WRONG_FILE)
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise HpoctlError(f"{path} cannot be read: {error.strerror or error}.", "Check the file.") from error
    if not data:
        raise IncompleteError(f"{path} is empty.", WRONG_FILE)
    if len(data) > limit:
        raise IncompleteError(f"{path} has more than {limit:,} bytes.", WRONG_FILE)
    return data


def _encoding(path: Path) -> Mapping[str, int] | None:
    """The numbers of the tasks in the file beside the model; None: no such file."""
    if not path.is_file():
        return None
    try:
        content = json.loads(_read(path, 2**20))
        encoding = {task: _place(content["OpenML_task_id"][task]) for task in TASKS}
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise IncompleteError(
            f"{path} does not give each task of lcbench a number.", "Download it again, with the model."
        ) from error
    if len(set(encoding.values())) < len(encoding):
        raise IncompleteError(f"{path} gives two tasks the same number.", "Download it again, with the model.")
    return encoding


def _place(number: Any) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 < number < 2**31:
        raise TypeError(number)
    return number


def _probe(model: Model, task: str, place: int, count: int) -> float:
    """Ask for the curves of some configurations of a task; returns the share of epochs whose time is corrected."""
    units = stream(0, 0, "lcbench", int(task)).random((count, len(SPACE)))
    units[:2] = [[0.0], [1.0]]
    return float(np.mean([_probe_curve(model, task, place, config) for config in SPACE.configs(units)]))


def _probe_curve(model: Model, task: str, place: int, config: Config) -> float:
    predicted: Float32Array = model.curve(place, config)
    if not np.isfinite(predicted).all():
        raise IncompleteError(f"The model predicts values that are not finite for task {task}.", WRONG_FILE)
    if model.curve(place, config).tobytes() != predicted.tobytes():
        raise IncompleteError(
            f"The model answers the same question in two ways for task {task}.",
            "Use the model without noise: model.onnx, not model_noisy.onnx.",
        )
    seconds = predicted[:, 0]
    return float(np.mean(increasing(seconds) != seconds))


def _notes(path: Path, folder: Path, encoding: Mapping[str, int] | None, corrected: list[float]) -> tuple[str, ...]:
    numbers = (
        f"the numbers of the tasks are those of {path.parent / _ENCODING_NAME}"
        if encoding
        else f"there is no {_ENCODING_NAME} beside the file: the tasks have the numbers that YAHPO Gym published"
    )
    return (
        f"kept in {folder}",
        numbers,
        f"predicted seconds are raised where they do not increase: {np.mean(corrected):.1%} of the epochs looked at",
    )
