"""Positions are found and changed by the name of the joint, in any order of names."""

from __future__ import annotations

import pytest

from vla_ros.lab.faults.rig_messages import RigJointState, RigSetpoint

NAMES = ("elbow", "wrist")


def test_a_setpoint_with_other_positions_of_some_joints() -> None:
    setpoint = RigSetpoint(1, 0, NAMES, (0.1, 0.2))
    assert setpoint.positions_with(wrist=0.9) == (0.1, 0.9)
    assert setpoint.positions == (0.1, 0.2)


def test_a_joint_state_is_read_by_name() -> None:
    state = RigJointState(NAMES[::-1], (0.2, 0.1), (0.0, 0.0))
    assert state.position("elbow") == 0.1
    with pytest.raises(ValueError, match="not in tuple"):
        state.position("hip")
