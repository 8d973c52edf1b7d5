"""What arm, disarm, estop and reset do, and why they are refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from test.unit.safety.streams import line, moved, moving
from vla_ros.safety.states import State

NAN = math.nan


def test_it_starts_disarmed_and_sends_nothing(make_bench: Any) -> None:
    bench = make_bench()
    assert bench.tick(3).state is State.DISARMED
    assert bench.command(list(bench.q)).reason == "the arm is disarmed; call vla/arm"
    assert bench.tick().positions is None


@pytest.mark.parametrize(
    ("measured", "text"),
    [
        (lambda q: None, "no joint state yet on joint_states"),
        (lambda q: moved(q, 1, 5.0), "joint2 measures 4.5000, outside -1.7638 .. 1.7638"),
        (lambda q: moved(q, 7, 0.0221), "finger_joint measures 0.0421"),
        (lambda q: moved(q, 1, NAN), "the last one was refused: joint2's position is nan"),
    ],
)
def test_arming_is_refused_with_the_reason(make_bench: Any, measured: Any, text: str) -> None:
    bench = make_bench()
    bench.measured = measured
    bench.tick(3)
    done, reason = bench.filter.arm(bench.now_ns)
    assert not done
    assert text in reason
    assert bench.tick().state is State.DISARMED


def test_arming_while_moving_or_after_silence_is_refused(make_bench: Any) -> None:
    bench = make_bench()
    bench.filter.joint_state(bench.now_ns, [j.name for j in bench.limits], bench.q, [0.0, 0.3] + [0.0] * 6)
    assert bench.filter.arm(bench.now_ns) == (
        False,
        "cannot arm: joint2 moves at 0.3000; 0.0200 counts as rest: wait for it",
    )
    bench.measure()
    done, reason = bench.filter.arm(bench.now_ns + 200_000_000)
    assert not done and "no joint state for 0.200 s" in reason


def test_arming_needs_joint_states_without_a_contradiction(make_bench: Any) -> None:
    bench = make_bench()
    bench.tick(50)
    short = (False, "cannot arm: joint states are consistent for 0.20 s; 0.2 s are needed")
    assert bench.filter.arm(bench.now_ns) == short, "of 0.196 s"
    bench.measured = lambda q: moved(q, 1, 0.9)
    bench.tick()
    bench.measured = lambda q: q
    bench.tick(10)
    done, why = bench.filter.arm(bench.now_ns)
    assert not done and "joint2 jumps from -0.5000 to 0.4000 in 0.004 s" in why
    bench.tick(50)
    assert bench.filter.arm(bench.now_ns)[0]


def test_arming_within_the_tolerance_starts_on_the_limit(make_bench: Any) -> None:
    bench = make_bench()
    bench.q[7] = 0.0415
    bench.settle()
    assert bench.filter.arm(bench.now_ns)[0]
    assert bench.tick().positions[7] == 0.04


@pytest.mark.parametrize(
    ("by", "rule", "joint"),
    [
        (0.2, "tracking_error", "joint4"),
        (3.0, "joint_state", ""),
    ],
)
def test_a_fault_latches_until_reset_and_needs_arming_after_it(bench: Any, by: float, rule: str, joint: str) -> None:
    """The joint is reported to go away as fast as it may, or to jump."""
    bench.stream(line(list(bench.q), 0, 1.0), 1.2)
    begin_ns = bench.now_ns
    bench.measured = lambda q: moved(q, 3, by if by > 1.0 else min(by, 2.0 * (bench.now_ns - begin_ns) / 1e9))
    bench.tick(25)
    assert bench.decisions[-1].state is State.PROTECTIVE_STOP
    assert (bench.decisions[-1].verdict.rule, bench.decisions[-1].verdict.joint) == (rule, joint)
    assert bench.filter.reset(bench.now_ns) == (False, "cannot reset: still coming to rest")
    bench.measured = lambda q: q
    for _ in range(120):
        assert bench.command(list(bench.q)).rule == "authority"
        assert bench.tick().state is State.PROTECTIVE_STOP
    rest = bench.decisions[-1].positions
    assert bench.decisions[-1].velocities == (0.0,) * 8
    assert not bench.filter.arm(bench.now_ns)[0]
    assert bench.filter.reset(bench.now_ns)[0]
    assert bench.tick().positions is None
    assert bench.filter.arm(bench.now_ns)[0]
    assert bench.tick().positions == rest


def test_estop_works_everywhere_and_goes_before_a_fault(make_bench: Any) -> None:
    bench = make_bench()
    assert bench.filter.estop("test")[0]
    assert bench.tick().positions is None
    assert bench.filter.reset(bench.now_ns)[0]
    bench.armed().stream(line(list(bench.q), 0, 1.0), 1.2)
    bench.measured = lambda q: moved(q, 0, 1.0)
    bench.tick(3)
    assert bench.filter.state is State.PROTECTIVE_STOP
    bench.filter.estop("test")
    assert bench.tick(100).state is State.ESTOP
    assert bench.decisions[-1].verdict.rule == "estop"


def test_disarm_rests_first(bench: Any) -> None:
    bench.stream(line(list(bench.q), 0, 1.0), 1.2)
    assert bench.filter.disarm() == (True, "coming to rest, then disarmed")
    assert bench.command(list(bench.q)).reason == "the arm is being disarmed"
    decision = bench.tick()
    assert decision.state is State.DISARMING and decision.positions is not None
    assert bench.tick(100).state is State.DISARMED
    assert bench.decisions[-1].positions is None
    last = [d for d in bench.decisions if d.positions is not None][-1]
    assert last.velocities == (0.0,) * 8
    assert bench.filter.disarm() == (True, "disarmed already")
    assert bench.filter.reset(bench.now_ns)[1] == "nothing to reset: the filter is DISARMED"


def test_disarm_at_rest_is_at_once(bench: Any) -> None:
    bench.tick()
    assert bench.filter.disarm() == (True, "disarmed")
    assert bench.tick().positions is None


def test_two_buttons_on_one_topic_arm_nothing(make_bench: Callable[..., Any]) -> None:
    """The release of one would hide that the other one is still pressed."""
    bench = make_bench()
    bench.settle()
    bench.filter.publishers("estop", ["/a (1)", "/b (2)"])
    refused = (False, "cannot arm: 2 publishers for estop: /a (1), /b (2); stop all but one")
    assert bench.filter.arm(bench.now_ns) == refused
    bench.filter.publishers("estop", ["/b (2)"])
    assert bench.filter.arm(bench.now_ns)[0]
    bench.filter.publishers("estop", ["/a (1)", "/b (2)"])
    assert bench.tick().state is State.HOLDING, "a second button stops nothing by being there"
    bench.filter.estop_signal(True)
    bench.filter.estop_signal(False)
    assert not bench.filter.reset(bench.now_ns)[0]


def test_a_second_description_of_the_arm_arms_nothing(make_bench: Callable[..., Any]) -> None:
    """The limits may be those of a stranger's URDF."""
    bench = make_bench()
    bench.settle()
    bench.filter.publishers("robot_description", ["/a (1)", "/b (2)"])
    refused = (False, "cannot arm: 2 publishers for robot_description: /a (1), /b (2); stop all but one")
    assert bench.filter.arm(bench.now_ns) == refused
    bench.filter.publishers("robot_description", ["/a (1)"])
    assert bench.filter.arm(bench.now_ns)[0]
    bench.filter.publishers("robot_description", ["/a (1)", "/b (2)"])
    assert bench.tick().state is State.HOLDING, "it was read at the start"


