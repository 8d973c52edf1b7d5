"""Stops, latches, several publishers and parameters: what each case does, and in which order."""

from __future__ import annotations

import itertools

import pytest

from test.unit.lab.faults.fake_rig import POSITIONS, correct_setpoint, injected


def test_the_estop_is_called_while_the_arm_accelerates() -> None:
    rig = injected("estop-service")
    assert [call[0] for call in rig.calls] == ["run_for", "mark_fault", "call_filter"]
    assert rig.calls[-1] == ("call_filter", "estop")


@pytest.mark.parametrize(
    ("name", "heartbeat", "deadman"), [("heartbeat-silent", False, True), ("deadman-released", True, False)]
)
def test_only_one_periodic_message_is_missing(name: str, heartbeat: bool, deadman: bool) -> None:
    rig = injected(name)
    assert (rig.heartbeat_active, rig.deadman_held) == (heartbeat, deadman)


def test_reset_is_called_before_the_button_is_released() -> None:
    assert injected("estop-topic").calls == [("set_estop", True)]
    assert injected("reset-while-held").named("set_estop", "call_filter") == [
        ("set_estop", True),
        ("call_filter", "reset"),
    ]


def test_after_the_estop_reset_is_called_and_nothing_is_armed() -> None:
    assert injected("reset-moves-nothing").named("call_filter") == [("call_filter", "estop"), ("call_filter", "reset")]


def test_an_override_moves_joint1_by_hand_and_ends() -> None:
    rig = injected("override")
    by_hand, ended = rig.overrides
    first, later = (by_hand(correct_setpoint(), s)[0] for s in (0.0, 2.0))
    assert first.source == later.source == "override"
    assert first.positions == POSITIONS
    assert later.positions == (POSITIONS[0] + 0.2, *POSITIONS[1:])
    assert ended is None
    assert rig.alter_setpoint(correct_setpoint(), 0.0) == (), "the policy is silent afterwards"


def test_a_second_publisher_sends_or_is_silent() -> None:
    assert injected("two-publishers").calls == [("set_extra_publishers", 1, True)]
    assert injected("two-publishers-silent").calls == [("set_extra_publishers", 1, False)]
    assert injected("stranger-commands").calls == [("set_stranger", "commands")]
    assert injected("stranger-trajectory").calls == [("set_stranger", "joint_trajectory")]
    assert injected("stranger-goal").calls == [("set_stranger", "follow_joint_trajectory")]


def test_the_flood_moves_the_arm_and_marks_the_fault_when_it_is_discovered() -> None:
    rig = injected("flood")
    assert [call[0] for call in rig.calls] == ["set_flood", "run_for", "mark_fault"]
    sent = [rig.alter_setpoint(correct_setpoint(k), k * 0.01)[0].positions for k in range(200)]
    steps = [[abs(b - a) for a, b in zip(*pair, strict=True)] for pair in itertools.pairwise(sent)]
    speeds = [max(step) / 0.01 for step in steps]
    assert min(speeds) > 0.25, "the arm moves whenever the flood is discovered"


def test_parameters_are_changed_by_name() -> None:
    assert injected("parameter-changed").calls == [("set_filter_parameter", "command.timeout_s", 9.0)]
    assert injected("tool-changed").calls == [("set_filter_parameter", "payload.mass_kg", 2.0)]


def test_the_speed_scale_is_raised_after_the_mark() -> None:
    rig = injected("speed-scale-raised")
    assert rig.named("set_speed_scale", "mark_fault") == [
        ("set_speed_scale", 0.3),
        ("mark_fault",),
        ("set_speed_scale", 1.0),
    ]


@pytest.mark.parametrize(("name", "position"), [("enabling-released", 0), ("enabling-pressed-through", 2)])
def test_the_enabling_device_leaves_its_middle_position(name: str, position: int) -> None:
    assert injected(name).enabling == position
