"""What the planner says before it moves: without words, without a camera, with words that make no sense."""

from __future__ import annotations

import numpy as np
import pytest

from test.unit.policies.classical.drawn_objects import CAMERA, RED_CUBE, draw
from vla_ros.parameters import from_mapping
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies.classical.sense_plan_act import SensePlanAct
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.policy_parameters import ClassicalParameters
from vla_ros.policies.registry import Robot
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

IMAGE = draw(("red", RED_CUBE))
SEEN = CameraView(IMAGE, k=CAMERA.k, T_base_camera=CAMERA.T_base_camera)


@pytest.fixture(scope="module")
def planner() -> SensePlanAct:
    parameters = from_mapping(ClassicalParameters, {"gripper_joint": "finger_joint"})
    return SensePlanAct(Robot(urdf(), JOINT_NAMES), parameters)


def ask(planner: SensePlanAct, text: str, view: CameraView | None = SEEN, number: int = 1) -> Plan:
    frames = Frames(0, {} if view is None else {"front": view})
    return planner.plan(frames, Instruction(number, text), JointState(0, HOME, np.zeros(8)))


def test_no_words_hold_the_arm(planner: SensePlanAct) -> None:
    assert ask(planner, " ").state is PlanState.HOLD


@pytest.mark.parametrize(
    ("view", "reason"),
    [
        (None, "there is no camera 'front'; there are none"),
        (CameraView(IMAGE, CameraHealth.WRONG_SIZE), "camera 'front': wrong size"),
        (CameraView(IMAGE), "camera 'front': its CameraInfo is not known"),
        (CameraView(IMAGE, k=CAMERA.k), "camera 'front': its pose is not known"),
    ],
)
def test_without_a_good_image_it_holds_and_says_why(
    planner: SensePlanAct, view: CameraView | None, reason: str
) -> None:
    plan = ask(planner, "pick up the red cube", view, 2)
    assert (plan.state, plan.reasoning) == (PlanState.HOLD, reason)


def test_words_without_sense_are_refused(planner: SensePlanAct) -> None:
    plan = ask(planner, "dance", number=3)
    assert plan.state is PlanState.REFUSED and "I do not know the word 'dance'" in plan.reasoning


def test_an_object_in_view_is_reached_for(planner: SensePlanAct) -> None:
    plan = ask(planner, "pick up the red cube", number=4)
    assert plan.state is PlanState.ACTIVE and plan.subtask == "reach for the red cube"
    assert plan.kind == "waypoints" and np.asarray(plan.path).shape[1] == 7
