"""A parameter dataclass becomes ROS parameters: checked, described, and fixed while the node runs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from rclpy.parameter import Parameter

from test.graph.ros_node import ros_node
from vla_ros.parameters import ParameterError, parameter
from vla_ros.ros.parameter_declaration import declare_parameters


@dataclass(frozen=True)
class Motor:
    """A part of the parameters."""

    gains: list[float] = parameter(description="of the joints", unit="1/s")


@dataclass(frozen=True)
class Given:
    """All types that ROS parameters have here."""

    motor: Motor
    rate_hz: float = parameter(10.0, description="how often", unit="Hz", minimum=1.0, maximum=100.0)
    mode: str = parameter("fast", description="how", choices=("fast", "slow"))
    count: int = parameter(3, description="how many", minimum=0, maximum=9)
    names: list[str] = parameter([], description="of things")


def test_values_and_descriptions_reach_both_sides() -> None:
    with ros_node(arguments=["-p", "motor.gains:=[1.0, 2.0]", "-p", "mode:=slow"]) as node:
        given = declare_parameters(node, Given)
        assert given == Given(Motor([1.0, 2.0]), mode="slow")
        rate = node.describe_parameter("rate_hz")
        assert rate.description == "how often [Hz]"
        assert (rate.floating_point_range[0].from_value, rate.floating_point_range[0].to_value) == (1.0, 100.0)
        assert node.describe_parameter("mode").additional_constraints == "one of: fast, slow"
        assert node.describe_parameter("count").integer_range[0].to_value == 9
        assert node.get_parameter("names").value == [], "what `ros2 param dump` asks for, and gives up without"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], r"tested\.motor\.gains: required and missing"),
        (["-p", "motor.gains:=[1.0]", "-p", "mode:=sly"], r"tested\.mode: must be one of fast, slow"),
        (["-p", "motor.gains:=[.nan]"], r"tested\.motor\.gains\[0\]: must be finite"),
        (["-p", "motor.gains:=[1.0]", "-p", "rate_hz:=500.0"], r"tested\.rate_hz: "),
        (["-p", "motor.gains:=[1.0]", "-p", "count:=many"], r"tested\.count: "),
    ],
)
def test_what_is_wrong_is_named_with_node_and_key(arguments: list[str], text: str) -> None:
    with ros_node(arguments=arguments) as node, pytest.raises(ParameterError, match=text):
        declare_parameters(node, Given)


def test_all_that_is_wrong_is_told_together_and_once() -> None:
    arguments = ["-p", "motor.gains:=yes", "-p", "mode:=sly", "-p", "count:=many"]
    with ros_node(arguments=arguments) as node, pytest.raises(ParameterError) as error:
        declare_parameters(node, Given)
    keys = [fault.partition(": ")[0] for fault in error.value.faults]
    assert keys == ["tested.motor.gains", "tested.count", "tested.mode"]


def test_a_running_node_refuses_changes_of_its_clock_too() -> None:
    with ros_node(arguments=["-p", "motor.gains:=[1.0]"]) as node:
        declare_parameters(node, Given)
        node.declare_parameter("others", 1)
        for name, value in (("rate_hz", 20.0), ("use_sim_time", True)):
            (result,) = node.set_parameters([Parameter(name, value=value)])
            assert not result.successful
            assert result.reason.startswith(f"{name} cannot change while the node runs")
        (result,) = node.set_parameters([Parameter("others", value=2)])
        assert result.successful
