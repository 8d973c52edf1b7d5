"""The bytes of a status are those of the message."""

from __future__ import annotations

import dataclasses
import math

import pytest

pytest.importorskip("rclpy")

from rclpy.serialization import deserialize_message, serialize_message

from vla_ros.lab.bench.filter_rig import FilterRig, full_configuration, sine_motion
from vla_ros.msg import SafetyStatus
from vla_ros.ros.safety_status import StatusBytes
from vla_ros.safety.verdict import Verdict

ROS_NS, FRAME_NS = 1_700_000_000_123_456_789, 1_700_000_000_023_456_789


@pytest.fixture(scope="module")
def rig() -> FilterRig:
    made = FilterRig(*full_configuration())
    for _ in range(60):
        due = [(at_s, sine_motion(at_s)) for at_s in made.advance()]
        made.send_joint_state()
        made.send_obstacles()
        for at_s, positions in due:
            made.send_setpoint(at_s, positions)
        made.tick()
    return made


def test_a_moving_arm_without_a_verdict(rig: FilterRig) -> None:
    decision = dataclasses.replace(rig.tick(), verdict=None)
    data = StatusBytes(rig.filter)(decision, rig.now_ns, ROS_NS, FRAME_NS, 7, b"sixteen bytes...")
    status = deserialize_message(data, SafetyStatus)
    assert (status.header.stamp.sec, status.header.stamp.nanosec) == divmod(ROS_NS, 10**9)
    assert (status.header.frame_id, status.state, status.source) == ("", int(decision.state), decision.source)
    assert (status.rule, status.code, status.reason, status.joint) == ("", 0, "", "")
    assert all(math.isnan(each) for each in (status.requested, status.limit, status.granted))
    assert status.joint_names == rig.filter.parameters.joint_names
    assert tuple(status.positions) == decision.positions and tuple(status.velocities) == decision.velocities
    assert status.position_margins.tolist() == rig.filter.position_margins()
    assert status.velocity_margins.tolist() == rig.filter.velocity_margins()
    assert (status.speed_scale, status.reduced, status.at_home) == (1.0, False, False)
    assert status.tool_speed == rig.filter.tool_speed_m_s() > 0.0
    assert (status.stops, status.late_ticks, status.ticks) == (rig.filter.values.stops, 7, rig.filter.ticks)
    assert (status.accepted, status.rejected, status.limited) == (
        rig.filter.accepted,
        rig.filter.rejected,
        rig.filter.limited,
    )
    ages = rig.filter.command_age_s(rig.now_ns), rig.filter.joint_state_age_s(rig.now_ns), 0.1
    assert (status.command_age, status.joint_state_age, status.frame_age) == pytest.approx(ages, rel=1e-6)
    assert bytes(status.audit_hash) == b"sixteen bytes..."
    assert len(data) <= len(serialize_message(status))


def test_an_arm_that_nothing_is_sent_to_and_why(rig: FilterRig) -> None:
    why = Verdict("velocity_limit", "zu schnell: 3 m/s − «2» are allowed", "joint4", 3.0, 2.0, 1.5)
    decision = dataclasses.replace(rig.tick(), positions=None, velocities=(), verdict=why, source="")
    status = deserialize_message(StatusBytes(rig.filter)(decision, rig.now_ns, ROS_NS, 0, 0, b""), SafetyStatus)
    assert (status.rule, status.code) == (why.rule, rig.filter.code(why)) and status.code > 1
    assert (status.reason, status.joint) == (why.reason, "joint4")
    assert (status.requested, status.limit, status.granted) == (3.0, 2.0, 1.5)
    assert not (status.positions or status.velocities or status.position_margins or status.velocity_margins)
    assert math.isnan(status.frame_age) and len(status.audit_hash) == 0
