"""What the planner makes of instructions, frames, the filter's state and what its policy says; without ROS and real time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from vla_ros.control.planner import (
    LATE_SHARE,
    Level,
    LogOutput,
    PlannerCore,
    PlanOutput,
    PlanRequest,
    QuestionOutput,
)
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.guard import Guard, load_prompt, load_rules
from vla_ros.monitors import Monitors, TrainingStatistics
from vla_ros.monitors.training_statistics import ImageStatistics
from vla_ros.parameters import from_mapping
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.safety.states import State
from vla_ros.time import NS_PER_S

TASK = "put the red cube in the bowl"
JOINTS = ("shoulder", "finger")
PARAMETERS = {
    "joint_names": list(JOINTS),
    "required_cameras": ["front"],
    "rate_hz": 10.0,
    "frames_timeout_s": 0.5,
    "valid_for_s": 0.6,
}
PERIOD_NS = NS_PER_S // 10
GUARD = Guard(load_rules("guard"))
DARK = TrainingStatistics({"front": ImageStatistics(np.full(3, 0.02), np.full(3, 0.01))}, np.zeros(0), np.zeros(0))


class Policy:
    """Says what it is told to say. heard: what it was asked for."""

    def __init__(self) -> None:
        self.state, self.reasoning, self.progress = PlanState.ACTIVE, "", 0.4
        self.takes_s = 0.02
        self.error: Exception | None = None
        self.heard: list[PlanRequest] = []

    def plan(self, request: PlanRequest) -> Plan:
        self.heard.append(request)
        if self.error is not None:
            raise self.error
        stamp_ns = request.frames.stamp_ns
        return Plan(stamp_ns, request.instruction, self.state, reasoning=self.reasoning, progress=self.progress)


class Desk:
    """A planner's core, its policy, what is put to it and what it says, on a clock that moves when it is told to."""

    def __init__(self, statistics: TrainingStatistics | None = None, **changes: object) -> None:
        self.parameters = from_mapping(PlannerParameters, {**PARAMETERS, **changes}, "planner.")
        monitors = Monitors(self.parameters.monitors, JOINTS, statistics)
        self.core = PlannerCore(self.parameters, GUARD, load_prompt(self.parameters.prompt), monitors)
        self.core.checkpoint = "0123"
        self.core.on_activate()
        self.policy = Policy()
        self.now_ns = 1000 * NS_PER_S
        self.stamp_ns = 0
        self.instructions = 0
        self.view = CameraView(np.full((8, 8, 3), 5, np.uint8))
        self.plans: list[Plan] = []
        self.inferences_s: list[float] = []
        self.questions: list[str] = []
        self.log: list[tuple[Level, str]] = []
        self.core.on_joint_state(0, JointState(0, np.zeros(2), np.zeros(2)))
        self.core.on_safety_status(0, State.HOLDING, "", (), ())

    def look(self) -> None:
        """A set of frames comes, a period later."""
        self.now_ns += PERIOD_NS
        self.stamp_ns += PERIOD_NS
        self.core.on_frames(Frames(self.stamp_ns, {"front": self.view}), self.now_ns)
        self.work()

    def say(self, text: str) -> Plan:
        """Return the plan for an instruction."""
        if self.core._frames is None:
            self.look()
        self.instructions += 1
        self.core.on_instruction(self.instructions, text)
        self.work()
        return self.plans[-1]

    def work(self) -> None:
        """Do what the node does after frames and instructions."""
        request = self.core.request(self.now_ns) if self.core.due(self.now_ns) else None
        if request is not None:
            self.now_ns += round(self.policy.takes_s * NS_PER_S)
            try:
                self.core.on_plan(self.policy.plan(request), self.now_ns)
            except Exception as error:
                self.core.on_policy_error(error, self.now_ns)
        self.hear()

    def tick(self) -> None:
        self.core.tick(self.now_ns)
        self.hear()

    def hear(self) -> None:
        """Sort what the core says."""
        for output in self.core.take_outputs():
            match output:
                case PlanOutput(plan, inference_s):
                    self.plans.append(plan)
                    self.inferences_s.append(inference_s)
                case QuestionOutput(text):
                    self.questions.append(text)
                case LogOutput(level, text):
                    self.log.append((level, text))

    def give_up_by_monitor(self) -> None:
        """Let a monitor end the instruction."""
        self.core.monitors.question = lambda: "progress: no progress for 30 s. What shall I do?"  # type: ignore[method-assign]
        self.tick()
        del self.core.monitors.question

    @property
    def question(self) -> str:
        return self.questions[-1] if self.questions else ""

    @property
    def report(self) -> tuple[Level, str]:
        return self.core.report(self.now_ns)


@pytest.fixture
def desk() -> Desk:
    return Desk()


# Plans.


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


# What a plan needs.


def test_the_policy_gets_the_joints_of_the_moment_of_the_frames(desk: Desk) -> None:
    for k in range(5):
        stamp_ns = PERIOD_NS + (k - 2) * NS_PER_S // 250
        desk.core.on_joint_state(stamp_ns, JointState(stamp_ns, np.full(2, 0.1 * k), np.zeros(2)))
    desk.say(TASK)
    assert desk.policy.heard[0].joint_state.q.tolist() == [0.2, 0.2]


def test_without_usable_joints_of_that_moment_the_arm_holds(desk: Desk) -> None:
    desk.core.on_joint_state(PERIOD_NS, None)
    plan = desk.say(TASK)
    assert (plan.state, plan.reasoning) == (PlanState.HOLD, "no joint states with the policy's joints")
    assert desk.report[0] is Level.WARN
    desk.core.on_joint_state(2 * PERIOD_NS, JointState(0, np.zeros(2), np.zeros(2)))
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE


