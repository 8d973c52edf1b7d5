"""What a message does: the e-stop, the dead-man switch, the speed scale, setpoints and who publishes them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from test.unit.safety.streams import moving
from vla_ros.safety.command.continuity import Continuity
from vla_ros.safety.states import State


def test_each_setpoint_is_counted_once(bench: Any) -> None:
    assert bench.command(list(bench.q)) is None
    assert bench.command([math.nan, *bench.q[1:]]) is not None
    assert (bench.filter.accepted, bench.filter.rejected) == (1, 1)


def test_a_pressed_button_holds_the_latch(bench: Any) -> None:
    home = list(bench.q)
    bench.stream(lambda t: [home[0] + 0.2 * t, *home[1:]], 0.3)
    bench.filter.estop_signal(True)
    assert bench.tick().state is State.ESTOP
    bench.tick(100)
    assert bench.filter.reset(bench.now_ns) == (
        False,
        "cannot reset: the e-stop is still pressed; release it on vla/estop",
    )
    bench.filter.estop_signal(False)
    assert bench.tick().state is State.ESTOP, "releasing is no reset"
    assert bench.filter.reset(bench.now_ns)[0]
    assert bench.tick().positions is None, "a reset moves nothing"


def test_a_silent_heartbeat_is_an_estop(make_bench: Callable[..., Any]) -> None:
    bench = make_bench({"estop.heartbeat_s": 0.1})
    bench.settle()
    assert bench.tick().state is State.DISARMED, (
        "one that was never heard is no stop: a filter that is started again waits"
    )
    assert bench.filter.arm(bench.now_ns) == (False, "cannot arm: no heartbeat yet on vla/estop_heartbeat")
    bench.filter.estop("test")
    assert bench.filter.reset(bench.now_ns) == (False, "cannot reset: no heartbeat yet on vla/estop_heartbeat")
    bench.filter.heartbeat(bench.now_ns)
    assert bench.filter.reset(bench.now_ns)[0]
    bench.settle()
    bench.filter.heartbeat(bench.now_ns)
    assert bench.filter.arm(bench.now_ns)[0]
    for _ in range(50):
        bench.filter.heartbeat(bench.now_ns)
        assert bench.tick().state is State.HOLDING
    decision = bench.tick(26)
    assert decision.state is State.ESTOP
    assert decision.verdict is not None
    assert decision.verdict.reason.startswith("no e-stop heartbeat for 0.1")
    assert bench.filter.reset(bench.now_ns)[1].startswith("cannot reset: no e-stop heartbeat for 0.1")


def test_without_the_dead_man_switch_the_arm_comes_to_rest(make_bench: Callable[..., Any]) -> None:
    bench = make_bench({"deadman.timeout_s": 0.1}).armed()
    home = list(bench.q)

    def pressed(t: float) -> list[float]:
        if t < 0.3:
            bench.filter.deadman(bench.now_ns, True)
        return [home[0] + 0.2 * t, *home[1:]]

    bench.stream(pressed, 0.3)
    assert bench.filter.state is State.TRACKING
    decisions = bench.stream(lambda t: pressed(t + 0.3), 0.4)
    assert decisions[-1].state is State.HOLDING
    assert decisions[-1].verdict is not None
    assert decisions[-1].verdict.rule == "deadman"
    bench.filter.deadman(bench.now_ns, True)
    bench.filter.deadman(bench.now_ns, False)
    assert bench.tick().verdict is not None, "a released switch counts at once"


def test_the_speed_scale_lowers_at_once_and_rises_at_rest_only(bench: Any) -> None:
    home = list(bench.q)

    def fast(t: float) -> list[float]:
        return [home[0] + 1.0 * t, *home[1:]]

    bench.stream(fast, 0.5)
    assert bench.filter.speed_scale(0.1) == (True, "speed scale 0.1")
    slow = bench.stream(lambda t: [bench.q[0] + 0.1, *home[1:]], 0.6)
    assert max(abs(d.velocities[0]) for d in slow[-50:]) == pytest.approx(0.2175, rel=0.01)
    done, text = bench.filter.speed_scale(0.5)
    assert not done
    assert "only while the filter is HOLDING or DISARMED" in text
    bench.tick(150)
    assert bench.filter.state is State.HOLDING
    assert bench.filter.speed_scale(0.5)[0]


def test_a_speed_scale_of_two_owners_is_refused(bench: Any) -> None:
    bench.filter.publishers("speed_scale", ["/a (1)", "/b (2)"])
    assert bench.filter.speed_scale(0.5) == (
        False,
        "speed scale 0.5 refused: 2 publishers for speed_scale: /a (1), /b (2); stop all but one",
    )
    assert bench.filter.values.scale == 1000


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5, math.nan, math.inf])
def test_a_speed_scale_that_is_none_is_refused(bench: Any, scale: float) -> None:
    done, text = bench.filter.speed_scale(scale)
    assert not done
    assert "must be from 0.01 to 1" in text


def test_a_second_publisher_stops_the_arm_and_is_named(bench: Any) -> None:
    home = list(bench.q)
    bench.stream(lambda t: [home[0] + 0.2 * t, *home[1:]], 0.3)
    bench.filter.publishers("policy", ["/expert (01ab)", "/intruder (02cd)"])
    decisions = bench.stream(lambda t: [home[0] + 0.06 + 0.2 * t, *home[1:]], 0.5)
    assert decisions[-1].state is State.HOLDING
    verdict = bench.command(home)
    assert verdict is not None
    assert verdict.rule == "authority"
    assert verdict.reason == "2 publishers for policy: /expert (01ab), /intruder (02cd); stop all but one"
    bench.filter.publishers("policy", ["/expert (01ab)"])
    assert bench.command(list(bench.q)) is None


@pytest.mark.parametrize("back_ms", [66, 70, 90])
def test_a_source_that_restarts_with_an_earlier_stamp_begins_a_new_stream(make_bench: Any, back_ms: int) -> None:
    bench = make_bench({"command.delay_s": 0.1}).armed()
    home = list(bench.q)
    bench.stream(lambda t: [home[0] + 0.1 * t, *home[1:]], 0.3)
    bench.now_ns += 65_000_000
    for late_ms in range(2):
        assert bench.command([q + 0.01 for q in bench.q], age_ns=(back_ms - late_ms) * 1_000_000) is None
    bench.tick(100)
    assert bench.filter.state is State.HOLDING
    assert not any(d.verdict is not None and "raised" in d.verdict.reason for d in bench.decisions)


def test_a_long_name_does_not_go_into_verdicts(bench: Any) -> None:
    """One is in every status and every record of the log for a while."""
    for changes in ({"joint_names": ["x" * 10**6, *[f"joint{i}" for i in range(2, 8)]]}, {"source": "x" * 10**6}):
        verdict = bench.command(list(bench.q), **changes)
        assert verdict is not None
        assert len(verdict.reason) + len(verdict.joint) < 500


def test_setpoints_that_never_came_are_counted(bench: Any) -> None:
    home = list(bench.q)
    for seq in (100, 101, 104, 105):
        assert bench.command(home, seq=seq) is None
        bench.tick(2)
    assert bench.filter.missing == 2
    bench.tick(200)
    assert bench.command(home, seq=500) is None
    assert bench.filter.missing == 2, "another stream"


def test_a_fault_around_the_filter_stops_and_latches(make_bench: Callable[..., Any]) -> None:
    bench = make_bench().armed()
    moving(bench)
    bench.filter.fault("markers.py:7 raised ValueError: no")
    bench.tick(200)
    assert bench.filter.state is State.PROTECTIVE_STOP
    assert bench.decisions[-1].verdict.reason == "markers.py:7 raised ValueError: no"
    assert not any(bench.decisions[-1].velocities)


def test_a_rule_that_raises_on_a_command_stops_and_latches(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Continuity, "check", lambda *_: 1 / 0)
    verdict = bench.command(list(bench.q))
    assert "raised ZeroDivisionError" in verdict.reason
    assert bench.tick().state is State.PROTECTIVE_STOP
