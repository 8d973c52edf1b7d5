"""A command starts ROS, or says in one line why not."""

from __future__ import annotations

import os

import pytest
import rclpy

from vla_ros.bringup.process import private_domain
from vla_ros.parameters import ParameterError
from vla_ros.ros.command_context import init_command


def test_ros_starts() -> None:
    os.environ.update(private_domain())
    init_command()
    assert rclpy.ok()
    with pytest.raises(ParameterError, match="ROS does not start"):
        init_command()
    rclpy.shutdown()


def test_the_environment_is_checked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", "abc")
    with pytest.raises(ParameterError, match="ROS_DOMAIN_ID='abc'"):
        init_command()
    assert not rclpy.ok()
