"""Standstill: an arm that is held still does not move, and a latched one that was moved is sent nothing."""

from __future__ import annotations

from typing import Any

import pytest

from test.unit.safety.streams import line, moved
from vla_ros.safety.states import State


def drifted(bench: Any, joint: int, speed: float, ticks: int) -> None:
    """Let somebody move a joint at a speed."""
    begin_ns = bench.now_ns
    bench.measured = lambda q: moved(q, joint, speed * (bench.now_ns - begin_ns) / 1e9)
    bench.tick(ticks)


@pytest.mark.parametrize(("tolerance", "latched_after_s"), [([], 0.75), ([0.02] * 8, 0.2)])
def test_a_joint_that_moves_while_it_is_held_latches(
    make_bench: Any, tolerance: list[float], latched_after_s: float
) -> None:
    """Half of the tracking error of 0.15 rad where nothing else is said."""
    bench = make_bench({"measured.standstill": tolerance}).armed()
    bench.tick(130)
    drifted(bench, 2, 0.1, round(latched_after_s / 0.004) - 5)
    assert bench.filter.state is State.HOLDING
    decision = bench.tick(10)
    assert decision.state is State.PROTECTIVE_STOP
    assert decision.verdict is not None
    assert (decision.verdict.rule, decision.verdict.joint) == ("standstill", "joint3")


def test_the_arm_may_lag_when_the_output_comes_to_rest(make_bench: Any) -> None:
    bench = make_bench({"measured.standstill": [0.02] * 8}).armed()
    past = [list(bench.q)] * 25

    def lagging(q: list[float]) -> list[float]:
        past.append(q)
        return past[-25]

    bench.measured = lagging
    bench.stream(line(list(bench.q), 0, 0.8), 1.2)
    bench.tick(400)
    assert bench.filter.state is State.HOLDING


def test_a_latched_arm_that_is_elsewhere_is_sent_nothing_and_taken_up_there(bench: Any) -> None:
    bench.tick(130)
    drifted(bench, 0, -0.5, 250)
    assert bench.filter.state is State.PROTECTIVE_STOP
    decision = bench.tick()
    assert decision.positions is None
    there = -0.5 * 251 * 0.004
    bench.measured = lambda q: moved(bench_home, 0, there)
    bench_home = list(bench.q)
    bench.tick(60)
    assert bench.filter.reset(bench.now_ns)[0]
    assert bench.filter.arm(bench.now_ns)[0]
    decision = bench.tick()
    assert decision.positions is not None
    assert decision.positions[0] == pytest.approx(bench_home[0] + there, abs=1e-6)


def test_a_latched_arm_where_it_was_sent_goes_on_being_held(bench: Any) -> None:
    bench.stream(line(list(bench.q), 0, 0.8), 1.2)
    bench.filter.fault("test")
    decision = bench.tick(300)
    assert decision.state is State.PROTECTIVE_STOP
    assert decision.positions is not None
    bench.measured = lambda q: None
    assert bench.tick(100).positions is not None, "where it is, is not known"
