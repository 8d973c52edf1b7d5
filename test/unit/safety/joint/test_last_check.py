"""The last check finds each limit that an output breaks, and shares no code with what it checks."""

from __future__ import annotations

import ast
import math
from pathlib import Path

import pytest

from vla_ros.safety.joint import last_check
from vla_ros.safety.joint.joint_limits import JointLimits
from vla_ros.safety.joint.last_check import LastCheck

LIMITS = (JointLimits("a", -1.0, 1.0, 2.0, 10.0, 1000.0), JointLimits("b", 0.0, 0.04, 0.1, 1.0, 50.0))


def violation_after(sent: list[float], position: float) -> tuple[str, str, float, float] | None:
    check = LastCheck(LIMITS[:1], 0.004)
    outputs = last_check.at_rest([sent[0]])
    for value in sent[1:]:
        outputs = last_check.followed_by(outputs, [value])
    return check.violation(outputs, [position])


@pytest.mark.parametrize(
    ("sent", "position", "quantity"),
    [
        ([0.0], math.nan, "position"),
        ([0.0], math.inf, "position"),
        ([0.999999], 1.0000001, "position"),
        ([-0.999999], -1.0000001, "position"),
        ([0.0, 0.008, 0.016, 0.024], 0.0321, "velocity"),
        ([0.0, 0.001, 0.002, 0.003], 0.0042, "acceleration"),
        ([0.0, 0.0, 0.0, 0.0], 0.0001, "jerk"),
    ],
)
def test_it_finds_each_limit(sent: list[float], position: float, quantity: str) -> None:
    violation = violation_after(sent, position)
    assert violation is not None
    assert violation[:2] == ("a", quantity)


@pytest.mark.parametrize(
    ("start", "step", "found"),
    [
        (0.9, 0.0052, "slow zone's velocity"),  # 1.3 rad/s at 0.095 from the end, where 1.0 rad/s is allowed
        (0.9, 0.0039, ""),
        (0.9, -0.0052, ""),
        (0.5, 0.0052, ""),
        (-0.9, -0.0052, "slow zone's velocity"),
    ],
)
def test_it_knows_slow_zones(start: float, step: float, found: str) -> None:
    check = LastCheck([JointLimits("a", -1.0, 1.0, 2.0, 1e6, 1e9, 0.2, 0.1)], 0.004)
    violation = check.violation(last_check.at_rest([start]), [start + step])
    assert (violation[1] if violation else "") == found


def test_it_passes_what_is_inside_to_the_last_bit() -> None:
    assert violation_after([0.0, 0.008, 0.016, 0.024], 0.032) is None
    assert violation_after([0.0, 64e-6, 256e-6], 608e-6) is None  # 10 rad/s^2
    assert violation_after([0.0, 0.0, 0.0, 0.0], 0.000064) is None
    assert violation_after([1.0], 1.0) is None


def test_it_wants_every_joint() -> None:
    check = LastCheck(LIMITS, 0.004)
    violation = check.violation(last_check.at_rest([0.0, 0.0]), [0.0])
    assert violation is not None and violation[1] == "number of joints"


def test_it_shares_no_code_with_what_it_checks() -> None:
    tree = ast.parse(Path(last_check.__file__).read_text())
    imported = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert not {name for name in imported if name and name.startswith("vla_ros")}
