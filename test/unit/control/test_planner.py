"""What the planner makes of instructions, frames, the filter's state and what its policy says; without ROS and real time."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.control.planner_desk import DARK, PERIOD_NS, TASK, Desk
from vla_ros.control.planner import (
    CONTINUE,
    Level,
)
from vla_ros.perception.frames import CameraView
from vla_ros.policies.contract import Instruction, PlanState
from vla_ros.safety.states import State


def test_a_task_is_planned_with_the_frames_at_hand(desk: Desk) -> None:
    desk.look()
    assert desk.plans == [] and desk.report == (Level.OK, "waiting for an instruction")
    plan = desk.say(f"  {TASK} ")
    assert (plan.state, plan.instruction, plan.frame_stamp_ns) == (PlanState.ACTIVE, Instruction(1, TASK), PERIOD_NS)
    assert (plan.plan_id, plan.valid_for_s, plan.checkpoint) == (1, 0.6, "0123")
    assert desk.inferences_s == [pytest.approx(0.02)]
    assert desk.log == [(Level.OK, f"instruction: {TASK}")]
    desk.look()
    assert [plan.plan_id for plan in desk.plans] == [1, 2]
    assert desk.report == (Level.OK, "active")


def test_a_policy_reads_the_prompt_and_people_read_what_was_said() -> None:
    desk = Desk(prompt="task.v1")
    plan = desk.say("Pick up the CUBE.")
    assert desk.policy.heard[0].instruction == Instruction(1, "pick up the cube\n")
    assert plan.instruction == Instruction(1, "Pick up the CUBE.")


def test_frames_within_a_period_of_a_plan_are_left_out(desk: Desk) -> None:
    desk.say(TASK)
    desk.now_ns -= 6 * PERIOD_NS // 10
    desk.look()
    assert len(desk.policy.heard) == 1
    desk.look()
    assert len(desk.policy.heard) == 2


def test_a_new_instruction_in_mid_plan_is_served_at_once(desk: Desk) -> None:
    desk.say(TASK)
    plan = desk.say("push the ball to the left")
    assert (plan.state, plan.instruction.id) == (PlanState.ACTIVE, 2)
    assert [request.instruction.id for request in desk.policy.heard] == [1, 2]


def test_an_empty_instruction_holds(desk: Desk) -> None:
    desk.say(TASK)
    plan = desk.say("  ")
    assert (plan.state, plan.reasoning) == (PlanState.HOLD, "the instruction is empty")
    desk.look()
    assert len(desk.policy.heard) == 1 and desk.report == (Level.OK, "waiting for an instruction")


def test_nothing_is_planned_before_activation_and_after_deactivation(desk: Desk) -> None:
    desk.say(TASK)
    desk.core.on_deactivate()
    desk.hear()
    assert (desk.plans[-1].state, desk.plans[-1].reasoning) == (PlanState.HOLD, "the planner was deactivated")
    assert desk.report == (Level.WARN, "not active")
    desk.core.on_activate()
    said = f"active again; the task {TASK!r} was ended when the planner was deactivated: {CONTINUE}"
    assert desk.report == (Level.WARN, said)
    desk.look()
    assert len(desk.policy.heard) == 1, "what was asked for before does not begin again by itself"
    assert desk.say(TASK).state is PlanState.ACTIVE
    desk.core.active = False
    desk.say(TASK)
    assert len(desk.policy.heard) == 2


# The guard.


@pytest.mark.parametrize("text", ["what is your name", "pick up the knife", "do not pick up the cube", "abracadabra"])
def test_what_is_refused_is_refused_once_and_the_policy_does_not_hear_it(desk: Desk, text: str) -> None:
    plan = desk.say(text)
    desk.look()
    assert plan.state is PlanState.REFUSED and len(desk.plans) == 1 and desk.policy.heard == []
    assert desk.log[-1] == (Level.WARN, plan.reasoning)
    assert desk.question == ""


@pytest.mark.parametrize("text", ["whoa there... please FREEZE!", "s t o p", "ѕtор", "don't move"])
def test_a_stop_ends_the_instruction_and_the_policy_hears_no_more_of_it(desk: Desk, text: str) -> None:
    desk.say(TASK)
    plan = desk.say(text)
    desk.look()
    assert plan.state is PlanState.DONE and plan.reasoning.startswith("holding: ")
    assert desk.plans[-1] is plan and len(desk.policy.heard) == 1


@pytest.mark.parametrize("text", ["what is your name", "pick up the knife", "do not pick up the cube", "abracadabra"])
def test_what_is_refused_leaves_the_question_standing(desk: Desk, text: str) -> None:
    desk.say(TASK)
    desk.give_up_by_monitor()
    told: list[str] = []
    desk.core.monitors.on_instruction = lambda: told.append("answered")  # type: ignore[method-assign]
    assert desk.say(text).state is PlanState.REFUSED
    assert desk.question.startswith("progress: ")
    assert desk.report[0] is Level.WARN
    assert told == []


@pytest.mark.parametrize("text", [TASK, "stop", ""])
def test_a_task_a_stop_and_nothing_answer_it(desk: Desk, text: str) -> None:
    desk.say(TASK)
    desk.give_up_by_monitor()
    told: list[str] = []
    desk.core.monitors.on_instruction = lambda: told.append("answered")  # type: ignore[method-assign]
    desk.say(text)
    assert desk.question == ""
    assert desk.report[0] is Level.OK
    assert told == ["answered"]


@pytest.mark.parametrize(
    "text",
    ["again", "try again", "yes", "go on", "continue", "carry on", "go ahead", "repeat", "do it again"],
)
def test_yes_is_the_last_instruction_again_where_a_question_stands_and_refused_elsewhere(desk: Desk, text: str) -> None:
    assert desk.say(text).reasoning.startswith("again: nothing was asked")
    desk.say(TASK)
    desk.give_up_by_monitor()
    desk.say("pick up the knife")
    plan = desk.say(text)
    assert (plan.state, plan.instruction) == (PlanState.ACTIVE, Instruction(4, text))
    assert desk.policy.heard[-1].instruction == Instruction(4, TASK)
    assert desk.question == ""
    desk.say("stop")
    assert desk.say(text).state is PlanState.REFUSED


# Monitors and questions.


def test_a_monitor_ends_the_instruction_and_asks_once() -> None:
    desk = Desk(DARK, monitors={"hold": ["drift"]})
    desk.view = CameraView(np.full((8, 8, 3), 200, np.uint8))
    desk.say(TASK)
    for _ in range(20):
        desk.look()
        desk.tick()
    assert [plan.state for plan in desk.plans].count(PlanState.FAILED) == 1
    assert desk.plans[-1].reasoning == desk.question
    assert desk.question.startswith("drift: unlike the training data: camera front")
    assert desk.report == (Level.WARN, desk.question)
    desk.say("try again")
    for _ in range(20):
        desk.look()
        desk.tick()
    assert desk.question == "", "what stood when the answer came does not ask again"
    assert desk.plans[-1].state is PlanState.ACTIVE


def test_what_is_done_stays_done_whatever_is_seen_after_it() -> None:
    desk = Desk(DARK, monitors={"hold": ["drift"]})
    desk.policy.state = PlanState.DONE
    desk.view = CameraView(np.full((8, 8, 3), 200, np.uint8))
    desk.say(TASK)
    for _ in range(20):
        desk.look()
        desk.tick()
    assert "drift" in desk.core.monitors.warnings() and desk.questions == []
    assert {plan.state for plan in desk.plans} == {PlanState.DONE}


def test_instructions_that_a_monitor_ends_count_as_failed_and_a_stop_between_them_does_not_count(desk: Desk) -> None:
    for _ in range(3):
        assert "failure" not in desk.core.monitors.warnings()
        desk.say(TASK)
        desk.give_up_by_monitor()
        desk.say("stop")
    assert desk.core.monitors.warnings() == {"failure": "3 instructions in a row failed"}


@pytest.mark.parametrize("state", [PlanState.REFUSED, PlanState.FAILED])
def test_a_policy_that_gives_up_asks_once_and_an_instruction_answers(desk: Desk, state: PlanState) -> None:
    desk.policy.state, desk.policy.reasoning = state, "no red cube is seen"
    desk.say(TASK)
    desk.look()
    assert desk.questions == [f"{state.name.lower()}: no red cube is seen. What shall I do?"]
    desk.policy.state = PlanState.ACTIVE
    desk.say("yes")
    assert desk.policy.heard[-1].instruction == Instruction(2, TASK)
    assert desk.questions[1:] == [""]


def test_a_question_of_the_policys_own_is_asked_in_its_words(desk: Desk) -> None:
    desk.policy.state, desk.policy.reasoning = PlanState.REFUSED, "Which of the two red cubes do you mean?"
    desk.say(TASK)
    assert desk.questions == ["Which of the two red cubes do you mean?"]


def test_a_policy_that_goes_on_by_itself_takes_its_question_back(desk: Desk) -> None:
    desk.policy.state = PlanState.FAILED
    desk.say(TASK)
    assert desk.question == "failed. What shall I do?"
    desk.policy.state = PlanState.ACTIVE
    desk.look()
    assert desk.question == ""


def test_a_policy_that_raises_ends_the_instruction_and_asks(desk: Desk) -> None:
    desk.policy.error = ValueError("no such token")
    plan = desk.say(TASK)
    assert (plan.state, plan.reasoning) == (PlanState.FAILED, "the policy failed: ValueError: no such token")
    assert (plan.instruction.text, plan.frame_stamp_ns, plan.plan_id) == (TASK, PERIOD_NS, 1)
    assert desk.question == "failed: the policy failed: ValueError: no such token. What shall I do?"
    assert desk.log[-1] == (Level.ERROR, plan.reasoning) and desk.report[0] is Level.ERROR
    desk.look()
    assert len(desk.policy.heard) == 1, "what has failed does not begin again by itself"


def test_what_a_monitor_saw_before_a_stop_is_no_warning_after_it(desk: Desk) -> None:
    desk.core.monitors.warnings = lambda: {"drift": "unlike the training data"}  # type: ignore[method-assign]
    desk.say(TASK)
    assert desk.report == (Level.WARN, "drift: unlike the training data")
    desk.say("stop")
    assert desk.report[0] is Level.OK


def test_a_stop_ends_the_task_and_arming_does_not_bring_it_back() -> None:
    desk = Desk()
    desk.core.on_stops(State.HOLDING, 0, "")
    desk.say(TASK)
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE
    assert desk.core.outlook() == f"the task {TASK!r} is under way"
    desk.core.on_stops(State.ESTOP, 1, "e-stop by service vla/estop")
    desk.work()
    assert desk.plans[-1].state is PlanState.FAILED
    assert desk.plans[-1].reasoning == (
        "ended by a stop (e-stop by service vla/estop): say --continue to go on, or say what to do"
    )
    heard = len(desk.policy.heard)
    assert desk.core.on_continue(10**9) == (
        False,
        "cannot continue: the arm is not armed; call vla/reset where a stop is latched, then vla/arm",
    )
    for state in (State.DISARMED, State.HOLDING, State.HOLDING):
        desk.core.on_stops(state, 1, "")
        desk.look()
    assert len(desk.policy.heard) == heard, "the policy is not asked for it"
    assert desk.core.outlook() == f"the task {TASK!r} was ended by a stop: say --continue to go on, or say what to do"
    assert desk.core.report(desk.now_ns)[0] is Level.WARN
    ended_id = desk.plans[-1].instruction.id
    assert desk.core.on_continue(0) == (True, f"continuing {TASK!r}")
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE and desk.policy.heard[-1].instruction.text == TASK
    assert desk.plans[-1].instruction.id > ended_id, "whoever has ended the old one follows this one"
    assert not desk.core.on_continue(0)[0], "it is under way"


def test_a_new_instruction_takes_the_place_of_what_a_stop_has_ended() -> None:
    desk = Desk()
    desk.core.on_stops(State.HOLDING, 0, "")
    desk.say(TASK)
    desk.core.on_stops(State.HOLDING, 1, "the dead-man switch on vla/deadman is not held")
    assert desk.core.stopped
    desk.say("push the red cube left")
    desk.core.on_stops(State.HOLDING, 1, "")
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE and not desk.core.stopped
    assert desk.core.on_continue(0) == (
        False,
        "nothing to continue: the task 'push the red cube left' is under way",
    )


def test_a_task_that_is_done_does_not_begin_again_after_a_stop() -> None:
    desk = Desk()
    desk.core.on_stops(State.HOLDING, 0, "")
    desk.say(TASK)
    desk.policy.state = PlanState.DONE
    desk.look()
    heard = len(desk.policy.heard)
    desk.core.on_stops(State.ESTOP, 1, "")
    desk.core.on_stops(State.HOLDING, 1, "")
    desk.look()
    assert (len(desk.policy.heard), desk.core.stopped) == (heard, False)
    assert desk.core.on_continue(0) == (False, "nothing to continue: no task was ended by a stop")


def test_frames_of_two_sources_are_followed_by_nobody() -> None:
    desk = Desk()
    desk.say(TASK)
    desk.look()
    heard = len(desk.policy.heard)
    desk.core.refuse_frames("2 publishers for /vla/frames: /a (1), /b (2); stop all but one")
    desk.look()
    assert (desk.plans[-1].state, len(desk.policy.heard)) == (PlanState.HOLD, heard)
    assert desk.plans[-1].reasoning.startswith("2 publishers for /vla/frames")
    desk.core.refuse_frames("")
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE
