"""Arithmetic that gives the same bits on every machine.

Sums and products of numbers with few binary digits are exact in float64, whatever order a BLAS takes them in. So
numbers are snapped to a grid of 2^-bits between matrix products; exponentials come from a table made with decimal
arithmetic, and logarithms are looked up in another.
"""

from decimal import Context, Decimal
from functools import cache

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

LOG_BITS = 6
"""Logarithms that a model sees are multiples of 2^-6."""
FINE_LOG_BITS = 10
"""Logarithms that are subtracted from each other are multiples of 2^-10."""
EXP_BITS = 12
"""`scaled_exp` takes multiples of 2^-12."""
_EXP_LIMIT = 16
_LOG_LOWER, _LOG_UPPER = -24, 24


def snap(values: FloatArray, bits: int) -> FloatArray:
    """The nearest multiples of 2^-bits (halves to even)."""
    scale = float(1 << bits)
    snapped: FloatArray = np.rint(values * scale) * (1.0 / scale)
    return snapped


def snapped_log(values: NDArray[np.floating], bits: int = LOG_BITS) -> FloatArray:
    """Natural logarithms of positive numbers as multiples of 2^-bits, clipped to [-24, 24]."""
    places = np.searchsorted(_log_borders(bits), values.ravel().astype(np.float64))
    logs: FloatArray = places.reshape(values.shape) / float(1 << bits) + _LOG_LOWER
    return logs


def scaled_exp(factors: FloatArray, exponents: FloatArray) -> NDArray[np.float32]:
    """The products factors * exp(exponents), the exponents snapped to multiples of 2^-12 and clipped to [-16, 16]."""
    limit = _EXP_LIMIT << EXP_BITS
    places = np.rint(exponents * float(1 << EXP_BITS))
    np.clip(places, -limit, limit, out=places)
    powers: FloatArray = np.take(_exponentials(), places.astype(np.int64) + limit)
    return (powers * factors).astype(np.float32)


@cache
def _log_borders(bits: int) -> FloatArray:
    """The exponentials of the points half-way between the multiples of 2^-bits from -24 to 24."""
    per_unit = 1 << bits
    whole = np.array([_exp(Decimal(k)) for k in range(_LOG_LOWER, _LOG_UPPER)])
    part = np.array([_exp((Decimal(k) + Decimal("0.5")) / per_unit) for k in range(per_unit)])
    borders: FloatArray = np.outer(whole, part).ravel()
    return borders


@cache
def _exponentials() -> FloatArray:
    """The exponentials of the multiples of 2^-12 from -16 to 16."""
    fine = 1 << (EXP_BITS // 2)
    coarse_steps = range(-_EXP_LIMIT * fine, _EXP_LIMIT * fine + 1)
    coarse = np.array([_exp(Decimal(k) / fine) for k in coarse_steps])
    part = np.array([_exp(Decimal(k) / (1 << EXP_BITS)) for k in range(fine)])
    exponentials: FloatArray = np.outer(coarse, part).ravel()
    return exponentials


def _exp(exponent: Decimal) -> float:
    return float(Context(prec=25).exp(exponent))