@pytest.mark.parametrize("channel", ["heartbeat", "deadman", "obstacle", "speed_scale", "controller"])
def test_what_the_filter_relies_on_has_one_publisher(make_bench: Callable[..., Any], channel: str) -> None:
    """Of two, one would take back what the other one says: a list of obstacles, a switch that was let go."""
    bench = make_bench().armed()
    moving(bench)
    bench.filter.publishers(channel, ["/a (1)", "/b (2)"])
    bench.tick(200)
    assert bench.filter.state is State.HOLDING
    assert bench.decisions[-1].verdict.reason == f"2 publishers for {channel}: /a (1), /b (2); stop all but one"
    assert bench.filter.disarm()[0]
    bench.tick(5)
    assert bench.filter.arm(bench.now_ns)[1].startswith(f"cannot arm: 2 publishers for {channel}")
    bench.filter.publishers(channel, ["/a (1)"])
    assert bench.filter.arm(bench.now_ns)[0]


def test_a_lost_button_is_released_by_name_and_nothing_else_is(make_bench: Callable[..., Any]) -> None:
    bench = make_bench()
    bench.tick()
    assert bench.filter.release_lost_estop() == (False, "no press of a button that has left")
    bench.filter.publishers("estop", ["/button (01)"])
    bench.filter.estop_signal(True, "01")
    bench.filter.publishers("estop", ["/button (01)"])
    assert bench.filter.release_lost_estop() == (
        False,
        "no press of a button that has left; still pressed by /button (01)",
    )
    bench.filter.publishers("estop", [])
    assert not bench.filter.reset(bench.now_ns)[0] and not bench.filter.arm(bench.now_ns)[0]
    assert bench.filter.release_lost_estop() == (True, "released the press of /button (01); call vla/reset")
    assert bench.tick().state is State.ESTOP, "the latch stays"
    assert bench.filter.reset(bench.now_ns)[0]
