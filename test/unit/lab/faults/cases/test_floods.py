"""Floods of the filter's inputs: the e-stop is pressed again and again while they run, and timed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from test.unit.lab.faults.fake_rig import CASES, injected
from vla_ros.lab.faults.cases.floods import (
    CAPSULES,
    FLOODS,
    LATENCY_S,
    PRESSES,
    PRESSES_OF_TWO,
    SECOND_BUTTONS,
    MovingCapsules,
)


@pytest.mark.parametrize("kind", FLOODS)
def test_the_estop_is_pressed_and_reset_while_the_flood_runs(kind: str) -> None:
    name = f"flood-{kind.replace('_', '-')}"
    named = injected(name).named("set_input_flood", "mark_fault", "time_estop", "record_estops")
    again = [("set_input_flood", ""), ("set_input_flood", kind)] if kind in SECOND_BUTTONS else []
    times = PRESSES_OF_TWO if kind in SECOND_BUTTONS else PRESSES
    assert named[:3] == [("set_input_flood", kind), ("mark_fault",), ("time_estop",)]
    assert named[3:-1] == [*again, ("time_estop",)] * (times - 1)
    assert named[-1][0] == "record_estops" and len(named[-1][1]) == times
    assert CASES[name].expected.estop_s == LATENCY_S


def test_capsules_move_from_look_to_look_and_keep_their_names() -> None:
    rig = injected("flood-capsules")
    assert isinstance(rig.obstacles, MovingCapsules)
    looks = [list(rig.obstacles) for _ in range(3)]
    assert all(len(look) == CAPSULES and not any(each.fault() for each in look) for look in looks)
    for before, after in pairwise(looks):
        for old, new in zip(before, after, strict=True):
            assert (old.id, old.size) == (new.id, new.size)
            assert new.displacement_m(old) > 0.0
