"""Motions of the tool as joint positions: straight, as far as said, inside the limits; impossible ones say why."""

from __future__ import annotations

import math

import numpy as np
import pinocchio
import pytest

from vla_ros.policies.contract import JointState
from vla_ros.policies.policy_parameters import ClassicalParameters, MotionParameters
from vla_ros.policies.vlm.cartesian_motion import (
    FALLBACK_ACCELERATION,
    PATIENCE_S,
    ROW_S,
    MotionImpossible,
    MotionPlanner,
    MotionSequence,
    MotionWalk,
    joint_limits,
)
from vla_ros.policies.vlm.metric_words import MetricMotion, MotionKind, parse_motions
from vla_ros.policies.vlm.vlm_parameters import VlmParameters
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import FINGER_JOINT, HOME, JOINT_NAMES, urdf

KINEMATICS = Kinematics(urdf(), JOINT_NAMES)
LIMITS = joint_limits(KINEMATICS, ClassicalParameters(MotionParameters()))
PARAMETERS = VlmParameters(url="http://localhost/v1", model="m")
PLANNER = MotionPlanner(KINEMATICS, LIMITS, PARAMETERS)
FINGER = JOINT_NAMES.index(FINGER_JOINT)
FRAME_NS = 100_000_000


def motions(text: str) -> tuple[MetricMotion, ...]:
    found = parse_motions(text, 0.5, math.pi)
    assert found
    return found


def tool(q: np.ndarray) -> np.ndarray:
    return KINEMATICS.forward(np.nan_to_num(q))


@pytest.mark.parametrize(
    ("text", "way"),
    [("move 20 cm forward", (0.2, 0, 0)), ("move 15 cm to the left", (0, 0.15, 0)), ("move 10 cm down", (0, 0, -0.1)),
     ("move 10 cm back", (-0.1, 0, 0)), ("move 5 cm along the tool", (0, 0, -0.05)), ("up a bit", (0, 0, 0.02))],
)  # fmt: skip
def test_a_line_is_straight_as_long_as_said_and_turns_nothing(text: str, way: tuple[float, float, float]) -> None:
    rows = PLANNER.rows(HOME, motions(text)[0], None)
    start, end = tool(rows[0]), tool(rows[-1])
    assert end[:3, 3] - start[:3, 3] == pytest.approx(way, abs=1e-5)
    along = np.array(way) / np.linalg.norm(way)
    for row in rows:
        offset = tool(row)[:3, 3] - start[:3, 3]
        assert np.linalg.norm(offset - (offset @ along) * along) < 1e-4
        assert np.abs(tool(row)[:3, :3] - start[:3, :3]).max() < 1e-4


@pytest.mark.parametrize(
    ("text", "turn"),
    [("turn 45 degrees", (0, 0, 45)), ("turn 30 degrees to the right", (0, 0, -30)), ("tilt forward 10 degrees", (0, 10, 0)),
     ("turn 30 degrees about the tool", (0, 0, -30))],
)  # fmt: skip
def test_a_turn_is_as_large_as_said_and_moves_nothing(text: str, turn: tuple[float, float, float]) -> None:
    rows = PLANNER.rows(HOME, motions(text)[0], None)
    start, end = tool(rows[0]), tool(rows[-1])
    assert np.degrees(pinocchio.log3(end[:3, :3] @ start[:3, :3].T)) == pytest.approx(turn, abs=0.01)
    assert max(np.abs(tool(row)[:3, 3] - start[:3, 3]).max() for row in rows) < 1e-4


@pytest.mark.parametrize("text", ["move 40 cm forward", "move 1 mm up", "turn 90 degrees", "tilt back 20 degrees"])
def test_every_joint_keeps_half_of_its_limits_from_rest_to_rest(text: str) -> None:
    rows = PLANNER.rows(HOME, motions(text)[0], None)[:, KINEMATICS.arm]
    rows = np.concatenate([rows[:1].repeat(4, 0), rows, rows[-1:].repeat(4, 0)])
    for limit in LIMITS[:, KINEMATICS.arm]:
        rows = np.diff(rows, axis=0) / ROW_S
        assert (np.abs(rows) <= limit / 2 + 1e-9).all()


def test_fingers_stay_where_they_were_told_to_be_and_open_and_close_on_demand() -> None:
    assert np.isnan(PLANNER.rows(HOME, motions("move 5 cm up")[0], None)[:, FINGER]).all()
    for text, position in (
        ("open the gripper", PARAMETERS.gripper_open),
        ("close the gripper", PARAMETERS.gripper_closed),
    ):
        rows = PLANNER.rows(HOME, motions(text)[0], None)
        assert (rows[:, FINGER] == position).all()
        assert (rows[:, KINEMATICS.arm] == HOME[KINEMATICS.arm]).all()


def test_a_place_is_gone_to_from_above() -> None:
    place = np.array([0.5, -0.1, 0.02])
    rows = PLANNER.rows(HOME, MetricMotion(MotionKind.ABOVE, 0.15), place)
    assert tool(rows[-1])[:3, 3] == pytest.approx(place + (0, 0, 0.15), abs=1e-5)
    with pytest.raises(MotionImpossible, match="nothing was pointed at"):
        PLANNER.rows(HOME, MetricMotion(MotionKind.ABOVE, 0.15), None)


