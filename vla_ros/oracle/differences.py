"""Velocity, acceleration and jerk of sampled positions, each with the rounding that it may carry.

The k-th derivative is estimated by k! times the divided difference over k + 1 samples, at any spacing of the stamps. By
the mean value theorem it equals the derivative of every smooth path through the samples somewhere between them: a path
that keeps a limit is never accused, however its samples are spaced, and a stream whose estimate breaks a limit cannot
come from a path that keeps it. Evenly spaced samples give the plain finite difference divided by h^k.

Rounding. A sample that is off by at most e shifts the k-th estimate by at most 2^k e / h^k; here the errors are carried
along sample by sample (running error analysis), each arithmetic operation adding its own unit roundoff, so that the
allowance is a bound and not a tolerance. Stamps are taken as they are written.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array

Integers = NDArray[np.int64]

UNIT = 2.0**-53
"""Unit roundoff of a float64: an operation, and the reading of a decimal, are off by at most this share."""
OPERATIONS = 6.0
"""Roundings per level, each off by at most UNIT of the result: difference, factor, span (two), quotient; one to spare."""
QUANTITIES = ("velocity", "acceleration", "jerk")


def differences(q: Array, stamps_ps: Integers, error: Array) -> Iterator[tuple[str, Array, Array]]:
    """Yield velocity, acceleration and jerk of one stretch of one joint.

    Args:
        q: (N,) positions, rad or m.
        stamps_ps: (N,) strictly rising.
        error: (N,) bound on the error of each position, rad or m.

    Yields:
        name, values (N − k,) and bounds on their rounding (N − k,); the value at i belongs to samples i … i + k and is
        due to the last of them.
    """
    value, bound = q, error
    for order, name in enumerate(QUANTITIES, 1):
        if len(q) <= order:
            return
        span_s = (stamps_ps[order:] - stamps_ps[:-order]) * 1e-12
        bound = order * (bound[1:] + bound[:-1]) / span_s
        value = order * (value[1:] - value[:-1]) / span_s
        bound = bound + OPERATIONS * UNIT * np.abs(value)
        yield name, value, bound
