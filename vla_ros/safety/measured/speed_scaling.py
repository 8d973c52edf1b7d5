"""Rule speed_scaling: the arm's driver executes at full speed, |scaling - 1| <= TOLERANCE, as its own topic says.

A joint_trajectory_controller that is scaled reads the path of the filter at another pace, and each message puts it back onto
the path: the arm jumps. A UR arm's driver scales by the slider of its pendant and by its safety functions, and tells it on
speed_scaling_state_broadcaster/speed_scaling.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.rules import Action, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "speed_scaling"
TOLERANCE = 1e-3
TIMEOUT_NS = NANO
"""A broadcaster of ros2_control says it 100 times a second."""


class SpeedScaling(TickRule):
    """Args: parameters: `controller.scaling_topic`, `controller.scaling_full`. limits, arm: not used."""

    NAME, CODE, ACTION = NAME, RuleCode.SPEED_SCALING, Action.LATCH

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._topic, self._full = parameters.controller.scaling_topic, parameters.controller.scaling_full

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        """Only where the driver has such a topic."""
        return bool(parameters.controller.scaling_topic)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch while another speed is told, or none; `arm` is refused, too."""
        told_ns, told = state.speed_scaling_ns, state.speed_scaling
        if told_ns is None or now_ns - told_ns > TIMEOUT_NS:
            return Verdict(NAME, f"{self._topic} is silent: the speed at which the arm executes is not known")
        share = told / self._full
        if math.isfinite(share) and abs(share - 1.0) <= TOLERANCE:
            return None
        reason = f"the arm executes at {share:.1%} of the speed ({self._topic}); set its speed slider to 100 %"
        return Verdict(NAME, reason, requested=share, limit=1.0)
