"""What the planner makes of sentences, of the filter's word and of what its policy says: in this process, call by call."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import rclpy
import yaml
from sensor_msgs.msg import JointState as JointStateMessage
from std_msgs.msg import String

from vla_ros.bringup.graph import parameters_of
from vla_ros.bringup.process import private_domain
from vla_ros.msg import LatentPlan, SafetyStatus
from vla_ros.nodes import planner as module
from vla_ros.nodes.planner import Planner
from vla_ros.parameters import nested
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.resources import share
from vla_ros.ros.diagnostics import OK, WARN
from vla_ros.ros.stamps import time_message
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

PATIENCE_S = 90.0
S = 1_000_000_000
TASK = "put the red cube in the bowl"


class Policy:
    """Says what it is told to say, and remembers what it was asked for."""

    checkpoint = ""

    def __init__(self) -> None:
        self.state, self.reasoning, self.progress, self.takes_s = PlanState.ACTIVE, "", 0.4, 0.0
        self.heard: list[tuple[int, str]] = []
        self.may_move: list[bool] = []

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        self.heard.append((instruction.id, instruction.text))
        self.may_move.append(joint_state.may_move)
        time.sleep(self.takes_s)
        return Plan(frames.stamp_ns, instruction, self.state, reasoning=self.reasoning, progress=self.progress)


class Desk:
    """A planner, what is put to it, and what it publishes."""

    def __init__(self, planner: Planner) -> None:
        self.planner, self.policy = planner, Policy()
        self.plans: list[LatentPlan] = []
        self.questions: list[str] = []
        planner.publisher.publish = self.plans.append
        planner.questions.publish = lambda message: self.questions.append(message.data)
        planner.system2, planner.active = self.policy, True
        planner.moments.add(0, JointStateMessage(name=list(JOINT_NAMES), position=list(map(float, HOME))))
        self.sentences = 0
        self.look()

    def look(self) -> None:
        """Frames are at hand."""
        self.planner.frames = Frames(0, {"front": CameraView(np.zeros((8, 8, 3), np.uint8))})
        self.planner.frames_ns = time.monotonic_ns()

    def say(self, text: str) -> LatentPlan:
        """Return the plan for a sentence."""
        self.sentences += 1
        self.look()
        self.planner.hear(String(data=text), {"source_timestamp": self.sentences})
        return self.plans[-1]

    def fail(self) -> None:
        """Have a monitor end the instruction."""
        self.planner.monitors.question = lambda: "progress: no progress for 30 s. What shall I do?"
        self.planner.watch()
        del self.planner.monitors.question

    @property
    def question(self) -> str:
        return self.questions[-1] if self.questions else ""


@pytest.fixture
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    os.environ.update(private_domain())
    described = parameters_of("planner", policy="scripted")
    # A simulated clock that nobody moves.
    flat = {**described, "urdf": str(share() / "config" / "sim_arm.urdf"), "use_sim_time": True}
    file = tmp_path_factory.mktemp("planner") / "planner.yaml"
    file.write_text(yaml.safe_dump({"/**": {"ros__parameters": nested(flat)}}))
    rclpy.init(args=["--ros-args", "--params-file", str(file)])
    planner = Planner()
    yield Desk(planner)
    planner.destroy_node()
    rclpy.shutdown()


@pytest.mark.parametrize("text", ["what is your name", "pick up the knife", "do not pick up the cube", "abracadabra"])
def test_what_is_refused_leaves_the_question_standing(desk: Desk, text: str) -> None:
    desk.say(TASK)
    desk.fail()
    told: list[str] = []
    desk.planner.monitors.instruction = lambda: told.append("answered")
    assert desk.say(text).state == LatentPlan.REFUSED
    assert desk.question.startswith("progress: ")
    assert desk.planner.report()[0] == WARN
    assert told == []


def test_a_sentence_is_not_planned_with_frames_that_are_long_gone(desk: Desk) -> None:
    desk.look()
    desk.planner.frames_ns -= int((desk.planner.parameters.frames_timeout_s + 0.1) * S)
    desk.planner.hear(String(data=TASK), {"source_timestamp": 1})
    assert desk.policy.heard == []
    desk.planner.watch()
    assert desk.plans[-1].state == LatentPlan.HOLD and "no frames" in desk.plans[-1].reasoning
    desk.look()
    desk.planner.plan()
    assert len(desk.policy.heard) == 1


def test_a_slow_policy_is_no_silence_of_the_camera(desk: Desk) -> None:
    desk.policy.takes_s = desk.planner.parameters.frames_timeout_s + 0.1
    desk.say(TASK)
    desk.planner.watch()
    assert [plan.state for plan in desk.plans] == [LatentPlan.ACTIVE]
    time.sleep(desk.policy.takes_s)
    desk.planner.watch()
    assert desk.plans[-1].state == LatentPlan.HOLD


@pytest.mark.parametrize("text", [TASK, "stop", ""])
def test_a_task_a_stop_and_nothing_answer_it(desk: Desk, text: str) -> None:
    desk.say(TASK)
    desk.fail()
    told: list[str] = []
    desk.planner.monitors.instruction = lambda: told.append("answered")
    desk.say(text)
    assert desk.question == ""
    assert desk.planner.report()[0] == OK
    assert told == ["answered"]


@pytest.mark.parametrize(
    "text",
    ["again", "try again", "yes", "go on", "continue", "carry on", "go ahead", "repeat", "do it again"],
)
def test_yes_is_the_last_instruction_again_where_a_question_stands_and_refused_elsewhere(desk: Desk, text: str) -> None:
    assert desk.say(text).reasoning.startswith("again: nothing was asked")
    desk.say(TASK)
    desk.fail()
    desk.say("pick up the knife")
    plan = desk.say(text)
    assert (plan.state, plan.instruction, plan.instruction_id) == (LatentPlan.ACTIVE, text, 4)
    assert desk.policy.heard[-1] == (4, TASK)
    assert desk.question == ""
    desk.say("stop")
    assert desk.say(text).state == LatentPlan.REFUSED


def test_instructions_that_a_monitor_ends_count_as_failed_and_a_stop_between_them_does_not_count(desk: Desk) -> None:
    for _ in range(3):
        assert "failure" not in desk.planner.monitors.warnings()
        desk.say(TASK)
        desk.fail()
        desk.say("stop")
    assert desk.planner.monitors.warnings() == {"failure": "3 instructions in a row failed"}


@pytest.mark.parametrize("state", [PlanState.REFUSED, PlanState.FAILED])
def test_a_policy_that_gives_up_asks_once_and_an_instruction_answers(desk: Desk, state: PlanState) -> None:
    desk.policy.state, desk.policy.reasoning = state, "no red cube is seen"
    desk.say(TASK)
    desk.planner.plan()
    assert desk.questions == [f"{state.name.lower()}: no red cube is seen. What shall I do?"]
    desk.policy.state = PlanState.ACTIVE
    desk.say("yes")
    assert desk.policy.heard[-1] == (2, TASK)
    assert desk.questions[1:] == [""]


def test_a_policy_that_goes_on_by_itself_takes_its_question_back(desk: Desk) -> None:
    desk.policy.state = PlanState.FAILED
    desk.say(TASK)
    assert desk.question == "failed. What shall I do?"
    desk.policy.state = PlanState.ACTIVE
    desk.planner.plan()
    assert desk.question == ""


def test_a_policy_that_breaks_asks_too(desk: Desk) -> None:
    desk.policy.plan = None  # type: ignore[method-assign,assignment]
    desk.say(TASK)
    assert desk.question.startswith("failed: the policy failed: TypeError: ")


def test_what_a_monitor_saw_before_a_stop_is_no_warning_after_it(desk: Desk) -> None:
    desk.planner.monitors.warnings = lambda: {"drift": "unlike the training data"}
    desk.say(TASK)
    assert desk.planner.report()[:2] == (WARN, "drift: unlike the training data")
    desk.say("stop")
    assert desk.planner.report()[0] == OK


def test_monitors_and_policy_hear_the_filter_at_its_own_time_and_whether_the_policy_may_move(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    statuses = [
        SafetyStatus(state=SafetyStatus.TRACKING, source="policy"),
        SafetyStatus(state=SafetyStatus.TRACKING, source="override"),
        SafetyStatus(state=SafetyStatus.HOLDING),
        SafetyStatus(state=SafetyStatus.ESTOP),
    ]
    for i, status in enumerate(statuses):
        status.header.stamp = time_message((5 + i) * S)
    told: list[tuple[int, bool]] = []
    sent = {desk.planner.statuses: statuses}
    monkeypatch.setattr(module, "take", lambda subscription: ((message, {}) for message in sent.get(subscription, ())))
    monkeypatch.setattr(desk.planner.monitors, "motion", lambda now_ns, may_move, *_: told.append((now_ns, may_move)))
    desk.planner.watch()
    assert told == [(5 * S, True), (6 * S, False), (7 * S, True), (8 * S, False)]
    desk.say(TASK)
    statuses.pop()
    desk.planner.watch()
    desk.planner.plan()
    assert desk.policy.may_move == [False, True]


@pytest.mark.parametrize("end", ["stop", "", "pick up the knife", "fail", "break", "blind"])
def test_time_in_which_nothing_is_planned_is_no_late_plan(desk: Desk, end: str) -> None:
    pauses: list[int] = []
    desk.planner.rate.pause = lambda: pauses.append(len(desk.policy.heard))
    desk.say(TASK)
    desk.planner.plan()
    assert pauses == [0], "before the first plan of an instruction, not between its plans"
    ways: dict[str, Callable[[], object]] = {
        "fail": desk.fail,
        "break": lambda: breaks(desk),
        "blind": lambda: blind(desk),
    }
    ways.get(end, lambda: desk.say(end))()
    assert pauses == [0, 2]


def breaks(desk: Desk) -> None:
    desk.policy.plan = None  # type: ignore[method-assign,assignment]
    desk.planner.plan()


def blind(desk: Desk) -> None:
    desk.planner.frames_ns = 0
    desk.planner.watch()


def test_missing_frames_are_noticed_while_a_simulated_clock_stands(desk: Desk) -> None:
    desk.say(TASK)
    desk.planner.frames_ns = 0
    end_s = time.monotonic() + PATIENCE_S
    while desk.plans[-1].state != LatentPlan.HOLD and time.monotonic() < end_s:
        rclpy.spin_once(desk.planner, timeout_sec=0.1)
    assert desk.plans[-1].reasoning == "no frames from the camera node"
