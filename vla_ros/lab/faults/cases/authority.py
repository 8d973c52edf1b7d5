"""Faults of authority: stops, latches, two who command, parameters."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence

from vla_ros.lab.faults.case import DISARMED, ESTOP, MOVING, Case, Expected
from vla_ros.lab.faults.cases.setpoints import silent, since_here
from vla_ros.lab.faults.rig import Rig
from vla_ros.lab.faults.stream import FULL_SPEED_S, SWING_HZ, Setpoint
from vla_ros.lab.faults.times import DISCOVERY_S, LOOK_S, Times

ACCELERATING_S = 0.92 / SWING_HZ
"""From the middle of the swing until it is nearly there again, and still speeds up."""


def stopped(rig: Rig) -> None:
    """vla/estop while the arm accelerates."""
    rig.play(ACCELERATING_S)
    rig.mark()
    rig.call("estop")


def pressed(rig: Rig) -> None:
    """The button on vla/estop."""
    rig.press(True)


def held(rig: Rig) -> None:
    """Reset while the button is still pressed."""
    rig.press(True)
    rig.play(1.0)
    rig.call("reset")


def reset(rig: Rig) -> None:
    """Reset while the policy goes on: nothing moves, and it stays disarmed."""
    rig.call("estop")
    rig.play(1.0)
    rig.call("reset")
    rig.play(1.0)


def unheard(attribute: str, value: object) -> Callable[[Rig], None]:
    """Something that must come regularly comes no more."""

    def inject(rig: Rig) -> None:
        setattr(rig, attribute, value)

    return inject


def overridden(rig: Rig) -> None:
    """A human moves joint1 while the policy goes on, and lets go."""
    first: list[Setpoint] = []

    def by_hand(right: Setpoint, s: float) -> Sequence[Setpoint]:
        first.append(right)
        here = first[0].positions[0]
        positions = (here + 0.2 * min(s, 1.0), *first[0].positions[1:])
        return (Setpoint(right.seq, right.stamp_ns, right.names, positions, "override"),)

    rig.override(by_hand)
    rig.play(1.2)
    rig.alter = silent
    rig.override(None)


def second(setpoints: bool) -> Callable[[Rig], None]:
    """A second node publishes on the policy's topic."""

    def inject(rig: Rig) -> None:
        rig.extra_publishers(1, setpoints)

    return inject


def flooded(rig: Rig) -> None:
    """Participants without end; the fault begins when the first one is seen."""
    # Whenever that is, the arm moves: one joint is in the middle of its swing when another one turns.
    turn = 2.0 * math.pi * SWING_HZ
    since_here(rig, lambda t: {"joint1": 0.2 * math.sin(turn * t), "joint7": 0.25 * (1.0 - math.cos(turn * t))})
    rig.flood(3)
    rig.play(15.0, lambda: rig.publishers() > 1 or rig.rule == "authority")
    rig.mark()


def changed(name: str, value: float) -> Callable[[Rig], None]:
    """Try to change a parameter."""
    return lambda rig: rig.set_parameter(name, value)


def raised(rig: Rig) -> None:
    """Lower the speed scale, then try to raise it in mid-motion."""
    rig.scale(0.3)
    rig.play(FULL_SPEED_S)
    rig.mark()
    rig.scale(1.0)
    rig.play(1.0)


def cases(t: Times) -> Iterator[Case]:
    """The cases of this file."""
    stop, on = Expected(("estop",), ESTOP, t.at_once), Expected(ends=MOVING, goes_on=True)
    yield Case("estop-service", "vla/estop while the arm accelerates", stop, stopped)
    yield Case("estop-topic", "true on vla/estop", stop, pressed)
    yield Case(
        "heartbeat-silent",
        "no e-stop heartbeat any more",
        Expected(("estop",), ESTOP, t.at_once + t.heartbeat),
        unheard("beats", False),
    )
    yield Case(
        "reset-while-held",
        "reset while the button is pressed",
        Expected(("estop",), ESTOP, t.at_once, says="still pressed"),
        held,
    )
    yield Case(
        "reset-moves-nothing",
        "e-stop, then reset, while the policy goes on",
        Expected(("authority",), DISARMED, t.at_once),
        reset,
    )
    yield Case(
        "deadman-released",
        "the dead-man switch is not held any more",
        Expected(("deadman",), rest_s=t.at_once + t.deadman),
        unheard("held", False),
    )
    yield Case(
        "override",
        "a human's device commands beside the policy",
        Expected(("authority",), rest_s=1.2 + t.refused),
        overridden,
    )
    crowded = Expected(("authority",), rest_s=t.at_once + LOOK_S + DISCOVERY_S)
    yield Case("two-publishers", "a second node sends setpoints on vla/joint_command", crowded, second(True))
    yield Case("two-publishers-silent", "a second node is there, and says nothing", crowded, second(False))
    # Discovery of so many may hold up the filter or the driver for longer than the arm's controller waits.
    flood = dataclasses.replace(crowded, rules=("authority", "tracking_error"), ends=("HOLDING", "PROTECTIVE_STOP"))
    yield Case("flood", "12 participants flood vla/joint_command", flood, flooded, stalls=True)
    yield Case(
        "parameter-changed",
        "command.timeout_s set in mid-motion",
        Expected(ends=MOVING, goes_on=True, says="cannot change while the node runs"),
        changed("command.timeout_s", 9.0),
    )
    yield Case(
        "tool-changed",
        "payload.mass_kg set in mid-motion",
        Expected(ends=MOVING, goes_on=True, says="cannot change while the node runs"),
        changed("payload.mass_kg", 2.0),
    )
    yield Case("speed-scale-raised", "the speed scale lowered, then raised in mid-motion", on, raised)
