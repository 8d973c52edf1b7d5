"""Mutants of the rules on the measured arm."""

from __future__ import annotations

from test.mutation.mutant import switched_off

MEASURED_MUTANTS = (
    switched_off("joint_state", "stale, tick", "    JointStateFresh,\n", "", "filter"),
    switched_off("joint_state", "outside, tick", "    JointStateInRange,\n", "", "filter"),
    switched_off("joint_state", "stale, arm", "        or setup.fresh.check(state, now_ns)\n", "", "services"),
    switched_off("joint_state", "outside, arm", "        or setup.in_range.check(state, now_ns)\n", "", "services"),
    switched_off(
        "joint_state",
        "stale, stall",
        "first_verdict((setup.fresh, setup.at_rest, *setup.feed), state, now_ns)",
        "first_verdict((setup.at_rest, *setup.feed), state, now_ns)",
        "takeover",
    ),
    switched_off(
        "joint_state",
        "moving, stall",
        "first_verdict((setup.fresh, setup.at_rest, *setup.feed), state, now_ns)",
        "first_verdict((setup.fresh, *setup.feed), state, now_ns)",
        "takeover",
    ),
    switched_off(
        "joint_state",
        "outside, stall",
        "fault = setup.in_range.check(state, now_ns) or take_over",
        "fault = take_over",
        "takeover",
    ),
    switched_off("joint_state", "moving, arm", "        or setup.at_rest.check(state, now_ns)\n", "", "services"),
    switched_off("joint_state", "settled, arm", "        or setup.settled.check(state, now_ns)\n", "", "services"),
    switched_off("joint_state", "contradictions, tick", "    JointStateConsistent,\n", "", "filter"),
    switched_off(
        "joint_state",
        "finite",
        "if not -LARGEST <= value <= LARGEST:",
        "if False:",
        "measured.joint_state_reader",
    ),
    switched_off(
        "joint_state",
        "impossible step",
        "if step * NANO * 100 <= self._largest_steps[i] * (dt_ns + JITTER_NS):",
        "if True:",
        "measured.joint_state_reader",
    ),
    switched_off("joint_state", "stamps", "if verdict is None and fault:", "if False:", "measured.joint_state_reader"),
    switched_off("joint_state", "no stamp", "if stamp_ns <= 0:", "if False:", "measured.stamp_clock"),
    switched_off(
        "joint_state", "repeated stamp", "if stamp_ns == clock.stamp_ns:", "if False:", "measured.stamp_clock"
    ),
    switched_off("joint_state", "stamp back", "if back_ns > 0:", "if False:", "measured.stamp_clock"),
    switched_off("joint_state", "late stamp", "if late_ns > self._tolerance_ns:", "if False:", "measured.stamp_clock"),
    switched_off(
        "joint_state", "stamp ahead", "if ahead_ns > self._tolerance_ns:", "if False:", "measured.stamp_clock"
    ),
    switched_off("joint_state", "probation", "if run_ns < self._probation_ns:", "if False:", "measured.stamp_clock"),
    switched_off("joint_source", "tick", "    JointSource,\n", "", "filter"),
    switched_off("joint_source", "arm", "        or setup.one_source.check(state, now_ns)\n", "", "services"),
    switched_off(
        "joint_source", "arrival", "        if rival is not None:", "        if False:", "measured.joint_state_reader"
    ),
    switched_off(
        "joint_state",
        "names",
        "if (count := names.count(name)) != 1:",
        "if (count := names.count(name)) != 1 and False:",
        "command.joint_order",
    ),
    switched_off("overspeed", "whole", "(Overspeed, TcpOverspeed, Contact)", "(TcpOverspeed, Contact)", "filter"),
    switched_off("overspeed", "limit", "if abs(dq) > limit)", "if False)", "measured.overspeed"),
    switched_off("tcp_overspeed", "whole", "(Overspeed, TcpOverspeed, Contact)", "(Overspeed, Contact)", "filter"),
    switched_off("tcp_overspeed", "limit", "if speed <= self._limit_m_s:", "if True:", "measured.tcp_overspeed"),
    switched_off("standstill", "whole", "    Standstill,\n", "", "filter"),
    switched_off("standstill", "tolerance", "if abs(q - stood) > tolerance:", "if False:", "measured.standstill"),
    switched_off("standstill", "latched and elsewhere", "setup.standstill.is_elsewhere(state)", "False", "tick"),
    switched_off("measured_clearance", "whole", "    MeasuredClearance,\n", "", "filter"),
    switched_off(
        "measured_clearance", "output", "if spare[k] < 0.0 else None", "if False else None", "geometry.clearance"
    ),
    switched_off("tracking_error", "whole", "    TrackingError,\n", "", "filter"),
    switched_off("speed_scaling", "whole", "    SpeedScaling,\n", "", "filter"),
    switched_off("speed_scaling", "value", "abs(share - 1.0) <= TOLERANCE", "True", "measured.speed_scaling"),
    switched_off("speed_scaling", "silence", "now_ns - told_ns > TIMEOUT_NS", "False", "measured.speed_scaling"),
    switched_off("controller_state", "whole", "    ControllerState,\n", "", "filter"),
    switched_off("controller_state", "gripper", "    GripperFollows,\n", "", "filter"),
    switched_off(
        "controller_state", "arm", "        or first_verdict(setup.controllers, state, now_ns)\n", "", "services"
    ),
    switched_off(
        "controller_state",
        "silent",
        "if silent_ns > self._timeout_ns:",
        "if False:",
        "measured.controller_state",
    ),
    switched_off("controller_state", "refused", "if report.refused:", "if False:", "measured.controller_state"),
    switched_off(
        "controller_state",
        "speed scaling",
        "if scaling and abs(scaling - 1.0) > SCALING_TOLERANCE:",
        "if False:",
        "measured.controller_state",
    ),
    switched_off("controller_state", "error", "if abs(error) > tolerance:", "if False:", "measured.controller_state"),
    switched_off(
        "controller_state",
        "reference",
        "if sent is not None and abs(reference - sent[i].q) > allowed:",
        "if False:",
        "measured.controller_state",
    ),
    switched_off(
        "controller_state",
        "gripper, blocked elsewhere",
        "if blocked is not None and abs(finger - blocked) <= self._motion:",
        "if blocked is not None:",
        "measured.controller_state",
    ),
    switched_off(
        "controller_state",
        "problem",
        "self.values.latch(Verdict(controller_state.NAME, reason))",
        "pass",
        "filter",
    ),
    switched_off(
        "contact",
        "no masses",
        "        missing = arm.bodies_without_mass()",
        "        missing: list[str] = []",
        "measured.contact",
    ),
    switched_off(
        "contact",
        "whole",
        "(Overspeed, TcpOverspeed, Contact)",
        "(Overspeed, TcpOverspeed)",
        "filter",
    ),
    switched_off("contact", "no efforts", "if len(efforts) != len(self._names) or", "if False and", "measured.contact"),
    switched_off(
        "joint_state",
        "names twice",
        "        if found.twice:\n",
        "        if False:\n",
        "measured.joint_state_reader",
    ),
)
