"""Rule estop: somebody pressed stop, or its heartbeat, once heard, is silent for longer than the longest silence.

It is no safety-rated stop; the robot's own e-stop stays the e-stop.
"""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.rules import Action, RuleCode, Scope, TickRule
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.safety.state import FilterState
from vla_ros.safety.verdict import Verdict

NAME = "estop"
BUTTON = "estop"
"""Channel of the buttons' publishers."""
MOST_BUTTONS = 64
"""Pressed buttons that are told apart; further ones count as one, OTHERS."""
OTHERS = "others"
UNNAMED = ""
"""The button of a caller who tells no buttons apart."""


def pressed(by: str) -> Verdict:
    """Return the verdict that latches; `by` says who or what pressed."""
    return Verdict(NAME, f"e-stop by {by}")


class EStop(TickRule):
    """The heartbeat on vla/estop_heartbeat, and what holds the latch of the button on vla/estop.

    Args: parameters: `estop.heartbeat_s`, longest silence; 0: there is no heartbeat. limits, arm: not used.
    """

    NAME, CODE, ACTION, SCOPE = NAME, RuleCode.ESTOP, Action.ESTOP, Scope.ALWAYS

    def __init__(
        self, parameters: SafetyFilterParameters, limits: Sequence[JointLimits], arm: ArmModel | None = None
    ) -> None:
        self._longest_ns = round(parameters.estop.heartbeat_s * 1e9)

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """E-stop when the heartbeat, once heard, is missing. Before that nothing moves: `held`."""
        if not self._longest_ns or state.heartbeat_ns is None:
            return None
        age_ns = now_ns - state.heartbeat_ns
        if age_ns <= self._longest_ns:
            return None
        silence_s, longest_s = age_ns / 1e9, self._longest_ns / 1e9
        return Verdict(NAME, f"no e-stop heartbeat for {silence_s:.3f} s", requested=silence_s, limit=longest_s)

    def held(self, state: FilterState, now_ns: int) -> str:
        """Return why a reset and an arm are refused; empty: nothing holds the stop."""
        if state.estop_buttons:
            return _still_pressed(state)
        if self._longest_ns and state.heartbeat_ns is None:
            return "no heartbeat yet on vla/estop_heartbeat"
        verdict = self.check(state, now_ns)
        return "" if verdict is None else verdict.reason


def update(state: FilterState, pressed_now: bool, button: str) -> None:
    """A button is pressed, or released; released, the latch stays until reset. No button releases another one's press."""
    if not pressed_now:
        state.estop_buttons.pop(button, None)
        return
    if button not in state.estop_buttons and len(state.estop_buttons) >= MOST_BUTTONS:
        button = OTHERS
    state.estop_buttons.setdefault(button, "")
    state.press(pressed("topic vla/estop"))


def name_buttons(state: FilterState) -> None:
    """Note the names of those who press, while they can be seen."""
    for button in state.estop_buttons:
        state.estop_buttons[button] = _name(state, button) or state.estop_buttons[button]


def lost_buttons(state: FilterState) -> list[str]:
    """Return the buttons that are pressed and whose publishers have left: they cannot say that they are released."""
    return [button for button in state.estop_buttons if button != UNNAMED and not _name(state, button)]


def description(state: FilterState, button: str) -> str:
    """Return a pressed button for people."""
    return state.estop_buttons[button] or f"publisher {button}"


def _still_pressed(state: FilterState) -> str:
    lost = lost_buttons(state)
    present = [description(state, each) for each in state.estop_buttons if each not in (*lost, UNNAMED)]
    if lost and not present and UNNAMED not in state.estop_buttons:
        names = ", ".join(description(state, each) for each in lost)
        return (
            f"the e-stop is still pressed by {names}, which has left; look at that button, then call "
            "vla/release_lost_estop (vla-ros reset --lost-estop)"
        )
    by = f" by {', '.join(present)}" if present else ""
    return f"the e-stop is still pressed{by}; release it on vla/estop"


def _name(state: FilterState, button: str) -> str:
    return next((name for name in state.publishers[BUTTON] if button and button in name), "")
