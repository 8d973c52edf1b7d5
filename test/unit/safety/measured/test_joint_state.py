"""Joint state: how old, where, how fast and how consistent the measured arm may be."""

from __future__ import annotations

import math
import random

import pytest

from test.unit.safety.measured.stream import Listener
from test.unit.safety.rule_inputs import LIMITS, MS, filter_state, parameters
from vla_ros.safety.measured.joint_state import (
    JointStateAtRest,
    JointStateConsistent,
    JointStateFresh,
    JointStateInRange,
    JointStateSettled,
)

FRESH, IN_RANGE, AT_REST, SETTLED, CONSISTENT = (
    kind(parameters(), LIMITS)
    for kind in (JointStateFresh, JointStateInRange, JointStateAtRest, JointStateSettled, JointStateConsistent)
)
COUNT_RAD = 2 * math.pi / 4096


def test_before_the_first_message_nothing_is_known() -> None:
    verdict = FRESH.check(filter_state(), 0)
    assert verdict is not None and verdict.reason == "no joint state yet on joint_states"
    assert SETTLED.check(filter_state(), 0) is not None


def test_a_reported_velocity_counts_at_once() -> None:
    listener = Listener()
    listener.send(dq=(0.1, 0.0))
    moving = AT_REST.check(listener.state, listener.now_ns)
    assert moving is not None and (moving.joint, moving.requested, moving.limit) == ("a", 0.1, 0.02)
    listener.send()
    assert AT_REST.check(listener.state, listener.now_ns) is None


def test_without_a_reported_velocity_rest_is_seen_over_some_time() -> None:
    listener = Listener()
    listener.send(dq=())
    unknown = AT_REST.check(listener.state, 0)
    assert unknown is not None and unknown.reason.startswith("no velocity of a is known yet")
    for k in range(30):
        listener.send(q=(0.1 + 0.001 * k, 0.02), dq=())
    moving = AT_REST.check(listener.state, 0)
    assert moving is not None and moving.requested == pytest.approx(0.1, rel=0.06)
    listener.settle(q=(0.13, 0.02), dq=())
    assert AT_REST.check(listener.state, 0) is None


@pytest.mark.parametrize("counts_a_turn", [1024, 4096, 16384])
def test_an_encoder_that_toggles_at_rest_is_at_rest(counts_a_turn: int) -> None:
    count, draw, armed = 2 * math.pi / counts_a_turn, random.Random(1), 0
    for _ in range(200):
        listener = Listener()
        for _ in range(21):
            listener.send(q=(0.1 + count * draw.choice((0, 0, 0, 1)), 0.02), dq=())
        armed += AT_REST.check(listener.state, 0) is None and SETTLED.check(listener.state, listener.now_ns) is None
    assert armed == 200


def test_armed_is_only_after_two_tenths_of_a_second_without_a_contradiction() -> None:
    listener = Listener()
    listener.settle(0.20)
    verdict = SETTLED.check(listener.state, listener.now_ns)
    assert verdict is not None
    assert verdict.reason == "joint states are consistent for 0.19 s; 0.2 s are needed"
    listener.send()
    assert SETTLED.check(listener.state, listener.now_ns) is None
    listener.send(q=(0.9, 0.02))
    verdict = SETTLED.check(listener.state, listener.now_ns)
    assert verdict is not None and "a jumps from 0.1000 to 0.9000" in verdict.reason
    listener.settle(0.21)
    assert SETTLED.check(listener.state, listener.now_ns) is None
    listener.send(after_ms=101)
    assert SETTLED.check(listener.state, listener.now_ns) is not None, "after a silence"


def test_each_driver_of_several_must_be_consistent() -> None:
    listener = Listener()
    for _ in range(25):
        listener.send(names=["a"], q=[0.1], dq=[0.0])
    listener.send(names=["b"], q=[0.02], dq=[0.0], publisher="gripper")
    assert FRESH.check(listener.state, listener.now_ns) is None
    assert SETTLED.check(listener.state, listener.now_ns) is not None


def test_contradictions_again_and_again_latch_and_one_does_not() -> None:
    listener = Listener()
    listener.settle()
    for k in range(3):
        assert CONSISTENT.check(listener.state, listener.now_ns) is None, f"after {k}"
        listener.send()
        listener.send(q=(0.9, 0.02))
    verdict = CONSISTENT.check(listener.state, listener.now_ns)
    assert verdict is not None and "contradict each other: a jumps from" in verdict.reason
    assert CONSISTENT.check(listener.state, listener.now_ns + 170 * MS) is None


def test_outside_counts_beyond_the_tolerance_only() -> None:
    listener = Listener()
    listener.send(q=(-1.001, 0.042))
    assert IN_RANGE.check(listener.state, 0) is None
    listener.send(q=(-1.001, -0.002001), after_ms=500)
    outside = IN_RANGE.check(listener.state, 0)
    assert outside is not None
    assert (outside.joint, outside.limit) == ("b", -0.002)
