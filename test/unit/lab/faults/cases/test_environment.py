"""Obstacles, their feed, and a policy that drives the arm into something."""

from __future__ import annotations

import math

import pytest

from test.unit.lab.faults.fake_rig import POSITIONS, correct_setpoint, injected


def test_the_box_lies_around_the_hand() -> None:
    (box,) = injected("obstacle-on-the-arm").obstacles
    assert box.fault() == "" and box.shape == "box"
    assert all(
        abs(centre - hand) < side / 2 for centre, hand, side in zip(box.xyz, (0.4, 0.0, 0.4), box.size, strict=True)
    )


def test_a_silent_feed_sends_nothing_not_an_empty_list() -> None:
    assert injected("obstacle-stale").obstacles is None


def test_an_obstacle_is_not_a_number_or_in_an_unknown_frame() -> None:
    (nan,), (elsewhere,) = injected("obstacle-nan").obstacles, injected("obstacle-frame").obstacles
    assert math.isnan(nan.xyz[0]) and nan.fault()
    assert elsewhere.frame != "base" and elsewhere.fault() == ""


@pytest.mark.parametrize(
    ("name", "joint", "sign"), [("into-table", 1, 1), ("into-fence", 0, -1), ("into-keep-out", 0, 1)]
)
def test_the_policy_drives_one_joint_on(name: str, joint: int, sign: int) -> None:
    (sent,) = injected(name).alter_setpoint(correct_setpoint(), 0.0)
    moved = [round(q - home, 9) for q, home in zip(sent.positions, POSITIONS, strict=True)]
    assert [i for i, offset in enumerate(moved) if offset] == [joint]
    assert math.copysign(1, moved[joint]) == sign
