"""The kernels give what their Python forms give, to the bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vla_ros.safety import compiled, trajectory
from vla_ros.safety.joint import stop_path
from vla_ros.safety.joint.jerk_limit import JerkLimit
from vla_ros.safety.joint.joint_limits import TickLimits
from vla_ros.safety.joint.velocity_limit import VelocityLimit

KERNELS = pytest.importorskip("vla_ros.safety.kernels")
HUGE = 2**40


def python_form(function: Callable[..., Any]) -> Callable[..., Any]:
    return function.__wrapped__  # type: ignore[attr-defined, no-any-return]


def limits_of(rng: random.Random, joints: int) -> list[tuple[int, int]]:
    """Accelerations up to 60 times the jerk, and jerks above the acceleration."""
    jerks = [rng.choice((1, 7, 750, 48_000)) for _ in range(joints)]
    return [(max(1, int(jerk * rng.uniform(0.5, 60))), jerk) for jerk in jerks]


def states_of(rng: random.Random, limits: list[tuple[int, int]]) -> list[tuple[int, int, int]]:
    return [
        (
            rng.randint(-(10**10), 10**10),
            rng.choice((0, 1, -1, rng.randint(-90 * acceleration, 90 * acceleration))),
            rng.choice((0, acceleration, -acceleration, rng.randint(-acceleration, acceleration))),
        )
        for acceleration, _ in limits
    ]


def outputs_of(rng: random.Random, limits: list[tuple[int, int]], count: int) -> list[list[int]]:
    """Outputs of a motion inside the limits of acceleration and jerk."""
    columns = []
    for (acceleration, jerk), state in zip(limits, states_of(rng, limits), strict=True):
        column, (q, v, a) = list[int](), state
        for _ in range(count):
            a = max(-acceleration, min(acceleration, a + rng.randint(-jerk, jerk)))
            v += a
            q += v
            column.append(q)
        columns.append(column)
    return [list(row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("seed", range(300))
def test_each_kernel_gives_what_its_python_form_gives(seed: int) -> None:
    rng = random.Random(seed)
    limits = limits_of(rng, rng.randint(1, 9))
    before, after = states_of(rng, limits), states_of(rng, limits)
    period_ns = rng.choice((1_000_000, 4_000_000, 8_000_001))
    for function, arguments in (
        (stop_path.stop_path_lengths, (after, limits)),
        (stop_path.peak_rates, (before, after, limits, 1e9 / period_ns / 7)),
        (stop_path.stop_rates, (before, after, limits, 1e9 / period_ns / 7)),
        (trajectory.knots, (outputs_of(rng, limits, rng.randint(3, 12)), limits, period_ns)),
    ):
        kernel = getattr(KERNELS, function.__name__)
        assert kernel(*arguments) == python_form(function)(*arguments), function.__name__


def test_at_rest_there_is_no_way_and_one_row_of_rates() -> None:
    rest, limits = [(5, 0, 0), (-7, 0, 0)], [(40, 8), (1, 1)]
    assert KERNELS.knots([[5, -7]] * 5, limits, 4) is None
    assert stop_path.stop_path_lengths(rest, limits) == [0, 0]
    assert np.frombuffer(KERNELS.stop_rates(rest, rest, limits, 0.5)).tolist() == [0.0] * 6


def test_values_that_are_too_large_go_to_the_python_form() -> None:
    state, limits = [(0, HUGE, 0)], [(HUGE // 8, HUGE // 64)]
    rows = [[0], [HUGE], [2 * HUGE]]
    for function, arguments in (
        (stop_path.stop_path_lengths, (state, limits)),
        (stop_path.peak_rates, (state, state, limits, 1.0)),
        (stop_path.stop_rates, (state, state, limits, 1.0)),
        (trajectory.knots, (rows, limits, 4)),
    ):
        with pytest.raises(OverflowError):
            getattr(KERNELS, function.__name__)(*arguments)
        assert function(*arguments) == python_form(function)(*arguments)


def test_the_stop_policy_of_the_rates_is_that_of_the_outputs() -> None:
    limits = TickLimits(-(10**10), 10**10, 10**6, 50_000, 7_000)
    policy, v, a = JerkLimit(limits), 812_345, -31_000
    rates = np.frombuffer(stop_path.stop_rates([(0, 3, 1)], [(9, v, a)], [(50_000, 7_000)], 1.0)).tolist()
    assert rates[:3] == [2.0, 3.0, 812_345.0]
    for rate in rates[2:]:
        assert rate == v
        a = policy.stop_policy(v, a)
        v += a
    assert rates[-1] == rates[-2] == 0.0


def test_without_the_module_the_python_form_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "KERNELS", None)
    form = python_form(stop_path.stop_path_lengths)
    assert compiled.compiled(form) is form


def test_peak_rates_are_those_of_the_velocity_limit() -> None:
    rng = random.Random(1)
    for _ in range(200):
        limits = limits_of(rng, 3)
        after = states_of(rng, limits)
        peaks = [
            VelocityLimit(TickLimits(0, 1, 1, *own)).peak_speed(v, a)
            for (_, v, a), own in zip(after, limits, strict=True)
        ]
        rest = [(0, 0, 0)] * 3
        assert np.frombuffer(python_form(stop_path.peak_rates)(rest, after, limits, 1.0)).tolist() == peaks
