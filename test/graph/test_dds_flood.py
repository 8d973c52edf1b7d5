"""The flood is many publishers on the policy's topic, and ends when it is told to."""

from __future__ import annotations

import subprocess
import sys
import time

from test.graph.ros_node import ros_node
from vla_ros.ros import dds_flood

PARTICIPANTS = 2


def test_each_participant_publishes_until_the_flood_is_ended() -> None:
    with ros_node() as node:
        command = [sys.executable, "-m", dds_flood.__name__, str(PARTICIPANTS)]
        with subprocess.Popen(command) as process:
            end_s = time.monotonic() + 60.0
            while node.count_publishers("vla/joint_command") < PARTICIPANTS and time.monotonic() < end_s:
                time.sleep(0.05)
            publishers = node.count_publishers("vla/joint_command")
            process.terminate()
            assert process.wait(60.0) == 0
        assert publishers == PARTICIPANTS
