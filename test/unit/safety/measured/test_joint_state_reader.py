"""Which joint states are taken, what is merged of them, and what is known of each joint afterwards."""

from __future__ import annotations

import math
from typing import Any

import pytest

from test.unit.safety.measured.stream import CLOCKS_APART_NS, Listener
from test.unit.safety.rule_inputs import LIMITS, MS, parameters
from vla_ros.safety.measured.joint_state import JointStateFresh

NAN = math.nan
FRESH = JointStateFresh(parameters(), LIMITS)


def test_other_joints_and_orders_are_welcome() -> None:
    listener = Listener()
    assert listener.send(names=["wheel", "b", "a"], q=[9.0, 0.03, 0.5], dq=[9.0, 0.0, 0.1]) is None
    assert listener.q == [500_000_000, 30_000_000]
    assert listener.state.measured.dq == [0.1, 0.0]


def test_two_drivers_report_different_joints_and_each_joint_has_its_own_age() -> None:
    listener = Listener()
    assert listener.send(names=["a"], q=[0.5], dq=[0.0]) is None
    verdict = FRESH.check(listener.state, listener.now_ns)
    assert verdict is not None and verdict.reason == "no joint state yet of b on joint_states"
    assert listener.send(names=["b"], q=[0.03], dq=[0.0], publisher="gripper", stamp_ns=5) is None
    assert listener.q == [500_000_000, 30_000_000]
    assert listener.state.measured.sources == ["one", "gripper"]
    assert FRESH.check(listener.state, listener.now_ns + 90 * MS) is None
    for _ in range(12):
        assert listener.send(names=["a"], q=[0.5], dq=[0.0]) is None
    verdict = FRESH.check(listener.state, listener.now_ns)
    assert verdict is not None and verdict.reason == "no joint state of b for 0.120 s"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ({"names": ["a", "b", "a"], "q": [0.0] * 3, "dq": []}, "names a twice"),
        ({"q": [0.0], "dq": []}, "1 positions, 0 velocities for 2 names"),
        ({"dq": [0.0]}, "2 positions, 1 velocities for 2 names"),
        ({"q": [0.0, NAN], "dq": []}, "b's position is nan"),
        ({"q": [1e300, 0.0], "dq": []}, "a's position is 1e+300"),
        ({"stamp_ns": 0}, "header.stamp is zero"),
        ({"q": [0.3, 0.02]}, "a jumps from 0.1000 to 0.3000 in 0.010 s; its limit is 2 per second"),
    ],
)
def test_what_is_no_joint_state_is_refused_whole_and_the_last_one_ages(message: dict[str, Any], reason: str) -> None:
    listener = Listener()
    listener.settle()
    heard_ns = listener.now_ns
    verdict = listener.send(**message)
    assert verdict is not None and reason in verdict.reason
    assert listener.q == [100_000_000, 20_000_000]
    assert FRESH.check(listener.state, heard_ns + 100 * MS) is None
    stale = FRESH.check(listener.state, heard_ns + 101 * MS)
    assert stale is not None and reason in stale.reason
    assert listener.state.measured.refusals == 1
    assert listener.send() is None
    assert FRESH.check(listener.state, listener.now_ns) is None


def test_messages_about_other_joints_change_nothing_and_are_named_while_nothing_else_is_heard() -> None:
    listener = Listener()
    assert listener.send(names=["wheel"], q=[1.0], dq=[0.0]) is None
    verdict = FRESH.check(listener.state, listener.now_ns)
    assert verdict is not None and verdict.reason == "no joint state yet on joint_states; the last one names wheel"
    listener.settle()
    assert listener.send(names=["wheel"], q=[NAN], dq=[]) is None
    assert FRESH.check(listener.state, listener.now_ns) is None


def test_a_repetition_with_the_same_values_is_not_fresh_and_with_others_it_contradicts() -> None:
    listener = Listener()
    listener.settle()
    heard_ns, stamp_ns = listener.now_ns, listener.now_ns + CLOCKS_APART_NS
    verdict = listener.send(stamp_ns=stamp_ns)
    assert verdict is not None and verdict.reason == "joint_states: header.stamp repeats itself"
    assert listener.state.measured.receive_ns == heard_ns
    (stream,) = listener.state.measured.streams
    assert stream.consistent_ns is not None
    verdict = listener.send(q=(0.1005, 0.02), stamp_ns=stamp_ns)
    assert verdict is not None and "a has two positions with one header.stamp" in verdict.reason
    assert stream.consistent_ns is None


def test_a_step_is_possible_when_there_is_time_for_it() -> None:
    listener = Listener()
    listener.settle()
    for _ in range(3):
        assert listener.send(q=(0.4, 0.02)) is not None
    listener.settle(0.1)
    assert listener.send(q=(0.4, 0.02), after_ms=80) is None, "0.3 rad in 80 ms, with 1.5 times 2 rad/s, and 20 ms"
    assert listener.send(q=(0.7, 0.02), after_ms=79) is not None


def test_an_arm_is_followed_at_its_velocity_limit_with_jitter_of_the_stamps() -> None:
    listener = Listener()
    for k in range(200):
        jitter_ms = (0, 7, -2)[k % 3]
        stamp_ns = (1000 + 10 * k + jitter_ms) * MS
        assert listener.send(q=(2.0 * 0.01 * abs(k - 100), 0.02), stamp_ns=stamp_ns) is None


def test_two_publishers_of_one_joint_are_told_and_the_first_is_believed() -> None:
    listener = Listener()
    listener.settle()
    verdict = listener.send(q=(0.5,), dq=(0.0,), names=("a",), publisher="two")
    assert verdict is not None
    assert (verdict.rule, verdict.joint) == ("joint_source", "a")
    assert verdict.reason == "a is reported by two publishers, one and two"
    assert listener.q == [100_000_000, 20_000_000]


def test_a_driver_that_was_started_again_is_believed_once_the_old_one_is_silent() -> None:
    listener = Listener()
    listener.settle()
    assert listener.send(publisher="two", after_ms=100) is not None
    assert listener.send(publisher="two", after_ms=1, stamp_ns=77) is None
    assert listener.state.measured.sources == ["two", "two"]
    assert listener.send(publisher="one") is not None, "now the old one is the second"


@pytest.mark.parametrize("missing", [[], [NAN, NAN], [math.inf, -math.inf]])
def test_velocity_is_taken_from_positions_over_50_ms_where_the_driver_reports_none(missing: list[float]) -> None:
    listener = Listener()
    for k in range(20):
        assert listener.send(q=(0.001 * k, 0.02), dq=missing) is None
        dq = listener.state.measured.dq
        assert math.isnan(dq[0]) is math.isnan(dq[1]) is (k < 5)
    assert dq == pytest.approx([0.1, 0.0])
    assert listener.send(q=(0.019, 0.02), dq=[0.3, NAN]) is None
    assert listener.state.measured.dq == [0.3, 0.0]
    assert listener.state.measured.velocity_reported == [True, False]


def test_sources_and_histories_are_bounded() -> None:
    listener = Listener()
    for k in range(100):
        assert listener.send(publisher=f"{k}", after_ms=101) is None
    assert len(listener.state.measured.streams) == 8
    listener.settle(2.0, after_ms=1, publisher="99")
    (stream,) = [each for each in listener.state.measured.streams if each.publisher == "99"]
    assert len(stream.history) <= 22
