"""Faults of the setpoints themselves."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.reaction import MOVING, ExpectedReaction
from vla_ros.lab.faults.rest_bounds import RestBounds
from vla_ros.lab.faults.rig import FaultRig
from vla_ros.lab.faults.rig_messages import RigSetpoint
from vla_ros.lab.faults.swing import PERIOD_S
from vla_ros.sim.arm_description import JOINT_NAMES, POSITION_UPPER

Positions = tuple[float, ...]

SMALLEST = 5e-324
BEYOND = 0.05
"""rad: a setpoint so little beyond a limit stays within command.step of an output that brakes before the limit."""
AHEAD = 0.12
"""rad: a setpoint so far ahead of the arm, for as long as the arm is pushed; less than command.step."""


def alter(change: Callable[[RigSetpoint, float], RigSetpoint | Sequence[RigSetpoint]]) -> Callable[[FaultRig], None]:
    """Replace every setpoint from now on."""

    def inject(rig: FaultRig) -> None:
        def altered(correct: RigSetpoint, elapsed_s: float) -> Sequence[RigSetpoint]:
            sent = change(correct, elapsed_s)
            return (sent,) if isinstance(sent, RigSetpoint) else sent

        rig.alter_setpoint = altered

    return inject


def alter_positions(change: Callable[[RigSetpoint, float], Positions]) -> Callable[[FaultRig], None]:
    """Replace the positions of every setpoint from now on."""
    return alter(lambda correct, elapsed_s: dataclasses.replace(correct, positions=change(correct, elapsed_s)))


def set_joint(value: float, joint: str = "joint4") -> Callable[[FaultRig], None]:
    """Give one joint this position in every setpoint from now on, rad or m."""
    return alter_positions(lambda correct, _: correct.positions_with(**{joint: value}))


def no_setpoints(_: RigSetpoint, __: float) -> Sequence[RigSetpoint]:
    """Send nothing."""
    return ()


def move_from_here(rig: FaultRig, motion: Callable[[float], dict[str, float]]) -> None:
    """Move some joints by `motion` (s → rad) from the present setpoint on; the other joints stay there."""
    first: list[RigSetpoint] = []

    def altered(correct: RigSetpoint, elapsed_s: float) -> Sequence[RigSetpoint]:
        first.append(correct)
        start = dict(zip(correct.names, first[0].positions, strict=True))
        moved = {name: start[name] + offset for name, offset in motion(elapsed_s).items()}
        return (dataclasses.replace(correct, positions=first[0].positions_with(**moved)),)

    rig.alter_setpoint = altered


def push(rig: FaultRig, **directions: float) -> None:
    """Command some joints ahead of the measured arm, in a direction (-1 or 1), from now on; the other joints stay."""
    first: list[RigSetpoint] = []

    def altered(correct: RigSetpoint, _: float) -> Sequence[RigSetpoint]:
        first.append(correct)
        ahead = {name: rig.joint_state.position(name) + sign * AHEAD for name, sign in directions.items()}
        return (dataclasses.replace(correct, positions=first[0].positions_with(**ahead)),)

    rig.alter_setpoint = altered


def push_for_a_while(**directions: float) -> Callable[[FaultRig], None]:
    """Push some joints for 2.5 s."""

    def inject(rig: FaultRig) -> None:
        push(rig, **directions)
        rig.run_for(2.5)

    return inject


def push_into_limit(rig: FaultRig) -> None:
    """Command joint7 at 1.5 rad/s to a position beyond its limit and keep it there."""
    distance = BEYOND + float(POSITION_UPPER[JOINT_NAMES.index("joint7")]) - rig.joint_state.position("joint7")
    move_from_here(rig, lambda t: {"joint7": min(1.5 * t, distance)})
    rig.run_for(distance / 1.5 + 0.5)


def reverse(rig: FaultRig) -> None:
    """Bring joint1 to nearly its full speed, reverse that speed between two setpoints, then send nothing."""
    speed, rise_s, hold_s = 2.0, 0.5, 0.15

    def forward(t: float) -> dict[str, float]:
        # v = speed (1 - cos(pi t / rise)) / 2 until the rise is over.
        u = min(t, rise_s)
        return {
            "joint1": speed * (u - rise_s / math.pi * math.sin(math.pi * u / rise_s)) / 2 + speed * max(0.0, t - rise_s)
        }

    move_from_here(rig, forward)
    rig.run_for(rise_s + hold_s)
    rig.mark_fault()
    move_from_here(rig, lambda t: {"joint1": -speed * t})
    rig.run_for((rise_s + hold_s) / 2)
    rig.alter_setpoint = no_setpoints


def alternate(rig: FaultRig) -> None:
    """Let each setpoint jump to the other side."""
    move_from_here(rig, lambda t: {"joint1": 0.05 if round(t / PERIOD_S) % 2 else -0.05})
    rig.run_for(1.0)


def oscillate(rig: FaultRig) -> None:
    """Command oscillations that are faster than the limits allow."""
    move_from_here(
        rig, lambda t: {"joint1": 0.1 * math.sin(2 * math.pi * 6.0 * t), "joint4": 0.05 * math.sin(50.0 * t)}
    )
    rig.run_for(1.5)


def send_burst(rig: FaultRig) -> None:
    """Send a thousand setpoints at once, then go on as before."""
    rig.send_burst(1000)
    rig.run_for(1.0)


def cases(bounds: RestBounds) -> Iterator[FaultCase]:
    """Yield the cases of this file."""

    def stops(rule: str) -> ExpectedReaction:
        return ExpectedReaction((rule,), rest_s=bounds.without_setpoints)

    schema, goes_on = stops("schema"), ExpectedReaction(ends=MOVING, goes_on=True)
    limited = ("velocity_limit", "acceleration_limit", "jerk_limit")
    yield FaultCase("nan", "NaN in one joint", schema, set_joint(math.nan))
    yield FaultCase("infinity", "+inf in one joint", schema, set_joint(math.inf))
    yield FaultCase("minus-infinity", "-inf in one joint", schema, set_joint(-math.inf))
    yield FaultCase("huge", "1e308 in one joint", schema, set_joint(1e308))
    yield FaultCase("denormal", "5e-324 in a joint at 0", goes_on, set_joint(SMALLEST, "joint5"))
    yield FaultCase(
        "wrong-length",
        "7 positions for 8 names",
        schema,
        alter_positions(lambda correct, _: correct.positions[:-1]),
    )
    yield FaultCase(
        "empty",
        "no names, no positions",
        schema,
        alter(lambda correct, _: dataclasses.replace(correct, names=(), positions=())),
    )
    yield FaultCase(
        "duplicate-names",
        "joint1 named twice",
        schema,
        alter(lambda correct, _: dataclasses.replace(correct, names=("joint1", *correct.names[:-1]))),
    )
    yield FaultCase(
        "permuted-names",
        "names and positions in reverse order",
        goes_on,
        alter(
            lambda correct, _: dataclasses.replace(
                correct, names=correct.names[::-1], positions=correct.positions[::-1]
            )
        ),
    )
    yield FaultCase(
        "unknown-joint",
        "joint9 for joint1",
        schema,
        alter(lambda correct, _: dataclasses.replace(correct, names=("joint9", *correct.names[1:]))),
    )
    yield FaultCase(
        "degrees",
        "degrees for radians",
        schema,
        alter_positions(lambda correct, _: tuple(map(math.degrees, correct.positions))),
    )
    yield FaultCase(
        "step-jump",
        "joint1 jumps by 0.5 rad",
        stops("continuity"),
        alter_positions(lambda correct, _: correct.positions_with(joint1=correct.positions[0] + 0.5)),
    )
    yield FaultCase(
        "sign-alternation",
        "joint1 ±0.05 rad, the other sign in each setpoint",
        ExpectedReaction(limited, MOVING),
        alternate,
    )
    yield FaultCase(
        "push-into-limit",
        "joint7 commanded beyond its limit and held there",
        ExpectedReaction(("position_limit",), MOVING, bounds.arrival + 2.0 + bounds.stop),
        push_into_limit,
    )
    yield FaultCase(
        "reversal",
        "joint1 from 2 rad/s to -2 rad/s between two setpoints, then silence",
        ExpectedReaction(limited, rest_s=0.325 + bounds.without_setpoints),
        reverse,
    )
    yield FaultCase(
        "silent",
        "no setpoints in mid-motion",
        ExpectedReaction(("open_loop",), rest_s=bounds.without_setpoints),
        alter(no_setpoints),
    )
    # The arm brakes past the position and returns: two stops from full speed, after the setpoints in the buffer are played.
    yield FaultCase(
        "constant",
        "the same position in every setpoint, in mid-motion",
        ExpectedReaction((), MOVING, bounds.arrival + bounds.playback_delay + 2 * PERIOD_S + 2 * bounds.stop),
        lambda rig: move_from_here(rig, lambda _: {}),
    )
    yield FaultCase(
        "oscillating", "joint1 ±0.1 rad at 6 Hz: 3.8 rad/s", ExpectedReaction(limited, MOVING, goes_on=True), oscillate
    )
    yield FaultCase("burst", "1000 setpoints at once", goes_on, send_burst)
