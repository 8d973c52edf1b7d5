"""System 1 of classical: no discontinuity between chunks, inside the limits, never back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from test.unit.policies.chunk_playing import DELAY, ROWS, STEP_NS, derivatives, play
from vla_ros.policies import waypoints
from vla_ros.policies.contract import MOTION_ROWS, Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.policies.registry import Robot, system1
from vla_ros.policies.waypoints import Waypoint
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

ROBOT = Robot(urdf(), JOINT_NAMES)
KINEMATICS = Kinematics(ROBOT.urdf, ROBOT.joint_names)
# What the filter grants the simulated arm: half of the published acceleration, a tenth of the published jerk.
VELOCITY = 0.6 * KINEMATICS.velocity
ACCELERATION = np.array([7.5, 3.75, 5.0, 6.25, 7.5, 10.0, 10.0, 1.0])
JERK = np.array([750.0, 375.0, 500.0, 625.0, 750.0, 1000.0, 1000.0, 50.0])


def down(x: float, y: float, z: float, yaw: float = 0.0) -> NDArray[np.float64]:
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[c, s, 0.0, x], [s, -c, 0.0, y], [0.0, 0.0, -1.0, z], [0.0, 0.0, 0.0, 1.0]])


def plan_of(course: list[Waypoint], instruction_id: int = 1) -> Plan:
    return Plan(0, Instruction(instruction_id, "x"), PlanState.ACTIVE, kind=waypoints.KIND, data=waypoints.pack(course))


def grasp(x: float, y: float, yaw: float, index: int = 0) -> list[Waypoint]:
    return [
        Waypoint(index, down(x, y, 0.12, yaw), 0.04, 0.35),
        Waypoint(index + 1, down(x, y, 0.02, yaw), 0.04, 0.12),
        Waypoint(index + 2, down(x, y, 0.02, yaw), 0.0, 0.12),
        Waypoint(index + 3, down(x, y, 0.2, yaw), 0.0, 0.35),
    ]


spots = st.tuples(st.floats(0.4, 0.6), st.floats(-0.25, 0.25), st.floats(-math.pi / 4, math.pi / 4))


@settings(max_examples=8, deadline=None)
@given(st.lists(spots, min_size=1, max_size=2))
def test_it_reaches_every_waypoint_inside_the_limits(places: list[tuple[float, float, float]]) -> None:
    course = [waypoint for i, spot in enumerate(places) for waypoint in grasp(*spot, index=4 * i)]
    played, _ = play(system1("classical", ROBOT), lambda now_ns, state: plan_of(course), HOME, 8.0 * len(places))
    velocity, acceleration, jerk = (np.abs(values).max(axis=0) for values in derivatives(played))
    assert (velocity <= VELOCITY).all()
    assert (acceleration <= ACCELERATION).all()
    assert (jerk <= JERK).all()
    assert np.abs(KINEMATICS.forward(played[-1]) - course[-1].T_base_tool).max() < 1e-4
    for x, y, _ in places:
        lowest = min(played, key=lambda q: np.linalg.norm(KINEMATICS.forward(q)[:3, 3] - (x, y, 0.02)))
        assert np.abs(KINEMATICS.forward(lowest)[:3, 3] - (x, y, 0.02)).max() < 1e-3


def test_committed_points_are_returned_unchanged() -> None:
    _, chunks = play(system1("classical", ROBOT), lambda now_ns, state: plan_of(grasp(0.5, 0.1, 0.3)), HOME, 3.0)
    for before, after in zip(chunks, chunks[1:], strict=False):
        assert np.array_equal(after.positions[:DELAY], before.positions[ROWS : ROWS + DELAY])
        assert after.prefix_length == DELAY


def test_it_goes_straight() -> None:
    course = [Waypoint(0, down(0.5, 0.2, 0.2), 0.04, 0.3)]
    played, _ = play(system1("classical", ROBOT), lambda now_ns, state: plan_of(course), HOME, 4.0)
    start = KINEMATICS.forward(HOME)[:3, 3]
    line = (course[0].T_base_tool[:3, 3] - start) / np.linalg.norm(course[0].T_base_tool[:3, 3] - start)
    for q in played:
        away = KINEMATICS.forward(q)[:3, 3] - start
        assert np.linalg.norm(away - line * (away @ line)) < 5e-4


def test_the_arm_waits_for_the_fingers() -> None:
    played, _ = play(system1("classical", ROBOT), lambda now_ns, state: plan_of(grasp(0.5, 0.0, 0.0)), HOME, 9.0)
    height = np.array([KINEMATICS.forward(q)[2, 3] for q in played])
    closing = (played[:, 7] < 0.039) & (played[:, 7] > 0.001)
    assert closing.any()
    assert np.abs(height[closing] - 0.02).max() < 1e-4


def test_a_late_plan_does_not_take_it_back() -> None:
    course = grasp(0.5, 0.0, 0.0)
    system = system1("classical", ROBOT)
    played, _ = play(system, lambda now_ns, state: plan_of(course), HOME, 9.0)
    end = len(played) * STEP_NS
    state = JointState(end, played[-1], np.zeros(8))
    previous = Chunk(np.repeat(played[-1:], 30, axis=0), 0.02, end, chunk_id=1)
    chunk = system.chunk(plan_of(course[:2]), state, previous, DELAY, end)
    assert np.abs(chunk.positions[:, :7] - played[-1, :7]).max() > 0.0  # it goes to the last one that it was given
    chunk = system.chunk(plan_of(course), state, previous, DELAY, end)
    assert np.abs(chunk.positions - played[-1]).max() < 1e-5


def test_another_instruction_starts_anew() -> None:
    course = grasp(0.5, 0.0, 0.0)
    system = system1("classical", ROBOT)
    played, _ = play(system, lambda now_ns, state: plan_of(course), HOME, 9.0)
    state = JointState(0, played[-1], np.zeros(8))
    chunk = system.chunk(plan_of(course, instruction_id=2), state, Chunk.rest(played[-1], 0), MOTION_ROWS, 0)
    assert KINEMATICS.forward(chunk.positions[-1])[2, 3] < 0.19


def test_an_arm_that_was_held_does_not_drop_what_it_holds() -> None:
    system = system1("classical", ROBOT)
    course = grasp(0.5, 0.0, 0.0)
    played, _ = play(system, lambda now_ns, state: plan_of(course), HOME, 9.0)
    holding = played[-1].copy()
    holding[7] = 0.022  # the thing between the fingers keeps them apart
    carry = [*course, Waypoint(4, down(0.5, 0.2, 0.2), 0.0, 0.35)]
    state = JointState(0, holding, np.zeros(8))
    chunk = system.chunk(plan_of(carry), state, Chunk.rest(played[-1], 0), MOTION_ROWS, 0)
    assert np.abs(chunk.positions[:, 7]).max() == 0.0
    assert np.abs(chunk.positions[-1] - chunk.positions[0])[:7].max() > 0.01
    assert np.abs(derivatives(np.vstack([played[-1], chunk.positions]))[1][:, :7]).max() < 7.5


def test_a_waypoint_that_the_arm_was_kept_from_is_not_reached() -> None:
    """The chunk said that the tool went down, but the arm stayed: the tool must go down before the fingers close."""
    system = system1("classical", ROBOT)
    plan = plan_of(grasp(0.5, 0.0, 0.0))
    for now_ns in range(0, 6_000_000_000, 100_000_000):
        at_rest = Chunk.rest(HOME, now_ns)
        chunk = system.chunk(plan, JointState(now_ns, HOME, np.zeros(8)), at_rest, MOTION_ROWS, now_ns)
    assert chunk.positions[:, 7] == pytest.approx(HOME[7])


@pytest.mark.parametrize("rows", [np.zeros((2, 9)), np.full((1, 10), math.nan), np.zeros((1, 10))])
def test_rows_that_are_no_waypoints_are_refused(rows: NDArray[np.float64]) -> None:
    with pytest.raises(ValueError, match="waypoints"):
        waypoints.unpack(rows)


def test_waypoints_survive_packing() -> None:
    (waypoint,) = waypoints.unpack(waypoints.pack([Waypoint(7, down(0.4, -0.1, 0.3, 1.0), 0.02, 0.25)]))
    assert waypoint.T_base_tool == pytest.approx(down(0.4, -0.1, 0.3, 1.0))
    assert (waypoint.index, waypoint.gripper, waypoint.speed) == (7, 0.02, 0.25)
