"""The surrogate: an ONNX model, asked for one whole learning curve at a time.

One thread, no hardware-dependent rewriting of the graph, and always the same batch of 52 rows: the same configuration
gives the same bytes, however often and in whatever process it is asked for. Another processor or another version of
onnxruntime may round differently.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hpoctl.core.errors import IncompleteError
from hpoctl.core.space import Config
from hpoctl_lcbench.space import INPUTS, NUM_EPOCHS, OUTPUTS

Float32Array = NDArray[np.float32]

NUM_CONTINUOUS: Final = len(INPUTS) + 1
TASK_INPUT: Final = "x_cat"
NUMBERS_INPUT: Final = "x_cont"
WRONG_FILE: Final = "Give the file model.onnx of YAHPO Gym's scenario lcbench, as it was downloaded."

# The key under which a tensor says in which other file its values lie. No operator has an attribute of this name.
_EXTERNAL_DATA: Final = b"\n\x08location"
_CODES: Final = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")


class Model:
    """The surrogate of all tasks.

    Args:
        data: The bytes of the model file.

    Raises:
        IncompleteError: It is no ONNX model that onnxruntime can run, or one of another signature.
    """

    def __init__(self, data: bytes) -> None:
        if _EXTERNAL_DATA in data:
            raise IncompleteError("The model keeps its weights in other files.", WRONG_FILE)
        self._session = _open(data)
        self._output = _check_signature(self._session)

    def curve(self, task: int, config: Config) -> Float32Array:
        """What the model predicts for one configuration at epochs 1 to 52.

        Args:
            task: The number of the task in the model's encoding.
            config: The configuration.

        Returns:
            Predictions, shape (52, 6), in the order of `OUTPUTS`.

        Raises:
            IncompleteError: The model cannot be evaluated.
        """
        numbers = np.empty((NUM_EPOCHS, NUM_CONTINUOUS), dtype=np.float32)
        numbers[:, 0] = np.arange(1, NUM_EPOCHS + 1)
        numbers[:, 1:] = [float(config[name]) for name in INPUTS]
        tasks = np.full((NUM_EPOCHS, 1), task, dtype=np.int32)
        try:
            predicted = self._session.run([self._output], {TASK_INPUT: tasks, NUMBERS_INPUT: numbers})[0]
        except Exception as error:  # onnxruntime's errors have no common base class
            raise IncompleteError(f"The model cannot be evaluated: {_first_line(error)}", WRONG_FILE) from error
        if predicted.shape != (NUM_EPOCHS, len(OUTPUTS)) or predicted.dtype != np.float32:
            raise IncompleteError(
                f"The model answers with {predicted.dtype} {predicted.shape}, not with"
                f" float32 {(NUM_EPOCHS, len(OUTPUTS))}.",
                WRONG_FILE,
            )
        answer: Float32Array = predicted
        return answer


def _open(data: bytes) -> Any:
    import onnxruntime  # noqa: PLC0415 - costs a tenth of a second, and the list of benchmarks does not need it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.use_deterministic_compute = True
    options.log_severity_level = 4  # what goes wrong is raised
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors have no common base class
        raise IncompleteError(f"It is no ONNX model that can be run: {_first_line(error)}", WRONG_FILE) from error


def _check_signature(session: Any) -> str:
    """The name of the output, when inputs and outputs are those of the scenario."""
    found = {node.name: node for node in session.get_inputs()}
    if list(found) != [TASK_INPUT, NUMBERS_INPUT]:
        raise _other(f"inputs {', '.join(found) or 'nothing'}", f"{TASK_INPUT}, {NUMBERS_INPUT}")
    _check_node(found[TASK_INPUT], "tensor(int32)", 1)
    _check_node(found[NUMBERS_INPUT], "tensor(float)", NUM_CONTINUOUS)
    outputs = session.get_outputs()
    if len(outputs) != 1:
        raise _other(f"{len(outputs)} outputs", "one")
    _check_node(outputs[0], "tensor(float)", len(OUTPUTS), open_width=True)
    return str(outputs[0].name)


def _check_node(node: Any, kind: str, width: int, *, open_width: bool = False) -> None:
    """Type and shape of an input or output; the width of an output may be left open in the file."""
    if node.type != kind:
        raise _other(f"{node.name} of type {node.type}", kind)
    shape: Sequence[Any] = node.shape
    rows_open = len(shape) == 2 and (not isinstance(shape[0], int) or shape[0] == NUM_EPOCHS)
    width_fits = len(shape) == 2 and (shape[1] == width or (open_width and not isinstance(shape[1], int)))
    if not (rows_open and width_fits):
        shown = ", ".join(str(size) if isinstance(size, int) else "any" for size in shape)
        raise _other(f"{node.name} of shape ({shown})", f"(any, {width})")


def _other(found: str, wanted: str) -> IncompleteError:
    return IncompleteError(f"The model has {found}, where lcbench has {wanted}.", WRONG_FILE)


def _first_line(error: Exception) -> str:
    """What onnxruntime says, without its codes."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"{_CODES.sub('', lines[0])[:200].rstrip('. ')}."
