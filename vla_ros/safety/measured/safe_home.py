"""Safe home: is the arm measured at rest in its home position?"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.measured.joint_state import JointStateAtRest, JointStateFresh
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState


class SafeHome:
    """|measured - home| <= tolerance for every joint, of a fresh joint state at rest, while the output does not move.

    Args: parameters: `home`, `measured`. limits: of the joints.
    """

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits]) -> None:
        self.configured = bool(parameters.home.position)
        self._home = list(zip(parameters.home.position, parameters.home.tolerance, strict=True))
        self._rules = JointStateFresh(parameters, limits), JointStateAtRest(parameters, limits)

    def reached(self, state: FilterState, now_ns: int) -> bool:
        """Return whether the arm is there; False when it is not configured or not known."""
        if not self.configured or (state.sending and not state.at_rest):
            return False
        if any(rule.check(state, now_ns) is not None for rule in self._rules):
            return False
        rows = zip(state.measured.q, self._home, strict=True)
        return all(abs(q / NANO - at) <= tolerance for q, (at, tolerance) in rows)
