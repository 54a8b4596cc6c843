"""Configuration spaces: named hyperparameters, their domains, and the way between configurations and numbers.

A hyperparameter has three faces. Its *value* reaches the trial. Its *unit* is a coordinate in [0, 1] in which
the prior is uniform, so sampling a space means drawing a uniform matrix. Its *encoding* is what a model sees:
numbers on their natural scale, categories one-hot.
"""

from hpoctl.core.space.domains import Config, Domain, Fixed, FloatArray, Value
from hpoctl.core.space.finite import Choice, FinRange, LogFinRange, Ordinal
from hpoctl.core.space.ranges import LogRandInt, LogUniform, RandInt, Uniform
from hpoctl.core.space.space import Space
from hpoctl.core.space.table import TableSpace

__all__ = [
    "Choice",
    "Config",
    "Domain",
    "FinRange",
    "Fixed",
    "FloatArray",
    "LogFinRange",
    "LogRandInt",
    "LogUniform",
    "Ordinal",
    "RandInt",
    "Space",
    "TableSpace",
    "Uniform",
    "Value",
]
