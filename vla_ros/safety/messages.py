"""What a message does to the state of the filter. None of them moves anything: that is up to the next tick."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

from vla_ros.safety.command import estop
from vla_ros.safety.command.authority import has_multiple_publishers
from vla_ros.safety.command.freshness import due_ns
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.command.setpoint_spline import SetpointSpline
from vla_ros.safety.filter_setup import FilterSetup
from vla_ros.safety.geometry.obstacle_shape import Obstacle
from vla_ros.safety.rules import enforce
from vla_ros.safety.state import FilterState
from vla_ros.safety.states import ACTIVE, State
from vla_ros.safety.verdict import Verdict

SLOWEST_SCALE = 0.01


def offer_setpoint(state: FilterState, setup: FilterSetup, setpoint: Setpoint) -> Verdict | None:
    """Append a setpoint to those that are followed, or return the verdict of the first rule that refuses it."""
    if setup.continuous.indices:
        setpoint = setup.continuous.read_setpoint(setpoint, [joint.q for joint in state.joints])
    for rule in setup.setpoint_rules:
        rule.offered(setpoint, state)
    if state.stalled_by is not None:
        return state.stalled_by
    for rule in setup.setpoint_rules:
        verdict = rule.check(setpoint, state)
        if verdict is not None:
            return verdict
    for rule in setup.setpoint_rules:
        rule.accepted(setpoint, state)
    due = due_ns(setpoint, state)
    if state.spline is None or setpoint.channel != state.followed or not state.spline.continues(due):
        state.spline = SetpointSpline([joint.q for joint in state.joints], setup.setpoint_period_ns)
        state.targets = None
        state.followed = setpoint.channel
    state.spline.add(due, setup.continuity.point(setpoint))
    state.accepted_ns = setpoint.receive_ns
    return None


def count_setpoint(state: FilterState, setpoint: Setpoint, verdict: Verdict | None) -> None:
    """Count a setpoint that was accepted, or refused for the reason of `verdict`."""
    if verdict is None:
        state.accepted += 1
    else:
        state.rejected += 1
        state.rejection, state.rejection_ns = verdict, setpoint.receive_ns


JointStateMessage: TypeAlias = tuple[
    int, Sequence[str], Sequence[float], Sequence[float], Sequence[float], int | None, str
]
"""receive_ns, names, positions, velocities, efforts, stamp_ns, publisher: see `JointStateReader.update`."""


def update_joint_state(state: FilterState, setup: FilterSetup, message: JointStateMessage) -> Verdict | None:
    """Take over what a message says of the measured joints; take the action of the first measured rule that objects."""
    verdict = setup.reader.update(state.measured, *message)
    if verdict is None and setup.measured_rules and state.state in ACTIVE:
        verdict = enforce(setup.measured_rules, state, message[0])
    return verdict


def update_obstacles(
    state: FilterState, setup: FilterSetup, receive_ns: int, obstacles: Sequence[Obstacle]
) -> Verdict | None:
    """Take over the complete list of obstacles; see `Obstacles.update`."""
    if setup.constraints is None:
        return None
    return setup.constraints.update_obstacles(state, receive_ns, obstacles)


def update_estop(state: FilterState, pressed: bool, button: str) -> None:
    """An e-stop button is pressed, or released; released, the latch stays until reset."""
    estop.update(state, pressed, button)


def update_publishers(state: FilterState, channel: str, names: Sequence[str]) -> None:
    """Take note of who publishes now on the topic of `channel`."""
    state.publishers[channel] = tuple(names)
    if channel == estop.BUTTON:
        estop.name_buttons(state)


def update_reduced(state: FilterState, receive_ns: int, asked_for: bool) -> None:
    """The input of reduced mode was received."""
    state.reduced, state.reduced_ns = asked_for, receive_ns


def update_speed_scale(state: FilterState, scale: float) -> tuple[bool, str]:
    """Scale all velocity limits. Lowering takes effect at once, raising only at rest."""
    if not (math.isfinite(scale) and SLOWEST_SCALE <= scale <= 1.0):
        return False, f"speed scale {scale}: must be from {SLOWEST_SCALE} to 1"
    owners = has_multiple_publishers(state, "speed_scale")
    if owners is not None:
        return False, f"speed scale {scale:g} refused: {owners.reason}"
    thousandths = int(scale * 1000)
    if thousandths > state.scale and state.state not in (State.DISARMED, State.HOLDING):
        return False, f"the speed scale can be raised to {scale:g} only while the filter is HOLDING or DISARMED"
    state.scale = thousandths
    return True, f"speed scale {scale:g}"
