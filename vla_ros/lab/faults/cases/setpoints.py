"""Faults of the setpoints themselves."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence

from vla_ros.lab.faults.case import MOVING, Case, Expected
from vla_ros.lab.faults.rig import Rig
from vla_ros.lab.faults.stream import PERIOD_S, Setpoint
from vla_ros.lab.faults.times import Times
from vla_ros.sim.arm_description import JOINT_NAMES, POSITION_UPPER

Positions = tuple[float, ...]

SMALLEST = 5e-324
BEYOND = 0.05
"""rad: so little beyond a limit that the setpoint stays within command.step of an output that brakes before it."""
AHEAD = 0.12
"""rad: a setpoint so far before the arm, for as long as it is pushed; less than command.step."""


def altered(alter: Callable[[Setpoint, float], Setpoint | Sequence[Setpoint]]) -> Callable[[Rig], None]:
    """From now on, something else is sent for each setpoint."""

    def inject(rig: Rig) -> None:
        def each(right: Setpoint, elapsed_s: float) -> Sequence[Setpoint]:
            made = alter(right, elapsed_s)
            return (made,) if isinstance(made, Setpoint) else made

        rig.alter = each

    return inject


def positions(change: Callable[[Setpoint, float], Positions]) -> Callable[[Rig], None]:
    """From now on, other positions are sent."""
    return altered(lambda right, elapsed_s: dataclasses.replace(right, positions=change(right, elapsed_s)))


def one(value: float, joint: str = "joint4") -> Callable[[Rig], None]:
    """From now on, one joint has this position."""
    return positions(lambda right, _: right.moved(**{joint: value}))


def silent(_: Setpoint, __: float) -> Sequence[Setpoint]:
    """Nothing."""
    return ()


def since_here(rig: Rig, motion: Callable[[float], dict[str, float]]) -> None:
    """From now on, some joints move by `motion` (s → rad) from the setpoint at which it begins; the others stay there."""
    first: list[Setpoint] = []

    def alter(right: Setpoint, elapsed_s: float) -> Sequence[Setpoint]:
        first.append(right)
        here = dict(zip(right.names, first[0].positions, strict=True))
        moved = {name: here[name] + by for name, by in motion(elapsed_s).items()}
        return (dataclasses.replace(right, positions=first[0].moved(**moved)),)

    rig.alter = alter


def push(rig: Rig, **joints: float) -> None:
    """From now on, some joints are always told to go on in a direction (-1 or 1), the others to stay."""
    first: list[Setpoint] = []

    def alter(right: Setpoint, _: float) -> Sequence[Setpoint]:
        first.append(right)
        ahead = {name: rig.measured.position(name) + sign * AHEAD for name, sign in joints.items()}
        return (dataclasses.replace(right, positions=first[0].moved(**ahead)),)

    rig.alter = alter


def against(**joints: float) -> Callable[[Rig], None]:
    """Push, and see what comes of it."""

    def inject(rig: Rig) -> None:
        push(rig, **joints)
        rig.play(2.5)

    return inject


def into_limit(rig: Rig) -> None:
    """joint7 at 1.5 rad/s to beyond its limit, where it is told to be from then on."""
    room = BEYOND + float(POSITION_UPPER[JOINT_NAMES.index("joint7")]) - rig.measured.position("joint7")
    since_here(rig, lambda t: {"joint7": min(1.5 * t, room)})
    rig.play(room / 1.5 + 0.5)


def reversal(rig: Rig) -> None:
    """joint1 to nearly its full speed, then back at that speed from one setpoint to the next, then silence."""
    speed, rise_s, hold_s = 2.0, 0.5, 0.15

    def forth(t: float) -> dict[str, float]:
        # v = speed (1 - cos(pi t / rise)) / 2 until the rise is over.
        u = min(t, rise_s)
        return {
            "joint1": speed * (u - rise_s / math.pi * math.sin(math.pi * u / rise_s)) / 2 + speed * max(0.0, t - rise_s)
        }

    since_here(rig, forth)
    rig.play(rise_s + hold_s)
    rig.mark()
    turn = rise_s + hold_s
    since_here(rig, lambda t: {"joint1": -speed * t})
    rig.play(turn / 2)
    rig.alter = silent


def alternation(rig: Rig) -> None:
    """Each setpoint jumps to the other side."""
    since_here(rig, lambda t: {"joint1": 0.05 if round(t / PERIOD_S) % 2 else -0.05})
    rig.play(1.0)


def oscillation(rig: Rig) -> None:
    """Faster than the limits allow."""
    since_here(rig, lambda t: {"joint1": 0.1 * math.sin(2 * math.pi * 6.0 * t), "joint4": 0.05 * math.sin(50.0 * t)})
    rig.play(1.5)


def bursting(rig: Rig) -> None:
    """A thousand at once, then on as before."""
    rig.burst(1000)
    rig.play(1.0)


def cases(t: Times) -> Iterator[Case]:
    """The cases of this file."""

    def refused(rule: str) -> Expected:
        return Expected((rule,), rest_s=t.refused)

    schema, on = refused("schema"), Expected(ends=MOVING, goes_on=True)
    bent = ("velocity_limit", "acceleration_limit", "jerk_limit")
    yield Case("nan", "NaN in one joint", schema, one(math.nan))
    yield Case("infinity", "+inf in one joint", schema, one(math.inf))
    yield Case("minus-infinity", "-inf in one joint", schema, one(-math.inf))
    yield Case("huge", "1e308 in one joint", schema, one(1e308))
    yield Case("denormal", "5e-324 in a joint at 0", on, one(SMALLEST, "joint5"))
    yield Case(
        "wrong-length",
        "7 positions for 8 names",
        schema,
        positions(lambda right, _: right.positions[:-1]),
    )
    yield Case(
        "empty",
        "no names, no positions",
        schema,
        altered(lambda right, _: dataclasses.replace(right, names=(), positions=())),
    )
    yield Case(
        "duplicate-names",
        "joint1 named twice",
        schema,
        altered(lambda right, _: dataclasses.replace(right, names=("joint1", *right.names[:-1]))),
    )
    yield Case(
        "permuted-names",
        "names and positions in reverse order",
        on,
        altered(lambda right, _: dataclasses.replace(right, names=right.names[::-1], positions=right.positions[::-1])),
    )
    yield Case(
        "unknown-joint",
        "joint9 for joint1",
        schema,
        altered(lambda right, _: dataclasses.replace(right, names=("joint9", *right.names[1:]))),
    )
    yield Case(
        "degrees", "degrees for radians", schema, positions(lambda right, _: tuple(map(math.degrees, right.positions)))
    )
    yield Case(
        "step-jump",
        "joint1 jumps by 0.5 rad",
        refused("continuity"),
        positions(lambda right, _: right.moved(joint1=right.positions[0] + 0.5)),
    )
    yield Case(
        "sign-alternation", "joint1 ±0.05 rad, the other sign in each setpoint", Expected(bent, MOVING), alternation
    )
    yield Case(
        "push-into-limit",
        "joint7 told to go beyond its limit, and to stay there",
        Expected(("position_limit",), MOVING, t.arrival + 2.0 + t.stop),
        into_limit,
    )
    yield Case(
        "reversal",
        "joint1 from 2 rad/s to -2 rad/s between two setpoints, then silence",
        Expected(bent, rest_s=0.325 + t.refused),
        reversal,
    )
    yield Case("silent", "no setpoints in mid-motion", Expected(("open_loop",), rest_s=t.refused), altered(silent))
    # It brakes past the place and comes back: twice the way from full speed, after the setpoints under way are played.
    yield Case(
        "constant",
        "the same position in every setpoint, in mid-motion",
        Expected((), MOVING, t.arrival + t.delay + 2 * PERIOD_S + 2 * t.stop),
        lambda rig: since_here(rig, lambda _: {}),
    )
    yield Case("oscillating", "joint1 ±0.1 rad at 6 Hz: 3.8 rad/s", Expected(bent, MOVING, goes_on=True), oscillation)
    yield Case("burst", "1000 setpoints at once", on, bursting)
