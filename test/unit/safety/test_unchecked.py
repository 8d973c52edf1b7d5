"""What a configuration leaves off is named, whatever it is."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import pytest

from vla_ros.bringup.safety_configuration import safety_configuration
from vla_ros.parameters import ParameterError
from vla_ros.resources import share
from vla_ros.safety.filter import ORDER, SafetyFilter
from vla_ros.safety.geometry.collision_constraints import DISTANCE_RULES, configured_rules
from vla_ros.safety.rules import SafetyRule
from vla_ros.safety.unchecked import HEARTBEAT, IMPLIED, left_unchecked, not_checked


def changed(parameters: Any, **sections: dict[str, Any]) -> Any:
    """Return the parameters with some values of some sections replaced."""
    replaced = {name: dataclasses.replace(getattr(parameters, name), **values) for name, values in sections.items()}
    return dataclasses.replace(parameters, **replaced)


def everything_off() -> Any:
    parameters, _ = safety_configuration()
    return changed(
        dataclasses.replace(parameters, unchecked=[]),
        fence={"box": [], "planes": []},
        table={"height_m": []},
        self_collision={"check": False},
        effort={"check": False},
        cartesian_speed={"limit_m_s": 0.0, "links": []},
        safety_monitor={"timeout_s": 0.0},
        controller={"state_timeout_s": 0.0},
    )


def test_every_rule_that_can_be_left_off_is_named_when_it_is() -> None:
    rules = (*ORDER.setpoint, *ORDER.measured, *ORDER.tick, *ORDER.step, *DISTANCE_RULES)
    always = inspect.getattr_static(SafetyRule, "configured")
    optional = {rule.NAME for rule in rules if inspect.getattr_static(rule, "configured") is not always}
    off = everything_off()
    assert {rule.NAME for rule in rules if not rule.configured(off)} - IMPLIED.keys() <= set(not_checked(off))
    assert set(not_checked(off)) == (optional - IMPLIED.keys()) | {HEARTBEAT}
    assert optional >= IMPLIED.keys(), "what needs no word is a rule that can be off"


def test_the_configuration_of_the_simulated_arm_names_what_it_leaves_off() -> None:
    parameters, _ = safety_configuration()
    left_off = not_checked(parameters)
    assert left_off == [name for name, on in configured_rules(parameters).items() if not on] + [
        *("deadman", "enabling", "heartbeat", "speed_scaling")
    ]
    assert "tcp_overspeed" in left_off and "fence" not in left_off
    on = changed(parameters, deadman={"timeout_s": 0.2}, estop={"heartbeat_s": 0.2}, measured={"tcp_speed_m_s": 1.0})
    assert set(left_off) - set(not_checked(on)) == {"deadman", "heartbeat", "tcp_overspeed"}


def test_a_gripper_that_is_not_watched_is_named() -> None:
    parameters, _ = safety_configuration()
    gripper = {"gripper_joint": "finger_joint", "gripper_topic": "gripper/commands"}
    assert "controller_state" not in not_checked(changed(parameters, controller=gripper))
    assert "controller_state" in not_checked(changed(parameters, controller={**gripper, "gripper_timeout_s": 0.0}))
    assert "controller_state" not in not_checked(changed(parameters, controller={"gripper_timeout_s": 0.0}))


def test_what_is_off_is_switched_off_by_name_or_told() -> None:
    parameters, urdf = safety_configuration()
    assert left_unchecked(parameters) == [], "sim.yaml names all that the simulated arm does without"
    named = ["heartbeat", "contact", "fence", "separation", "reduced_mode"]
    left = left_unchecked(dataclasses.replace(parameters, unchecked=named))
    assert left == [name for name in not_checked(parameters) if name not in named] and "keep_out" in left
    unknown = dataclasses.replace(parameters, unchecked=["velocity_limit"])
    with pytest.raises(ParameterError, match="unchecked: 'velocity_limit' is nothing that can be left off; known: fen"):
        SafetyFilter.from_urdf(unknown, urdf)


@pytest.mark.parametrize("robot", ["sim", "config/franka.yaml", "examples/03_new_arm.yaml"])
def test_a_shipped_robot_does_without_nothing_that_it_has_on(robot: str, tmp_path: Path) -> None:
    model = tmp_path / "arm.urdf"
    model.write_text("<robot name='any'/>")
    file = robot if robot == "sim" else str(share() / robot)
    parameters, _ = safety_configuration(file, "", str(model))
    assert set(parameters.unchecked) <= set(not_checked(parameters))
    assert not {"tcp_overspeed", "speed_scaling", "controller_state"} & set(left_unchecked(parameters))
