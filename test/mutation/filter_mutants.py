"""Mutants of the rules on the filter itself: its answers, its last resort."""

from __future__ import annotations

from test.mutation.mutant import switched_off

FILTER_MUTANTS = (
    switched_off("filter", "fault", 'self.values.latch(Verdict("filter", reason))', "pass", "filter"),
    switched_off(
        "filter",
        "a rule that raises in a tick",
        "        self.values.latch(verdict)\n        return verdict",
        "        return verdict",
        "filter",
    ),
    switched_off(
        "filter",
        "stop after a raise",
        "positions = stop_positions(state, setup, before)",
        "positions = setup.motion.positions(state)",
        "filter",
    ),
    switched_off("filter", "reset while moving", "if state.sending and not state.at_rest:", "if False:", "services"),
    switched_off(
        "filter",
        "raise of the speed scale",
        "if thousandths > state.scale and state.state not in (State.DISARMED, State.HOLDING):",
        "if False:",
        "messages",
    ),
    switched_off(
        "filter",
        "arm when disarmed only",
        'if state.state is not State.DISARMED:\n        return False, f"cannot arm',
        'if False:\n        return False, f"cannot arm',
        "services",
    ),
    switched_off(
        "filter",
        "an e-stop rule presses",
        "                state.press(verdict)",
        "                pass",
        "rules",
    ),
    switched_off(
        "filter",
        "a latching rule latches",
        "                state.latch(verdict)\n            return verdict",
        "                pass\n            return verdict",
        "rules",
    ),
    switched_off(
        "filter",
        "a stop ends the following",
        "        if stop is not None:\n            state.spline = None",
        "        pass",
        "tick",
    ),
    switched_off(
        "filter",
        "disarmed at rest sends nothing",
        "    if state.state is State.DISARMED:\n        state.sending = False\n",
        "",
        "tick",
    ),
)
