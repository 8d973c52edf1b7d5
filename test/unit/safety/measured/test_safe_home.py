"""The safe home output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from test.unit.safety.conftest import HOME, JOINTS, Bench
from vla_ros.parameters import ParameterError

AT_HOME = {"home.position": HOME, "home.tolerance": [0.01] * 7 + [0.005]}
Make = Callable[[Any], Bench]


def test_it_is_told_when_the_arm_is_measured_at_rest_there(make_bench: Make) -> None:
    bench = make_bench(AT_HOME)
    assert not bench.filter.at_home(), "nothing was measured yet"
    bench.tick()
    assert bench.filter.at_home(), "disarmed, too"
    bench.armed().tick(5)
    assert bench.filter.at_home()


@pytest.mark.parametrize("joint", [0, 6, 7])
def test_a_joint_that_is_elsewhere_or_moves_is_not_there(make_bench: Make, joint: int) -> None:
    bench = make_bench(AT_HOME)
    bench.measured = lambda q: [x + (0.011 if i == joint else 0.0) for i, x in enumerate(q)]
    bench.tick()
    assert not bench.filter.at_home()
    velocities = [0.0] * 8
    velocities[joint] = 0.03
    bench.filter.joint_state(bench.now_ns, JOINTS, HOME, velocities)
    assert not bench.filter.at_home()


def test_old_joint_states_and_a_moving_output_are_not_there(make_bench: Make) -> None:
    bench = make_bench(AT_HOME).armed()
    bench.stream(lambda t: [HOME[0] + 0.02 * t, *HOME[1:]], 0.2)
    assert not bench.filter.at_home()
    other = make_bench(AT_HOME)
    other.tick()
    other.measured = lambda q: None
    other.tick(40)
    assert not other.filter.at_home()


def test_what_is_not_configured_is_never_reached(make_bench: Make) -> None:
    bench = make_bench({})
    bench.tick()
    assert not bench.filter.at_home()


def test_a_home_without_a_tolerance_is_refused(make_bench: Make) -> None:
    with pytest.raises(ParameterError, match=r"home.tolerance: give it together with home.position"):
        make_bench({"home.position": HOME})
    with pytest.raises(ParameterError, match=r"home.position: expected 8 values"):
        make_bench({"home.position": HOME[:3], "home.tolerance": [0.1] * 8})
