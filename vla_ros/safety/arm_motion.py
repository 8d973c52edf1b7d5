"""All joints of the output together: what one tick may do to them, and what is said about it.

Joint by joint velocity_limit, acceleration_limit, jerk_limit and position_limit bend the step (`motion`); for all joints
together effort_limit, fence, table, keep_out, obstacle and self_collision hold it back (`collision_constraints`); last_check
sees what is about to be sent.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from vla_ros.safety.command.setpoint import SOURCES
from vla_ros.safety.geometry.collision_constraints import CollisionConstraints, configured_rules
from vla_ros.safety.joint import acceleration_limit, last_check, position_limit, velocity_limit
from vla_ros.safety.joint.joint_limits import NANO, JointLimits, per_tick
from vla_ros.safety.joint.joint_motion import JointMotion
from vla_ros.safety.joint.last_check import LastCheck
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.verdict import Verdict

States = list[tuple[int, int, int]]
"""(q, v, a) per joint: nanoradian (nanometre), per tick, per tick squared."""


class ArmMotion:
    """The output of one arm.

    joints: in the order of joint_names. collision_constraints: None when no rule that needs a model of the arm is configured.
    scale: thousandths of all velocity limits that hold now.

    Args:
        parameters: of the filter.
        limits: of `parameters.joint_names`.
        urdf: text of the URDF; empty: no model of the arm.

    Raises:
        ParameterError: a limit is nothing within one tick, or the URDF does not do for what is configured.
    """

    def __init__(self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], urdf: str) -> None:
        self.limits = tuple(limits)
        self.period_s = parameters.period_s
        self.joints = [JointMotion(per_tick(joint, parameters.period_s)) for joint in limits]
        self.scale = int(parameters.speed_scale * 1000)
        scales = {"policy": 1.0, "override": parameters.override.speed_scale}
        self._speeds = {
            source: [int(joint.limits.velocity * scales[source]) for joint in self.joints] for source in SOURCES
        }
        self.collision_constraints: CollisionConstraints | None = None
        if urdf and any(configured_rules(parameters).values()):
            self.collision_constraints = CollisionConstraints(urdf, parameters, self.limits, self.joints)
        self._last_check = LastCheck(limits, parameters.period_s)

    @property
    def at_rest(self) -> bool:
        """Whether no joint moves or is about to."""
        return all(joint.at_rest for joint in self.joints)

    def states(self) -> States:
        """Where the output is, to come back to it."""
        return [(joint.q, joint.v, joint.a) for joint in self.joints]

    def q(self) -> list[int]:
        """Position of each joint, nanoradian or nanometre."""
        return [joint.q for joint in self.joints]

    def positions(self) -> tuple[float, ...]:
        """Position of each joint, rad or m."""
        return tuple([joint.q / NANO for joint in self.joints])

    def velocities(self) -> tuple[float, ...]:
        """Velocity of each joint, rad/s or m/s."""
        scale = NANO * self.period_s
        return tuple([joint.v / scale for joint in self.joints])

    def accelerations(self) -> list[float]:
        """Acceleration of each joint, rad/s^2 or m/s^2."""
        return [joint.a / (NANO * self.period_s**2) for joint in self.joints]

    def place(self, q: Sequence[int], now_ns: int) -> Verdict | None:
        """Start at rest at q; what is wrong with it there."""
        for joint, at in zip(self.joints, q, strict=True):
            joint.place(at)
        self._last_check.restart(self.positions())
        if self.collision_constraints is None:
            return None
        return self.stale(now_ns) or self.collision_constraints.restart()

    def stale(self, now_ns: int) -> Verdict | None:
        """What is around the arm is not known."""
        return None if self.collision_constraints is None else self.collision_constraints.stale(now_ns)

    def stop(self) -> None:
        """Take the stop policy's step with every joint."""
        for joint in self.joints:
            joint.stop()

    def stop_from(self, states: States) -> None:
        """Take back what has been done since, and the stop policy's step instead."""
        for joint, state in zip(self.joints, states, strict=True):
            joint.q, joint.v, joint.a = state
        self.stop()

    def follow(self, before: States, targets: Sequence[int], previous: Sequence[int], source: str) -> Verdict | None:
        """Move every joint towards its target.

        Args:
            before: where the output is.
            targets, previous: the path of the setpoints now and a tick ago.
            source: whose setpoints they are.

        Returns:
            the verdict on the joint that is furthest from its target, or on all together; None: all are on it.
        """
        constraints = self.collision_constraints
        permille, nearest = (1000, None) if constraints is None else constraints.speed_permille()
        share = self.scale * permille
        speeds = [max(1, speed * share // 1_000_000) for speed in self._speeds[source]]
        worst, furthest, acted = 0, -1, ""
        for i, joint in enumerate(self.joints):
            rule = joint.follow(targets[i], targets[i] - previous[i], speeds[i])
            if rule and abs(targets[i] - joint.q) > furthest:
                worst, furthest, acted = i, abs(targets[i] - joint.q), rule
        if constraints is not None:
            refused = self._keep_clear(before, constraints)
            if refused is not None:
                return refused
        if not acted:
            return None
        verdict = self._limited_by(worst, acted, before[worst], targets[worst], speeds[worst])
        if nearest is None or acted != velocity_limit.NAME or constraints is None:
            return verdict
        reason = f"slowed to {permille / 10:.0f} % near its margin: {constraints.describe(nearest)}; {verdict.reason}"
        return dataclasses.replace(verdict, rule=nearest.rule, reason=reason)

    def violation(self, positions: Sequence[float]) -> Verdict | None:
        """What the last check has against `positions`."""
        violation = self._last_check.violation(positions)
        if violation is None:
            return None
        joint, quantity, value, limit = violation
        of = joint or "the arm"
        reason = f"the output would break the {quantity} limit of {of}: {value:.6g}, {limit:.6g} is allowed"
        return Verdict(last_check.NAME, reason, joint, value, limit)

    def sent(self, positions: Sequence[float], before: States) -> None:
        """`positions` have been sent."""
        if self.collision_constraints is not None:
            self.collision_constraints.arm_moved(
                [joint.q - q for joint, (q, _, _) in zip(self.joints, before, strict=True)]
            )
        self._last_check.sent(positions)  # last: where the rest raises, this output is not sent

    def _keep_clear(self, before: States, constraints: CollisionConstraints) -> Verdict | None:
        """Where the candidate is refused for all joints together, take less of it, in the end the stop policy's step."""
        refused = constraints.violation(before)
        if refused is None:
            return None
        asked = [joint.a for joint in self.joints]
        for quarters in (2, 1):
            for joint, state, a in zip(self.joints, before, asked, strict=True):
                joint.scale_toward_stop(state, a, quarters)
            if constraints.violation(before) is None:
                return refused
        self.stop_from(before)
        return refused

    def _limited_by(self, i: int, rule: str, before: tuple[int, int, int], target: int, speed: int) -> Verdict:
        """Put in SI what joint i was asked for, may, and was granted; `before` is its (q, v, a) before the tick."""
        q, v, a = before
        joint, name = self.joints[i], self.limits[i].name
        step = target - q
        if rule == position_limit.NAME:
            limit = joint.limits.upper if step > 0 else joint.limits.lower
            requested, granted, scale = target, joint.q, float(NANO)
        elif rule == velocity_limit.NAME:
            requested, limit, granted, scale = step, speed, joint.v, NANO * self.period_s
        elif rule == acceleration_limit.NAME:
            requested, limit, granted = step - v, joint.limits.acceleration, joint.a
            scale = NANO * self.period_s**2
        else:
            requested, limit, granted = step - v - a, joint.limits.jerk, joint.a - a
            scale = NANO * self.period_s**3
        if requested < 0 and rule != position_limit.NAME:
            limit = -limit
        numbers = requested / scale, limit / scale, granted / scale
        what = rule.removesuffix("_limit")
        reason = f"{name}: {what} {numbers[0]:.4g} asked, {numbers[1]:.4g} allowed, {numbers[2]:.4g} granted"
        return Verdict(rule, reason, name, *numbers)
