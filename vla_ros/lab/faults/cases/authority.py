"""Faults of authority: stops, latches, several publishers, parameters."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.cases.setpoints import move_from_here, no_setpoints
from vla_ros.lab.faults.reaction import DISARMED, ESTOP, MOVING, PROTECTIVE, ExpectedReaction
from vla_ros.lab.faults.rest_bounds import DISCOVERY_S, PUBLISHER_CHECK_S, RestBounds
from vla_ros.lab.faults.rig import FaultRig
from vla_ros.lab.faults.rig_messages import RigSetpoint
from vla_ros.lab.faults.swing import FULL_SPEED_S, SWING_HZ
from vla_ros.safety.command.enabling import PRESSED_THROUGH, RELEASED

ACCELERATING_S = 0.92 / SWING_HZ
"""From the middle of the swing until shortly before it, where the arm still accelerates."""


def call_estop(rig: FaultRig) -> None:
    """Call vla/estop while the arm accelerates."""
    rig.run_for(ACCELERATING_S)
    rig.mark_fault()
    rig.call_filter("estop")


def press_estop(rig: FaultRig) -> None:
    """Press the button on vla/estop."""
    rig.set_estop(True)


def reset_while_pressed(rig: FaultRig) -> None:
    """Press the button and call reset before it is released."""
    rig.set_estop(True)
    rig.run_for(1.0)
    rig.call_filter("reset")


def reset_after_estop(rig: FaultRig) -> None:
    """Reset while the policy goes on: the arm does not move and the filter stays disarmed."""
    rig.call_filter("estop")
    rig.run_for(1.0)
    rig.call_filter("reset")
    rig.run_for(1.0)


def set_attribute(attribute: str, value: object) -> Callable[[FaultRig], None]:
    """Set an attribute of the rig, so that a periodic message is no longer sent."""

    def inject(rig: FaultRig) -> None:
        setattr(rig, attribute, value)

    return inject


def override_policy(rig: FaultRig) -> None:
    """An operator moves joint1 while the policy goes on, then lets go."""
    first: list[RigSetpoint] = []

    def move_joint1(correct: RigSetpoint, s: float) -> Sequence[RigSetpoint]:
        first.append(correct)
        here = first[0].positions[0]
        positions = (here + 0.2 * min(s, 1.0), *first[0].positions[1:])
        return (RigSetpoint(correct.seq, correct.stamp_ns, correct.names, positions, "override"),)

    rig.set_override(move_joint1)
    rig.run_for(1.2)
    rig.alter_setpoint = no_setpoints
    rig.set_override(None)


def add_publisher(setpoints: bool) -> Callable[[FaultRig], None]:
    """Let a second node appear on the policy's topic."""

    def inject(rig: FaultRig) -> None:
        rig.set_extra_publishers(1, setpoints)

    return inject


def add_stranger(name: str) -> Callable[[FaultRig], None]:
    """Let a node appear that moves the arm past the filter."""
    return lambda rig: rig.set_stranger(name)


def flood_topic(rig: FaultRig) -> None:
    """Start participants that flood the topic; the fault begins when the first one is discovered."""
    # The arm must move whenever that is: one joint is at its highest speed when the other one reverses.
    rate = 2.0 * math.pi * SWING_HZ
    move_from_here(rig, lambda t: {"joint1": 0.2 * math.sin(rate * t), "joint7": 0.25 * (1.0 - math.cos(rate * t))})
    rig.set_flood(3)
    rig.run_for(15.0, lambda: rig.count_publishers() > 1 or rig.rule == "authority")
    rig.mark_fault()


def change_parameter(name: str, value: float) -> Callable[[FaultRig], None]:
    """Try to change a parameter of the filter."""
    return lambda rig: rig.set_filter_parameter(name, value)


def raise_speed_scale(rig: FaultRig) -> None:
    """Lower the speed scale, then raise it in mid-motion."""
    rig.set_speed_scale(0.3)
    rig.run_for(FULL_SPEED_S)
    rig.mark_fault()
    rig.set_speed_scale(1.0)
    rig.run_for(1.0)


