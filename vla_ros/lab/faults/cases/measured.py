"""Faults of what the arm reports of itself."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

from vla_ros.lab.faults.case import DISARMED, MOVING, PROTECTIVE, Case, Expected
from vla_ros.lab.faults.rig import Rig
from vla_ros.lab.faults.stream import SWING_HZ, Measured
from vla_ros.lab.faults.times import Times, swing_until
from vla_ros.sim.arm_description import JOINT_NAMES

FOLDED = {"joint4": -3.0, "joint6": 0.2}
"""rad: the hand in the shoulder."""


def reported(change: Callable[[Measured, float], Measured | None]) -> Callable[[Rig], None]:
    """From now on, the driver reports something else."""

    def inject(rig: Rig) -> None:
        rig.relay = change

    return inject


def moved(measured: Measured, **joints: float) -> Measured:
    """With other positions of some joints."""
    positions = tuple(joints.get(name, q) for name, q in zip(measured.names, measured.positions, strict=True))
    return dataclasses.replace(measured, positions=positions)


def frozen(rig: Rig) -> None:
    """The state of this moment for ever, with new stamps."""
    first = rig.measured
    rig.relay = lambda measured, _: first


def swapped(measured: Measured, _: float) -> Measured:
    """joint1 and joint3 each under the other's name."""
    names = list(measured.names)
    i, k = names.index("joint1"), names.index("joint3")
    names[i], names[k] = names[k], names[i]
    return dataclasses.replace(measured, names=tuple(names))


def reordered(measured: Measured, _: float) -> Measured:
    """The same in reverse order."""
    return Measured(measured.names[::-1], measured.positions[::-1], measured.velocities[::-1], measured.efforts[::-1])


def lacking(measured: Measured, _: float) -> Measured:
    """Without the last joint."""
    return Measured(measured.names[:-1], measured.positions[:-1], measured.velocities[:-1], measured.efforts[:-1])


def arming(change: Callable[[Measured, float], Measured | None]) -> Callable[[Rig], None]:
    """Try to arm while the driver reports something."""

    def inject(rig: Rig) -> None:
        rig.relay = change
        rig.policy = True
        rig.play(0.3)
        rig.call("arm")
        rig.play(0.3)

    return inject


def cases(t: Times) -> Iterator[Case]:
    """The cases of this file."""
    stale = Expected(("joint_state",), rest_s=t.arrival + t.stale + t.stop)
    latched = t.at_once + 1.0 / SWING_HZ / 4.0
    refused = Expected(("authority",), DISARMED, t.arrival)
    nan = (math.nan,) * len(JOINT_NAMES)
    yield Case("joint-states-stale", "no joint states any more", stale, reported(lambda *_: None))
    yield Case(
        "joint-states-frozen",
        "the same joint state, with new stamps",
        Expected(("tracking_error",), PROTECTIVE, t.at_once + swing_until(0.15, "joint1") + 0.05),
        frozen,
    )
    yield Case(
        "joint-states-nan",
        "joint states of NaN",
        stale,
        reported(lambda measured, _: dataclasses.replace(measured, positions=nan)),
    )
    yield Case(
        "joint-states-outside",
        "joint7 reported 0.1 rad beyond its limit",
        Expected(("joint_state",), PROTECTIVE, t.at_once),
        reported(lambda measured, _: moved(measured, joint7=3.0)),
    )
    yield Case(
        "tracking-error",
        "joint2 reported ever further off, by 0.3 rad/s",
        Expected(("tracking_error",), PROTECTIVE, t.at_once + 0.5),
        reported(lambda measured, s: moved(measured, joint2=measured.position("joint2") + 0.3 * s)),
    )
    yield Case(
        "joints-swapped",
        "the driver calls joint1 joint3, and joint3 joint1",
        Expected(("tracking_error",), PROTECTIVE, latched),
        reported(swapped),
    )
    yield Case(
        "joints-reordered",
        "the driver reports the joints in another order",
        Expected(ends=MOVING, goes_on=True),
        reported(reordered),
    )
    yield Case("joint-missing", "the driver does not report finger_joint any more", stale, reported(lacking))
    yield Case(
        "contact",
        "joint2 reports 80 N m more than the model needs",
        Expected(("contact",), PROTECTIVE, t.at_once + 0.05),
        reported(
            lambda measured, _: dataclasses.replace(
                measured,
                efforts=tuple(
                    e + 80.0 * (name == "joint2") for name, e in zip(measured.names, measured.efforts, strict=True)
                ),
            )
        ),
    )
    yield Case(
        "start-moving",
        "armed while joint1 moves at 0.3 rad/s",
        dataclasses.replace(refused, says="joint1 moves at"),
        arming(lambda m, _: dataclasses.replace(m, velocities=(0.3, *m.velocities[1:]))),
        start="disarmed",
    )
    yield Case(
        "start-outside",
        "armed with joint7 outside its limits",
        dataclasses.replace(refused, says="outside"),
        arming(lambda m, _: moved(m, joint7=3.0)),
        start="disarmed",
    )
    yield Case(
        "start-in-self-collision",
        "armed with the hand in the shoulder",
        dataclasses.replace(refused, says="self_collision"),
        arming(lambda m, _: moved(m, **FOLDED)),
        start="disarmed",
    )
    yield Case(
        "start-unseen",
        "armed without joint states",
        dataclasses.replace(refused, says="no joint state"),
        arming(lambda *_: None),
        start="disarmed",
    )
