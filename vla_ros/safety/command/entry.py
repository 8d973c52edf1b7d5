"""Rule entry: no setpoint is followed before the arm's controller has been led to where the output begins.

The controller holds the arm at what it was told last, which is not exactly where the arm is measured. One message leads it
there and to rest; the stream begins after that.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import RuleCode, SetpointRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "entry"


class Entry(SetpointRule):
    """Args: parameters: `controller.type` says whether there is an entry, `period_s`. limits, arm: not used."""

    NAME, CODE = NAME, RuleCode.ENTRY

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._period_s = parameters.period_s

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        """Only a controller that gets trajectories is entered."""
        return parameters.controller.stamped

    def check(self, setpoint: Setpoint, state: FilterState) -> Verdict | None:
        """Refuse every setpoint while the entry goes on."""
        if not state.entry_ticks:
            return None
        left_s = state.entry_ticks * self._period_s
        reason = f"the arm's controller is led to where the arm is; setpoints count in {left_s:.2f} s"
        return Verdict(NAME, reason, requested=left_s, limit=0.0)
