"""Rule overspeed: |measured velocity| <= share * limit + rest_velocity for each joint, or above it for less than 20 ms.

The output keeps the limit itself. A measured joint that is faster is not moved by the filter: its drive runs away, another
controller moves it, or a load pulls it. The share leaves room for overshoot, the time for noise of a single sample. A
tolerance of its own (`measured.velocity`) is for a joint that may spring, such as a finger that slips off what it grips.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import Action, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "overspeed"
DURATION_NS = 20_000_000


class Overspeed(TickRule):
    """Asked when a joint state arrives, not in a tick.

    Args: parameters: `measured.overspeed`, `.rest_velocity`, `.velocity`. limits: of the joints. arm: not used.
    """

    NAME, CODE, ACTION = NAME, RuleCode.OVERSPEED, Action.LATCH

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        measured = parameters.measured
        rows = zip(limits, measured.rest_velocity, measured.velocity or [0.0] * len(limits), strict=True)
        self._limits = tuple(
            (joint.name, own or joint.velocity * measured.overspeed + rest) for joint, rest, own in rows
        )

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when a joint has been too fast for longer than the duration."""
        measured = state.measured
        rows = zip(self._limits, measured.dq, strict=True)
        fast = next(
            ((name, dq, limit) for (name, limit), dq in rows if abs(dq) > limit), None
        )  # NaN, not known, is not
        if fast is None:
            measured.overspeed_ns = None
            return None
        if measured.overspeed_ns is None:
            measured.overspeed_ns = now_ns
        if now_ns - measured.overspeed_ns < DURATION_NS:
            return None
        name, dq, limit = fast
        return Verdict(NAME, f"{name} is measured to move at {dq:.4f}; {limit:.4f} is tolerated", name, dq, limit)
