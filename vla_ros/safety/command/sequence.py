"""Rule sequence: within one stream of a source, seq and stamp only rise."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import RuleCode, SetpointRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, StreamState
from vla_ros.safety.verdict import Verdict

NAME = "sequence"


class SetpointSequence(SetpointRule):
    """A source that was silent for longer than the timeout begins a new stream (it was restarted).

    Args: parameters: `command.timeout_s`. limits, arm: not used.
    """

    NAME, CODE = NAME, RuleCode.SEQUENCE

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._timeout_ns = round(parameters.command.timeout_s * 1e9)

    def check(self, setpoint: Setpoint, state: FilterState) -> Verdict | None:
        """Refuse a repeat and a step back."""
        last = state.streams[setpoint.channel]
        if last is None or setpoint.receive_ns - last.receive_ns > self._timeout_ns:
            return None
        if setpoint.seq <= last.seq:
            return Verdict(
                NAME,
                f"seq {setpoint.seq} after {last.seq}: repeated or out of order",
                requested=setpoint.seq,
                limit=last.seq,
            )
        if setpoint.stamp_ns <= last.stamp_ns:
            return Verdict(NAME, f"the stamp of seq {setpoint.seq} is not later than that of seq {last.seq}")
        return None

    def accepted(self, setpoint: Setpoint, state: FilterState) -> None:
        """Remember the setpoint, and count those in the middle of a stream that were not accepted before it."""
        last = state.streams[setpoint.channel]
        if last is not None and setpoint.receive_ns - last.receive_ns <= self._timeout_ns:
            state.missing += setpoint.seq - last.seq - 1
        state.streams[setpoint.channel] = StreamState(setpoint.seq, setpoint.stamp_ns, setpoint.receive_ns)
