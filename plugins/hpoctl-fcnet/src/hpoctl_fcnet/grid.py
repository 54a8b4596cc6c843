"""The 62,208 configurations of fcnet and their order in every table of this package.

The order is the row-major product of `GRID` in the order of its keys, the last key fastest.
"""

from collections.abc import Mapping
from typing import Final

Value = str | int | float

GRID: Final[Mapping[str, tuple[Value, ...]]] = {
    "hp_activation_fn_1": ("tanh", "relu"),
    "hp_activation_fn_2": ("tanh", "relu"),
    "hp_batch_size": (8, 16, 32, 64),
    "hp_dropout_1": (0.0, 0.3, 0.6),
    "hp_dropout_2": (0.0, 0.3, 0.6),
    "hp_init_lr": (0.0005, 0.001, 0.005, 0.01, 0.05, 0.1),
    "hp_lr_schedule": ("cosine", "const"),
    "hp_n_units_1": (16, 32, 64, 128, 256, 512),
    "hp_n_units_2": (16, 32, 64, 128, 256, 512),
}
NUM_CONFIGS: Final = 62_208
NUM_SEEDS: Final = 4
NUM_EPOCHS: Final = 100
SETS: Final = ("protein", "naval", "parkinsons", "slice")
NUM_INPUTS: Final[Mapping[str, int]] = {"protein": 9, "naval": 15, "parkinsons": 20, "slice": 380}


def config_at(index: int) -> dict[str, Value]:
    """The configuration in row `index` of the tables."""
    config: dict[str, Value] = {}
    for name, values in reversed(list(GRID.items())):
        index, position = divmod(index, len(values))
        config[name] = values[position]
    return {name: config[name] for name in GRID}


def steps() -> dict[str, dict[Value, int]]:
    """How far each value of each hyperparameter moves along the rows of the tables, in the order of `GRID`."""
    found: dict[str, dict[Value, int]] = {}
    stride = 1
    for name, values in reversed(list(GRID.items())):
        found[name] = {value: place * stride for place, value in enumerate(values)}
        stride *= len(values)
    return {name: found[name] for name in GRID}
