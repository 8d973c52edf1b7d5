"""How the values of a data set were normalised, and back.

Source: openvla/openvla (c8f03f4), `predict_action` of prismatic/extern/hf/modeling_prismatic.py; moojink/openvla-oft
(213c5ff), `_unnormalize_actions` there and `normalize_proprio` of experiments/robot/openvla_utils.py.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError

RANGES: Mapping[str, tuple[str, str]] = {"quantiles": ("q01", "q99"), "min_max": ("min", "max")}
"""Normalisation → the statistics that become -1 and 1."""
NAMES = ("q01", "q99", "min", "max", "mean", "std")


@dataclass(frozen=True)
class Normalizer:
    """Values of one vector ↔ [-1, 1].

    Attributes:
        low, high: (n,) values that become -1 and 1.
        mask: (n,) False: the value is not normalised (the gripper).
        epsilon: added to high - low; 1e-8 in OFT's code, 0 in OpenVLA's.
    """

    low: Array
    high: Array
    mask: NDArray[np.bool_]
    epsilon: float = 0.0

    def unnormalized(self, values: Array) -> Array:
        """Return (..., n): 0.5 (v + 1) (high - low) + low where the mask says so, else v."""
        scaled = 0.5 * (values + 1.0) * (self.high - self.low + self.epsilon) + self.low
        result: Array = np.where(self.mask, scaled, values)
        return result

    def normalized(self, values: Array) -> Array:
        """Return (..., n): 2 (v - low) / (high - low + 1e-8) - 1 where the mask says so, else v; clipped to [-1, 1]."""
        scaled = 2.0 * (values - self.low) / (self.high - self.low + 1e-8) - 1.0
        result: Array = np.clip(np.where(self.mask, scaled, values), -1.0, 1.0)
        return result


@dataclass(frozen=True)
class VectorStatistics:
    """Statistics of the action or of the proprioception of a data set.

    Attributes:
        where: file and keys, for error texts.
        values: those of NAMES that there are → (n,).
        mask: (n,) which values are normalised.
    """

    where: str
    values: Mapping[str, Array]
    mask: NDArray[np.bool_]

    @property
    def width(self) -> int:
        """Number of values."""
        return len(self.mask)

    def normalizer(self, normalization: str, epsilon: float = 0.0) -> Normalizer:
        """Return the normaliser by the statistics that `normalization`, a key of RANGES, takes.

        Raises:
            ParameterError: they are missing, the lower one is greater, or no value has a range.
        """
        low_name, high_name = RANGES[normalization]
        if missing := [name for name in (low_name, high_name) if name not in self.values]:
            raise ParameterError(f"{self.where}: has no {' and no '.join(missing)}, by which values are normalised")
        low, high = self.values[low_name], self.values[high_name]
        if (high < low).any():
            index = int(np.argmax(high < low))
            raise ParameterError(
                f"{self.where}: {low_name}[{index}] is {low[index]:g}, above {high_name}[{index}], {high[index]:g}"
            )
        if not (self.mask & (high > low)).any():
            raise ParameterError(f"{self.where}: {low_name} and {high_name} are equal everywhere; no value would move")
        return Normalizer(low, high, self.mask, epsilon)


def vector(content: Any, where: str) -> VectorStatistics:
    """Read the statistics of one vector. Raises ParameterError: they are none, of unequal widths, or not finite."""
    if not isinstance(content, Mapping):
        raise ParameterError(f"{where}: expected a mapping of {', '.join(NAMES)}, got {type(content).__name__}")
    values = {name: _numbers(content[name], f"{where}.{name}") for name in NAMES if name in content}
    if not values:
        raise ParameterError(f"{where}: has none of {', '.join(NAMES)}")
    widths = {name: len(value) for name, value in values.items()}
    first = next(iter(values))
    given = content.get("mask", [True] * widths[first])
    if not (isinstance(given, list) and all(isinstance(entry, bool) for entry in given)):
        raise ParameterError(f"{where}.mask: expected a list of true and false")
    widths["mask"] = len(given)
    if len(set(widths.values())) > 1:
        raise ParameterError(
            f"{where}: widths differ: {', '.join(f'{name} {width}' for name, width in widths.items())}"
        )
    return VectorStatistics(where, values, np.array(given, np.bool_))


def _numbers(content: Any, where: str) -> Array:
    try:
        numbers = np.array(content, np.float64)
    except (TypeError, ValueError):
        raise ParameterError(f"{where}: expected a list of numbers") from None
    if numbers.ndim != 1 or not len(numbers):
        raise ParameterError(f"{where}: expected a list of numbers, got shape {list(numbers.shape)}")
    if not np.isfinite(numbers).all():
        raise ParameterError(f"{where}: value {int(np.argmin(np.isfinite(numbers)))} is not finite")
    return numbers


def chosen(statistics: Mapping[str, Any], key: str, option: str, where: str) -> str:
    """Return which data set's statistics are meant.

    Args:
        statistics: by data set.
        key: the name that the user gave; empty: the only one.
        option: name of the parameter, for error texts.
        where: file that holds them.

    Raises:
        ParameterError: there is no such data set, or several and none was named; the text lists them.
    """
    names = sorted(statistics)
    if not names:
        raise ParameterError(f"{where}: holds statistics of no data set; actions cannot be un-normalised")
    listed = ", ".join(names)
    if not key:
        if len(names) > 1:
            raise ParameterError(f"{option}: say whose statistics un-normalise actions; {where} has {listed}")
        return names[0]
    if key not in statistics:
        close = difflib.get_close_matches(key, names, 1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise ParameterError(f"{option}: {where} has no data set {key!r}{hint}; it has {listed}")
    return key
