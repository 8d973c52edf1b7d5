"""Faults of the measured joint states."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator

from vla_ros.lab.faults.case import FaultCase
from vla_ros.lab.faults.reaction import DISARMED, MOVING, PROTECTIVE, ExpectedReaction
from vla_ros.lab.faults.rest_bounds import RestBounds, swing_time
from vla_ros.lab.faults.rig import FaultRig
from vla_ros.lab.faults.rig_messages import RigJointState
from vla_ros.lab.faults.swing import SWING_HZ
from vla_ros.sim.arm_description import JOINT_NAMES

SEVERAL_S = 0.05
"""Some joint states: a single one that contradicts the others stops nothing."""
SETTLE_S = 1.5
"""Until the filter believes that a joint has moved so far, and that nothing contradicts it."""
FOLDED = {"joint4": -3.0, "joint6": 0.2}
"""rad: the hand is inside the shoulder."""


def report(change: Callable[[RigJointState, float], RigJointState | None]) -> Callable[[FaultRig], None]:
    """Change what the driver reports from now on."""

    def inject(rig: FaultRig) -> None:
        rig.alter_joint_state = change

    return inject


def with_positions(state: RigJointState, **joints: float) -> RigJointState:
    """Return the state with other positions of some joints."""
    positions = tuple(joints.get(name, q) for name, q in zip(state.names, state.positions, strict=True))
    return dataclasses.replace(state, positions=positions)


def freeze_state(rig: FaultRig) -> None:
    """Repeat the present state, with new stamps."""
    first = rig.joint_state
    rig.alter_joint_state = lambda state, _: first


def swap_names(state: RigJointState, _: float) -> RigJointState:
    """Exchange the names of joint1 and joint3."""
    names = list(state.names)
    i, k = names.index("joint1"), names.index("joint3")
    names[i], names[k] = names[k], names[i]
    return dataclasses.replace(state, names=tuple(names))


def repeat_stamp(rig: FaultRig) -> None:
    """Go on with the values of before and their stamp, as whoever passes on what a dead driver has said last."""
    first = dataclasses.replace(rig.joint_state, stamp_ns=1_700_000_000_000_000_000)
    rig.alter_joint_state = lambda *_: first


def send_zeros(every: int) -> Callable[[FaultRig], None]:
    """Let the driver report zeros now and then."""
    count = itertools.count(1)

    def zeros(state: RigJointState, _: float) -> RigJointState:
        if next(count) % every:
            return state
        return dataclasses.replace(state, positions=(0.0,) * len(state.positions))

    return report(zeros)


def reorder(state: RigJointState, _: float) -> RigJointState:
    """Return the joints in reverse order."""
    return RigJointState(state.names[::-1], state.positions[::-1], state.velocities[::-1], state.efforts[::-1])


def drift_while_held(rig: FaultRig) -> None:
    """Wait until the arm counts as held still, then let joint3 creep away."""
    rig.run_for(0.7)
    rig.mark_fault()
    rig.alter_joint_state = lambda state, s: with_positions(state, joint3=state.position("joint3") + 0.1 * s)
    rig.run_for(1.5)


def drop_last_joint(state: RigJointState, _: float) -> RigJointState:
    """Return the state without the last joint."""
    return RigJointState(state.names[:-1], state.positions[:-1], state.velocities[:-1], state.efforts[:-1])


def arm_with(change: Callable[[RigJointState, float], RigJointState | None]) -> Callable[[FaultRig], None]:
    """Try to arm while the driver reports a changed state."""

    def inject(rig: FaultRig) -> None:
        rig.alter_joint_state = change
        rig.policy_active = True
        rig.run_for(SETTLE_S)
        rig.call_filter("arm")
        rig.run_for(0.3)

    return inject


def cases(bounds: RestBounds) -> Iterator[FaultCase]:
    """Yield the cases of this file."""
    stale = ExpectedReaction(("joint_state",), rest_s=bounds.arrival + bounds.joint_state_timeout + bounds.stop)
    protective = bounds.at_once + 1.0 / SWING_HZ / 4.0
    refused = ExpectedReaction(("authority",), DISARMED, bounds.arrival)
    nan = (math.nan,) * len(JOINT_NAMES)
    yield FaultCase("joint-states-stale", "no joint states any more", stale, report(lambda *_: None))
    yield FaultCase(
        "joint-states-frozen",
        "the same joint state, with new stamps",
        ExpectedReaction(("tracking_error",), PROTECTIVE, bounds.at_once + swing_time(0.15, "joint1") + 0.05),
        freeze_state,
    )
    yield FaultCase(
        "joint-states-nan",
        "joint states of NaN",
        stale,
        report(lambda state, _: dataclasses.replace(state, positions=nan)),
    )
    yield FaultCase(
        "joint-states-unstamped",
        "joint states without a stamp",
        stale,
        report(lambda state, _: dataclasses.replace(state, stamp_ns=0)),
    )
    yield FaultCase("joint-states-repeated", "the same joint state, with its stamp", stale, repeat_stamp)
    yield FaultCase(
        "joint-states-zeros",
        "every second joint state is zeros",
        ExpectedReaction(("joint_state",), PROTECTIVE, bounds.at_once + SEVERAL_S),
        send_zeros(2),
    )
    yield FaultCase(
        "joint-state-zero",
        "one joint state in a hundred is zeros",
        ExpectedReaction(ends=MOVING, goes_on=True),
        send_zeros(100),
    )
    yield FaultCase(
        "velocity-nan",
        "the velocity of finger_joint is NaN",
        ExpectedReaction(ends=MOVING, goes_on=True),
        report(lambda state, _: dataclasses.replace(state, velocities=(*state.velocities[:-1], math.nan))),
    )
    yield FaultCase(
        "overspeed",
        "joint4 reported to move at 10 rad/s",
        ExpectedReaction(("overspeed",), PROTECTIVE, bounds.at_once + SEVERAL_S),
        report(
            lambda state, _: dataclasses.replace(state, velocities=(*state.velocities[:3], 10.0, *state.velocities[4:]))
        ),
    )
    yield FaultCase(
        "standstill",
        "joint3 moves at 0.1 rad/s while the arm is held still",
        ExpectedReaction(("standstill",), PROTECTIVE),
        drift_while_held,
        start="holding",
    )
    yield FaultCase(
        "joint-states-outside",
        "joint7 reported 0.1 rad beyond its limit",
        ExpectedReaction(("joint_state",), PROTECTIVE, bounds.at_once + SEVERAL_S),
        report(lambda state, _: with_positions(state, joint7=3.0)),
    )
    yield FaultCase(
        "tracking-error",
        "joint2 reported with an error that grows by 0.3 rad/s",
        ExpectedReaction(("tracking_error",), PROTECTIVE, bounds.at_once + 0.5),
        report(lambda state, s: with_positions(state, joint2=state.position("joint2") + 0.3 * s)),
    )
    yield FaultCase(
        "joints-swapped",
        "the driver exchanges the names of joint1 and joint3",
        ExpectedReaction(("tracking_error", "joint_state"), PROTECTIVE, protective),
        report(swap_names),
    )
    yield FaultCase(
        "joints-reordered",
        "the driver reports the joints in another order",
        ExpectedReaction(ends=MOVING, goes_on=True),
        report(reorder),
    )
    yield FaultCase("joint-missing", "the driver does not report finger_joint any more", stale, report(drop_last_joint))
    yield FaultCase(
        "contact",
        "joint2 reports 80 N m more than the model needs",
        ExpectedReaction(("contact",), PROTECTIVE, bounds.at_once + 0.05),
        report(
            lambda state, _: dataclasses.replace(
                state,
                efforts=tuple(
                    e + 80.0 * (name == "joint2") for name, e in zip(state.names, state.efforts, strict=True)
                ),
            )
        ),
    )
    yield FaultCase(
        "start-moving",
        "armed while joint1 moves at 0.3 rad/s",
        dataclasses.replace(refused, says="joint1 moves at"),
        arm_with(lambda state, _: dataclasses.replace(state, velocities=(0.3, *state.velocities[1:]))),
        start="disarmed",
    )
    yield FaultCase(
        "start-outside",
        "armed with joint7 outside its limits",
        dataclasses.replace(refused, says="outside"),
        arm_with(lambda state, _: with_positions(state, joint7=3.0)),
        start="disarmed",
    )
    yield FaultCase(
        "start-in-self-collision",
        "armed with the hand in the shoulder",
        dataclasses.replace(refused, says="self_collision"),
        arm_with(lambda state, _: with_positions(state, **FOLDED)),
        start="disarmed",
    )
    yield FaultCase(
        "start-unseen",
        "armed without joint states",
        dataclasses.replace(refused, says="no joint state"),
        arm_with(lambda *_: None),
        start="disarmed",
    )
