"""What a tick does when something is wrong: silence, a stale joint state, a rule that raises, a mad core."""

from __future__ import annotations

import math
from typing import Any

import pytest

from test.unit.safety.streams import line, moved
from vla_ros.safety.command.open_loop import OpenLoop
from vla_ros.safety.joint import jerk_limit, joint_motion
from vla_ros.safety.joint.last_check import LastCheck
from vla_ros.safety.measured.joint_state import JointStateInRange
from vla_ros.safety.measured.tracking_error import TrackingError
from vla_ros.safety.states import State

NAN = math.nan


def test_silence_brings_the_arm_to_rest_in_the_computed_time(bench: Any) -> None:
    bench.stream(line(list(bench.q), 1, 1.2), 1.5)
    limits = bench.filter._motion.motions[1].limits
    silent = bench.tick(16)  # 64 ms
    assert silent.state is State.STOPPING
    assert silent.verdict.rule == "open_loop"
    allowed = jerk_limit.ticks_to_rest(abs(bench.filter.values.joints[1].v), limits.acceleration, limits.jerk)
    bench.tick(allowed)
    assert bench.decisions[-1].state is State.HOLDING
    assert bench.decisions[-1].velocities == (0.0,) * 8
    assert bench.decisions[-1].source == ""


def test_the_stream_may_go_on_while_the_arm_still_stops(bench: Any) -> None:
    bench.stream(line(list(bench.q), 1, 1.2), 1.2)
    assert bench.tick(20).state is State.STOPPING
    states = []
    for _ in range(30):
        assert bench.command(moved(bench.q, 1, 0.05)) is None
        states.append(bench.tick(2).state)
    assert set(states[5:]) <= {State.LIMITING, State.TRACKING}


def test_a_stale_joint_state_stops_and_a_fresh_one_lets_it_go_on(bench: Any) -> None:
    bench.stream(line(list(bench.q), 0, 0.3), 1.2)
    bench.measured = lambda q: None
    decisions = bench.stream(lambda _: list(bench.q), 0.5)
    assert decisions[-1].state is State.HOLDING
    assert decisions[-1].verdict.rule == "joint_state"
    assert {d.verdict.rule for d in decisions if d.state is State.STOPPING} == {"joint_state"}
    bench.measured = lambda q: q
    assert bench.stream(lambda _: list(bench.q), 0.2)[-1].state is State.TRACKING


def test_a_nan_in_the_joint_state_is_no_joint_state(bench: Any) -> None:
    bench.measured = lambda q: moved(q, 4, NAN)
    decisions = bench.stream(lambda _: list(bench.q), 0.3)
    assert decisions[-1].state is State.HOLDING
    assert "joint5's position is nan" in decisions[-1].verdict.reason


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
    assert decision.verdict.rule == "filter", "what raised here is no file of a rule"
    assert decision.verdict.reason == "filter raised ZeroDivisionError: broken"
    assert 0 < decision.velocities[0] < speed
    assert bench.tick(100).velocities == (0.0,) * 8


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
