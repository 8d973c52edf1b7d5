"""The VLM in front of a policy: what the policy is asked, what people are told, who judges what."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from test.unit.policies.vlm.vlm_server import Asked, Reply, VlmServer, check, name_of, plan
from vla_ros.guard import Guard, load_prompt, load_rules
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies import waypoints
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.registry import Robot
from vla_ros.policies.vlm.asking import DirectAsker, VlmRequest, VlmUnavailable
from vla_ros.policies.vlm.cartesian_motion import KIND
from vla_ros.policies.vlm.system2 import VlmSystem2, make_model
from vla_ros.policies.vlm.vlm_parameters import VlmParameters
from vla_ros.policies.waypoints import Waypoint
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, origin_of, urdf
from vla_ros.sim.model import intrinsics

ROBOT = Robot(urdf(), JOINT_NAMES)
KINEMATICS = Kinematics(urdf(), JOINT_NAMES)
GUARD = Guard(load_rules("guard"))
FRAME_NS = 100_000_000
IMAGE = np.zeros((256, 256, 3), np.uint8)
VIEW = CameraView(IMAGE, k=intrinsics("front", 256, 256), T_base_camera=origin_of("front_camera_optical"))
TASK = "tidy up the table"


class Policy:
    """A System 2 that does what a test says: state and words of its next plans. asked: the instructions it was given."""

    checkpoint = "weights"

    def __init__(self) -> None:
        self.state, self.reasoning, self.progress = PlanState.ACTIVE, "", 0.5
        self.asked: list[Instruction] = []
        self.data = waypoints.pack([Waypoint(i, KINEMATICS.forward(HOME), 0.02, 0.1) for i in range(3)])

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        if not self.asked or instruction != self.asked[-1]:
            self.asked.append(instruction)
        active = self.state is PlanState.ACTIVE
        words = {"subtask": "reach", "kind": waypoints.KIND, "data": self.data} if active else {}
        return Plan(frames.stamp_ns, instruction, self.state, reasoning=self.reasoning, progress=self.progress, **words)  # type: ignore[arg-type]


class Model:
    """Answers with what a test puts into `plan` and `check`."""

    def __init__(self) -> None:
        self.plan: str | Exception = plan("put the red cube in the bowl", "put the blue cube on the plate").text
        self.check: str | Exception = check("going").text
        self.asked: list[VlmRequest] = []

    def answer(self, request: VlmRequest, cancelled: threading.Event) -> str:
        self.asked.append(request)
        answer = self.plan if request.name == "plan" else self.check
        if isinstance(answer, Exception):
            raise answer
        return answer

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


class Desk:
    """A VLM in front of a policy, on a clock of its own; the arm is where `q` is."""

    def __init__(self, word: Callable[[str], str] = str, **options: Any) -> None:
        self.policy, self.model = Policy(), Model()
        parameters = from_mapping(
            VlmParameters, {"url": "http://localhost/v1", "model": "m", "rate_hz": 1.0, **options}
        )
        self.system2 = VlmSystem2(
            self.policy, ROBOT, object(), parameters, GUARD.refusal, word, DirectAsker(self.model)
        )
        self.stamp_ns, self.q = 0, HOME.copy()
        self.views = {"front": VIEW}
        self.instruction = Instruction(0, "")
        self.may_move = True

    def say(self, text: str) -> Plan:
        self.instruction = Instruction(self.instruction.id + 1000, text)
        return self.look()

    def look(self, seconds: float = 0.1) -> Plan:
        for _ in range(round(seconds * 10)):
            self.stamp_ns += FRAME_NS
            state = JointState(self.stamp_ns, self.q, np.zeros_like(self.q), self.may_move)
            told = self.system2.plan(Frames(self.stamp_ns, self.views), self.instruction, state)
            if told.kind == KIND:
                row = told.data[5]
                self.q = np.where(np.isnan(row), self.q, row)
        assert told.instruction == self.instruction and told.frame_stamp_ns == self.stamp_ns
        assert "\n" not in told.reasoning
        return told


def test_it_holds_until_the_list_is_there_then_the_policy_works_on_the_first_subtask() -> None:
    desk = Desk()
    told = desk.say(TASK)
    assert (told.state, told.reasoning) == (PlanState.HOLD, "the VLM splits the instruction into subtasks")
    assert desk.policy.asked == []
    told = desk.look()
    assert told.state is PlanState.ACTIVE
    assert told.subtask == "1 of 2: put the red cube in the bowl: reach"
    assert told.progress == 0.25
    assert desk.policy.asked[-1].text == "put the red cube in the bowl"
    assert TASK in desk.model.asked[0].text and list(desk.model.asked[0].images) == ["front"]


def test_it_is_done_when_the_list_is_and_the_policy_underneath_is_never_believed_alone() -> None:
    desk = Desk()
    desk.say(TASK)
    desk.look()
    desk.policy.state = PlanState.DONE
    told = desk.look()
    assert (told.state, told.reasoning) == (
        PlanState.HOLD,
        "the VLM looks whether this is done: put the red cube in the bowl",
    )
    desk.policy.state, desk.model.check = PlanState.ACTIVE, check("done", "the red cube is in the bowl").text
    desk.look(1.2)
    assert desk.policy.asked[-1].text == "the red cube is in the bowl: put the blue cube on the plate"
    assert len({asked.id for asked in desk.policy.asked}) == 2
    desk.look(1.2)  # the model sees it done while the policy still moves
    told = desk.look()
    assert (told.state, told.progress, told.reasoning) == (PlanState.DONE, 1.0, "all 2 subtasks are done")
    assert desk.look(1.0).state is PlanState.DONE
    assert len(desk.model.asked) <= 5


def test_waypoints_count_on_from_subtask_to_subtask() -> None:
    """System 1 knows the whole instruction alone: an index that it has reached is never gone to again."""
    desk = Desk()
    desk.say(TASK)
    first = desk.look()
    desk.model.check = check("done").text
    desk.look(1.2)
    second = desk.look()
    assert first.data[:, 0].tolist() == [0, 1, 2]
    assert second.data[:, 0].tolist() == [3, 4, 5]
    assert desk.policy.data[:, 0].tolist() == [0, 1, 2]


def test_what_has_been_reached_is_said_only_to_a_policy_that_reads_it_and_only_if_the_guard_lets_it() -> None:
    for reads, reached, expected in (
        (True, "the red cube is in the bowl", "the red cube is in the bowl: put the blue cube on the plate"),
        (True, "the knife is in the bowl", "put the blue cube on the plate"),
        (False, "the red cube is in the bowl", "put the blue cube on the plate"),
    ):
        desk = Desk()
        desk.system2._reads_context = reads
        desk.model.check = check("done", reached).text
        desk.say(TASK)
        desk.look(1.5)
        assert desk.policy.asked[-1].text == expected


def test_subtasks_are_written_as_the_policys_prompt_says() -> None:
    desk = Desk(load_prompt("question.v1").render)
    desk.say(TASK)
    desk.look()
    assert desk.policy.asked[-1].text == "In: What action should the robot take to put the red cube in the bowl?\nOut:"
    assert f'"{TASK}"' in desk.model.asked[0].text


@pytest.mark.parametrize("state", [PlanState.FAILED, PlanState.REFUSED])
def test_a_failure_of_the_policy_is_told_to_the_model(state: PlanState) -> None:
    desk = Desk(max_plans=2)
    desk.say(TASK)
    desk.look()
    desk.policy.state, desk.policy.reasoning = state, "it is out of reach"
    desk.look(0.2)
    assert "'put the red cube in the bowl' failed: the policy says: it is out of reach" in desk.model.asked[-1].text
    told = desk.look(0.5)
    assert told.state is PlanState.FAILED and "out of reach" in told.reasoning


def test_the_guard_judges_each_subtask_and_the_model_is_told_why_once() -> None:
    desk = Desk()
    desk.model.plan = plan("pick up the red cube", "hit the man with it").text
    desk.say(TASK)
    told = desk.look()
    assert told.state is PlanState.HOLD
    assert "'hit the man with it' was refused: people: the arm does nothing to people or animals" in told.reasoning
    told = desk.look(1.5)
    assert "was refused: people" in desk.model.asked[1].text
    assert told.state is PlanState.FAILED and "was refused: people" in told.reasoning
    assert desk.policy.asked == [] and len(desk.model.asked) == 2
    desk.model.plan = plan("stop the arm").text
    desk.say("something else")
    assert "stop" in desk.look(0.5).reasoning and desk.policy.asked == []


def test_it_asks_back() -> None:
    desk = Desk()
    desk.model.plan = plan(question="Which of the two red cubes do you mean").text
    desk.say(TASK)
    told = desk.look()
    assert (told.state, told.reasoning) == (PlanState.REFUSED, "Which of the two red cubes do you mean?")
    desk.say("put the left red cube in the bowl")
    assert "you asked back: 'Which of the two red cubes do you mean?'" in desk.model.asked[-1].text


def test_a_new_instruction_or_none_drops_the_old_one() -> None:
    desk = Desk()
    desk.say(TASK)
    desk.look()
    assert desk.say("").state is PlanState.HOLD
    asked = len(desk.model.asked)
    assert desk.look(3.0).state is PlanState.HOLD and len(desk.model.asked) == asked
    desk.say(TASK)
    assert desk.look().state is PlanState.ACTIVE


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I would first pick up the cube.", "the VLM's answer is not usable: it is not JSON: 'I would first pick"),
        (json.dumps({"subtasks": []}), "question, impossible, finished is missing"),
        (VlmUnavailable("the VLM at http://localhost/v1: Connection refused"), "Connection refused"),
        (RuntimeError("boom"), "the VLM failed: RuntimeError: boom"),
    ],
)
def test_nonsense_and_silence_are_said_and_the_arm_holds_until_it_is_given_up(
    answer: str | Exception, reason: str
) -> None:
    desk = Desk(patience_s=5.0, max_bad_answers=4)
    desk.model.plan = answer
    desk.say(TASK)
    told = desk.look()
    assert told.state is PlanState.HOLD and reason in told.reasoning
    told = desk.look(8.0)
    assert told.state is PlanState.FAILED and reason in told.reasoning
    assert desk.policy.asked == []
    assert len(desk.model.asked) <= 6  # once a second


def test_nonsense_while_the_policy_moves_is_said_beside_its_subtask() -> None:
    desk = Desk()
    desk.say(TASK)
    desk.look()
    desk.model.check = "hm"
    told = desk.look(1.5)
    assert told.state is PlanState.ACTIVE
    assert "the VLM: the VLM's answer is not usable: it is not JSON: 'hm'" in told.reasoning


def test_a_camera_that_is_not_healthy_is_not_shown() -> None:
    desk = Desk(patience_s=3.0)
    desk.views = {"front": replace(VIEW, health=CameraHealth.DARK), "wrist": CameraView(IMAGE)}
    desk.say(TASK)
    assert list(desk.model.asked[0].images) == ["wrist"]
    desk = Desk(patience_s=3.0, cameras=["front", "top"])
    desk.views = {"front": replace(VIEW, health=CameraHealth.DARK), "wrist": CameraView(IMAGE)}
    assert "no healthy image of the VLM's cameras" in desk.say(TASK).reasoning
    told = desk.look(4.0)
    assert told.state is PlanState.FAILED and desk.model.asked == []


# Metric words and points.


def test_metric_words_of_a_person_need_no_model() -> None:
    desk = Desk()
    desk.model.plan = VlmUnavailable("gone")
    told = desk.say("move 20 cm forward and turn 45 degrees")
    assert (told.state, told.kind) == (PlanState.ACTIVE, KIND)
    assert len(told.path) > 2
    told = desk.look(12.0)
    assert told.state is PlanState.DONE
    start, end = KINEMATICS.forward(HOME), KINEMATICS.forward(desk.q)
    assert end[:3, 3] - start[:3, 3] == pytest.approx((0.2, 0, 0), abs=3e-3)
    turned = end[:3, :3] @ start[:3, :3].T
    assert np.degrees(np.arctan2(turned[1, 0], turned[0, 0])) == pytest.approx(45, abs=1.0)
    assert desk.model.asked == [] and desk.policy.asked == []


def test_metric_words_among_subtasks_are_measured_and_the_policy_does_the_rest() -> None:
    desk = Desk()
    desk.model.plan = plan("move 10 cm up", "pick up the red cube").text
    desk.say(TASK)
    told = desk.look()
    assert told.kind == KIND and told.subtask == "1 of 2: move 10 cm up"
    told = desk.look(8.0)
    assert told.subtask == "2 of 2: pick up the red cube: reach"
    assert KINEMATICS.forward(desk.q)[2, 3] - KINEMATICS.forward(HOME)[2, 3] == pytest.approx(0.1, abs=2e-3)
    assert desk.policy.asked[0].text == "pick up the red cube"
    desk.look(1.5)
    assert "- done: move 10 cm up" in desk.model.asked[-1].text


def test_a_motion_that_is_too_far_is_told_to_the_model() -> None:
    desk = Desk()
    desk.model.plan = plan("move 9 m forward").text
    desk.say(TASK)
    assert "was refused: a motion by 900 cm; from 0.1 to 50 cm at once" in desk.look().reasoning
    desk = Desk()
    desk.model.plan = plan("move 40 cm forward", "move 40 cm forward").text
    desk.say("move 80 cm forward")
    desk.look()
    assert "a motion by 80 cm" in desk.model.asked[0].text


def test_a_point_in_the_image_is_gone_to_from_above() -> None:
    place = np.array([0.45, -0.1, 0.0])
    desk = Desk()
    u, v = (VIEW.k @ (VIEW.T_base_camera[:3, :3].T @ (place - VIEW.T_base_camera[:3, 3])))[:2] / (
        VIEW.T_base_camera[:3, :3].T @ (place - VIEW.T_base_camera[:3, 3])
    )[2]
    point = {"camera": "front", "x": (u + 0.5) / 256 * 1000, "y": (v + 0.5) / 256 * 1000}
    tree = json.loads(plan().text) | {"subtasks": [{"do": "move to 15 cm above the point", "point": point}]}
    desk.model.plan = json.dumps(tree)
    desk.say("point at the odd thing")
    told = desk.look(8.0)
    assert told.state is PlanState.DONE
    assert KINEMATICS.forward(desk.q)[:3, 3] == pytest.approx(place + (0, 0, 0.15), abs=5e-3)


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        (None, "nothing was pointed at"),
        ({"camera": "top", "x": 1, "y": 1}, "there is no camera 'top'; there are front"),
        ({"camera": "front", "x": 500, "y": 500}, "at most 0.3 m is believed"),
    ],
)
def test_a_point_that_is_no_place_is_told_to_the_model(point: object, reason: str) -> None:
    desk = Desk(reach_m=0.3)
    tree = json.loads(plan().text) | {"subtasks": [{"do": "move to 15 cm above the point", "point": point}]}
    desk.model.plan = json.dumps(tree)
    desk.say(TASK)
    assert reason in desk.look().reasoning
    desk.look(1.5)
    assert reason in desk.model.asked[-1].text


def test_a_model_behind_http_never_keeps_planning_waiting() -> None:
    def script(asked: Asked) -> Reply:
        return replace(plan("pick up the red cube") if name_of(asked) == "plan" else check("going"), delay_s=0.5)

    with VlmServer(script) as server:
        policy = Policy()
        parameters = VlmParameters(url=server.url, model="stub-vl")
        system2 = VlmSystem2(policy, ROBOT, object(), parameters, GUARD.refusal)
        state = JointState(0, HOME, np.zeros_like(HOME))
        took_s, states = [], []
        for tick in range(40):
            began_s = time.monotonic()
            told = system2.plan(Frames(tick * FRAME_NS, {"front": VIEW}), Instruction(1, TASK), state)
            took_s.append(time.monotonic() - began_s)
            states.append(told.state)
            time.sleep(0.05)
        system2.close()
    assert states[0] is PlanState.HOLD and states[-1] is PlanState.ACTIVE
    assert sorted(took_s)[-3] < 0.2


def test_an_arm_that_may_not_move_is_not_looked_at_and_its_subtask_takes_no_time() -> None:
    desk = Desk(subtask_timeout_s=5.0)
    desk.say(TASK)
    desk.look()
    asked = len(desk.model.asked)
    desk.may_move = False
    assert desk.look(30.0).state is PlanState.ACTIVE
    assert len(desk.model.asked) == asked
    desk.may_move = True
    assert desk.look(3.0).state is PlanState.ACTIVE
    assert len(desk.model.asked) > asked
    desk.look(3.0)
    assert "was not done within 5 s" in desk.model.asked[-1].text


def test_people_are_told_what_the_model_sees_and_the_diagnostics_how_long_it_takes() -> None:
    desk = Desk()
    desk.model.check = check("going", why="the arm reaches for the red cube").text
    desk.say(TASK)
    assert desk.look(1.5).reasoning == "the VLM sees: the arm reaches for the red cube"
    desk.model.check = "hm"
    desk.look(1.0)
    report = desk.system2.report()
    assert (report["vlm_answers"], report["vlm_bad_answers"]) == (3, 1)
    assert report["vlm_answer_p50_s"] == pytest.approx(0.1)


def test_what_cannot_be_made_is_refused() -> None:
    robot = replace(ROBOT, cameras=("front", "wrist"))
    parameters = VlmParameters(url="http://localhost/v1", model="m", cameras=["front", "top"])
    with pytest.raises(ParameterError, match="vlm.cameras: there is no 'top'; there are front, wrist"):
        VlmSystem2(Policy(), robot, object(), parameters, GUARD.refusal)
    with pytest.raises(ParameterError, match="vlm.folder: /nowhere: there is no such folder"):
        make_model(VlmParameters(folder="/nowhere"))
    with pytest.raises(ParameterError, match="vlm.plan_prompt: "):
        Desk(plan_prompt="none.v9")
