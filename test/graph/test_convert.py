"""Plans survive the message, with their bytes in it or in shared memory."""

from __future__ import annotations

import enum
import math

import numpy as np
import pytest
from geometry_msgs.msg import Vector3
from sensor_msgs.msg import JointState
from visualization_msgs.msg import Marker, MarkerArray

from vla_ros import msg
from vla_ros.perception.frames import CameraHealth
from vla_ros.policies.contract import Instruction, Plan, PlanState
from vla_ros.policies.latents import LatentLost, LatentWriter
from vla_ros.ros.convert import joint_state_from, plan_from, plan_message
from vla_ros.ros.markers import obstacles_from
from vla_ros.safety.states import State

PLAN = Plan(
    frame_stamp_ns=1_500_000_001,
    instruction=Instruction(7, "pick up the red cube"),
    state=PlanState.ACTIVE,
    kind="features",
    data=np.arange(12, dtype=np.float16).reshape(3, 4),
    path=np.array([[0.5, 0.0, 0.1, 1.0, 0.0, 0.0, 0.0]]),
    plan_id=3,
    checkpoint="abc",
)


@pytest.mark.parametrize("through_memory", [False, True])
def test_a_plan_survives(through_memory: bool) -> None:
    ring = LatentWriter("vla_ros_test_convert", 64) if through_memory else None
    try:
        message = plan_message(PLAN, "compact", "base", 0.1, ring)
        assert bool(message.shm_name) is through_memory
        assert (len(message.data) == 0) is through_memory
        again = plan_from(message)
    finally:
        if ring is not None:
            ring.close()
    assert (again.frame_stamp_ns, again.instruction, again.state) == (PLAN.frame_stamp_ns, PLAN.instruction, PLAN.state)
    assert (again.plan_id, again.checkpoint, again.kind) == (3, "abc", "features")
    assert again.data.dtype == np.float16
    assert (again.data == PLAN.data).all()
    if through_memory:
        with pytest.raises(LatentLost):
            plan_from(message)


def test_a_joint_state_is_read_in_the_robots_order() -> None:
    message = JointState(name=["b", "x", "a"], position=[2.0, 9.0, 1.0], velocity=[0.2, 9.0, 0.1])
    state = joint_state_from(message, ["a", "b"])
    assert state is not None
    assert state.q.tolist() == [1.0, 2.0]
    assert state.dq.tolist() == [0.1, 0.2]


@pytest.mark.parametrize(
    ("position", "velocity"),
    [([], []), ([1.0], []), ([1.0, 2.0, 3.0], []), ([1.0, float("nan")], []), ([1.0, 2.0], [0.0, float("inf")])],
)
def test_a_malformed_joint_state_is_none(position: list[float], velocity: list[float]) -> None:
    assert joint_state_from(JointState(name=["a", "b"], position=position, velocity=velocity), ["a", "b"]) is None


def test_a_joint_state_with_velocities_missing_is_at_rest() -> None:
    state = joint_state_from(JointState(name=["a", "b"], position=[1.0, 2.0], velocity=[0.5]), ["a", "b"])
    assert state is not None
    assert state.dq.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    "scale", [(0.2, 0.2, math.nan), (0.2, math.nan, 0.2), (math.nan, 0.2, 0.2), (0.2, 0.2, -math.inf)]
)
def test_a_marker_with_a_side_that_is_no_number_stays_one(scale: tuple[float, float, float]) -> None:
    for kind in (Marker.CUBE, Marker.SPHERE, Marker.CYLINDER):
        marker = Marker(type=kind, scale=Vector3(x=scale[0], y=scale[1], z=scale[2]))
        (obstacle,) = obstacles_from(MarkerArray(markers=[marker]), 0)
        assert not all(math.isfinite(side) for side in obstacle.size)


@pytest.mark.parametrize(
    ("ours", "message"), [(State, msg.SafetyStatus), (PlanState, msg.LatentPlan), (CameraHealth, msg.CameraFrames)]
)
def test_states_have_the_numbers_of_their_messages(ours: type[enum.IntEnum], message: type) -> None:
    assert {each.name: each.value for each in ours} == {each.name: getattr(message, each.name) for each in ours}
    assert {each.name for each in ours} == {name for name in dir(message) if name.isupper()} - {"SLOT_TYPES"}
