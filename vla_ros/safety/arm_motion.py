"""All joints of the output together: what one tick may do to them, and what is said about it.

Joint by joint velocity_limit, acceleration_limit, jerk_limit and position_limit limit the step (`joint_motion`). For all
joints together the step rules and the distances hold it back (`collision_constraints`). last_check sees what is about to be
sent.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import Faults
from vla_ros.safety.command.setpoint import SOURCES
from vla_ros.safety.geometry.active_set import DistancePair
from vla_ros.safety.geometry.arm_kinematics import ArmKinematics
from vla_ros.safety.geometry.arm_parts import Part, moving_parts
from vla_ros.safety.geometry.collision_constraints import CollisionConstraints, arm_model, configured_rules
from vla_ros.safety.geometry.path_bounds import ArmPaths
from vla_ros.safety.geometry.reduced_mode import ReducedMode
from vla_ros.safety.joint import acceleration_limit, last_check, position_limit, velocity_limit
from vla_ros.safety.joint.jerk_limit import ticks_to_rest
from vla_ros.safety.joint.joint_limits import NANO, JointLimits, per_tick
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.safety.joint.last_check import LastCheck
from vla_ros.safety.rules import SpeedRule, StepRule, configured_of
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState, JointStates
from vla_ros.safety.verdict import Verdict


class ArmMotion:
    """The limits of one arm, and the steps that its output may take under them.

    motions: of the joints, in the order of joint_names. constraints: None when no rule that needs a model of the arm is
    configured.

    Args:
        parameters: of the filter.
        limits: of `parameters.joint_names`.
        urdf: text of the URDF; empty: no model of the arm.
        step_rules: kinds of rules for all joints together, in their order.
        extra: such rules from outside this package, asked after these.
        srdf: see `CollisionConstraints`.

    Raises:
        ParameterError: a limit is nothing within one tick, or the URDF does not do for what is configured.
    """

    def __init__(
        self,
        parameters: SafetyFilterParameters,
        limits: Sequence[JointLimits],
        urdf: str,
        step_rules: Sequence[type[StepRule]],
        extra: Sequence[StepRule] = (),
        srdf: Sequence[tuple[str, str]] | None = None,
    ) -> None:
        self.limits = tuple(limits)
        self.period_s = parameters.period_s
        self.motions = [JointMotion(per_tick(joint, parameters.period_s)) for joint in limits]
        self._scale = int(parameters.speed_scale * 1000)
        scales = {"policy": 1.0, "override": parameters.override.speed_scale}
        self._speeds = {
            source: [int(motion.limits.velocity * scales[source]) for motion in self.motions] for source in SOURCES
        }
        self.constraints: CollisionConstraints | None = None
        arm, faults = None, Faults()
        if urdf and any(configured_rules(parameters).values()):
            with faults.collected():
                self.constraints = CollisionConstraints(urdf, parameters, self.limits, self.motions, srdf)
            with faults.collected():  # the step rules are looked at in any case, so that all faults are told together
                names = [joint.name for joint in limits]
                arm = self.constraints.arm if self.constraints else arm_model(urdf, parameters, names)
        self._step_rules = list(extra)
        with faults.collected():
            self._step_rules = [*configured_of(step_rules, parameters, self.limits, arm), *extra]
        faults.refuse()
        self._speed_rules = [rule for rule in self._step_rules if isinstance(rule, SpeedRule)]
        self._tool: tuple[ArmKinematics, Part] | None = None
        if arm is not None and parameters.tool.link:
            tool = moving_parts(arm, parameters.tool)[-1]
            self._tool = ArmPaths.of(arm, self.limits, self.period_s).kinematics, tool
        self._last_check = LastCheck(limits, parameters.period_s)

    def start(self, state: FilterState) -> None:
        """Begin a new `state`."""
        state.scale = self._scale
        state.joints = [motion.at(0) for motion in self.motions]
        state.contact_since_ns = [None] * len(self.motions)
        if self.constraints is not None:
            self.constraints.start(state)

    def positions(self, state: FilterState) -> tuple[float, ...]:
        """Return the position of each joint, rad or m."""
        return tuple([joint.q / NANO for joint in state.joints])

    def velocities(self, state: FilterState) -> tuple[float, ...]:
        """Return the velocity of each joint, rad/s or m/s."""
        scale = NANO * self.period_s
        return tuple([joint.v / scale for joint in state.joints])

    def place(self, state: FilterState, q: Sequence[int]) -> None:
        """Start at rest at q, nanoradian or nanometre per joint."""
        state.joints = [motion.at(at) for motion, at in zip(self.motions, q, strict=True)]
        state.sent = last_check.at_rest(self.positions(state))
        state.contact_since_ns = [None] * len(self.motions)
        state.measured.standing_ns = state.measured.overspeed_ns = state.measured.tcp_overspeed_ns = None

    def placement_violation(self, state: FilterState) -> Verdict | None:
        """Return what is wrong with the place at which the output starts."""
        if self.constraints is not None:
            verdict = self.constraints.restart(state)
            if verdict is not None:
                return verdict
        return self._refusal(state, joint_states(state))

    def ticks_to_rest(self) -> int:
        """Return a bound on the ticks that the stop policy needs to bring all joints to rest."""
        limits = [motion.limits for motion in self.motions]
        return max(ticks_to_rest(each.velocity, each.acceleration, each.jerk) for each in limits)

    def stop(self, state: FilterState) -> None:
        """Take the stop policy's step with every joint."""
        for motion, joint in zip(self.motions, state.joints, strict=True):
            motion.stop(joint)

    def stop_from(self, state: FilterState, before: JointStates) -> None:
        """Take back what has been done since `before`, and the stop policy's step instead."""
        for joint, (q, v, a) in zip(state.joints, before, strict=True):
            joint.q, joint.v, joint.a = q, v, a
        self.stop(state)

    def follow(
        self, state: FilterState, before: JointStates, targets: Sequence[int], previous: Sequence[int]
    ) -> Verdict | None:
        """Move every joint towards its target.

        Args:
            state: of the filter; the setpoints are those of `state.followed`.
            before: (q, v, a) of the joints now.
            targets, previous: the path of the setpoints now and a tick ago, nanoradian or nanometre per joint.

        Returns:
            the verdict on the joint that is furthest from its target, or on all together; None: all are on it.
        """
        constraints = self.constraints
        permille, nearest = (1000, None) if constraints is None else constraints.speed_permille(state)
        share = state.scale * permille
        speeds = [max(1, speed * share // 1_000_000) for speed in self._speeds[state.followed]]
        slowed, slowing = self._slow_down(state, targets, previous, speeds)
        slides, along = self._slide(state, targets, previous, speeds)
        if along is not None and slides < permille:
            permille, nearest = slides, along
        worst, acted = self._step(state, targets, previous, speeds)
        refused = self._violation(state, before)
        if refused is not None:
            if constraints is not None:
                constraints.held(state, refused)
            self._scale_toward_stop(state, before)
            return refused
        if not acted:
            return None
        verdict = self._limited_by(state, worst, acted, before[worst], targets[worst], speeds[worst])
        if slowing is not None and acted == velocity_limit.NAME:
            reason = f"slowed to {slowed / 10:.0f} %; {verdict.reason}"
            return dataclasses.replace(verdict, rule=slowing.NAME, reason=reason)
        if nearest is None or acted != velocity_limit.NAME or constraints is None:
            return verdict
        what = constraints.describe(state, nearest)
        reason = f"slowed to {permille / 10:.0f} % near its margin: {what}; {verdict.reason}"
        return dataclasses.replace(verdict, rule=nearest.rule, reason=reason)

    def violation(self, state: FilterState, positions: Sequence[float]) -> Verdict | None:
        """Return what the last check has against `positions`, rad or m per joint."""
        violation = self._last_check.violation(state.sent, positions)
        if violation is None:
            return None
        joint, quantity, value, limit = violation
        of = joint or "the arm"
        reason = f"the output would break the {quantity} limit of {of}: {value:.6g}, {limit:.6g} is allowed"
        return Verdict(last_check.NAME, reason, joint, value, limit)

    def sent(self, state: FilterState, positions: Sequence[float], before: JointStates) -> None:
        """Note that `positions` have been sent."""
        if self.constraints is not None:
            steps = [joint.q - q for joint, (q, _, _) in zip(state.joints, before, strict=True)]
            self.constraints.arm_moved(state, steps)
        state.sent = last_check.followed_by(state.sent, positions)  # last: where the rest raises, this is not sent

    def forget(self, state: FilterState, before: JointStates) -> None:
        """The newest output was not sent: the newest three are those that came `before` it, (q, v, a) per joint."""
        outputs = [(q - 2 * v + a, q - v, q) for q, v, a in before]
        state.sent = tuple(tuple(q / NANO for q in output) for output in zip(*outputs, strict=True))

    def in_reduced_mode(self, state: FilterState) -> bool:
        """Return whether reduced mode holds."""
        return any(isinstance(rule, ReducedMode) and rule.active(state) for rule in self._step_rules)

    def tool_speed_m_s(self, state: FilterState) -> float:
        """Return the speed of the tool centre point; NaN: no tool is configured, or there is no model of the arm."""
        if self._tool is None or not state.sending:
            return math.nan
        kinematics, tool = self._tool
        q = [joint.q / NANO for joint in state.joints]
        return kinematics.speed_of(tool.joint, tool.points[0], q, self.velocities(state))

    def _slow_down(
        self, state: FilterState, targets: Sequence[int], previous: Sequence[int], speeds: list[int]
    ) -> tuple[int, SpeedRule | None]:
        """Lower the `speeds` of the joints to a share of what they want, as the speed rules say; see `SpeedRule`.

        Returns:
            thousandths that are left, and the rule that leaves least; None: none slows anything.
        """
        if not self._speed_rules:
            return 1000, None
        wanted, rates = self._wanted(state, targets, previous, speeds)
        shares = [rule.speed_permille(state, rates) for rule in self._speed_rules]
        leasts = [share if isinstance(share, int) else int(share.min()) for share in shares]
        least = min(leasts)
        if least >= 1000:
            return 1000, None
        left = np.minimum.reduce([np.broadcast_to(share, len(wanted)) for share in shares]).tolist()
        for i, velocity in enumerate(wanted):
            if left[i] < 1000:
                speeds[i] = min(speeds[i], max(1, abs(velocity) * left[i] // 1000))
        return least, self._speed_rules[leasts.index(least)]

    def _step(
        self, state: FilterState, targets: Sequence[int], previous: Sequence[int], speeds: Sequence[int]
    ) -> tuple[int, str]:
        """Move each joint by itself; return the one that is furthest off its target and what keeps it off, if any."""
        worst, furthest, acted = 0, -1, ""
        joints = state.joints
        for i, motion in enumerate(self.motions):
            joint = joints[i]
            rule = motion.follow(joint, targets[i], targets[i] - previous[i], speeds[i])
            if rule and abs(targets[i] - joint.q) > furthest:
                worst, furthest, acted = i, abs(targets[i] - joint.q), rule
        return worst, acted

    def _slide(
        self, state: FilterState, targets: Sequence[int], previous: Sequence[int], speeds: list[int]
    ) -> tuple[int, DistancePair | None]:
        """Lower the `speeds` of those joints that carry an arm that was held back on towards what holds it.

        Returns:
            thousandths that are left of them, and the pair that leaves least; None: nothing is slowed.
        """
        if self.constraints is None or not self.constraints.slides(state):
            return 1000, None
        wanted, rates = self._wanted(state, targets, previous, speeds)
        now = np.array([joint.v for joint in state.joints]) / (NANO * self.period_s)
        left, pair = self.constraints.slide_permille(state, rates, now)
        for i, (velocity, share) in enumerate(zip(wanted, left, strict=True)):
            if share < 1000:
                speeds[i] = min(speeds[i], max(1, abs(velocity) * int(share) // 1000))
        return int(left.min()), pair

    def _wanted(
        self, state: FilterState, targets: Sequence[int], previous: Sequence[int], speeds: Sequence[int]
    ) -> tuple[list[int], Array]:
        """Velocity that each joint would like to have, per tick, and the same in rad/s or m/s, (n,)."""
        rows = zip(self.motions, state.joints, targets, previous, speeds, strict=True)
        wanted = [motion.wanted_velocity(joint, to, to - last, speed) for motion, joint, to, last, speed in rows]
        return wanted, np.array(wanted) / (NANO * self.period_s)

    def _refusal(self, state: FilterState, before: JointStates) -> Verdict | None:
        """Return the first objection of the step rules to where the joints are."""
        for rule in self._step_rules:
            verdict = rule.check(state, before)
            if verdict is not None:
                return verdict
        return None

    def _violation(self, state: FilterState, before: JointStates) -> Verdict | None:
        """Return the first objection to the step of all joints: of the step rules, then of the distances."""
        verdict = self._refusal(state, before)
        if verdict is not None or self.constraints is None:
            return verdict
        return self.constraints.violation(state, before)

    def _scale_toward_stop(self, state: FilterState, before: JointStates) -> None:
        """Take less of a step that is refused for all joints together, in the end the stop policy's step."""
        asked = [joint.a for joint in state.joints]
        for quarters in (2, 1):
            for motion, joint, begin, a in zip(self.motions, state.joints, before, asked, strict=True):
                motion.scale_toward_stop(joint, begin, a, quarters)
            if self._violation(state, before) is None:
                return
        self.stop_from(state, before)

    def _limited_by(
        self, state: FilterState, i: int, rule: str, before: tuple[int, int, int], target: int, speed: int
    ) -> Verdict:
        """Put in SI what joint i was asked for, may, and was granted; `before` is its (q, v, a) before the tick."""
        q, v, a = before
        joint, limits, name = state.joints[i], self.motions[i].limits, self.limits[i].name
        step = target - q
        if rule == position_limit.NAME:
            limit = limits.upper if step > 0 else limits.lower
            requested, granted, scale = target, joint.q, float(NANO)
        elif rule == velocity_limit.NAME:
            requested, limit, granted, scale = step, speed, joint.v, NANO * self.period_s
        elif rule == acceleration_limit.NAME:
            requested, limit, granted = step - v, limits.acceleration, joint.a
            scale = NANO * self.period_s**2
        else:
            requested, limit, granted = step - v - a, limits.jerk, joint.a - a
            scale = NANO * self.period_s**3
        if requested < 0 and rule != position_limit.NAME:
            limit = -limit
        numbers = requested / scale, limit / scale, granted / scale
        what = rule.removesuffix("_limit")
        reason = f"{name}: {what} {numbers[0]:.4g} asked, {numbers[1]:.4g} allowed, {numbers[2]:.4g} granted"
        return Verdict(rule, reason, name, *numbers)


def joint_states(state: FilterState) -> JointStates:
    """Return where the output is, to come back to it."""
    return [(joint.q, joint.v, joint.a) for joint in state.joints]
