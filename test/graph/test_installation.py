"""What is installed of ROS is found, and what is not is a failure with its remedy."""

from __future__ import annotations

import importlib.util

import pytest

from vla_ros.ros.installation import ros_findings


def test_this_installation_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", "44")
    found = list(ros_findings())
    assert [finding.what for finding in found] == ["ROS 2", "RMW", "messages", "domain"]
    assert {finding.level for finding in found} == {"ok"}
    assert "ROS_DOMAIN_ID 44" in found[-1].text


def test_a_machine_without_ros_fails_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (finding,) = ros_findings()
    assert (finding.level, finding.text) == ("fail", "rclpy is not found")
    assert "make setup" in finding.remedy
