"""Each altered joint state is what its name says."""

from __future__ import annotations

import dataclasses
import math

import pytest

from test.unit.lab.faults.fake_rig import FakeRig, injected
from vla_ros.lab.faults.cases.measured import FOLDED
from vla_ros.sim.arm_description import JOINT_NAMES, POSITION_UPPER

STATE = FakeRig().joint_state


def test_a_silent_driver_sends_nothing() -> None:
    assert injected("joint-states-stale").alter_joint_state(STATE, 0.0) is None


def test_a_frozen_state_does_not_follow_the_arm() -> None:
    moved = dataclasses.replace(STATE, positions=(1.0,) * len(JOINT_NAMES))
    assert injected("joint-states-frozen").alter_joint_state(moved, 1.0) == STATE


def test_positions_are_not_numbers() -> None:
    state = injected("joint-states-nan").alter_joint_state(STATE, 0.0)
    assert all(map(math.isnan, state.positions)) and state.velocities == STATE.velocities


@pytest.mark.parametrize("name", ["joint-states-outside", "start-outside"])
def test_one_joint_is_outside_its_limits(name: str) -> None:
    state = injected(name).alter_joint_state(STATE, 0.0)
    assert state.position("joint7") > POSITION_UPPER[JOINT_NAMES.index("joint7")]
    assert state.positions[:6] == STATE.positions[:6]


def test_the_tracking_error_grows() -> None:
    alter = injected("tracking-error").alter_joint_state
    assert alter(STATE, 1.0).position("joint2") - STATE.position("joint2") == pytest.approx(0.3)


def test_swapped_names_keep_their_positions() -> None:
    state = injected("joints-swapped").alter_joint_state(STATE, 0.0)
    assert state.position("joint1") == STATE.position("joint3")
    assert state.position("joint3") == STATE.position("joint1")
    assert state.positions == STATE.positions


def test_another_order_reports_the_same_positions() -> None:
    state = injected("joints-reordered").alter_joint_state(STATE, 0.0)
    assert state.names == JOINT_NAMES[::-1]
    assert [state.position(name) for name in JOINT_NAMES] == list(STATE.positions)


def test_a_missing_joint_is_missing_everywhere() -> None:
    state = injected("joint-missing").alter_joint_state(STATE, 0.0)
    assert "finger_joint" not in state.names
    assert {len(state.names), len(state.positions), len(state.velocities), len(state.efforts)} == {len(JOINT_NAMES) - 1}


def test_a_contact_is_an_effort_of_one_joint() -> None:
    state = injected("contact").alter_joint_state(STATE, 0.0)
    assert [b - a for a, b in zip(STATE.efforts, state.efforts, strict=True)] == [0.0, 80.0, *[0.0] * 6]


@pytest.mark.parametrize("name", ["start-moving", "start-outside", "start-in-self-collision", "start-unseen"])
def test_arming_is_tried_while_the_policy_sends(name: str) -> None:
    rig = injected(name)
    assert rig.policy_active and rig.named("call_filter") == [("call_filter", "arm")]


def test_the_folded_arm_and_the_moving_arm_are_reported() -> None:
    folded = injected("start-in-self-collision").alter_joint_state(STATE, 0.0)
    assert {name: folded.position(name) for name in FOLDED} == FOLDED
    assert injected("start-moving").alter_joint_state(STATE, 0.0).velocities[0] == 0.3


def test_stamps_are_missing_or_stand() -> None:
    assert injected("joint-states-unstamped").alter_joint_state(STATE, 0.0).stamp_ns == 0
    alter = injected("joint-states-repeated").alter_joint_state
    first, second = alter(STATE, 0.0), alter(dataclasses.replace(STATE, positions=(1.0,) * len(JOINT_NAMES)), 1.0)
    assert first == second and first.stamp_ns > 0


@pytest.mark.parametrize(("name", "every"), [("joint-states-zeros", 2), ("joint-state-zero", 100)])
def test_some_states_are_zeros(name: str, every: int) -> None:
    alter = injected(name).alter_joint_state
    states = [alter(STATE, 0.0) for _ in range(4 * every)]
    assert sum(not any(state.positions) for state in states) == 4
    assert all(state in (STATE, states[every - 1]) for state in states)


def test_velocities_that_are_none_or_too_large() -> None:
    state = injected("velocity-nan").alter_joint_state(STATE, 0.0)
    assert math.isnan(state.velocities[-1]) and state.positions == STATE.positions
    assert injected("overspeed").alter_joint_state(STATE, 0.0).velocities[3] == 10.0


def test_a_held_joint_creeps_after_the_arm_has_come_to_rest() -> None:
    rig = injected("standstill")
    assert [call[0] for call in rig.calls] == ["run_for", "mark_fault", "run_for"]
    moved = rig.alter_joint_state(STATE, 1.0).position("joint3") - STATE.position("joint3")
    assert moved == pytest.approx(0.1)