@pytest.mark.parametrize("health", [health for health in CameraHealth if health is not CameraHealth.OK])
def test_without_a_healthy_image_of_a_required_camera_the_arm_holds(desk: Desk, health: CameraHealth) -> None:
    healthy = desk.view
    desk.view = replace(healthy, health=health)
    plan = desk.say(TASK)
    assert (plan.state, plan.reasoning) == (PlanState.HOLD, f"camera front is {health.words}")
    assert desk.policy.heard == []
    desk.view = healthy
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE


def test_a_required_camera_that_is_absent_is_named() -> None:
    plan = Desk(required_cameras=["front", "wrist"]).say(TASK)
    assert (plan.state, plan.reasoning) == (PlanState.HOLD, "camera wrist is absent")


def test_an_instruction_is_not_planned_with_frames_that_are_long_gone(desk: Desk) -> None:
    desk.look()
    desk.now_ns += round(0.6 * NS_PER_S)
    desk.core.on_instruction(1, TASK)
    desk.work()
    assert desk.policy.heard == [] and desk.plans == []
    desk.tick()
    assert (desk.plans[-1].state, desk.plans[-1].reasoning) == (PlanState.HOLD, "no frames from the camera node")
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE


def test_an_instruction_before_the_first_frames_waits_for_them(desk: Desk) -> None:
    desk.core.on_instruction(1, TASK)
    desk.work()
    assert desk.plans == []
    desk.tick()
    assert (desk.plans[-1].state, desk.plans[-1].frame_stamp_ns) == (PlanState.HOLD, 0)
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE


def test_silence_of_the_camera_holds_until_it_is_over(desk: Desk) -> None:
    desk.say(TASK)
    desk.now_ns += round(0.4 * NS_PER_S)
    desk.tick()
    assert desk.plans[-1].state is PlanState.ACTIVE
    desk.now_ns += round(0.2 * NS_PER_S)
    desk.tick()
    assert desk.plans[-1].state is PlanState.HOLD
    assert desk.report == (Level.WARN, "no frames from the camera node")
    desk.look()
    assert desk.plans[-1].state is PlanState.ACTIVE and desk.report[0] is Level.OK


def test_a_slow_policy_is_no_silence_of_the_camera(desk: Desk) -> None:
    desk.policy.takes_s = 0.6
    desk.say(TASK)
    desk.tick()
    assert [plan.state for plan in desk.plans] == [PlanState.ACTIVE]
    desk.now_ns += round(0.6 * NS_PER_S)
    desk.tick()
    assert desk.plans[-1].state is PlanState.HOLD


# The filter.


def test_monitors_and_policy_are_told_at_the_filters_own_time_whether_the_policy_may_move(desk: Desk) -> None:
    told: list[tuple[int, bool]] = []
    desk.core.monitors.on_motion = lambda now_ns, may_move, *_: told.append((now_ns, may_move))  # type: ignore[method-assign]
    statuses = [(State.TRACKING, "policy"), (State.TRACKING, "override"), (State.ESTOP, ""), (State.HOLDING, "")]
    for i, (state, source) in enumerate(statuses):
        desk.core.on_safety_status(i, int(state), source, JOINTS, (0.0, 0.0))
        desk.say(TASK)
    assert told == [(0, True), (1, False), (2, False), (3, True)]
    assert [request.joint_state.may_move for request in desk.policy.heard] == [True, False, False, True]


def test_the_policy_may_not_move_until_the_filter_has_spoken() -> None:
    parameters = from_mapping(PlannerParameters, PARAMETERS)
    core = PlannerCore(parameters, GUARD, load_prompt("plain.v1"), Monitors(parameters.monitors, JOINTS))
    core.on_activate()
    core.on_joint_state(0, JointState(0, np.zeros(2), np.zeros(2)))
    core.on_frames(Frames(0, {"front": CameraView(np.zeros((8, 8, 3), np.uint8))}), 0)
    core.on_instruction(1, TASK)
    request = core.request(0)
    assert request is not None and not request.joint_state.may_move


# Rates.


@pytest.mark.parametrize("end", ["stop", "", "pick up the knife", "monitor", "raise", "blind"])
def test_time_in_which_nothing_is_planned_is_no_late_plan(desk: Desk, end: str) -> None:
    pauses: list[int] = []
    desk.look()
    desk.core.rate.pause = lambda: pauses.append(len(desk.policy.heard))  # type: ignore[method-assign]
    desk.say(TASK)
    desk.look()
    assert pauses == [0], "before the first plan of an instruction, not between its plans"
    ways: dict[str, Callable[[], object]] = {
        "monitor": desk.give_up_by_monitor,
        "raise": lambda: _raise(desk),
        "blind": lambda: _blind(desk),
    }
    ways.get(end, lambda: desk.say(end))()
    assert pauses == [0, 3 if end == "raise" else 2]


def _raise(desk: Desk) -> None:
    desk.policy.error = ValueError()
    desk.look()


def _blind(desk: Desk) -> None:
    desk.now_ns += NS_PER_S
    desk.tick()


def test_late_plans_are_a_warning(desk: Desk) -> None:
    desk.say(TASK)
    assert desk.report[0] is Level.OK
    for _ in range(round(LATE_SHARE * 10) + 1):
        desk.now_ns += PERIOD_NS
        desk.look()
    desk.now_ns += NS_PER_S
    assert desk.report == (Level.WARN, "4 late plans in the last second: active")
    desk.now_ns += 2 * NS_PER_S
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
