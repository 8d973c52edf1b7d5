"""What one tick decided."""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.safety.arm_motion import ArmMotion
from vla_ros.safety.state import FilterState
from vla_ros.safety.states import State
from vla_ros.safety.verdict import Verdict

REJECTION_SHOWN_NS = 200_000_000
"""A refused setpoint stays in the decisions for this long, so that a slow status still shows it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What one tick decided.

    positions: to be sent, rad or m per joint; None: nothing is sent. velocities: per second. source: whose setpoints are
    followed; empty: nobody's. verdict: the rule that acted; None: none did.
    """

    state: State
    positions: tuple[float, ...] | None
    velocities: tuple[float, ...]
    source: str
    verdict: Verdict | None


def decision_of(
    state: FilterState, motion: ArmMotion, now_ns: int, positions: tuple[float, ...] | None, verdict: Verdict | None
) -> Decision:
    """Return the decision of a tick.

    Args:
        state: after the tick.
        motion: of the arm.
        now_ns: time of the tick.
        positions: that are sent, rad or m per joint; None: nothing is sent.
        verdict: of the rule that acted in the tick; None: none did, and a recent refusal of a setpoint is shown.
    """
    source = state.followed if state.spline is not None else ""
    if verdict is None and state.rejection is not None and now_ns - state.rejection_ns < REJECTION_SHOWN_NS:
        verdict = state.rejection
    if positions is None:
        return Decision(state.state, None, (), source, verdict)
    return Decision(state.state, positions, motion.velocities(state), source, verdict)
