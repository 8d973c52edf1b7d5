"""Which value belongs to which joint? Names decide; names that are not the robot's are refused one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vla_ros.parameters import ParameterError


class JointNamesError(ParameterError):
    """Two sets of joint names are not the same. The text names the joints and where the names came from."""


class JointMap:
    """Brings values that come with joint names into one fixed order.

    Args:
        joint_names: the order wanted; unique, not empty.
    """

    def __init__(self, joint_names: Sequence[str]) -> None:
        self.joint_names = tuple(joint_names)
        if not self.joint_names:
            raise JointNamesError("joint_names: empty; name the robot's joints")
        _unique(self.joint_names, "joint_names")

    def permutation(self, names: Sequence[str], source: str) -> NDArray[np.intp]:
        """Return `index`, (n,), such that `values[index]` is ordered as joint_names; `names` must be exactly that set.

        Args:
            names: the order in which values arrive.
            source: where the names come from, for the error text, e.g. "checkpoint compact-1".

        Raises:
            JointNamesError: a joint is missing, unknown or named twice.
        """
        unknown = [name for name in names if name not in self.joint_names]
        if unknown:
            raise JointNamesError(
                f"{source}: joint {', '.join(unknown)} is not of this robot; it has {', '.join(self.joint_names)}"
            )
        _unique(names, source)
        missing = [name for name in self.joint_names if name not in names]
        if missing:
            raise JointNamesError(
                f"{source}: joint {', '.join(missing)} is missing; it has {', '.join(names) or 'none'}"
            )
        return np.array([list(names).index(name) for name in self.joint_names], dtype=np.intp)


def _unique(names: Sequence[str], source: str) -> None:
    twice = sorted({name for name in names if list(names).count(name) > 1})
    if twice:
        raise JointNamesError(f"{source}: joint {', '.join(twice)} is named twice")
