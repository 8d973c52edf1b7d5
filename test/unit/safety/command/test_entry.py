"""Entry: setpoints are refused while the arm's controller is led to where the output begins."""

from __future__ import annotations

from typing import Any

import pytest

from vla_ros.safety.states import State
from vla_ros.safety.trajectory import entry_ticks

STAMPED = {"controller.type": "joint_trajectory"}
TICKS = entry_ticks(4_000_000)


@pytest.fixture
def entering(make_bench: Any) -> Any:
    return make_bench(STAMPED).armed()


def test_setpoints_are_refused_until_the_entry_is_over(entering: Any) -> None:
    home = list(entering.q)
    for left in range(TICKS, 0, -1):
        assert entering.tick().state is State.ENTERING
        assert entering.filter.values.entry_ticks == left
        refused = entering.command(home)
        assert (refused.rule, refused.requested) == ("entry", pytest.approx(left * 0.004))
        assert "setpoints count in" in refused.reason
    assert entering.tick().state is State.HOLDING
    assert entering.command(home) is None
    assert entering.tick().state is State.TRACKING


def test_a_controller_that_takes_positions_is_not_entered(bench: Any) -> None:
    assert bench.tick().state is State.HOLDING
    assert bench.command(list(bench.q)) is None


def test_an_entering_arm_is_disarmed_stopped_and_latched(make_bench: Any) -> None:
    bench = make_bench(STAMPED).armed()
    bench.tick(3)
    assert bench.filter.disarm()[0]
    assert bench.tick(TICKS).state is State.DISARMED
    assert bench.filter.arm(bench.now_ns)[0]
    bench.tick(3)
    bench.filter.estop("a test")
    assert bench.tick().state is State.ESTOP
    assert bench.filter.reset(bench.now_ns)[0]


def test_a_clock_that_was_set_is_entered_anew_once_the_arm_rests(make_bench: Any) -> None:
    bench = make_bench(STAMPED).armed()
    bench.tick(TICKS + 1)
    home = list(bench.q)
    bench.stream(lambda t: [home[0] + 0.5 * t * t, *home[1:]], 0.6)
    assert bench.decisions[-1].velocities[0] > 0.3
    bench.filter.clock_was_set()
    left = bench.filter.values.entry_ticks
    assert left > TICKS + 10
    assert bench.command(list(bench.q)).rule == "entry"
    decisions = [bench.tick() for _ in range(left)]
    assert all(decision.state is State.ENTERING for decision in decisions[:-1])
    assert not any(decisions[-TICKS - 1].velocities), "the entry begins at rest"
    assert decisions[-1].state is State.HOLDING
