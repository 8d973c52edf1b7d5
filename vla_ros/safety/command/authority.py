"""Rule authority: who may command now."""

from __future__ import annotations

from collections.abc import Sequence

from vla_ros.safety.command.setpoint import SOURCES, Command
from vla_ros.safety.states import State
from vla_ros.safety.verdict import Verdict

NAME = "authority"

SUPPORTS = ("heartbeat", "deadman", "obstacle", "controller", "gripper")
"""What else has one publisher each: of two, one would take back what the other one says. On the controllers' topics
that one is the filter."""
BUTTON = "estop"
"""As well; but a second button that appears need not stop what moves."""
_REMEDY = {
    State.DISARMED: "the arm is disarmed; call vla/arm",
    State.PROTECTIVE_STOP: "protective stop is latched; call vla/reset, then vla/arm",
    State.ESTOP: "e-stop is latched; call vla/reset, then vla/arm",
}


class Authority:
    """The override goes before the policy. A policy gets the arm back only after it has come to rest.

    A source is one publisher: while two publish on its topic, neither is followed, since their setpoints cannot be told
    apart.
    """

    def __init__(self) -> None:
        self._publishers: dict[str, tuple[str, ...]] = dict.fromkeys((*SOURCES, *SUPPORTS, BUTTON), ())

    def publishers(self, channel: str, names: Sequence[str]) -> None:
        """Take note of who publishes on the topic of `channel`."""
        self._publishers[channel] = tuple(names)

    def disputed(self) -> Verdict | None:
        """Stop while anything that the filter relies on has more than one publisher."""
        return next(filter(None, map(self.crowded, SUPPORTS)), None)

    def crowded(self, channel: str) -> Verdict | None:
        """Stop following a source that is more than one publisher."""
        names = self._publishers[channel]
        if len(names) <= 1:
            return None
        return Verdict(NAME, f"{len(names)} publishers for {channel}: {', '.join(names)}; stop all but one")

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
            return Verdict(NAME, f"source is {command.source!r:.80} on the topic of {command.channel!r}")
        if command.channel == "policy" and followed == "override":
            return Verdict(NAME, "the override has priority until the arm is at rest")
        return self.crowded(command.channel)
