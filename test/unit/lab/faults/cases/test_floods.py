"""Floods of the filter's inputs: the e-stop is pressed again and again while they run, and timed."""

from __future__ import annotations

from itertools import pairwise

import pytest

from test.unit.lab.faults.fake_rig import CASES, injected
from vla_ros.lab.faults.cases.floods import CAPSULES, FLOODS, LATENCY_S, PRESSES, MovingCapsules


@pytest.mark.parametrize("kind", FLOODS)
def test_the_estop_is_pressed_while_the_flood_runs(kind: str) -> None:
    name = f"flood-{kind.replace('_', '-')}"
    rig = injected(name)
    named = rig.named("set_input_flood", "mark_fault", "time_estop", "record_estops")
    assert [call[0] for call in named] == [
        "set_input_flood",
        "mark_fault",
        *["time_estop"] * PRESSES,
        "record_estops",
    ]
    assert named[0][1] == kind
    assert rig.named("set_estop", "call_filter") == [("set_estop", False), ("call_filter", "reset")] * (PRESSES - 1)
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
