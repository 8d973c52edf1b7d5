"""After a stall of the filter the arm is taken over where it stands, or nothing is sent."""

from __future__ import annotations

from typing import Any

import pytest

from test.unit.safety.simulated_arm import OBSTACLE, Arm, forward
from test.unit.safety.streams import moving
from vla_ros.safety.states import State


def test_after_a_stall_an_arm_that_stands_is_taken_up_where_it_is(bench: Any) -> None:
    moving(bench)
    bench.now_ns += 500_000_000
    bench.measured = lambda q: [q[0] + 0.05, *q[1:]]  # where its own controller has stopped it
    stopped = bench.measured(list(bench.q))
    decision = bench.tick()
    assert (decision.state, decision.positions) == (State.STALLED, None)
    assert "the filter stood still for 0.504 s" in decision.verdict.reason
    decision = bench.tick()
    assert decision.state is State.HOLDING
    assert decision.positions == pytest.approx(stopped, abs=1e-9)
    assert not any(decision.velocities)
    bench.measured = lambda q: q
    bench.stream(lambda t: [stopped[0] + 0.1 * t, *stopped[1:]], 0.5)
    assert bench.q[0] > stopped[0] + 0.01, "and goes on when asked"


def test_after_a_stall_nothing_is_sent_to_an_arm_that_still_moves(bench: Any) -> None:
    home = moving(bench)
    bench.now_ns += 100_000_000
    names = [joint.name for joint in bench.limits]
    bench.measure = lambda: bench.filter.joint_state(bench.now_ns, names, home, [0.4] + [0.0] * 7)
    decisions = [bench.tick() for _ in range(50)]
    assert {decision.state for decision in decisions} == {State.STALLED}
    assert all(decision.positions is None for decision in decisions)
    assert "the filter stood still for 0.104 s" in decisions[-1].verdict.reason
    assert bench.command(home).rule == "open_loop"
    bench.measure = lambda: bench.filter.joint_state(bench.now_ns, names, home, [0.0] * 8)
    assert bench.tick().positions == pytest.approx(home, abs=1e-9)
    assert bench.tick().state is State.HOLDING


def test_after_a_stall_an_arm_that_is_not_heard_is_sent_nothing(bench: Any) -> None:
    moving(bench)
    bench.now_ns += 500_000_000
    bench.measured = lambda q: None
    decision = bench.tick(100)
    assert (decision.state, decision.positions) == (State.STALLED, None)
    bench.measured = lambda q: q
    assert bench.tick(2).state is State.HOLDING


def test_after_a_stall_an_arm_outside_its_limits_is_not_taken_up(bench: Any) -> None:
    moving(bench)
    bench.now_ns += 500_000_000
    bench.measured = lambda q: [q[0], -1.8, *q[2:]]
    decision = bench.tick(2)
    assert (decision.state, decision.positions, decision.verdict.rule) == (State.PROTECTIVE_STOP, None, "joint_state")


def test_disarmed_after_a_stall_it_sends_nothing_on_the_way(bench: Any) -> None:
    home = moving(bench)
    bench.now_ns += 100_000_000
    names = [joint.name for joint in bench.limits]
    bench.measure = lambda: bench.filter.joint_state(bench.now_ns, names, home, [0.4] + [0.0] * 7)
    bench.tick(3)
    assert bench.filter.disarm()[0]
    first = len(bench.decisions)
    bench.tick(20)
    assert all(decision.positions is None for decision in bench.decisions[first:])
    assert {decision.state for decision in bench.decisions[first:]} == {State.DISARMING}
    bench.measure = lambda: bench.filter.joint_state(bench.now_ns, names, home, [0.0] * 8)
    assert bench.tick(3).state is State.DISARMED


def test_an_estop_during_a_stall_holds(bench: Any) -> None:
    moving(bench)
    bench.now_ns += 500_000_000
    bench.filter.estop_signal(True)
    decision = bench.tick()
    assert (decision.state, decision.positions) == (State.ESTOP, None)
    bench.filter.estop_signal(False)
    assert bench.filter.reset(bench.now_ns)[0]


def test_a_short_stall_changes_nothing(bench: Any) -> None:
    moving(bench)
    bench.now_ns += 40_000_000
    assert bench.tick().positions is not None
    assert bench.decisions[-1].velocities[0] > 0.6


def test_after_a_stall_an_arm_whose_obstacles_are_not_known_waits_for_them_and_is_not_latched() -> None:
    arm = Arm(**OBSTACLE, **{"controller.type": "forward_position"}).armed()
    arm.towards(forward(arm.q, 0.3), 60)
    assert any(arm.decisions[-1].velocities)
    arm.obstacles = None
    arm.now_ns += 500_000_000
    assert arm.tick(10).state is State.STALLED
    assert arm.decisions[-1].positions is None
    arm.obstacles = []
    assert arm.tick(2).state is State.HOLDING
