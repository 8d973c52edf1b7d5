"""The three-position enabling device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from test.unit.safety.conftest import HOME, Bench
from test.unit.safety.rule_inputs import MS, filter_state, parameters
from vla_ros.safety.command.enabling import PRESSED, PRESSED_THROUGH, RELEASED, Enabling
from vla_ros.safety.states import State

RULE = Enabling(parameters(**{"enabling.timeout_s": 0.1}), ())


def held(*positions: int) -> str:
    """What the rule says after these positions, 50 ms later; empty: nothing."""
    state = filter_state()
    for k, position in enumerate(positions):
        RULE.update(state, k * MS, position)
    verdict = RULE.check(state, len(positions) * MS + 50 * MS)
    return "" if verdict is None else verdict.reason


@pytest.mark.parametrize(
    ("positions", "why"),
    [
        ((), "is not held in its middle position"),
        ((PRESSED,), ""),
        ((PRESSED, RELEASED), "is not held in its middle position"),
        ((PRESSED, PRESSED_THROUGH), "was pressed through; release it, then press it again"),
        ((PRESSED, PRESSED_THROUGH, PRESSED), "was pressed through"),
        ((PRESSED, PRESSED_THROUGH, RELEASED), "is not held in its middle position"),
        ((PRESSED, PRESSED_THROUGH, RELEASED, PRESSED), ""),
        ((PRESSED, 3, PRESSED), "was pressed through"),
        ((PRESSED, -1), "was pressed through"),
    ],
)
def test_only_the_middle_position_enables_and_pressing_through_locks(positions: tuple[int, ...], why: str) -> None:
    assert (why in held(*positions)) if why else held(*positions) == ""


def test_a_device_that_falls_silent_is_released() -> None:
    state = filter_state()
    RULE.update(state, 0, PRESSED)
    assert RULE.check(state, 100 * MS) is None
    verdict = RULE.check(state, 100 * MS + 1)
    assert verdict is not None and verdict.rule == "enabling"


@pytest.mark.parametrize("position", [RELEASED, PRESSED_THROUGH])
def test_letting_go_and_pressing_through_stop_the_moving_arm(make_bench: Callable[[Any], Bench], position: int) -> None:
    bench = make_bench({"enabling.timeout_s": 0.1})
    measure, at = bench.measure, [PRESSED]

    def measure_and_hold() -> None:
        measure()
        bench.filter.enabling(bench.now_ns, at[0])

    bench.measure = measure_and_hold  # type: ignore[method-assign]
    bench.armed().stream(lambda t: [HOME[0] + 0.3 * t, *HOME[1:]], 0.4)
    assert bench.filter.state is State.TRACKING
    at[0] = position
    decision = bench.tick()
    assert decision.state is State.STOPPING and decision.verdict is not None and decision.verdict.rule == "enabling"
    assert bench.filter.values.stops == 1, "it ends the task"
    bench.tick(60)
    assert bench.filter.state is State.HOLDING
    at[0] = PRESSED
    bench.stream(lambda t: [bench.q[0] + 0.01, *HOME[1:]], 0.2)
    assert (bench.filter.state is State.HOLDING) is (position == PRESSED_THROUGH)


def test_a_device_that_is_not_held_ends_nothing_twice() -> None:
    state = filter_state()
    RULE.update(state, 0, PRESSED)
    for position in (PRESSED_THROUGH, RELEASED, PRESSED_THROUGH):
        RULE.update(state, MS, position)
    assert state.stops == 1
