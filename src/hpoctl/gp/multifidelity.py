"""The joint model over inputs and resource: one Gaussian process for the values at all rung levels.

The resource enters as one more input, ln r / ln r_max in [0, 1], with a length scale of its own, so the data at cheap
levels inform the predictions at the level that counts as far as they resemble it. This is MOBSTER's joint model
(Klein et al. 2020, arXiv 2003.10865, section 3) with a stationary kernel in the log resource, where rung levels stand
at equal distances.
"""

import numpy as np
from numpy.typing import NDArray

from hpoctl.gp.linalg import FloatArray

ENOUGH = 3
"""How many values a level needs before suggestions aim at it."""


def joint_inputs(x: FloatArray, resources: NDArray[np.integer], max_resource: int) -> FloatArray:
    """Inputs of the joint model, shape (n, d + 1): configurations, shape (n, d), and their scaled log resources.

    Args:
        x: Configurations in the unit cube.
        resources: Resource levels, shape (n,), from 1 to max_resource.
        max_resource: The largest resource level.

    Raises:
        ValueError: Shapes differ, or a resource is out of range.
    """
    if resources.shape != (len(x),):
        raise ValueError(f"resources of shape {resources.shape} do not fit inputs of shape {x.shape}")
    if len(resources) and not 1 <= resources.min() <= resources.max() <= max_resource:
        raise ValueError(f"resources must lie between 1 and {max_resource}")
    scale = np.log(max_resource) if max_resource > 1 else 1.0
    return np.column_stack([x, np.log(resources) / scale])


def target_level(resources: NDArray[np.integer]) -> int:
    """The level that suggestions aim at: the highest with 3 values at least, else the highest of the fullest.

    Args:
        resources: Resource levels of the data, shape (n,), n >= 1.

    Raises:
        ValueError: There are no data.
    """
    if not len(resources):
        raise ValueError("there are no data to choose a level by")
    levels, counts = np.unique(resources, return_counts=True)
    return int(levels[counts >= min(ENOUGH, counts.max())][-1])
