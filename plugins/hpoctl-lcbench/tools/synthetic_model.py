"""A small ONNX model with the inputs and outputs of YAHPO Gym's lcbench surrogate, and none of its knowledge.

For tests, and to try the plugin without the real file. Its curves look like learning curves: accuracy rises and levels
off, its level depends on the task and on all hyperparameters. Its seconds dip and start below zero now and then, as
those of a fitted model may.

    python tools/synthetic_model.py model.onnx
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NUM_TASKS = 36
LOWER = [1, 16, 1e-4, 0.1, 1e-5, 1, 64, 0]
UPPER = [52, 512, 1e-1, 0.99, 1e-1, 5, 1024, 1]
LOGARITHMIC = [0, 1, 1, 0, 0, 0, 1, 0]
"""Of epoch, batch_size, learning_rate, momentum, weight_decay, num_layers, max_units, max_dropout, as in x_cont."""

SCALES = {
    # What comes out where the network says 0 and 1, and how much the epochs add to what it says.
    "val_accuracy": (15.0, 95.0, 2.5),
    "val_cross_entropy": (2.5, 0.2, 2.0),
    "val_balanced_accuracy": (0.1, 0.95, 2.5),
    "test_cross_entropy": (2.6, 0.2, 2.0),
    "test_balanced_accuracy": (0.1, 0.94, 2.5),
}


def synthetic_model(seed: int = 0) -> onnx.ModelProto:
    """The model: one hidden layer of random weights over scaled hyperparameters and a vector for each task."""
    rng = np.random.default_rng(seed)
    log = np.array(LOGARITHMIC, dtype=bool)
    with np.errstate(divide="ignore"):
        low, high = (np.where(log, np.log(bound), bound) for bound in (LOWER, UPPER))
    zero, one, gain = np.array(list(SCALES.values())).T
    constants = {
        "tiny": 1e-8,
        "is_log": log[None, :],
        "is_plain": ~log[None, :],
        "low": low[None, :],
        "span": (high - low)[None, :],
        "tasks": rng.normal(0.0, 0.7, (NUM_TASKS, 4)),
        "w_hidden": rng.normal(0.0, 0.9, (12, 16)) * np.r_[np.zeros(1), np.full(11, 1.0)][:, None],
        "b_hidden": rng.normal(0.0, 0.5, 16),
        "w_out": rng.normal(0.0, 0.4, (16, 6)),
        "b_out": np.array([1.0, -1.5, -1.5, -1.5, -1.5, -1.5]),
        "gain": gain[None, :],
        "zero": zero[None, :],
        "width": (one - zero)[None, :],
        "rate": -0.12,
        "all": 1.0,
        "seconds": 4.0,
        "swing": 6.0,
        "start": 2.0,
    }
    nodes = [
        helper.make_node("Squeeze", ["x_cat"], ["task"], axes=[1]),
        helper.make_node("Gather", ["tasks", "task"], ["task_vector"], axis=0),
        helper.make_node("Max", ["x_cont", "tiny"], ["positive"]),
        helper.make_node("Log", ["positive"], ["logs"]),
        helper.make_node("Mul", ["logs", "is_log"], ["log_part"]),
        helper.make_node("Mul", ["x_cont", "is_plain"], ["plain_part"]),
        helper.make_node("Add", ["log_part", "plain_part"], ["natural"]),
        helper.make_node("Sub", ["natural", "low"], ["shifted"]),
        helper.make_node("Div", ["shifted", "span"], ["scaled"]),
        helper.make_node("Concat", ["scaled", "task_vector"], ["features"], axis=1),
        helper.make_node("Gemm", ["features", "w_hidden", "b_hidden"], ["before"]),
        helper.make_node("Tanh", ["before"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "w_out", "b_out"], ["raw"]),
        helper.make_node("Split", ["raw"], ["raw_time", "raw_rest"], axis=1, split=[1, 5]),
        helper.make_node("Split", ["x_cont"], ["epoch", "unused"], axis=1, split=[1, 7]),
        helper.make_node("Mul", ["epoch", "rate"], ["decay_log"]),
        helper.make_node("Exp", ["decay_log"], ["decay"]),
        helper.make_node("Sub", ["all", "decay"], ["learnt"]),
        helper.make_node("Mul", ["learnt", "gain"], ["added"]),
        helper.make_node("Add", ["raw_rest", "added"], ["level"]),
        helper.make_node("Sigmoid", ["level"], ["share"]),
        helper.make_node("Mul", ["share", "width"], ["above"]),
        helper.make_node("Add", ["above", "zero"], ["metrics"]),
        helper.make_node("Sin", ["epoch"], ["wave"]),
        helper.make_node("Mul", ["wave", "swing"], ["wave_seconds"]),
        helper.make_node("Mul", ["epoch", "seconds"], ["steady"]),
        helper.make_node("Add", ["steady", "wave_seconds"], ["unit_time"]),
        helper.make_node("Exp", ["raw_time"], ["speed"]),
        helper.make_node("Mul", ["unit_time", "speed"], ["late_time"]),
        helper.make_node("Sub", ["late_time", "start"], ["time"]),
        helper.make_node("Concat", ["time", "metrics"], ["output"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "synthetic-lcbench",
        [
            helper.make_tensor_value_info("x_cat", TensorProto.INT32, ["batch_size", 1]),
            helper.make_tensor_value_info("x_cont", TensorProto.FLOAT, ["batch_size", 8]),
        ],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch_size", 6])],
        [numpy_helper.from_array(np.asarray(value, dtype=np.float32), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=7)
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    Path(sys.argv[1]).write_bytes(synthetic_model().SerializeToString())
