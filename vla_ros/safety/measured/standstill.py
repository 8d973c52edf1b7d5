"""Rule standstill: while the filter holds the arm still, |measured - where it came to rest| <= tolerance for each joint.

The arm may lag behind the output, so where it came to rest is seen SETTLE_NS after the output did. `measured.standstill` is
the tolerance; left empty it is half of `measured.tracking_error`.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.rules import Action, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.states import State
from vla_ros.safety.verdict import Verdict

NAME = "standstill"
SETTLE_NS = 500_000_000


class Standstill(TickRule):
    """Args: parameters: `measured.standstill`, `measured.tracking_error`. limits: of the joints. arm: not used."""

    NAME, CODE, ACTION = NAME, RuleCode.STANDSTILL, Action.LATCH

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        measured = parameters.measured
        tolerances = measured.standstill or [error / 2 for error in measured.tracking_error]
        rows = zip(limits, tolerances, strict=True)
        self._tolerances = tuple((joint.name, int(tolerance * NANO)) for joint, tolerance in rows)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when a joint has moved away from where the arm came to rest."""
        measured = state.measured
        if state.state is not State.HOLDING or not state.at_rest:
            measured.standing_ns = None
            return None
        if measured.standing_ns is None:
            measured.standing_ns = now_ns
        if now_ns - measured.standing_ns < SETTLE_NS:
            measured.standing_q = list(measured.q)
            return None
        for (name, tolerance), q, stood in zip(self._tolerances, measured.q, measured.standing_q, strict=True):
            if abs(q - stood) > tolerance:
                moved = (q - stood) / NANO
                return Verdict(
                    NAME,
                    f"{name} has moved by {moved:.4f} while the arm is held still; {tolerance / NANO:.4f} is tolerated",
                    name,
                    moved,
                    tolerance / NANO,
                )
        return None

    def is_elsewhere(self, state: FilterState) -> bool:
        """Whether the measured arm is known, and is not where the output is."""
        if state.measured.receive_ns is None:
            return False
        rows = zip(self._tolerances, state.measured.q, state.joints, strict=True)
        return any(abs(q - joint.q) > tolerance for (_, tolerance), q, joint in rows)