@pytest.mark.parametrize(
    ("text", "q", "reason"),
    [
        (
            "move 50 cm forward",
            KINEMATICS.inverse(tool(HOME) + np.pad([[0.3]], ((0, 3), (3, 0))), HOME),
            "% of the way",
        ),
        ("turn 180 degrees", HOME, "% of the way|singular"),
        ("move 50 cm up", HOME, "% of the way|singular"),
    ],
)
def test_what_the_arm_cannot_reach_says_how_far_it_would_get(text: str, q: np.ndarray, reason: str) -> None:
    with pytest.raises(MotionImpossible, match=reason):
        MotionSequence(PLANNER, KINEMATICS, motions(f"{text}, {text}"), None, q)


def test_the_second_motion_is_tried_out_before_the_first_one_moves() -> None:
    with pytest.raises(MotionImpossible):
        MotionSequence(PLANNER, KINEMATICS, motions("move 1 cm up, move 50 cm down, move 50 cm down"), None, HOME)


def test_a_gripper_that_the_robot_does_not_have_is_named() -> None:
    planner = MotionPlanner(KINEMATICS, LIMITS, VlmParameters(url="http://h/v1", model="m", gripper_joint="claw"))
    with pytest.raises(MotionImpossible, match=r"no gripper joint 'claw' \(vlm.gripper_joint\); it has joint1"):
        planner.rows(HOME, MetricMotion(MotionKind.OPEN), None)
    planner = MotionPlanner(KINEMATICS, LIMITS, VlmParameters(url="http://h/v1", model="m", gripper_joint="joint1"))
    with pytest.raises(MotionImpossible, match="no gripper joint 'joint1'"):
        planner.rows(HOME, MetricMotion(MotionKind.OPEN), None)


def test_a_joint_at_its_limit_may_move_away_from_it() -> None:
    q = HOME.copy()
    q[0] = KINEMATICS.upper[0]  # turned to the left as far as it goes
    with pytest.raises(MotionImpossible, match="joint1 would reach its limit after 0 % of the way"):
        PLANNER.rows(
            q,
            MetricMotion(
                MotionKind.MOVE, 0.05, tuple(np.cross([0, 0, 1], tool(q)[:3, 3]) / np.linalg.norm(tool(q)[:2, 3]))
            ),
            None,
        )
    back = -np.cross([0, 0, 1], tool(q)[:3, 3])
    back[2] = 0.0
    rows = PLANNER.rows(q, MetricMotion(MotionKind.MOVE, 0.05, tuple(back / np.linalg.norm(back))), None)
    assert rows[-1, 0] < q[0]


def test_an_arm_without_limits_of_its_policy_gets_cautious_ones() -> None:
    planar = Kinematics(urdf(), JOINT_NAMES)
    planar.arm = planar.arm[:6]
    limits = joint_limits(planar, object())
    assert (limits[1, planar.arm] == FALLBACK_ACCELERATION).all()
    assert limits[0, 0] == MotionParameters().velocity_share * planar.velocity[0]


def follow(walk: MotionWalk | MotionSequence, lag: float = 0.0, seconds: float = 20.0) -> tuple[np.ndarray, list[str]]:
    """Return where an arm ends that follows the rows, some rad behind, and what was said."""
    q, said = HOME.copy(), []
    for tick in range(round(seconds * 10)):
        step = walk.step(tick * FRAME_NS, JointState(0, q - lag, np.zeros_like(q)))
        said.append(step.failure or step.waiting)
        if step.rows is None:
            break
        row = step.rows[5]
        q = np.where(np.isnan(row), q, row)
    return q, said


def test_motions_follow_one_another_and_end_where_they_are_said_to() -> None:
    sequence = MotionSequence(PLANNER, KINEMATICS, motions("move 10 cm up, 10 cm forward, 10 cm down"), None, HOME)
    q, said = follow(sequence)
    assert tool(q)[:3, 3] - tool(HOME)[:3, 3] == pytest.approx((0.1, 0, 0), abs=1e-3)
    assert set(said) == {""}
    assert sequence.step(10**12, JointState(0, q, np.zeros_like(q))).rows is None


def test_it_waits_for_an_arm_that_does_not_follow_and_gives_up() -> None:
    walk = MotionWalk(PLANNER.rows(HOME, motions("move 10 cm up")[0], None), KINEMATICS)
    _, said = follow(walk, lag=0.3)
    assert said[1].startswith("waiting for joint")
    assert said[-1].startswith("the arm did not follow the motion: joint")
    assert len(said) == pytest.approx(PATIENCE_S * 10, abs=3)


def test_it_does_not_give_up_while_the_arm_may_not_move() -> None:
    walk = MotionWalk(PLANNER.rows(HOME, motions("move 10 cm up")[0], None), KINEMATICS)
    away = JointState(0, HOME + 0.3, np.zeros_like(HOME), may_move=False)
    steps = [walk.step(tick * FRAME_NS, away) for tick in range(200)]
    assert steps[-1].rows is not None and steps[-1].progress == 0.0
    assert (steps[-1].rows[0, KINEMATICS.arm] == steps[-1].rows[-1, KINEMATICS.arm]).all()  # a place, no motion


def test_missing_frames_do_not_make_it_jump() -> None:
    walk = MotionWalk(PLANNER.rows(HOME, motions("move 30 cm forward")[0], None), KINEMATICS)
    state = JointState(0, HOME, np.zeros_like(HOME))
    walk.step(0, state)
    step = walk.step(60 * 10**9, state)
    assert step.rows is not None
    assert np.nanmax(np.abs(step.rows[0] - HOME)) < 0.05
    assert len(walk.path()) > 3 and walk.path().shape[1] == 7
