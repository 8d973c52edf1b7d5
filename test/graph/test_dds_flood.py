"""The flood publishes from many participants, and leaves the graph when it is told to end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("vla_ros.msg")

from vla_ros.bringup.process import private_domain
from vla_ros.ros import rig_node

TIMEOUT_S = 60.0


def until(condition: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + TIMEOUT_S
    while not condition() and time.monotonic() < end_s:
        time.sleep(0.05)
    return condition()


def test_so_many_participants_appear_and_go() -> None:
    os.environ.update(private_domain())
    with rig_node.opened() as rig:
        flood = subprocess.Popen([sys.executable, "-m", "vla_ros.ros.dds_flood", "2"])
        try:
            assert until(lambda: rig.count_publishers() == 3)
        finally:
            flood.terminate()
        assert flood.wait(TIMEOUT_S) == 0
        assert until(lambda: rig.count_publishers() == 1), "they left without waiting for their lease"
