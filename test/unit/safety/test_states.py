"""The transition table: drawn in docs/safety.md as it is, latches left only by reset, no way into motion but arming."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vla_ros.safety.states import ACTIVE, LATCHED, TRANSITIONS, Event, State, after

DOCS = Path(__file__).parents[3] / "docs" / "safety.md"


def test_the_diagram_in_the_docs_is_the_table() -> None:
    (diagram,) = re.findall(r"```mermaid\n(stateDiagram-v2.*?)```", DOCS.read_text(), re.DOTALL)
    assert re.search(r"\[\*\] --> DISARMED$", diagram, re.MULTILINE)
    drawn = {
        (State[start], Event(event), State[end])
        for start, end, events in re.findall(r"^\s*(\w+) --> (\w+): (.+)$", diagram, re.MULTILINE)
        for event in events.split(", ")
    }
    assert drawn == {(start, event, end) for (start, event), end in TRANSITIONS.items()}


def test_every_state_is_latched_active_or_disarmed() -> None:
    assert LATCHED | ACTIVE | {State.DISARMED} == set(State)
    assert not LATCHED & ACTIVE


@pytest.mark.parametrize("state", sorted(LATCHED))
def test_latches_are_left_only_by_reset_and_not_into_motion(state: State) -> None:
    assert {after(state, event) for event in Event} == {State.DISARMED, State.ESTOP, state}
    assert after(state, Event.RESET) is State.DISARMED


@pytest.mark.parametrize("state", [State.DISARMING, State.STALLED, State.ENTERING])
def test_nothing_is_followed_before_a_disarming_stalled_or_entering_arm_is_at_rest(state: State) -> None:
    ends = {after(state, event) for event in Event if event is not Event.DISARM}
    rest = State.DISARMED if state is State.DISARMING else State.HOLDING
    assert ends == {state, rest, State.PROTECTIVE_STOP, State.ESTOP}
    assert after(state, Event.REST) is rest
    assert after(state, Event.DISARM) is State.DISARMING


def test_published_numbers_keep_their_meaning() -> None:
    names = (
        "DISARMED",
        "HOLDING",
        "TRACKING",
        "LIMITING",
        "STOPPING",
        "PROTECTIVE_STOP",
        "ESTOP",
        "DISARMING",
        "STALLED",
        "ENTERING",
    )
    assert [State(number).name for number in range(10)] == list(names)


def test_disarmed_is_left_only_by_arming_or_estop() -> None:
    assert {event for event in Event if after(State.DISARMED, event) is not State.DISARMED} == {
        Event.ARM,
        Event.ENTER,
        Event.ESTOP,
    }


def test_estop_and_fault_reach_every_active_state() -> None:
    for state in ACTIVE:
        assert after(state, Event.ESTOP) is State.ESTOP
        assert after(state, Event.FAULT) is State.PROTECTIVE_STOP
