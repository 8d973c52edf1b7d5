"""The simulated arm as the dashboard is told of it."""

from __future__ import annotations

import pytest

from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.sim.arm_description import JOINT_NAMES, urdf


@pytest.fixture(scope="session")
def arm() -> Arm:
    return Arm(urdf(), JOINT_NAMES, "tool")


@pytest.fixture
def parameters() -> DashboardParameters:
    return DashboardParameters(joint_names=list(JOINT_NAMES), port=0)
