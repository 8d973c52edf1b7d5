"""A flood says when it begins, sends what its name says, and leaves when it is told to."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

pytest.importorskip("rclpy")

from sensor_msgs.msg import JointState

from test.graph.ros_node import ros_node
from vla_ros.lab.faults.cases.floods import FLOODS
from vla_ros.ros.bounded_input import BoundedInput
from vla_ros.ros.input_flood import BEGUN, KINDS
from vla_ros.ros.qos import SENSOR


def test_every_flood_of_the_campaign_is_known() -> None:
    assert KINDS.keys() == FLOODS.keys()


def test_it_floods_until_it_is_told_to_end() -> None:
    with ros_node() as node:
        flooded = BoundedInput(node, JointState, "joint_states", SENSOR)
        command = [sys.executable, "-m", "vla_ros.ros.input_flood", "joint_states"]
        flood = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        assert flood.stdout is not None
        assert flood.stdout.readline() == f"{BEGUN}\n"
        end_s = time.monotonic() + 60.0
        while not flooded.refused and time.monotonic() < end_s:
            assert all(message is None for message, _ in flooded.take())
            time.sleep(0.01)
        flood.terminate()
        assert flood.wait(60.0) == 0
        assert flooded.refused