def cases(bounds: RestBounds) -> Iterator[FaultCase]:
    """Yield the cases of this file."""
    stop, goes_on = ExpectedReaction(("estop",), ESTOP, bounds.at_once), ExpectedReaction(ends=MOVING, goes_on=True)
    yield FaultCase("estop-service", "vla/estop while the arm accelerates", stop, call_estop)
    yield FaultCase("estop-topic", "true on vla/estop", stop, press_estop)
    yield FaultCase(
        "heartbeat-silent",
        "no e-stop heartbeat any more",
        ExpectedReaction(("estop",), ESTOP, bounds.at_once + bounds.heartbeat_timeout),
        set_attribute("heartbeat_active", False),
    )
    yield FaultCase(
        "reset-while-held",
        "reset while the button is pressed",
        ExpectedReaction(("estop",), ESTOP, bounds.at_once, says="still pressed"),
        reset_while_pressed,
    )
    yield FaultCase(
        "reset-moves-nothing",
        "e-stop, then reset, while the policy goes on",
        ExpectedReaction(("authority",), DISARMED, bounds.at_once),
        reset_after_estop,
    )
    yield FaultCase(
        "deadman-released",
        "the dead-man switch is not held any more",
        ExpectedReaction(("deadman",), rest_s=bounds.at_once + bounds.deadman_timeout),
        set_attribute("deadman_held", False),
    )
    for name, fault, position in (
        ("enabling-released", "the enabling device is let go", RELEASED),
        ("enabling-pressed-through", "the enabling device is pressed through", PRESSED_THROUGH),
    ):
        yield FaultCase(
            name, fault, ExpectedReaction(("enabling",), rest_s=bounds.at_once), set_attribute("enabling", position)
        )
    yield FaultCase(
        "override",
        "an operator's device commands while the policy does",
        ExpectedReaction(("authority",), rest_s=1.2 + bounds.without_setpoints),
        override_policy,
    )
    several = ExpectedReaction(("authority",), rest_s=bounds.at_once + PUBLISHER_CHECK_S + DISCOVERY_S)
    yield FaultCase(
        "two-publishers", "a second node sends setpoints on vla/joint_command", several, add_publisher(True)
    )
    yield FaultCase("two-publishers-silent", "a second node is there and sends nothing", several, add_publisher(False))
    yield FaultCase(
        "stranger-commands", "a stranger publishes on arm_controller/commands", several, add_stranger("commands")
    )
    yield FaultCase(
        "stranger-trajectory",
        "a stranger publishes on arm_controller/joint_trajectory",
        several,
        add_stranger("joint_trajectory"),
    )
    yield FaultCase(
        "stranger-goal",
        "arm_controller/follow_joint_trajectory executes a stranger's goal",
        dataclasses.replace(several, ends=PROTECTIVE),
        add_stranger("follow_joint_trajectory"),
    )
    # Discovery of so many participants may delay the filter or the driver beyond the timeout of the arm's controller.
    flood = dataclasses.replace(several, rules=("authority", "tracking_error"), ends=("HOLDING", "PROTECTIVE_STOP"))
    yield FaultCase("flood", "12 participants flood vla/joint_command", flood, flood_topic, stalls=True)
    yield FaultCase(
        "parameter-changed",
        "command.timeout_s set in mid-motion",
        ExpectedReaction(ends=MOVING, goes_on=True, says="offers no parameter services"),
        change_parameter("command.timeout_s", 9.0),
    )
    yield FaultCase(
        "tool-changed",
        "payload.mass_kg set in mid-motion",
        ExpectedReaction(ends=MOVING, goes_on=True, says="offers no parameter services"),
        change_parameter("payload.mass_kg", 2.0),
    )
    yield FaultCase(
        "speed-scale-raised", "the speed scale lowered, then raised in mid-motion", goes_on, raise_speed_scale
    )
