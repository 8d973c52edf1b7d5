"""Mutants in which a rule, or one of the filter's calls of it, is switched off.

Each is one replacement in the source text, which must be there exactly once: where the code moves on, the mutant says so.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One change. rule: whose. module: below vla_ros.safety, dotted. old, new: source text."""

    rule: str
    name: str
    module: str
    old: str
    new: str


def _off(rule: str, name: str, old: str, new: str = "None", module: str = "filter") -> Mutant:
    return Mutant(rule, f"{rule}/{name}", module, old, new)


RULES = (
    _off("authority", "setpoint", "self._authority.check(command, self.state, self._disarming, self._followed)"),
    _off("authority", "crowded, tick", "or self._authority.crowded(self._followed)", ""),
    _off("authority", "crowded, setpoint", "return self.crowded(command.channel)", "return None", "command.authority"),
    _off("authority", "disarmed or latched", "if state in _REMEDY:", "if False:", "command.authority"),
    _off("authority", "disarming", "if disarming:", "if False:", "command.authority"),
    _off("authority", "foreign source", "if command.source != command.channel:", "if False:", "command.authority"),
    _off(
        "authority",
        "override first",
        'if command.channel == "policy" and followed == "override":',
        "if False:",
        "command.authority",
    ),
    _off("schema", "whole", "or self._schema.check(command)", ""),
    _off("schema", "names", "verdict = self._check_names(names)", "verdict = None", "command.schema"),
    _off("schema", "length", "if len(positions) != len(self._names):", "if False:", "command.schema"),
    _off("schema", "finite", "if not math.isfinite(position):", "if False:", "command.schema"),
    _off("schema", "units", "if not lowest <= position <= highest:", "if False:", "command.schema"),
    _off("freshness", "whole", "or self._freshness.check(command)", ""),
    _off("freshness", "no stamp", "if command.stamp_ns <= 0:", "if False:", "command.freshness"),
    _off("freshness", "old", "if command.age_ns > self._max_age_ns:", "if False:", "command.freshness"),
    _off("freshness", "ahead", "if -command.age_ns > self._max_lead_ns:", "if False:", "command.freshness"),
    _off("sequence", "whole", "or self._sequence.check(command)", ""),
    _off("sequence", "count", "if command.seq <= last.seq:", "if False:", "command.sequence"),
    _off("sequence", "stamp", "if command.stamp_ns <= last.stamp_ns:", "if False:", "command.sequence"),
    _off("sequence", "remember", "self._sequence.accepted(command)", "pass"),
    _off("continuity", "whole", "verdict = self._continuity.check(point, self._motion.q())"),
    _off(
        "joint_state", "stale, tick", "            stale = self._joint_state.stale(now_ns)", "            stale = None"
    ),
    _off("joint_state", "outside, tick", "self._joint_state.outside() or "),
    _off(
        "joint_state",
        "stale, arm",
        "verdict = verdict or measured.stale(now_ns) or measured",
        "verdict = verdict or measured",
    ),
    _off("joint_state", "outside, arm", "or measured.outside() or", "or"),
    _off("joint_state", "stale, stall", "if measured.stale(now_ns) or measured", "if measured"),
    _off("joint_state", "moving, stall", "or measured.moving() or self._motion", "or self._motion"),
    _off("joint_state", "outside, stall", "fault = measured.outside() or self", "fault = self"),
    _off("open_loop", "stall, disarm", "self._disarming and self._adrift is None", "self._disarming"),
    _off("joint_state", "moving, arm", "measured.outside() or measured.moving()", "measured.outside()"),
    _off(
        "joint_state",
        "finite",
        "if not -LARGEST <= value <= LARGEST or (velocities and not math.isfinite(velocities[i])):",
        "if False:",
        "measured.joint_state",
    ),
    _off("joint_state", "names", "if names.count(name) != 1:", "if False:", "measured.joint_state"),
    _off(
        "tracking_error",
        "whole",
        "self._tracking_error.check(self._joint_state.q, self._motion.q())",
    ),
    _off("open_loop", "whole", "or self._open_loop.check(now_ns, self._accepted_ns, self._followed)", ""),
    _off("open_loop", "stall", "late_ns > self._stall_ns and", "False and"),
    _off(
        "open_loop",
        "stall, setpoint",
        "if self._adrift is not None:\n            return self._adrift\n",
        "if False:\n            return None\n",
    ),
    _off("estop", "two buttons, arm", "self._authority.crowded(BUTTON) or self._authority", "self._authority"),
    _off("estop", "two buttons, reset", "buttons = self._authority.crowded(BUTTON)", "buttons = None"),
    _off("authority", "disputed, arm", "crowded(BUTTON) or self._authority.disputed()", "crowded(BUTTON)"),
    _off("authority", "disputed, tick", "stale = stale or self._authority.disputed() or", "stale = stale or"),
    _off("filter", "fault", 'self._latch(Verdict("filter", reason))', "pass"),
    _off("clearance", "not a number", "if math.isnan(distance):", "if False:", "geometry.arm_model"),
    _off("clearance", "work, speed", "if not self._within_budget(1):", "if False:", "geometry.clearance"),
    _off("clearance", "work, stale", "self._queries += len(outdated)", "pass", "geometry.clearance"),
    _off("obstacle", "frame of the arm", "if self._frame != arm.root:", "if False:", "geometry.obstacle"),
    _off(
        "obstacle",
        "not placed",
        'self._refused = "the newest obstacles could not be placed"',
        "pass",
        "geometry.obstacle",
    ),
    _off("estop", "service", "self._press(EStop.pressed(by))", "pass"),
    _off("estop", "topic", "verdict = self._estop.signal(pressed)", "verdict = None"),
    _off("estop", "heartbeat", "silent = self._estop.silent(now_ns)", "silent = None"),
    _off("estop", "held, reset", "held = self._estop.holds(now_ns)", 'held = ""'),
    _off("estop", "no heartbeat yet, arm", "waits = self._estop.holds(now_ns)", 'waits = ""'),
    _off("estop", "heartbeat, reset", "verdict = self.silent(now_ns)", "verdict = None", "command.estop"),
    _off(
        "deadman", "whole", "self._authority.disputed() or self._deadman.released(now_ns)", "self._authority.disputed()"
    ),
    _off(
        "deadman",
        "released",
        "self._pressed_ns = receive_ns if pressed else None",
        "self._pressed_ns = receive_ns",
        "command.deadman",
    ),
    _off(
        "velocity_limit",
        "bounds",
        "            self._velocity_limit,\n            AccelerationLimit(limits),",
        "            AccelerationLimit(limits),",
        "joint.joint_motion",
    ),
    _off(
        "velocity_limit",
        "lower limit",
        "within_speed = self._velocity_limit.peak_speed(v, a) <= max_speed",
        "within_speed = True",
        "joint.joint_motion",
    ),
    _off("velocity_limit", "speed scale", "share = self.scale * permille", "share = 1000 * permille", "arm_motion"),
    _off(
        "acceleration_limit",
        "bounds",
        "            AccelerationLimit(limits),\n",
        "",
        "joint.joint_motion",
    ),
    _off("acceleration_limit", "short way", "abs(wanted) <= limits.acceleration", "True", "joint.joint_motion"),
    _off("jerk_limit", "bounds", "            self._jerk_limit,\n        )", "        )", "joint.joint_motion"),
    _off("jerk_limit", "short way", "and abs(wanted - a) <= limits.jerk", "", "joint.joint_motion"),
    _off(
        "position_limit",
        "candidate",
        "if self._position_limit.viable(target, v + wanted, wanted):",
        "if True:",
        "joint.joint_motion",
    ),
    _off(
        "position_limit",
        "step",
        "if self._position_limit.viable(q + v + tried, v + tried, tried):",
        "if True:",
        "joint.joint_motion",
    ),
    _off(
        "position_limit",
        "short way",
        "and self.clearly_viable(target, v + wanted, max_speed)",
        "",
        "joint.joint_motion",
    ),
    _off(
        "position_limit",
        "slow zone",
        "if zone and self._exceeds_slow_zone(q, v):",
        "if False:",
        "joint.position_limit",
    ),
    _off(
        "effort_limit",
        "whole",
        "            verdict = self._effort.check(self._joints)",
        "            verdict = None",
        "geometry.collision_constraints",
    ),
    _off(
        "effort_limit",
        "arm",
        "return None if self._effort is None else self._effort.check(self._joints)",
        "return None",
        "geometry.collision_constraints",
    ),
    _off(
        "contact",
        "whole",
        "return None if self._contact is None else self._contact.check(receive_ns, q, dq, ddq, efforts)",
        "return None",
        "geometry.collision_constraints",
    ),
    _off("contact", "no efforts", "if len(efforts) != len(self._names) or", "if False and", "measured.contact"),
    _off(
        "fence",
        "pairs",
        "pairs = [*fence.distance_pairs(arm, parameters.fence), *",
        "pairs = [*",
        "geometry.collision_constraints",
    ),
    _off("table", "pairs", "*table.distance_pairs(arm, parameters.table)]", "]", "geometry.collision_constraints"),
    _off(
        "keep_out",
        "pairs",
        "pairs += keep_out.distance_pairs(arm, parameters.keep_out)",
        "pass",
        "geometry.collision_constraints",
    ),
    _off(
        "self_collision",
        "pairs",
        "pairs += self_collision.distance_pairs(arm, parameters.self_collision, limits, srdf)",
        "pass",
        "geometry.collision_constraints",
    ),
    _off(
        "obstacle",
        "pairs",
        "pairs += self._obstacles.pairs if self._obstacles else []",
        "pass",
        "geometry.collision_constraints",
    ),
    _off("obstacle", "feed, tick", "stale = stale or self._collision_constraints.stale(now_ns)", "pass"),
    _off(
        "obstacle",
        "feed, arm",
        "self.stale(now_ns) or self.collision_constraints.restart()",
        "self.collision_constraints.restart()",
        "arm_motion",
    ),
    _off(
        "obstacle", "refused list", "self._refused = self._fault(obstacles)", 'self._refused = ""', "geometry.obstacle"
    ),
    _off(
        "obstacle",
        "moved",
        "active_set.shapes_moved(self._first_pair(k), self._pairs_per_slot, displacement_m)",
        "pass",
        "geometry.obstacle",
    ),
    _off(
        "obstacle",
        "new",
        "active_set.shapes_replaced(self._first_pair(k), self._pairs_per_slot, in_use=True)",
        "pass",
        "geometry.obstacle",
    ),
    _off(
        "obstacle",
        "shape",
        "self._arm.replace_fixed_shape(self._shapes[k], *obstacle.shape_and_pose())\n                if",
        "if",
        "geometry.obstacle",
    ),
    _off(
        "clearance",
        "arm",
        "self.stale(now_ns) or self.collision_constraints.restart()",
        "self.collision_constraints.stale(now_ns)",
        "arm_motion",
    ),
    _off(
        "clearance",
        "candidate",
        "        refused = constraints.violation(before)",
        "        refused = None",
        "arm_motion",
    ),
    _off("clearance", "smaller step", "if constraints.violation(before) is None:", "if True:", "arm_motion"),
    _off(
        "clearance",
        "slower near",
        "permille, nearest = (1000, None) if constraints is None else constraints.speed_permille()",
        "permille, nearest = (1000, None)",
        "arm_motion",
    ),
    _off(
        "clearance",
        "bound follows the arm",
        "            self.distance -= approach_bound(self.lever_arms, lengths)",
        "            pass",
        "geometry.active_set",
    ),
    _off(
        "clearance",
        "bound of what is far follows the arm",
        "self._travelled = [travelled + length for travelled, length in zip(self._travelled, lengths, strict=True)]",
        "pass",
        "geometry.active_set",
    ),
    _off(
        "clearance",
        "refresh, tick",
        "if not active_set.covers([0] * len(self._joints)):",
        "if False:",
        "geometry.clearance",
    ),
    _off(
        "clearance", "refresh, candidate", "if not active_set.covers(path_lengths):", "if False:", "geometry.clearance"
    ),
    _off("clearance", "active", "if not active_set.may_hold:", "if True:", "geometry.clearance"),
    _off(
        "clearance",
        "way to rest",
        "return self._path_violation(unproven, step_lengths)",
        "return None",
        "geometry.clearance",
    ),
    _off(
        "clearance",
        "retreat only",
        "return self._retreat_violation(unproven[below]) or self._path_violation(unproven[~below], step_lengths)",
        "return self._path_violation(unproven[~below], step_lengths)",
        "geometry.clearance",
    ),
    _off(
        "last_check",
        "tick",
        "        if violation is not None:\n            raise LastCheckError(violation)",
        "",
    ),
    _off(
        "last_check", "stop", "            return self._checked(before)", "            return self._motion.positions()"
    ),
    _off("last_check", "finite", "if not math.isfinite(x):", "if False:", "joint.last_check"),
    _off("last_check", "lower end", "if x < joint.lower - ROUNDING:", "if False:", "joint.last_check"),
    _off("last_check", "upper end", "if x > joint.upper + ROUNDING:", "if False:", "joint.last_check"),
    _off("last_check", "velocity", "if not -max_dx <= dx <= max_dx:", "if False:", "joint.last_check"),
    _off(
        "last_check",
        "acceleration",
        "if not -max_d2x <= d2x <= max_d2x:",
        "if False:",
        "joint.last_check",
    ),
    _off("last_check", "jerk", "if not -max_d3x <= d3x <= max_d3x:", "if False:", "joint.last_check"),
    _off("last_check", "slow zone", "if distance < joint.slow_zone:", "if False:", "joint.last_check"),
    _off(
        "filter",
        "a rule that raises in a tick",
        "            self._latch(verdict)\n            positions = self._stop_from(before)",
        "            positions = self._stop_from(before)",
    ),
    _off("filter", "stop after a raise", "self._stop_from(before)", "self._motion.positions()"),
    _off(
        "filter",
        "latch",
        "        if self.state in LATCHED:\n            return self._latched",
        "        if False:\n            return self._latched",
    ),
    _off("filter", "reset while moving", "if self._sending and not self._motion.at_rest:", "if False:"),
    _off(
        "filter",
        "raise of the speed scale",
        "if thousandths > self._motion.scale and self.state not in (State.DISARMED, State.HOLDING):",
        "if False:",
    ),
    _off(
        "filter",
        "arm when disarmed only",
        'if self.state is not State.DISARMED:\n            return False, f"cannot arm',
        'if False:\n            return False, f"cannot arm',
    ),
)
