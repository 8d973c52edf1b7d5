"""Every bad parameter is refused by name; every good one arrives unchanged."""

from __future__ import annotations

import dataclasses
import math

import pytest

from vla_ros.parameters import (
    REQUIRED,
    ParameterError,
    declarations,
    flattened,
    from_mapping,
    nested,
    parameter,
)


@dataclasses.dataclass(frozen=True)
class Limits:
    velocity: list[float] = parameter(description="largest speed", unit="rad/s", above=0.0, length=2)


@dataclasses.dataclass(frozen=True)
class Core:
    limits: Limits
    rate_hz: float = parameter(100.0, description="ticks per second", unit="Hz", minimum=1.0, maximum=1000.0)
    output: str = parameter("joint_trajectory", description="output", choices=("joint_trajectory", "forward_position"))
    retries: int = parameter(3, description="attempts")
    verbose: bool = parameter(False, description="say more")
    names: list[str] = parameter(["a"], description="names")

    def __post_init__(self) -> None:
        if self.retries > self.rate_hz:
            raise ParameterError(f"retries: {self.retries} is more than rate_hz {self.rate_hz}")


GOOD = {"limits": {"velocity": [1.0, 2.0]}}


def test_defaults_and_values_arrive() -> None:
    core = from_mapping(Core, {**GOOD, "rate_hz": 50, "names": ("x", "y")})
    assert core == Core(Limits([1.0, 2.0]), rate_hz=50.0, names=["x", "y"])
    assert isinstance(core.rate_hz, float)


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        ({}, "limits.velocity: required and missing (largest speed, in rad/s)"),
        ({"limits": {"velocity": [1.0]}}, "limits.velocity: expected 2 values, got 1"),
        ({"limits": {"velocity": [1.0, 0.0]}}, "limits.velocity[1]: must be above 0.0 rad/s, got 0.0"),
        ({"limits": {"velocity": [1.0, math.nan]}}, "limits.velocity[1]: must be finite, got nan"),
        ({"limits": {"velocity": [1.0, 1e308]}}, "limits.velocity[1]: must be within +-1e+09, got 1e+308"),
        (
            {"limits": {"velocity": [1.0, 2.0]}, "two\nlines": 1},
            "two lines: no such parameter; known here: limits, names, output, rate_hz, retries, verbose",
        ),
        ({"limits": {"velocity": "fast"}}, "limits.velocity: expected a list of float, got 'fast'"),
        ({"limits": {"velocity": [1.0, True]}}, "limits.velocity[1]: expected float, got True"),
        ({"limits": 3}, "limits: expected a group of parameters, got 3"),
        ({**GOOD, "rate_hz": 0.5}, "rate_hz: must be at least 1.0 Hz, got 0.5"),
        ({**GOOD, "rate_hz": 1e9}, "rate_hz: must be at most 1000.0 Hz, got 1000000000.0"),
        ({**GOOD, "output": "torque"}, "output: must be one of joint_trajectory, forward_position; got 'torque'"),
        ({**GOOD, "retries": True}, "retries: expected int, got True"),
        ({**GOOD, "verbose": 1}, "verbose: expected bool, got 1"),
        (
            {**GOOD, "rat_hz": 5},
            "rat_hz: no such parameter; known here: limits, names, output, rate_hz, retries, verbose",
        ),
        ({**GOOD, "rate_hz": 10**5000}, "rate_hz: must be finite, got a whole number beyond the range of a float"),
        (
            {**GOOD, 5: 5, "rat_hz": 5},
            "5, node.rat_hz: no such parameter; known here: limits, names, output, rate_hz, retries, verbose",
        ),
        ({**GOOD, "retries": 101}, "retries: 101 is more than rate_hz 100.0"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(mapping: dict[object, object], text: str) -> None:
    with pytest.raises(ParameterError) as error:
        from_mapping(Core, mapping, "node.")
    assert str(error.value) == f"node.{text}"


def test_declarations_are_flat_and_know_what_is_required() -> None:
    declared = {declaration.name: declaration.default for declaration in declarations(Core)}
    assert declared["limits.velocity"] is REQUIRED
    assert declared["rate_hz"] == 100.0
    assert declared["names"] == ["a"]


def test_nested_and_flattened_are_inverse() -> None:
    tree = {"a": {"b": {"c": 1}, "d": 2}, "e": [3]}
    assert flattened(tree) == {"a.b.c": 1, "a.d": 2, "e": [3]}
    assert nested(flattened(tree)) == tree
