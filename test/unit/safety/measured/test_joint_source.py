"""Joint source: two publishers of one joint arm nothing and stop what moves."""

from __future__ import annotations

from typing import Any

import pytest

from test.unit.safety.conftest import JOINTS
from test.unit.safety.measured.stream import Listener
from test.unit.safety.rule_inputs import LIMITS, MS, parameters
from test.unit.safety.streams import moving
from vla_ros.safety.measured.joint_source import JointSource
from vla_ros.safety.states import State

RULE = JointSource(parameters(), LIMITS)


def test_both_publishers_are_named_for_a_moment() -> None:
    listener = Listener()
    listener.settle()
    assert RULE.check(listener.state, listener.now_ns) is None
    listener.send(publisher="two")
    listener.state.publishers["joint_states"] = ("/arm/driver (one)", "/twin (two)")
    verdict = RULE.check(listener.state, listener.now_ns + 200 * MS)
    assert verdict is not None
    assert verdict.reason == "joint_states: a is reported by /arm/driver (one) and by /twin (two); stop one of them"
    assert RULE.check(listener.state, listener.now_ns + 201 * MS) is None


def test_a_publisher_that_the_graph_does_not_show_is_named_by_its_guid() -> None:
    listener = Listener()
    listener.settle()
    listener.send(publisher="two")
    verdict = RULE.check(listener.state, listener.now_ns)
    assert verdict is not None and "by publisher one and by publisher two" in verdict.reason


def second(bench: Any, **changes: Any) -> None:
    """Let a second publisher speak of the first joint."""
    bench.filter.joint_state(bench.now_ns, JOINTS[:1], [0.0], [0.0], (), bench.now_ns, "twin")


@pytest.mark.parametrize("speaks", ["before", "after"])
def test_a_second_source_refuses_arming(make_bench: Any, speaks: str) -> None:
    """Whichever of the two is heard first, and whichever is right."""
    bench = make_bench()
    if speaks == "before":
        second(bench)
    bench.settle()
    second(bench)
    bench.tick()
    done, why = bench.filter.arm(bench.now_ns)
    assert not done and "twin" in why
    assert why.startswith("cannot arm: joint_states: joint1 is reported by publisher ")
    bench.settle()
    bench.tick()
    assert bench.filter.arm(bench.now_ns)[0]


def test_a_second_source_latches_a_moving_arm(bench: Any) -> None:
    moving(bench)
    second(bench)
    decision = bench.tick()
    assert decision.state is State.PROTECTIVE_STOP
    assert decision.verdict is not None and decision.verdict.rule == "joint_source"
    assert bench.filter.code(decision.verdict) == 26


def test_a_driver_that_comes_back_after_a_silence_is_believed(bench: Any) -> None:
    measure, bench.measure = bench.measure, lambda: None
    bench.tick(30)
    assert "no joint state for" in bench.decisions[-1].verdict.reason
    assert bench.filter.state is State.HOLDING

    def measured_by_another() -> None:
        rest = [0.0] * len(JOINTS)
        bench.filter.joint_state(bench.now_ns, JOINTS, list(bench.q), rest, (), bench.now_ns - 10**11, "restarted")

    bench.measure = measured_by_another
    assert bench.tick(3).verdict is None
    assert bench.filter.state is State.HOLDING
    bench.measure = measure
    assert bench.tick().state is State.PROTECTIVE_STOP, "the old one is back as well"
