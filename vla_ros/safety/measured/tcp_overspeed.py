"""Rule tcp_overspeed: the speed of the tool, by the measured joints, is at most `measured.tcp_speed_m_s`.

The tool is every point of the bodies that the last joint of the chain carries, with what is mounted there. Its speed is that
of the fastest of them: |v + w x p|, of the measured positions and velocities. It need not be the sent one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.measured.overspeed import DURATION_NS
from vla_ros.safety.rules import Action, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "tcp_overspeed"


class TcpOverspeed(TickRule):
    """Asked when a joint state arrives, not in a tick.

    Args: parameters: `measured.tcp_speed_m_s`. limits: not used. arm: the model.
    """

    NAME, CODE, ACTION, NEEDS_ARM = NAME, RuleCode.TCP_OVERSPEED, Action.LATCH, True

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel) -> None:
        self._arm = arm
        self._limit_m_s = parameters.measured.tcp_speed_m_s

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return parameters.measured.tcp_speed_m_s > 0.0

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when the tool has been too fast for longer than the duration."""
        measured = state.measured
        q = [position / NANO for position in measured.q]
        # No finer: see `CollisionConstraints._distance_verdict`.
        speed = round(self._arm.tool_speed(q, [0.0 if math.isnan(dq) else dq for dq in measured.dq]), 3)
        if speed <= self._limit_m_s:
            measured.tcp_overspeed_ns = None
            return None
        if measured.tcp_overspeed_ns is None:
            measured.tcp_overspeed_ns = now_ns
        if now_ns - measured.tcp_overspeed_ns < DURATION_NS:
            return None
        reason = f"the tool is measured to move at {speed:.3f} m/s; {self._limit_m_s:g} is allowed"
        return Verdict(NAME, reason, requested=speed, limit=self._limit_m_s)
