"""Rule authority: who may command now."""

from __future__ import annotations

from vla_ros.safety.command import Command
from vla_ros.safety.states import State
from vla_ros.safety.verdict import Verdict

NAME = "authority"

_REMEDY = {
    State.DISARMED: "the arm is disarmed; call vla/arm",
    State.PROTECTIVE_STOP: "protective stop is latched; call vla/reset, then vla/arm",
    State.ESTOP: "e-stop is latched; call vla/reset, then vla/arm",
}


class Authority:
    """The override goes before the policy. A policy gets the arm back only after it has come to rest."""

    def check(self, command: Command, state: State, disarming: bool, followed: str) -> Verdict | None:
        """Refuse what nobody or somebody else is to be followed.

        Args:
            command: the setpoint.
            state: of the filter.
            disarming: whether the arm comes to rest to be disarmed.
            followed: source whose motion is not at rest yet; empty when it is.
        """
        if state in _REMEDY:
            return Verdict(NAME, _REMEDY[state])
        if disarming:
            return Verdict(NAME, "the arm is being disarmed")
        if command.source != command.channel:
            return Verdict(NAME, f"source is {command.source!r} on the topic of {command.channel!r}")
        if command.channel == "policy" and followed == "override":
            return Verdict(NAME, "the override has priority until the arm is at rest")
        return None
