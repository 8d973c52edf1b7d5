"""Rule resumption: a stop ends the streams that run. What was sent before it does not go on after it.

Let n be `FilterState.stops`, which counts e-stops, latches, disarming and releases of the dead-man switch. A stream of a
source is a run of setpoints, accepted or not, without a gap of more than `command.timeout_s`; it began when n was n_0. Its
setpoints pass only while n = n_0. So neither arming nor a switch that is pressed again moves the arm by itself.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import RuleCode, SetpointRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, OfferedStream
from vla_ros.safety.verdict import Verdict

NAME = "resumption"


class Resumption(SetpointRule):
    """A stream that was running when the arm was stopped is refused until the source has been silent and begins anew.

    Args: parameters: `command.timeout_s`. limits, arm: not used.
    """

    NAME, CODE = NAME, RuleCode.RESUMPTION

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._timeout_ns = round(parameters.command.timeout_s * 1e9)

    def offered(self, setpoint: Setpoint, state: FilterState) -> None:
        """Note which stream the setpoint belongs to: the one that runs, or a new one."""
        stream = state.offered[setpoint.channel]
        if stream is None or setpoint.receive_ns - stream.receive_ns > self._timeout_ns:
            state.offered[setpoint.channel] = OfferedStream(state.stops, setpoint.receive_ns)
        else:
            stream.receive_ns = setpoint.receive_ns

    def check(self, setpoint: Setpoint, state: FilterState) -> Verdict | None:
        """Refuse a setpoint of a stream that is older than the newest stop."""
        stream = state.offered[setpoint.channel]
        if stream is None or stream.stops == state.stops:
            return None
        silence_s = self._timeout_ns / 1e9
        return Verdict(
            NAME,
            f"the arm was stopped while {setpoint.channel} was sending: a stop ends what is sent; it begins anew after "
            f"{silence_s:g} s without setpoints",
        )
