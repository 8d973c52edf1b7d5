"""Rule joint_source: each joint is reported by one publisher.

Of two, one may report another robot, mock hardware, or the values of a driver that is dead. A publisher takes a joint over
from another one that has been silent for `measured.timeout_s`, as a driver does that was started again.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.command.authority import JOINT_STATES
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import Action, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "joint_source"


class JointSource(TickRule):
    """Args: parameters: `measured.timeout_s`, `measured.settle_s`. limits, arm: not used."""

    NAME, CODE, ACTION = NAME, RuleCode.JOINT_SOURCE, Action.LATCH

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._memory_ns = round(max(parameters.measured.timeout_s, parameters.measured.settle_s) * 1e9)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when two publishers have reported one joint within the last moment."""
        measured = state.measured
        if not measured.rival or now_ns - measured.rival_ns > self._memory_ns:
            return None
        joint, *publishers = measured.rival
        first, second = (_described(state, publisher) for publisher in publishers)
        return Verdict(NAME, f"joint_states: {joint} is reported by {first} and by {second}; stop one of them", joint)


def _described(state: FilterState, publisher: str) -> str:
    """Return who a publisher is, where the graph says it."""
    named = (name for name in state.publishers.get(JOINT_STATES, ()) if publisher and publisher in name)
    return next(named, f"publisher {publisher or 'without a name'}")
