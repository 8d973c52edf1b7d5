"""A goal ends as the planner says; and where no word of the planner's can come any more, as failed, with why."""

from __future__ import annotations

from math import nan

import pytest

from vla_ros.control.task_follower import LISTENER_TIMEOUT_NS, Ending, Feedback, PlanReport, TaskFollower, TaskOutcome
from vla_ros.policies.contract import PlanState
from vla_ros.safety.states import State

S = 1_000_000_000
TEXT = "put the red cube in the bowl"
SAID = 1_000
PLANNER = frozenset({"/planner (01)"})


def plan(state: PlanState, why: str = "", text: str = TEXT, instruction_id: int = SAID + 5) -> PlanReport:
    return PlanReport(instruction_id, text, state, "grasp the red cube", why, 0.5, nan)


def follower(state: State = State.HOLDING, text: str = f" {TEXT} ") -> TaskFollower:
    """One whose instruction has been said, at second 0."""
    made = TaskFollower(text, 10.0, 2.0, 0)
    made.on_planners(PLANNER)
    made.on_status(state, "", 0)
    assert made.due(True, 0)
    made.on_said(SAID, 0)
    assert not made.due(True, 0), "it is said once"
    return made


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (PlanState.DONE, TaskOutcome.DONE),
        (PlanState.FAILED, TaskOutcome.FAILED),
        (PlanState.REFUSED, TaskOutcome.REFUSED),
    ],
)
def test_a_goal_ends_as_the_planner_says(state: PlanState, outcome: TaskOutcome) -> None:
    made = follower()
    made.on_plan(plan(PlanState.ACTIVE), S)
    made.on_plan(plan(state, "seen"), S)
    assert made.ending == Ending(outcome, "seen")
    made.on_status(State.ESTOP, "", S)
    made.tick(99 * S)
    assert made.ending == Ending(outcome, "seen"), "an end is the end"


def test_feedback_is_what_the_plans_say_and_a_hold_says_why() -> None:
    made = follower()
    assert made.take_feedback() is None
    made.on_plan(plan(PlanState.ACTIVE), S)
    feedback = made.take_feedback()
    assert feedback is not None and (feedback.subtask, feedback.progress) == ("grasp the red cube", 0.5)
    assert feedback.confidence != feedback.confidence, "NaN: not estimated"
    assert made.take_feedback() is None
    made.on_plan(plan(PlanState.HOLD, "camera front is dark"), S)
    held = made.take_feedback()
    assert isinstance(held, Feedback) and held.subtask == "holding: camera front is dark"
    assert made.ending is None


def test_plans_for_older_instructions_say_nothing() -> None:
    made = follower()
    made.on_plan(plan(PlanState.DONE, text="what was before", instruction_id=SAID - 1), S)
    assert made.ending is None and made.take_feedback() is None


@pytest.mark.parametrize("taken_up", [False, True])
@pytest.mark.parametrize(
    ("text", "why"),
    [("dance", "somebody said 'dance'"), ("", "somebody said to hold"), (TEXT, f"somebody said {TEXT!r}")],
)
def test_what_somebody_else_says_supersedes_it(taken_up: bool, text: str, why: str) -> None:
    made = follower()
    if taken_up or text == TEXT:
        made.on_plan(plan(PlanState.ACTIVE), S)
    made.on_plan(plan(PlanState.ACTIVE, text=text, instruction_id=SAID + 99), S)
    assert made.ending == Ending(TaskOutcome.FAILED, f"superseded: {why}"), "and the other task is left alone"


def test_a_new_goal_supersedes_it() -> None:
    made = follower()
    made.supersede("a new goal came: 'dance'")
    assert made.ending == Ending(TaskOutcome.FAILED, "superseded: a new goal came: 'dance'")


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (State.ESTOP, "the arm was stopped, ESTOP: pressed; call vla/reset, then vla/arm"),
        (State.PROTECTIVE_STOP, "the arm was stopped, PROTECTIVE_STOP: pressed; call vla/reset, then vla/arm"),
        (State.DISARMED, "the arm is not armed; call vla/arm"),
        (State.DISARMING, "the arm is not armed; call vla/arm"),
    ],
)
def test_an_arm_that_takes_no_commands_fails_it_before_and_after_it_is_said(state: State, why: str) -> None:
    early = TaskFollower(TEXT, 10.0, 2.0, 0)
    early.on_status(state, "pressed", 0)
    assert early.ending == Ending(TaskOutcome.FAILED, why)
    assert not early.due(True, 0)
    late = follower()
    late.on_status(state, "pressed", S)
    assert late.ending == Ending(TaskOutcome.FAILED, why), (
        "the planner ends a stopped task itself, and people may continue it"
    )


