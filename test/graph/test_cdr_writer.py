"""Each kind of value lies where rclpy expects it."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy")

from rclpy.serialization import deserialize_message

from vla_ros.msg import JointCommand
from vla_ros.ros.cdr_writer import CdrWriter


@pytest.mark.parametrize("names", [[], ["a"], ["joint", "łokieć", ""]])
@pytest.mark.parametrize("source", ["", "policy", "1234567"])
def test_a_message_written_by_hand_is_read_by_rclpy(names: list[str], source: str) -> None:
    positions = [0.1 * i for i in range(len(names))]
    writer = CdrWriter()
    writer.numbers("iI", 12, 34)
    writer.text("base")
    writer.numbers("Q", 2**40)
    writer.text(source)
    writer.texts(names)
    writer.sequence("d", positions)
    writer.numbers("iI", 5, 6)
    message = deserialize_message(bytes(writer.data), JointCommand)
    assert (message.header.stamp.sec, message.header.stamp.nanosec, message.header.frame_id) == (12, 34, "base")
    assert (message.seq, message.source, message.joint_names) == (2**40, source, names)
    assert message.positions.tolist() == positions
    assert (message.frame_stamp.sec, message.frame_stamp.nanosec) == (5, 6)
