"""What is read from the bytes is what rclpy reads, whatever the message."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy")

from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import JointState
from std_msgs.msg import Header

from vla_ros.msg import JointCommand
from vla_ros.ros import joint_messages
from vla_ros.ros.joint_messages import JointCommandBytes, JointStateBytes
from vla_ros.ros.stamps import time_message

STAMP_NS, FRAME_NS = 1_700_000_000_123_456_789, 1_699_999_999_987_654_321
NAMES = ([], ["a"], [f"joint{i}" for i in range(1, 9)], ["łokieć", "", "x" * 40])


def joint_state(names: list[str], frame: str, rows: str) -> JointState:
    values = [0.1 * i - 0.2 for i in range(len(names))]
    message = JointState(header=Header(frame_id=frame, stamp=time_message(STAMP_NS)), name=names)
    for name in rows.split():
        setattr(message, name, values)
    return message


@pytest.fixture
def not_by_rclpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joint_messages, "deserialize_message", None)


@pytest.mark.parametrize("frame", ["", "base", "1234567"])
@pytest.mark.parametrize("rows", ["", "position", "position velocity effort", "position effort"])
def test_joint_states(frame: str, rows: str, not_by_rclpy: None) -> None:
    read = JointStateBytes()
    for names in (*NAMES, *NAMES[::-1]):
        message = joint_state(list(names), frame, rows)
        found = read(bytes(serialize_message(message)))
        assert (found.stamp_ns, found.names) == (STAMP_NS, names)
        lists = [values.tolist() for values in (message.position, message.velocity, message.effort)]
        assert [found.positions, found.velocities, found.efforts] == lists


@pytest.mark.parametrize("source", ["", "policy", "override"])
def test_joint_commands(source: str, not_by_rclpy: None) -> None:
    read = JointCommandBytes()
    for seq, names in enumerate((*NAMES, *NAMES[::-1])):
        positions = [0.1 * i - 0.2 for i in range(len(names))]
        message = JointCommand(seq=2**33 + seq, source=source, joint_names=list(names), positions=positions)
        message.header.stamp, message.frame_stamp = time_message(STAMP_NS), time_message(FRAME_NS)
        found = read(bytes(serialize_message(message)))
        assert (found.stamp_ns, found.seq, found.source) == (STAMP_NS, 2**33 + seq, source)
        assert (found.names, found.positions, found.frame_stamp_ns) == (names, positions, FRAME_NS)


def test_names_that_change_while_their_bytes_stay_as_long() -> None:
    read = JointStateBytes()
    for names in (["aa", "bb"], ["bb", "aa"], ["aa", "bb"]):
        assert read(bytes(serialize_message(joint_state(names, "", "position")))).names == names


def test_what_is_not_plain_is_left_to_rclpy() -> None:
    message = joint_state(["a", "b"], "", "position")
    data = bytearray(serialize_message(message))
    at = data.index(b"a\0")
    data[at] = 0  # a name that ends before its end
    (names, expected) = (JointStateBytes()(bytes(data)).names, deserialize_message(bytes(data), JointState).name)
    assert names == expected
    command = JointCommand(source="a\u00e9", joint_names=["b"], positions=[1.0])
    data = bytearray(serialize_message(command))
    data[data.index(b"\xc3")] = 0xFF  # no UTF-8
    assert JointCommandBytes()(bytes(data)).source == deserialize_message(bytes(data), JointCommand).source


@pytest.mark.parametrize("length", [3, 10, 30, 60, 90])
def test_a_message_that_is_cut_is_refused_as_rclpy_refuses_it(length: int) -> None:
    data = bytes(serialize_message(joint_state([f"joint{i}" for i in range(4)], "", "position velocity")))[:length]
    with pytest.raises(Exception) as expected:
        deserialize_message(data, JointState)
    with pytest.raises(type(expected.value)):
        JointStateBytes()(data)
