"""Rule tracking_error: |measured - output| <= tolerance for each joint.

The tolerance covers the lag of the arm: 0.1 rad is 50 ms at 2 rad/s. The rule catches collisions and dead controllers.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.rules import Action, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "tracking_error"


class TrackingError(TickRule):
    """Args: parameters: `measured.tracking_error`, rad or m per joint. limits: of the joints. arm: not used."""

    NAME, CODE, ACTION = NAME, RuleCode.TRACKING_ERROR, Action.LATCH

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._joint_names = tuple(joint.name for joint in limits)
        self._tolerance = tuple(int(value * NANO) for value in parameters.measured.tracking_error)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when a joint is too far from its output."""
        rows = zip(self._joint_names, state.measured.q, state.joints, self._tolerance, strict=True)
        for name, q, joint, tolerance in rows:
            sent = joint.q
            if abs(q - sent) > tolerance:
                return Verdict(
                    NAME,
                    f"{name} is {abs(q - sent) / NANO:.4f} from where it was sent; {tolerance / NANO:.4f} is tolerated",
                    name,
                    (q - sent) / NANO,
                    tolerance / NANO,
                )
        return None
