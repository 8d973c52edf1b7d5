"""A stop ends the streams that run: none of them moves the arm again, whatever is armed, reset or pressed after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from test.unit.safety.streams import moving
from vla_ros.safety.states import State


def stopped_by_switch(bench: Any) -> None:
    bench.filter.deadman(bench.now_ns, False)


def stopped_by_timeout(bench: Any) -> None:
    bench.held = False


def stopped_by_service(bench: Any) -> None:
    bench.filter.estop("test")


def stopped_by_fault(bench: Any) -> None:
    bench.filter.fault("markers.py:7 raised")


def stopped_by_disarming(bench: Any) -> None:
    bench.filter.disarm()


def go_on(bench: Any) -> None:
    """All that brings an arm back: press the switch, reset, arm."""
    bench.held = True
    bench.filter.deadman(bench.now_ns, True)
    if bench.filter.state in (State.ESTOP, State.PROTECTIVE_STOP):
        assert bench.filter.reset(bench.now_ns)[0]
    if bench.filter.state is State.DISARMED:
        assert bench.filter.arm(bench.now_ns)[0]


STOPS = (stopped_by_switch, stopped_by_timeout, stopped_by_service, stopped_by_fault, stopped_by_disarming)


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.__name__)
def test_a_stream_that_goes_on_across_a_stop_moves_nothing_until_it_is_new(
    make_bench: Callable[..., Any], stop: Callable[[Any], None]
) -> None:
    bench = make_bench({"deadman.timeout_s": 0.1}).armed()
    bench.held = True

    def held(path: Callable[[float], list[float]]) -> Callable[[float], list[float]]:
        def at(t: float) -> list[float]:
            if bench.held:
                bench.filter.deadman(bench.now_ns, True)
            return path(t)

        return at

    home = list(bench.q)
    bench.stream(held(lambda t: [home[0] + 0.4 * t, *home[1:]]), 0.4)
    assert bench.filter.state in (State.TRACKING, State.LIMITING)
    stop(bench)
    bench.stream(held(lambda t: [bench.q[0] + 0.05, *home[1:]]), 1.0)
    rest = list(bench.q)
    go_on(bench)
    bench.stream(held(lambda t: [rest[0] + 0.05, *home[1:]]), 0.5)
    assert bench.q == rest, "nothing moves by itself"
    assert bench.decisions[-1].verdict.rule == "resumption"
    assert "it begins anew after 0.06 s without setpoints" in bench.decisions[-1].verdict.reason
    for _ in range(20):
        bench.filter.deadman(bench.now_ns, True)
        bench.tick()
    bench.stream(held(lambda t: [rest[0] + 0.05 * t, *home[1:]]), 0.5)
    assert bench.q[0] > rest[0] + 0.01, "a new stream does"


def test_a_stream_that_was_refused_while_it_ran_is_old_too(make_bench: Callable[..., Any]) -> None:
    """The policy streams on, refused, while a human moves the arm with the override and then stops it."""
    bench = make_bench().armed()
    home = list(bench.q)
    for t in range(20):
        bench.command([home[0] + 0.001 * t, *home[1:]], channel="override")
        bench.command(home)
        bench.tick(2)
    bench.filter.estop("test")
    for _ in range(100):
        bench.command(home)
        bench.tick(2)
    bench.filter.reset(bench.now_ns)
    assert bench.filter.arm(bench.now_ns)[0]
    assert bench.command(home).rule == "resumption"


def test_each_kind_of_stop_is_counted_once(make_bench: Callable[..., Any]) -> None:
    bench = make_bench({"deadman.timeout_s": 0.1})
    bench.filter.deadman(bench.now_ns, True)
    bench.filter.deadman(bench.now_ns, False)
    assert bench.filter.values.stops == 0, "a switch that is let go while nothing may move stops nothing"
    bench.armed()
    bench.filter.deadman(bench.now_ns, True)
    bench.tick(50)
    assert bench.filter.values.stops == 1, "a switch that falls silent is released"
    bench.filter.deadman(bench.now_ns, False)
    bench.tick(5)
    assert bench.filter.values.stops == 1
    bench.filter.estop("test")
    bench.filter.estop("test")
    assert bench.filter.values.stops == 2
    bench.filter.reset(bench.now_ns)
    bench.filter.disarm()
    assert bench.filter.values.stops == 2, "it was disarmed"
    assert bench.filter.arm(bench.now_ns)[0]
    bench.filter.fault("test")
    assert bench.filter.values.stops == 3


def test_rest_without_a_stop_ends_nothing(bench: Any) -> None:
    """A pause of the policy, and a rule that stops for a moment, are no stops."""
    here = moving(bench)
    bench.filter.publishers("obstacle", ["/a (1)", "/b (2)"])
    bench.stream(lambda _: list(bench.q), 0.5)
    bench.filter.publishers("obstacle", ["/a (1)"])
    bench.stream(lambda t: [bench.q[0] + 0.02, *here[1:]], 0.3)
    assert bench.filter.values.stops == 0 and bench.q[0] > here[0]
