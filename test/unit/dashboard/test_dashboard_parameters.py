"""Parameters of the page: what does not fit is named."""

from __future__ import annotations

import pytest

from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.parameters import ParameterError


def test_wrong_parameters_are_named() -> None:
    with pytest.raises(ParameterError, match="camera_poses: 0 values for 1 cameras"):
        DashboardParameters(joint_names=[], cameras=["front"])
    with pytest.raises(ParameterError, match="token"):
        DashboardParameters(joint_names=[], token="a b")


@pytest.mark.parametrize(("host", "local"), [("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("robot", False)])
def test_only_names_of_localhost_are_local(host: str, local: bool) -> None:
    assert DashboardParameters(joint_names=[], host=host).local is local
