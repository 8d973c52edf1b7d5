"""What the planner says before it moves, and that what it calls done is what was said, on a table without physics."""

from __future__ import annotations

import math

import numpy as np
import pytest

from test.unit.policies.classical.drawn_objects import CAMERA, RED_CUBE, draw
from test.unit.policies.classical.table_world import FINGER, TableWorld
from vla_ros.parameters import from_mapping
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies.classical.sense_plan_act import SensePlanAct
from vla_ros.policies.classical.shape_fitting import FittedShape
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


def table() -> TableWorld:
    """Return a cube and a cylinder, a bowl on the left and a plate on the right."""
    return TableWorld(
        red_cube=FittedShape("cube", np.array([0.45, -0.02, 0.0]), 0.3, 0.044, 0.044),
        blue_cylinder=FittedShape("cylinder", np.array([0.58, -0.02, 0.0]), 0.0, 0.044, 0.055),
        bowl=FittedShape("bowl", np.array([0.52, 0.16, 0.0]), 0.0, 0.15, 0.045),
        plate=FittedShape("plate", np.array([0.50, -0.20, 0.0]), 0.0, 0.16, 0.010),
    )


@pytest.mark.parametrize(
    ("text", "moved", "cm"),
    [
        ("put the red cube 6 cm to the left", (0.0, 0.06), 1.5),
        ("put the red cube 6 cm back", (-0.06, 0.0), 1.5),
        ("push the red cube 5 cm to the left", (0.0, 0.05), 1.5),
        ("move the blue cylinder 7 cm to the right", (0.0, -0.07), 1.5),
        ("push the red cube 10 cm to the left", (0.0, 0.10), 1.5),
    ],
)
def test_things_are_moved_as_far_as_was_said(
    planner: SensePlanAct, text: str, moved: tuple[float, float], cm: float
) -> None:
    world = table()
    name = "red cube" if "cube" in text else "blue cylinder"
    before, other = world.place(name).copy(), {"red cube", "blue cylinder"} - {name}
    still = {name: world.place(name).copy() for name in other}
    assert world.say(planner, text).state is PlanState.DONE
    assert world.place(name)[:2] - before[:2] == pytest.approx(moved, abs=cm / 100)
    assert world.place(name)[2] == 0.0 and not world.held
    assert all(np.allclose(world.place(name), p) for name, p in still.items())


@pytest.mark.parametrize(
    ("text", "least", "most"),  # bearing of the cube from what it is put beside, degrees from +x, and back
    [
        ("put the red cube left of the plate", 45, 135),
        ("put the red cube to the right of the bowl", -135, -45),
        ("put the red cube behind the bowl", -45, 45),
        ("put the red cube in front of the plate", 135, 225),
        ("put the red cube beside the bowl", -180, 180),
        ("put the red cube left of the blue cylinder", 45, 135),
    ],
)
def test_things_are_put_on_the_side_that_was_said(planner: SensePlanAct, text: str, least: int, most: int) -> None:
    world = table()
    mark = next(name for name in ("bowl", "plate", "blue cylinder") if text.endswith(name))
    plan = world.say(planner, text)
    x, y = (world.place("red cube") - world.place(mark))[:2]
    bearing = (math.degrees(math.atan2(y, x)) - least) % 360 + least
    assert plan.state is PlanState.DONE, plan.reasoning
    assert least <= bearing <= most
    assert math.hypot(x, y) - world.objects[mark].width / 2 < 0.022 + 0.10


def test_between_is_in_the_middle(planner: SensePlanAct) -> None:
    world = table()
    assert world.say(planner, "put the red cube between the bowl and the plate").state is PlanState.DONE
    middle = (world.place("bowl") + world.place("plate")) / 2
    assert np.linalg.norm((world.place("red cube") - middle)[:2]) < 0.03


def test_where_there_is_no_room_nothing_is_touched(planner: SensePlanAct) -> None:
    world = table()
    plan = world.say(planner, "put the red cube 13 cm forward")  # there is the cylinder
    assert plan.state is PlanState.REFUSED and "no room" in plan.reasoning
    assert world.place("red cube") == pytest.approx([0.45, -0.02, 0.0])


