"""Rule measured_clearance: the measured arm is no deeper inside a margin than the output is, by more than a tolerance.

    distance at the measured joints >= min(margin, distance at the output) - tolerance    for every pair

The distance rules judge what is sent. An arm that does not go where it is sent, within its tracking error, may still meet
something there. Asked every PERIOD_NS; a pair costs nothing whose bound at the output proves the measured arm clear.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.collision_constraints import DISTANCE_RULES, CollisionConstraints
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import Action, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "measured_clearance"
PERIOD_NS = 40_000_000


class MeasuredClearance(TickRule):
    """Args: parameters: `measured.clearance_tolerance_m`. limits: not used. arm: the model.

    constraints: the distances that are kept; None: none are.
    """

    NAME, CODE, ACTION, NEEDS_ARM = NAME, RuleCode.MEASURED_CLEARANCE, Action.LATCH, True

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel) -> None:
        self.constraints: CollisionConstraints | None = None
        self._tolerance_m = parameters.measured.clearance_tolerance_m
        self._every_ticks = max(1, round(PERIOD_NS / 1e9 / parameters.period_s))

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return any(rule.configured(parameters) for rule in DISTANCE_RULES)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when the measured arm is where the output is kept away from."""
        if self.constraints is None or state.ticks % self._every_ticks:
            return None
        found = self.constraints.deviation(state, state.measured.q, self._tolerance_m)
        if found is None:
            return None
        description, distance_m, margin_m = found
        reason = f"{description}: measured {distance_m:.3f} m apart, though nothing was sent there; {margin_m:.3f} m are kept"
        return Verdict(NAME, reason, requested=distance_m, limit=margin_m)