@pytest.mark.parametrize(
    ("publishers", "why"),
    [
        (frozenset(), "the planner is gone; give the goal once more"),
        (
            frozenset({"/planner (02)"}),
            "the planner was started again, or there is another one; give the goal once more",
        ),
        (PLANNER | {"/b (03)"}, "the planner was started again, or there is another one; give the goal once more"),
    ],
)
def test_a_planner_that_is_gone_or_another_fails_it(publishers: frozenset[str], why: str) -> None:
    made = follower()
    made.on_planners(PLANNER)
    made.tick(S)
    assert made.ending is None
    made.on_planners(publishers)
    assert made.ending == Ending(TaskOutcome.FAILED, why, hold=True)


def test_a_silent_planner_fails_it_with_its_last_word() -> None:
    made = follower()
    made.on_plan(plan(PlanState.HOLD, "the planner was deactivated"), S)
    for second in range(2, 13):
        assert made.ending is None
        made.on_status(State.HOLDING, "", second * S)
        made.tick(second * S)
    assert made.ending is not None and (made.ending.outcome, made.ending.hold) == (TaskOutcome.FAILED, True)
    assert "no plan came for 10 s" in made.ending.why and "the planner was deactivated" in made.ending.why


def test_a_silent_filter_fails_it_before_and_after_it_is_said() -> None:
    early = TaskFollower(TEXT, 10.0, 2.0, 0)
    early.tick(2 * S)
    assert early.ending is None and not early.due(True, 2 * S)
    early.tick(2 * S + 1)
    assert early.ending is not None and "safety filter for 2 s" in early.ending.why and not early.ending.hold
    late = follower()
    late.tick(3 * S)
    assert late.ending is not None and "safety filter for 2 s" in late.ending.why and late.ending.hold


def test_an_instruction_that_nobody_hears_is_not_said() -> None:
    made = TaskFollower(TEXT, 10.0, 2.0, 0)
    made.on_status(State.TRACKING, "", 0)
    assert not made.due(False, LISTENER_TIMEOUT_NS) and made.ending is None
    assert not made.due(False, LISTENER_TIMEOUT_NS + 1)
    assert made.ending is not None and "do not listen" in made.ending.why


def test_a_cancelled_goal_ends_when_the_planner_holds() -> None:
    made = follower()
    made.on_plan(plan(PlanState.ACTIVE), S)
    made.cancel(SAID + 50, S)
    made.on_plan(plan(PlanState.ACTIVE), S)
    assert made.ending is None, "that plan was under way"
    made.on_plan(plan(PlanState.HOLD, "the instruction is empty", text="", instruction_id=SAID + 55), S)
    assert made.ending == Ending(TaskOutcome.CANCELLED, "the arm holds")


def test_a_cancelled_goal_ends_without_the_planner_too() -> None:
    unsaid = TaskFollower(TEXT, 10.0, 2.0, 0)
    unsaid.cancel(0, 0)
    assert unsaid.ending == Ending(TaskOutcome.CANCELLED, "before the instruction was said")
    silent = follower()
    silent.cancel(SAID + 50, S)
    silent.on_status(State.HOLDING, "", 3 * S)
    silent.tick(3 * S)
    assert silent.ending is None
    silent.tick(3 * S + 1)
    assert silent.ending is not None and silent.ending.outcome is TaskOutcome.CANCELLED
    assert "has not answered" in silent.ending.why
    stopped = follower()
    stopped.cancel(SAID + 50, S)
    stopped.on_status(State.ESTOP, "pressed", S)
    assert stopped.ending is not None and stopped.ending.outcome is TaskOutcome.CANCELLED


def test_an_empty_instruction_is_refused() -> None:
    made = TaskFollower("  ", 10.0, 2.0, 0)
    assert (
        made.ending is not None and made.ending.outcome is TaskOutcome.REFUSED and "cancel the goal" in made.ending.why
    )
    assert not made.due(True, 0)


def test_a_server_that_ends_leaves_no_task_behind() -> None:
    made = follower()
    made.abandon("task_server was ended")
    assert made.ending == Ending(TaskOutcome.FAILED, "task_server was ended", hold=True)
