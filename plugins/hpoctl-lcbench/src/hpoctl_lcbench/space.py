"""What the surrogate takes and gives: tasks, hyperparameters, metrics, with the names and ranges of YAHPO Gym."""

from collections.abc import Mapping
from typing import Final

from hpoctl.core.space import Fixed, LogRandInt, LogUniform, RandInt, Space, Uniform

NUM_EPOCHS: Final = 52
MAX_RESOURCE_ATTR: Final = "epochs"
RESOURCE_ATTR: Final = "epoch"

SPACE: Final = Space(
    {
        "batch_size": LogRandInt(16, 512),
        "learning_rate": LogUniform(1e-4, 1e-1),
        "momentum": Uniform(0.1, 0.99),
        "weight_decay": Uniform(1e-5, 1e-1),
        "num_layers": RandInt(1, 5),
        "max_units": LogRandInt(64, 1024),
        "max_dropout": Uniform(0.0, 1.0),
        MAX_RESOURCE_ATTR: Fixed(NUM_EPOCHS),
    }
)

INPUTS: Final = (
    "batch_size",
    "learning_rate",
    "momentum",
    "weight_decay",
    "num_layers",
    "max_units",
    "max_dropout",
)
"""The hyperparameters in the order of the model's columns; the epoch comes before them."""

OUTPUTS: Final = (
    "time",
    "val_accuracy",
    "val_cross_entropy",
    "val_balanced_accuracy",
    "test_cross_entropy",
    "test_balanced_accuracy",
)
"""What the model predicts, in the order of its columns."""

METRICS: Final = (*OUTPUTS[1:], OUTPUTS[0])
"""The columns of a curve; `time` is the cumulative seconds of training, made increasing."""

# fmt: off
TASKS: Final = (
    "3945", "7593", "34539", "126025", "126026", "126029", "146212", "167104", "167149", "167152", "167161",
    "167168", "167181", "167184", "167185", "167190", "167200", "167201", "168329", "168330", "168331", "168335",
    "168868", "168908", "168910", "189354", "189862", "189865", "189866", "189873", "189905", "189906", "189908",
    "189909",
)
# fmt: on
"""The OpenML tasks of the scenario."""

ENCODING: Final[Mapping[str, int]] = {
    # Places in the alphabetical list of the tasks the model was fitted to; 0 stands for an unknown one. 167083 is no
    # task of the scenario any more, but it has kept its place.
    task: place
    for place, task in enumerate(sorted([*TASKS, "167083"]), 1)
    if task in TASKS
}
"""The number by which the model knows each task, unless an `encoding.json` lies beside the file."""
