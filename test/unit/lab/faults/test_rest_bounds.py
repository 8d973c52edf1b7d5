"""The bounds follow the parameters."""

from __future__ import annotations

import dataclasses

import pytest

from vla_ros.bringup.graph import bringup
from vla_ros.bringup.node_parameters import PARAMETERS
from vla_ros.lab.faults.graphs import FILTER_PARAMETERS, SIM_PARAMETERS, bounds
from vla_ros.lab.faults.rest_bounds import RestBounds, rest_bounds, swing_time
from vla_ros.parameters import from_mapping, nested
from vla_ros.sim.arm_description import urdf


def test_bounds_follow_the_parameters() -> None:
    times = bounds()
    assert times.without_setpoints == pytest.approx(times.arrival + 0.06 + times.stop)
    assert 0.5 < times.stop < 0.7  # docs/safety.md, "Time to rest"
    assert times.arrival < 0.06
    assert times.by_message < 1.0
    assert swing_time(0.2, "joint1") == pytest.approx(1 / 0.8 / 4)
    assert 0.0 < swing_time(0.1, "joint1") < swing_time(0.15, "joint1")


def changed(node: str, **parameters: object) -> RestBounds:
    """Return the bounds with other parameters of one node; a group of parameters is given as a dict."""
    flat = {each.name: dict(each.parameters) for each in bringup(overrides={"sim_arm": SIM_PARAMETERS})}
    flat["safety_filter"].update(FILTER_PARAMETERS)
    made = {name: from_mapping(PARAMETERS[name], nested(flat[name]), f"{name}.") for name in flat}
    for key, value in parameters.items():
        old = getattr(made[node], key)
        made[node] = dataclasses.replace(
            made[node], **{key: dataclasses.replace(old, **value) if isinstance(value, dict) else value}
        )
    nodes = [made[name] for name in ("sim_arm", "planner", "action_expert", "camera")]
    return rest_bounds(made["safety_filter"], urdf(), *nodes)


def test_a_longer_timeout_is_a_later_bound() -> None:
    times = bounds()
    assert changed("safety_filter", command={"timeout_s": 0.2}).without_setpoints > times.without_setpoints + 0.1
    assert changed("safety_filter", measured={"timeout_s": 0.4}).joint_state_timeout == 0.4
    assert changed("safety_filter", controller={"state_timeout_s": 3.0}).controller_state_timeout == 3.0
    assert changed("planner", valid_for_s=9.0).plan > times.plan
    assert changed("camera", frozen_images=90).camera_frozen > times.camera_frozen


def test_without_a_camera_none_can_freeze() -> None:
    assert changed("sim_arm", camera_rate_hz=0.0).camera_frozen == 0.0
