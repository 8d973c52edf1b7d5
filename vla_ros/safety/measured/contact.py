"""Rule contact: measured effort that the model does not explain comes from outside; much of it stops the arm.

The estimate is measured effort minus inverse dynamics of the measured position and velocity at the acceleration that was
sent. It is as good as the URDF's masses and the driver's efforts; friction counts as contact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.safety_parameters import Contact as Parameters
from vla_ros.safety.verdict import Verdict

NAME = "contact"


class Contact:
    """Args: arm. names: of the joints. parameters: of the rule."""

    def __init__(self, arm: ArmModel, names: Sequence[str], parameters: Parameters) -> None:
        self._arm = arm
        self._names = tuple(names)
        self._threshold = tuple(parameters.threshold)
        self._duration_ns = round(parameters.duration_s * 1e9)
        self._since_ns: list[int | None] = []
        self.restart()

    def snapshot(self) -> list[int | None]:
        """What changes from message to message."""
        return list(self._since_ns)

    def restore(self, snapshot: list[int | None]) -> None:
        """Go on from a snapshot."""
        self._since_ns = list(snapshot)

    def restart(self) -> None:
        """What was felt before the arm was placed does not count."""
        self._since_ns = [None] * len(self._names)

    def check(
        self,
        receive_ns: int,
        q: Sequence[float],
        dq: Sequence[float],
        ddq: Sequence[float],
        efforts: Sequence[float],
    ) -> Verdict | None:
        """Latch when a joint has been pushed for longer than the duration.

        Args:
            receive_ns: reception of the joint state on the monotonic clock.
            q, dq, efforts: measured, (n,). ddq: sent, (n,).
        """
        if len(efforts) != len(self._names) or not all(math.isfinite(effort) for effort in efforts):
            return Verdict(NAME, "joint_states carries no efforts; contact.threshold needs them")
        (modelled,) = self._arm.efforts(*(np.array([values]) for values in (q, dq, ddq)))
        for i, name in enumerate(self._names):
            external = round(
                efforts[i] - float(modelled[i]), 3
            )  # no finer: see `CollisionConstraints._distance_verdict`
            if abs(external) <= self._threshold[i]:
                self._since_ns[i] = None
                continue
            since_ns = self._since_ns[i]
            if since_ns is None:
                self._since_ns[i] = since_ns = receive_ns
            if receive_ns - since_ns >= self._duration_ns:
                return Verdict(
                    NAME,
                    f"{name} is pushed with {external:.3g} N m (N) from outside; {self._threshold[i]:.3g} are tolerated",
                    name,
                    external,
                    self._threshold[i],
                )
        return None
