"""Rule freshness: -max_lead <= age of a setpoint's stamp <= max_age; and where the stamp lies on the filter's own clock."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import RuleCode, SetpointRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "freshness"

STEP_NS = 2_000_000
"""Two clocks that moved apart by more since the last setpoint were set; less is jitter of the reading, and averaged."""
AVERAGED = 64


class Freshness(SetpointRule):
    """Args: parameters: `command.max_age_s`, `command.max_lead_s`. limits, arm: not used."""

    NAME, CODE = NAME, RuleCode.FRESHNESS

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._max_age_ns = round(parameters.command.max_age_s * 1e9)
        self._max_lead_ns = round(parameters.command.max_lead_s * 1e9)

    def check(self, setpoint: Setpoint, state: FilterState) -> Verdict | None:
        """Refuse a missing, an old and an early stamp."""
        if setpoint.stamp_ns <= 0:
            return Verdict(NAME, "header.stamp is zero; it must say when the setpoint is meant for")
        age_s = setpoint.age_ns / 1e9
        if setpoint.age_ns > self._max_age_ns:
            return Verdict(
                NAME,
                f"the stamp is {age_s:.3f} s old; compare the clocks",
                requested=age_s,
                limit=self._max_age_ns / 1e9,
            )
        if -setpoint.age_ns > self._max_lead_ns:
            return Verdict(
                NAME,
                f"the stamp lies {-age_s:.3f} s ahead; compare the clocks",
                requested=-age_s,
                limit=self._max_lead_ns / 1e9,
            )
        return None

    def accepted(self, setpoint: Setpoint, state: FilterState) -> None:
        """Average the offset between the clocks: its jitter would be motion."""
        measured_ns = setpoint.receive_ns - setpoint.age_ns - setpoint.stamp_ns
        offset_ns = state.clock_offset_ns
        if offset_ns is None or abs(measured_ns - offset_ns) > STEP_NS:
            state.clock_offset_ns = measured_ns
        else:
            state.clock_offset_ns = offset_ns + (measured_ns - offset_ns) // AVERAGED


def due_ns(setpoint: Setpoint, state: FilterState) -> int:
    """Return the stamp of an accepted setpoint on the filter's clock."""
    return setpoint.stamp_ns + (state.clock_offset_ns or 0)
