"""Where the filter's joints stand in a message, whose order may be another one."""

from __future__ import annotations

from collections.abc import Sequence


class JointOrder:
    """Finds each joint by its name. The newest names are remembered, so that the same names cost one comparison.

    indices: for each of the filter's joints its place in the names that `find` was given last and found all joints in.

    Args:
        joint_names: the filter's joints.
    """

    def __init__(self, joint_names: Sequence[str]) -> None:
        self._own = tuple(joint_names)
        self._names = self._own
        self.indices = list(range(len(self._own)))

    def find(self, names: tuple[str, ...]) -> tuple[str, int] | None:
        """Find the joints in the names of a message.

        Returns:
            the first joint that is not named exactly once, and how often it is; None: each is, and `indices` says where.
        """
        if names == self._names:
            return None
        for name in self._own:
            if (count := names.count(name)) != 1:
                return name, count
        self.indices = [names.index(name) for name in self._own]
        self._names = names
        return None
