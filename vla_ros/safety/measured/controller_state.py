"""Rule controller_state: the arm's controllers run and follow.

A joint_trajectory_controller tells its state on <controller>/controller_state. Once one was heard, for each of its joints:
    |reference - feedback| <= tolerance,
    |reference - output| <= tolerance + velocity limit * (LAG_S + age of the state),
    speed scaling = 1,
and the next one comes within `controller.state_timeout_s`: a controller that is switched off says nothing. tolerance is
`measured.tracking_error`. A speed scaling of 0 counts as not told: older controllers leave the field empty.

A finger that holds an object stays behind its setpoint, so the position error alone says nothing. But an object blocks one
way only, and only where the finger stands. For a setpoint further than TOLERANCE of the joint's range from the finger:
    the finger moves by more than MOTION of the range within `controller.gripper_timeout_s`,
    or it stands where it was blocked on that side before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import NANO, JointLimits
from vla_ros.safety.rules import Action, RuleCode, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import ControllerReport, FilterState
from vla_ros.safety.states import State
from vla_ros.safety.verdict import Verdict

NAME = "controller_state"
LAG_S = 0.06
"""Between what is sent and the reference in a state that is received: horizon of a trajectory, delivery. The output goes on
while no newer state comes, so its age counts too: a host that stalls is not a controller that does not follow."""
SCALING_TOLERANCE = 1e-3
TOLERANCE, MOTION = 0.1, 0.02
"""Of a gripper, shares of its joint's range."""


def update_controller_state(
    state: FilterState,
    joint_names: Sequence[str],
    receive_ns: int,
    controller: str,
    names: Sequence[str],
    reference: Sequence[float],
    error: Sequence[float],
    speed_scaling: float,
) -> None:
    """Take over what a controller says of itself.

    Args:
        joint_names: of the filter.
        receive_ns: reception on the monotonic clock.
        controller: its topic.
        names: of its joints; those that the filter does not command are ignored.
        reference, error: rad or m per joint of `names`; the second is reference minus feedback.
        speed_scaling: share of the speed at which it executes; 0: not told.
    """
    refused = ""
    if len(set(names)) != len(names) or not len(names) == len(reference) == len(error):
        refused = f"names {len(names)} joints, {len(reference)} references and {len(error)} errors"
    elif not all(map(_is_position, (*reference, *error))) or not math.isfinite(speed_scaling):
        refused = "holds a number that is not finite"
    report = ControllerReport(receive_ns=receive_ns, speed_scaling=speed_scaling, refused=refused)
    if not refused:
        for name, where, off in zip(names, reference, error, strict=True):
            if name in joint_names:
                report.joints.append(joint_names.index(name))
                report.reference.append(round(where * NANO))
                report.error.append(round(off * NANO))
    if refused or report.joints or controller in state.controllers:
        state.controllers[controller] = report


def _is_position(value: float) -> bool:
    return abs(value) < NANO


class ControllerState(TickRule):
    """Args: parameters: `controller.state_timeout_s`, `measured.tracking_error`. limits: of the joints. arm: not used."""

    NAME, CODE, ACTION = NAME, RuleCode.CONTROLLER_STATE, Action.LATCH

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._joint_names = tuple(joint.name for joint in limits)
        self._timeout_ns = round(parameters.controller.state_timeout_s * NANO)
        self._tolerance = [int(value * NANO) for value in parameters.measured.tracking_error]
        self._speeds = [joint.velocity for joint in limits]

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return parameters.controller.state_timeout_s > 0.0

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when a controller is silent, or does not do what it is sent."""
        for controller, report in state.controllers.items():
            verdict = self._judge(state, controller, report, now_ns)
            if verdict is not None:
                return verdict
        return None

    def _judge(self, state: FilterState, controller: str, report: ControllerReport, now_ns: int) -> Verdict | None:
        silent_ns = now_ns - report.receive_ns
        if silent_ns > self._timeout_ns:
            silent_s = silent_ns / NANO
            return Verdict(NAME, f"{controller} is silent for {silent_s:.2f} s: the controller is off", limit=silent_s)
        if report.refused:
            return Verdict(NAME, f"{controller} {report.refused}")
        scaling = report.speed_scaling
        if scaling and abs(scaling - 1.0) > SCALING_TOLERANCE:
            return Verdict(NAME, f"{controller}: it executes at {scaling:.3g} of the speed; set its speed scaling to 1")
        sent = state.joints if state.state is not State.DISARMED else None
        lag_ns = round(LAG_S * NANO) + max(0, silent_ns)
        for i, reference, error in zip(report.joints, report.reference, report.error, strict=True):
            name, tolerance = self._joint_names[i], self._tolerance[i]
            if abs(error) > tolerance:
                return _apart(controller, name, "where its controller leads it", error, tolerance)
            allowed = tolerance + int(self._speeds[i] * lag_ns)
            if sent is not None and abs(reference - sent[i].q) > allowed:
                what = "what was sent: its controller does not follow"
                return _apart(controller, name, what, reference - sent[i].q, allowed)
        return None


def _apart(controller: str, joint: str, what: str, distance: int, tolerance: int) -> Verdict:
    apart, allowed = distance / NANO, tolerance / NANO
    reason = f"{controller}: {joint} is {abs(apart):.4f} from {what}; {allowed:.4f} is tolerated"
    return Verdict(NAME, reason, joint, apart, allowed)


class GripperFollows(TickRule):
    """Args: parameters: `controller`. limits: of the joints. arm: not used."""

    NAME, CODE, ACTION = NAME, RuleCode.CONTROLLER_STATE, Action.LATCH

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._name = parameters.controller.gripper_joint
        self._joint = [joint.name for joint in limits].index(self._name)
        extent = limits[self._joint].upper - limits[self._joint].lower
        self._tolerance, self._motion = int(TOLERANCE * extent * NANO), int(MOTION * extent * NANO)
        self._timeout_ns = round(parameters.controller.gripper_timeout_s * NANO)

    @classmethod
    def configured(cls, parameters: SafetyFilterParameters) -> bool:
        return bool(parameters.controller.gripper_joint) and parameters.controller.gripper_timeout_s > 0.0

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when the finger does not move at all and nothing can be in its way."""
        finger, sent, gripper = state.measured.q[self._joint], state.joints[self._joint].q, state.gripper
        error = sent - finger
        side = (error > self._tolerance) - (error < -self._tolerance)
        if side != gripper.side:
            gripper.side, gripper.since_ns, gripper.began = side, now_ns, finger
        if side == 0:
            return None
        if abs(finger - gripper.began) > self._motion:
            gripper.blocked[side > 0] = finger
            return None
        blocked = gripper.blocked[side > 0]
        if blocked is not None and abs(finger - blocked) <= self._motion:
            return None
        if now_ns - gripper.since_ns <= self._timeout_ns:
            return None
        where = f"stays at {finger / NANO:.4f} though it was sent to {sent / NANO:.4f}"
        reason = f"{self._name} {where}: the gripper does not follow"
        return Verdict(NAME, reason, self._name, sent / NANO, finger / NANO)
