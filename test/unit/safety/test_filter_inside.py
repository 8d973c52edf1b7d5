"""What goes wrong inside the filter, and ticks that were missed."""

from __future__ import annotations

import math
from typing import Any

import pytest

from test.unit.safety.streams import line
from vla_ros.safety.command.continuity import Continuity
from vla_ros.safety.command.open_loop import OpenLoop
from vla_ros.safety.joint import joint_motion
from vla_ros.safety.joint.last_check import LastCheck
from vla_ros.safety.measured.joint_state import JointStateInRange
from vla_ros.safety.measured.tracking_error import TrackingError
from vla_ros.safety.states import State


@pytest.mark.parametrize(
    ("rule", "method"),
    [(OpenLoop, "check"), (TrackingError, "check"), (JointStateInRange, "check"), (LastCheck, "violation")],
)
def test_a_rule_that_raises_in_a_tick_stops_and_latches(
    bench: Any, rule: type, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.stream(line(list(bench.q), 0, 1.0), 1.2)
    real = getattr(rule, method)
    calls = iter([True])

    def broken(*arguments: Any) -> Any:
        if next(calls, False):
            raise ZeroDivisionError("broken")
        return real(*arguments)

    monkeypatch.setattr(rule, method, broken)
    speed = bench.decisions[-1].velocities[0]
    decision = bench.tick()
    assert decision.state is State.PROTECTIVE_STOP
    assert "raised ZeroDivisionError: broken" in decision.verdict.reason
    assert 0 < decision.velocities[0] < speed
    assert bench.tick(100).velocities == (0.0,) * 8


def test_a_rule_that_raises_on_a_command_stops_and_latches(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Continuity, "check", lambda *_: 1 / 0)
    verdict = bench.command(list(bench.q))
    assert "raised ZeroDivisionError" in verdict.reason
    assert bench.tick().state is State.PROTECTIVE_STOP


def test_the_last_check_stops_what_the_core_let_through(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A core that has gone mad: it jumps by half a radian."""
    bench.stream(line(list(bench.q), 0, 1.0), 1.2)

    def mad(_: Any, joint: Any, *__: Any) -> str:
        joint.q += 500_000_000
        return ""

    monkeypatch.setattr(joint_motion.JointMotion, "follow", mad)
    before = bench.decisions[-1].positions
    decision = bench.tick()
    assert decision.state is State.PROTECTIVE_STOP
    assert decision.verdict.rule == "last_check"
    assert "velocity limit of joint1" in decision.verdict.reason
    assert abs(decision.positions[0] - before[0]) < 0.01


def test_when_even_the_stop_fails_nothing_is_sent(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.stream(line(list(bench.q), 0, 1.0), 1.2)
    monkeypatch.setattr(joint_motion.JointMotion, "follow", lambda *_: 1 / 0)
    monkeypatch.setattr(joint_motion.JointMotion, "stop", lambda *_: 1 / 0)
    decision = bench.tick()
    assert decision.positions is None
    assert decision.state is State.PROTECTIVE_STOP
    monkeypatch.undo()
    assert bench.tick().positions is None
    assert bench.filter.reset(bench.now_ns)[0]


def test_a_stop_that_breaks_a_limit_is_not_sent(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule raises, and what should stop the arm has gone mad, too."""
    bench.stream(line(list(bench.q), 0, 1.0), 1.2)

    def mad(_: Any, joint: Any) -> None:
        joint.q += 500_000_000

    monkeypatch.setattr(joint_motion.JointMotion, "follow", lambda *_: 1 / 0)
    monkeypatch.setattr(joint_motion.JointMotion, "stop", mad)
    decision = bench.tick()
    assert decision.positions is None
    assert decision.state is State.PROTECTIVE_STOP
    monkeypatch.undo()
    assert bench.tick().positions is None


def test_a_skipped_tick_breaks_no_limit(bench: Any) -> None:
    """The process was off for 5 periods; what was missed is caught up with inside the limits."""
    path = line(list(bench.q), 1, 1.0)
    bench.stream(path, 1.2)
    bench.now_ns += 5 * 4_000_000
    state = bench.tick().state
    assert state in (State.LIMITING, State.TRACKING)
    assert bench.decisions[-1].verdict is None or bench.decisions[-1].verdict.rule != "last_check"


def test_ages(bench: Any) -> None:
    assert math.isnan(bench.filter.command_age_s(bench.now_ns))
    bench.command(list(bench.q))
    bench.now_ns += 8_000_000
    assert bench.filter.command_age_s(bench.now_ns) == 0.008
    assert bench.filter.joint_state_age_s(bench.now_ns) == 0.008
    assert len(bench.filter.position_margins()) == len(bench.filter.velocity_margins()) == 8
    assert bench.filter.velocity_margins()[0] == pytest.approx(2.175)
    assert bench.filter.position_margins()[7] == pytest.approx(0.02)
