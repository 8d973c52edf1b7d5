"""Mutants of the rules on limits of joints."""

from __future__ import annotations

from test.mutation.mutant import switched_off

JOINT_MUTANTS = (
    switched_off("position_limit", "soft limits", "        if key in soft:", "        if False:", "joint.joint_limits"),
    switched_off(
        "position_limit",
        "joints that mimic",
        "        if how.leader == name and how.multiplier:",
        "        if False:",
        "joint.joint_limits",
    ),
    switched_off(
        "position_limit", "a mimic commanded", "    check_no_mimic(name, element)\n", "    pass\n", "joint.joint_limits"
    ),
    switched_off(
        "effort_limit",
        "no masses",
        "        missing = arm.bodies_without_mass()",
        "        missing: list[str] = []",
        "joint.effort_limit",
    ),
    switched_off(
        "velocity_limit",
        "bounds",
        "            self._velocity_limit,\n            AccelerationLimit(limits),",
        "            AccelerationLimit(limits),",
        "joint.joint_motion",
    ),
    switched_off(
        "velocity_limit",
        "lower limit",
        "within_speed = self._velocity_limit.peak_speed(v, a) <= max_speed",
        "within_speed = True",
        "joint.joint_motion",
    ),
    switched_off(
        "velocity_limit", "speed scale", "share = state.scale * permille", "share = 1000 * permille", "arm_motion"
    ),
    switched_off("acceleration_limit", "bounds", "            AccelerationLimit(limits),\n", "", "joint.joint_motion"),
    switched_off("acceleration_limit", "short way", "abs(wanted) <= limits.acceleration", "True", "joint.joint_motion"),
    switched_off("jerk_limit", "bounds", "            self._jerk_limit,\n        )", "        )", "joint.joint_motion"),
    switched_off("jerk_limit", "short way", "and abs(wanted - a) <= limits.jerk", "", "joint.joint_motion"),
    switched_off(
        "position_limit",
        "candidate",
        "if self._position_limit.viable(target, v + wanted, wanted):",
        "if True:",
        "joint.joint_motion",
    ),
    switched_off(
        "position_limit",
        "step",
        "if self._position_limit.viable(q + v + tried, v + tried, tried):",
        "if True:",
        "joint.joint_motion",
    ),
    switched_off(
        "position_limit",
        "short way",
        "and self.clearly_viable(target, v + wanted, max_speed)",
        "",
        "joint.joint_motion",
    ),
    switched_off(
        "position_limit", "slow zone", "if zone and self._exceeds_slow_zone(q, v):", "if False:", "joint.position_limit"
    ),
    switched_off(
        "effort_limit",
        "whole",
        "        verdict = self._refusal(state, before)\n",
        "        verdict = None\n",
        "arm_motion",
    ),
    switched_off(
        "effort_limit", "arm", "return self._refusal(state, joint_states(state))", "return None", "arm_motion"
    ),
    switched_off(
        "last_check",
        "tick",
        "    if violation is not None:\n        raise LastCheckError(violation)",
        "",
        "tick",
    ),
    switched_off(
        "last_check",
        "stop",
        "        return checked_positions(state, setup, before)",
        "        return setup.motion.positions(state)",
        "tick",
    ),
    switched_off("last_check", "finite", "if not math.isfinite(x):", "if False:", "joint.last_check"),
    switched_off("last_check", "lower end", "if x < joint.lower - ROUNDING:", "if False:", "joint.last_check"),
    switched_off("last_check", "upper end", "if x > joint.upper + ROUNDING:", "if False:", "joint.last_check"),
    switched_off("last_check", "velocity", "if not -max_dx <= dx <= max_dx:", "if False:", "joint.last_check"),
    switched_off("last_check", "acceleration", "if not -max_d2x <= d2x <= max_d2x:", "if False:", "joint.last_check"),
    switched_off("last_check", "jerk", "if not -max_d3x <= d3x <= max_d3x:", "if False:", "joint.last_check"),
    switched_off("last_check", "slow zone", "if distance < joint.slow_zone:", "if False:", "joint.last_check"),
    switched_off(
        "effort_limit",
        "in the list",
        "    EffortLimit,\n",
        "",
        "filter",
    ),
)
