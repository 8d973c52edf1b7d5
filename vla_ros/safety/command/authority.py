"""Rule authority: who may command now."""

from __future__ import annotations

from vla_ros.safety.command.estop import BUTTON
from vla_ros.safety.command.setpoint import SOURCES, Setpoint
from vla_ros.safety.rules import Action, RuleCode, Scope, SetpointRule, TickRule
from vla_ros.safety.state import FilterState
from vla_ros.safety.states import State
from vla_ros.safety.verdict import Verdict

NAME = "authority"

SINGLE_INPUTS = (
    *("heartbeat", "deadman", "enabling", "reduced", "obstacle", "speed_scale", "safety_monitor"),
    *("controller", "gripper", "controller_state", "speed_scaling"),
)
"""What else has one publisher each: of two, one would take back what the other one says. On the controllers' topics
that one is the filter; what they tell of themselves comes from them alone, or a stranger could speak for one that is off."""
DESCRIPTION = "robot_description"
"""Where limits and bodies came from at the start. A second publisher that is noticed later changes nothing that moves, but it
may have been there then: the filter does not arm."""
JOINT_STATES = "joint_states"
"""May have several publishers, one for each joint; their names are known here, see `joint_source`."""
TOPIC, GOALS = "output ", "goals "
"""Channels of `FilterState.publishers`: these before a topic's name, with who else publishes there; before an action's, with
the goals of others that are not over."""
REFUSING = {
    State.DISARMED: "the arm is disarmed; call vla/arm",
    State.PROTECTIVE_STOP: "protective stop is latched; call vla/reset, then vla/arm",
    State.ESTOP: "e-stop is latched; call vla/reset, then vla/arm",
    State.DISARMING: "the arm is being disarmed",
}
"""States in which no setpoint is accepted, and what a refusal says."""


def no_publishers() -> dict[str, tuple[str, ...]]:
    """Return the publishers of each channel before any has been looked up. A second e-stop button stops nothing that moves,
    but nothing is armed with it."""
    return dict.fromkeys((*SOURCES, *SINGLE_INPUTS, BUTTON, DESCRIPTION, JOINT_STATES), ())


def has_multiple_publishers(state: FilterState, channel: str) -> Verdict | None:
    """Object when more than one publishes on the topic of `channel`: their messages cannot be told apart."""
    names = state.publishers.get(channel, ())  # a log of before may lack a channel
    if len(names) <= 1:
        return None
    return Verdict(NAME, f"{len(names)} publishers for {channel}: {', '.join(names)}; stop all but one")


def inputs_ambiguous(state: FilterState) -> Verdict | None:
    """Object while anything that the filter relies on has more than one publisher."""
    for channel in SINGLE_INPUTS:
        verdict = has_multiple_publishers(state, channel)
        if verdict is not None:
            return verdict
    return None


def publishing_stranger(state: FilterState) -> Verdict | None:
    """Object while anyone else publishes on a topic by which the arm can be moved."""
    for channel, names in state.publishers.items():
        if names and channel.startswith(TOPIC):
            topic = channel.removeprefix(TOPIC)
            return Verdict(NAME, f"{', '.join(names)} publishes on {topic}, which moves the arm; stop it")
    return None


def strangers_goal(state: FilterState) -> Verdict | None:
    """Object while a goal of somebody else moves the arm."""
    for channel, goals in state.publishers.items():
        if goals and channel.startswith(GOALS):
            action = channel.removeprefix(GOALS)
            return Verdict(NAME, f"{action} has a goal that is not the filter's: {', '.join(goals)}; cancel it")
    return None


class SetpointAuthority(SetpointRule):
    """The override goes before the policy, which gets the arm back only after it has come to rest.

    A source is one publisher: while two publish on its topic, neither is followed.
    """

    NAME, CODE = NAME, RuleCode.AUTHORITY

    def check(self, setpoint: Setpoint, state: FilterState) -> Verdict | None:
        """Refuse a setpoint when nobody, or somebody else, is to be followed."""
        if state.state in REFUSING:
            return Verdict(NAME, REFUSING[state.state])
        if setpoint.source != setpoint.channel:
            return Verdict(NAME, f"source is {setpoint.source!r:.80} on the topic of {setpoint.channel!r}")
        if setpoint.channel == "policy" and state.followed == "override":
            return Verdict(NAME, "the override has priority until the arm is at rest")
        return has_multiple_publishers(state, setpoint.channel)


class InputAuthority(TickRule):
    """Each input that the filter relies on, and each output topic, has at most one publisher."""

    NAME, CODE = NAME, RuleCode.AUTHORITY

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Stop while one has more."""
        return inputs_ambiguous(state)


class SourceAuthority(TickRule):
    """The source that is followed has at most one publisher."""

    NAME, CODE, SCOPE = NAME, RuleCode.AUTHORITY, Scope.FOLLOWING

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Stop following a source that has more."""
        return has_multiple_publishers(state, state.followed)


class OutputAuthority(TickRule):
    """Nobody else publishes where a controller of the arm listens."""

    NAME, CODE = NAME, RuleCode.AUTHORITY

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Stop while somebody does."""
        return publishing_stranger(state)


class GoalAuthority(TickRule):
    """No action of a controller of the arm has a goal of somebody else."""

    NAME, CODE, ACTION = NAME, RuleCode.AUTHORITY, Action.LATCH

    def check(self, state: FilterState, now_ns: int) -> Verdict | None:
        """Latch when one has: what the arm then did was not the filter's."""
        return strangers_goal(state)
