"""Oscillation: a joint that moves back and forth."""

from __future__ import annotations

import pytest

from test.unit.monitors.watching import JOINTS, S, monitors, move


def test_a_joint_that_shakes_oscillates() -> None:
    watching = monitors()
    move(watching, 0.02, 3.0)
    assert "elbow turned round 6 times" in watching.warnings()["oscillation"]
    watching.on_motion(20 * S, True, JOINTS, [])  # nothing is sent, and time goes on
    assert watching.warnings() == {}


@pytest.mark.parametrize(("amplitude", "hz"), [(0.004, 3.0), (0.5, 0.5), (1.5, 1.0)])
def test_small_noise_and_slow_sweeps_do_not(amplitude: float, hz: float) -> None:
    watching = monitors()
    move(watching, amplitude, hz)
    assert watching.warnings() == {}
