"""Mutants of the rules on setpoints, inputs and authority."""

from __future__ import annotations

from test.mutation.mutant import switched_off

COMMAND_MUTANTS = (
    switched_off("authority", "setpoint", "    SetpointAuthority,\n    Resumption", "    Resumption", "filter"),
    switched_off(
        "authority", "several publishers, tick", "    SourceAuthority,\n    OpenLoop", "    OpenLoop", "filter"
    ),
    switched_off(
        "authority",
        "several publishers, setpoint",
        "return has_multiple_publishers(state, setpoint.channel)",
        "return None",
        "command.authority",
    ),
    switched_off("authority", "disarmed or latched", "if state.state in REFUSING:", "if False:", "command.authority"),
    switched_off(
        "authority", "disarming", '    State.DISARMING: "the arm is being disarmed",\n', "", "command.authority"
    ),
    switched_off(
        "authority", "foreign source", "if setpoint.source != setpoint.channel:", "if False:", "command.authority"
    ),
    switched_off(
        "authority",
        "override first",
        'if setpoint.channel == "policy" and state.followed == "override":',
        "if False:",
        "command.authority",
    ),
    switched_off("resumption", "whole", "    Resumption,\n", "", "filter"),
    switched_off(
        "resumption", "refused setpoints", "        rule.offered(setpoint, state)\n", "        pass\n", "messages"
    ),
    switched_off(
        "resumption",
        "stops of the service",
        "        state.stops += 1\n    state.release()",
        "        pass\n    state.release()",
        "services",
    ),
    switched_off(
        "deadman", "a release is a stop", "            state.stops += 1\n", "            pass\n", "command.deadman"
    ),
    switched_off(
        "estop",
        "no button releases another",
        "state.estop_buttons.pop(button, None)",
        "state.estop_buttons.clear()",
        "command.estop",
    ),
    switched_off("authority", "owner of the speed scale", "if owners is not None:", "if False:", "messages"),
    switched_off("schema", "whole", "    Schema,\n", "", "filter"),
    switched_off(
        "schema",
        "names",
        "verdict = self._check_names(tuple(setpoint.joint_names))",
        "verdict = None",
        "command.schema",
    ),
    switched_off("schema", "length", "if len(positions) != len(self._names):", "if False:", "command.schema"),
    switched_off("schema", "finite", "if not math.isfinite(position):", "if False:", "command.schema"),
    switched_off("schema", "units", "if not lowest <= position <= highest:", "if False:", "command.schema"),
    switched_off("freshness", "whole", "    Freshness,\n", "", "filter"),
    switched_off("freshness", "no stamp", "if setpoint.stamp_ns <= 0:", "if False:", "command.freshness"),
    switched_off("freshness", "old", "if setpoint.age_ns > self._max_age_ns:", "if False:", "command.freshness"),
    switched_off("freshness", "ahead", "if -setpoint.age_ns > self._max_lead_ns:", "if False:", "command.freshness"),
    switched_off("sequence", "whole", "    SetpointSequence,\n", "", "filter"),
    switched_off("sequence", "count", "if setpoint.seq <= last.seq:", "if False:", "command.sequence"),
    switched_off("sequence", "stamp", "if setpoint.stamp_ns <= last.stamp_ns:", "if False:", "command.sequence"),
    switched_off(
        "sequence", "remember", "state.streams[setpoint.channel] = StreamState(", "StreamState(", "command.sequence"
    ),
    switched_off("continuity", "whole", "    Continuity,\n", "", "filter"),
    switched_off("entry", "whole", "    Entry,\n", "", "filter"),
    switched_off("entry", "time", "if not state.entry_ticks:", "if True:", "command.entry"),
    switched_off("open_loop", "stall, disarm", "disarming and state.stalled_by is None", "disarming", "services"),
    switched_off("authority", "stranger's topic, tick", "    OutputAuthority,\n    Deadman", "    Deadman", "filter"),
    switched_off(
        "authority", "stranger's goal, tick", "    GoalAuthority,\n    OutputAuthority", "    OutputAuthority", "filter"
    ),
    switched_off(
        "authority", "stranger's topic, arm", "        or authority.publishing_stranger(state)\n", "", "services"
    ),
    switched_off("authority", "stranger's goal, arm", "        or authority.strangers_goal(state)\n", "", "services"),
    switched_off("open_loop", "whole", "    OpenLoop,\n", "", "filter"),
    switched_off(
        "open_loop",
        "stall",
        "stall = setup.open_loop.stalled(state, now_ns) if state.sending and not setup.entry_ticks else None",
        "stall = None",
        "takeover",
    ),
    switched_off(
        "open_loop",
        "stall, setpoint",
        "    if state.stalled_by is not None:\n        return state.stalled_by\n    for rule",
        "    for rule",
        "messages",
    ),
    switched_off(
        "estop",
        "two buttons, arm",
        "authority.has_multiple_publishers(state, estop.BUTTON)\n        or authority",
        "authority",
        "services",
    ),
    switched_off(
        "authority",
        "two descriptions, arm",
        "        or authority.has_multiple_publishers(state, authority.DESCRIPTION)\n",
        "",
        "services",
    ),
    switched_off(
        "estop",
        "two buttons, reset",
        "buttons = authority.has_multiple_publishers(state, estop.BUTTON)",
        "buttons = None",
        "services",
    ),
    switched_off(
        "authority", "ambiguous inputs, arm", "        or authority.inputs_ambiguous(state)\n", "", "services"
    ),
    switched_off(
        "authority", "ambiguous inputs, tick", "    InputAuthority,\n    GoalAuthority", "    GoalAuthority", "filter"
    ),
    switched_off("estop", "service", "state.press(estop.pressed(by))", "pass", "services"),
    switched_off("estop", "topic", 'state.press(pressed("topic vla/estop"))', "pass", "command.estop"),
    switched_off("estop", "heartbeat", "    EStop,\n", "", "filter"),
    switched_off(
        "estop",
        "held, reset",
        'if held:\n        return False, f"cannot reset: {held}"',
        'if False:\n        return False, f"cannot reset: {held}"',
        "services",
    ),
    switched_off(
        "estop",
        "no heartbeat yet, arm",
        '    held = setup.estop.held(state, now_ns)\n    if held:\n        return False, f"cannot arm: {held}"\n',
        "",
        "services",
    ),
    switched_off("estop", "heartbeat, reset", "verdict = self.check(state, now_ns)", "verdict = None", "command.estop"),
    switched_off("deadman", "whole", "    Deadman,\n", "", "filter"),
    switched_off(
        "deadman",
        "released",
        "            self._release(state)\n\n    def expire",
        "            state.deadman_ns = receive_ns\n\n    def expire",
        "command.deadman",
    ),
    switched_off(
        "enabling", "pressed through", "state.enabling_locked = position != RELEASED", "pass", "command.enabling"
    ),
    switched_off("enabling", "silent", "now_ns - state.enabling_ns > self._timeout_ns", "False", "command.enabling"),
    switched_off(
        "enabling", "ends the task", "            state.stops += 1\n", "            pass\n", "command.enabling"
    ),
    switched_off(
        "safety_monitor",
        "silence",
        "if age_ns > self._timeout_ns:",
        "if False:",
        "command.safety_monitor",
    ),
    switched_off(
        "safety_monitor",
        "other limits",
        "if heard.other_limits:",
        "if False:",
        "command.safety_monitor",
    ),
    switched_off(
        "safety_monitor",
        "what is broken latches",
        "if heard.violation and state.sending:",
        "if False:",
        "command.safety_monitor",
    ),
    switched_off("enabling", "whole", "    Enabling,\n", "", "filter"),
)
