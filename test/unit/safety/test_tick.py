"""What a tick does when something is wrong: silence, a stale joint state, a rule that raises, a mad core."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from test.unit.safety.streams import line, moved, moving
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


def follows(make_bench: Any) -> Any:
    """A filter whose controller follows trajectories, with joint1 in motion."""
    bench = make_bench({"controller.type": "joint_trajectory"}).armed()
    bench.tick(bench.filter.values.entry_ticks + 1)
    moving(bench)
    return bench


def test_ticks_that_did_not_come_count_as_the_stop_policy_s(make_bench: Any) -> None:
    bench = follows(make_bench)
    other = follows(make_bench)
    rows = bench.filter.miss(bench.now_ns + 5 * 4_000_000, 5)
    assert len(rows) == 5
    other.filter.fault("stop here")
    assert rows == [other.tick().positions for _ in range(5)]
    bench.now_ns += 5 * 4_000_000
    decision = bench.tick()
    assert decision.state is State.LIMITING, "it goes on from there"
    steps = np.diff([row[0] for row in (rows[-2], rows[-1], decision.positions)])
    assert 0.0 < steps[1] < steps[0] + 7.5 * 0.004**2 + 1e-9


def test_after_a_long_stall_the_arm_rests_where_the_newest_message_led_it(make_bench: Any) -> None:
    bench = follows(make_bench)
    rows = bench.filter.miss(bench.now_ns + 1000 * 4_000_000, 1000)
    assert 10 < len(rows) < 200
    assert bench.filter.values.at_rest
    bench.now_ns += 1000 * 4_000_000
    decision = bench.tick()
    assert decision.positions == rows[-1]
    assert (decision.state, decision.verdict.rule) == (State.HOLDING, "open_loop")
    assert bench.filter.miss(bench.now_ns, 3) == [decision.positions]


def test_an_output_that_could_not_be_sent_is_taken_back(make_bench: Any) -> None:
    bench, other = follows(make_bench), follows(make_bench)
    sent = bench.filter.values.sent
    bench.tick()
    retracted = bench.filter.retract()
    assert retracted == other.filter.miss(other.now_ns, 1)[0]
    assert bench.filter.values.sent == (*sent[1:], retracted)
    assert bench.filter.values.joints[0].q == other.filter.values.joints[0].q
    assert bench.tick().positions is not None
    assert bench.filter.state is State.LIMITING, "no check objects to what follows"


def test_a_filter_that_sends_nothing_misses_and_retracts_nothing(make_bench: Any) -> None:
    bench = make_bench({"controller.type": "joint_trajectory"})
    bench.tick(3)
    assert bench.filter.miss(bench.now_ns, 7) == []
    assert bench.filter.retract() is None
    bench.filter.clock_was_set()
    assert bench.filter.state is State.DISARMED and not bench.filter.values.entry_ticks


def test_a_stop_step_that_is_refused_stops_all_sending(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for call in ("miss", "retract"):
        bench = follows(make_bench)
        with monkeypatch.context() as patched:
            patched.setattr(LastCheck, "violation", lambda *_: ("joint1", "velocity", 9.0, 1.0))
            if call == "miss":
                assert bench.filter.miss(bench.now_ns, 2) == []
            else:
                assert bench.filter.retract() is None
        assert bench.filter.state is State.PROTECTIVE_STOP
        assert bench.tick().positions is None