def test_what_is_put_down_stands_on_the_table(planner: SensePlanAct) -> None:
    world = table()
    assert world.say(planner, "pick up the red cube").state is PlanState.DONE and world.held == "red cube"
    assert world.say(planner, "open the gripper").state is PlanState.REFUSED  # it would fall
    assert world.say(planner, "go home").state is PlanState.DONE and world.held == "red cube"
    assert world.say(planner, "put down the red cube").state is PlanState.DONE
    assert not world.held and world.place("red cube")[2] == 0.0
    assert "nothing is in the hand" in world.say(planner, "put down the red cube").reasoning


def test_what_falls_on_the_way_is_told(planner: SensePlanAct, monkeypatch: pytest.MonkeyPatch) -> None:
    world = table()
    world.say(planner, "pick up the red cube")
    go = TableWorld._go

    def slips(self: TableWorld, T_base_tool: np.ndarray) -> None:
        go(self, T_base_tool)
        if self.held and T_base_tool[2, 3] < 0.1:
            self._drop(self.held)
            self.q[FINGER] = 0.0

    monkeypatch.setattr(TableWorld, "_go", slips)
    plan = world.say(planner, "put down the red cube")
    assert plan.state is PlanState.FAILED and "fell out of the hand" in plan.reasoning


def test_after_a_push_the_hand_is_empty_and_its_fingers_obey(planner: SensePlanAct) -> None:
    world = table()
    assert world.say(planner, "push the red cube to the left").state is PlanState.DONE
    assert "nothing is in the hand" in world.say(planner, "put down the blue cylinder").reasoning
    assert world.say(planner, "close the gripper").state is PlanState.DONE and world.q[FINGER] < 0.003
    assert world.say(planner, "open the gripper").state is PlanState.DONE and world.q[FINGER] > 0.035


@pytest.mark.parametrize(("text", "moved"), [("up 1 cm", (0, 0, 0.01)), ("to the left by 7 cm", (0, 0.07, 0))])
def test_the_hand_moves_as_far_as_was_said(planner: SensePlanAct, text: str, moved: tuple[float, ...]) -> None:
    world = table()
    before = world.tool
    assert world.say(planner, f"move the hand {text}").state is PlanState.DONE
    assert world.tool - before == pytest.approx(moved, abs=0.002)


def test_a_landmark_that_was_pushed_aside_is_seen(planner: SensePlanAct, monkeypatch: pytest.MonkeyPatch) -> None:
    world = table()
    go = TableWorld._go

    def bumps(self: TableWorld, T_base_tool: np.ndarray) -> None:
        go(self, T_base_tool)
        if self.held and T_base_tool[2, 3] < 0.1:
            self._put("plate", np.array([0.50, -0.26, 0.0]))

    monkeypatch.setattr(TableWorld, "_go", bumps)
    plan = world.say(planner, "put the red cube left of the plate")
    assert "let go" not in plan.reasoning
    x, y = (world.place("red cube") - world.place("plate"))[:2]
    assert plan.state is PlanState.DONE and math.hypot(x, y) < 0.08 + 0.022 + 0.10


@pytest.mark.parametrize(("container", "word"), [("plate", "on"), ("bowl", "in")])
def test_the_second_object_in_a_container_goes_beside_the_first(
    planner: SensePlanAct, container: str, word: str
) -> None:
    world = table()
    for name in ("red cube", "blue cylinder"):
        plan = world.say(planner, f"put the {name} {word} the {container}")
        assert plan.state is PlanState.DONE, plan.reasoning
        offset = np.linalg.norm((world.place(name) - world.place(container))[:2])
        assert offset == pytest.approx(
            0.0 if name == "red cube" else world.objects[container].foot_radius - 0.022, abs=0.01
        )
        assert world.place(name)[2] == pytest.approx(world.objects[container].floor)
