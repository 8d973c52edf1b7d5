"""The way onto new rows begins without a jump, keeps inside the limits, keeps the tool's line, and ends on the rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test.unit.policies.chunk_playing import derivatives
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.policies.policy_parameters import MotionParameters
from vla_ros.policies.transition import Transition, motion_limits
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf

KINEMATICS = Kinematics(urdf(), JOINT_NAMES)
LIMITS = motion_limits(MotionParameters(), KINEMATICS)
TRANSITION = Transition(LIMITS, KINEMATICS.arm)
ROW_S = 0.02
ARM = np.array([1.0] * 7 + [0.0])


def wave(rows: int, shift: np.ndarray | float = 0.0) -> np.ndarray:
    t = np.arange(rows) * ROW_S
    return HOME + shift + np.sin(2 * t)[:, None] * (0.1 * ARM)


def test_the_limits_are_the_motion_parameters() -> None:
    assert LIMITS.shape == (3, 8)
    assert LIMITS[0] == pytest.approx([*KINEMATICS.velocity[:7] / 2, 0.08])
    scaled = Transition.of(MotionParameters(), KINEMATICS, scale=0.5)
    assert (
        scaled.onto(wave(60, 0.2 * ARM), wave(30), 5, ROW_S)[20, 0]
        < TRANSITION.onto(wave(60, 0.2 * ARM), wave(30), 5, ROW_S)[20, 0]
    )
    with pytest.raises(ParameterError, match=r"motion\.jerk_rad_s3: has 2 values, but 7 joints"):
        motion_limits(from_mapping(MotionParameters, {"jerk_rad_s3": [1.0, 2.0]}), KINEMATICS)


@settings(max_examples=50, deadline=None)
@given(prefix=st.integers(0, 20), shift=st.floats(-1.0, 1.0), count=st.integers(40, 60))
def test_a_prefix_stays_and_the_rest_leads_onto_the_rows_inside_the_limits(
    prefix: int, shift: float, count: int
) -> None:
    previous, rows = wave(30), wave(count, shift * ARM)
    led = TRANSITION.onto(rows, previous, prefix, ROW_S)
    assert (led[: max(prefix, 1)] == previous[: max(prefix, 1)]).all()
    assert len(led) == count
    for got, limit in zip(derivatives(led[max(prefix, 3) - 3 :]), LIMITS, strict=True):
        assert (np.abs(got) <= 1.03 * limit + 1e-9).all()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-0.5, 0.5), min_size=7, max_size=7))
def test_the_offset_of_the_arm_keeps_its_direction(shift: list[float]) -> None:
    shifts = np.array([*shift, 0.0])
    offset = TRANSITION.onto(wave(60, shifts), wave(30), 5, ROW_S) - wave(60, shifts)
    share = offset[10:, :7] @ shifts[:7] / max(float(shifts @ shifts), 1e-12)
    assert offset[10:] == pytest.approx(share[:, None] * shifts, abs=1e-6)


def test_fingers_do_not_slow_the_arm() -> None:
    fingers = np.array([0.0] * 7 + [0.04])
    together = TRANSITION.onto(wave(60, 0.05 * ARM + fingers), wave(30), 5, ROW_S)
    alone = TRANSITION.onto(wave(60, 0.05 * ARM), wave(30), 5, ROW_S)
    assert (together[:, :7] == alone[:, :7]).all()
    assert together[-1, 7] == pytest.approx(HOME[7] + 0.04, abs=2e-3)


def test_an_arm_in_motion_is_not_left_to_drift_when_it_is_told_to_stop() -> None:
    """The way overshoots the place of rest by no more than three times what the fastest brake takes."""
    speed = 0.8 * LIMITS[0, 1]
    previous = HOME + np.outer(np.arange(30) * ROW_S * speed, np.eye(8)[1])
    led = TRANSITION.onto(np.repeat(previous[5:6], 100, axis=0), previous, 5, ROW_S)
    way = np.abs(led[:, 1] - previous[4, 1]).max()
    assert way < 3 * speed**2 / (2 * LIMITS[1, 1])
    assert led[-1, 1] == pytest.approx(previous[5, 1], abs=0.02)


def test_it_follows_exactly_once_it_is_there() -> None:
    rows = wave(100, 0.05 * ARM)
    assert TRANSITION.onto(rows, wave(30), 5, ROW_S)[-1] == pytest.approx(rows[-1], abs=1e-6)


def test_rows_that_continue_the_previous_ones_are_taken_as_they_are() -> None:
    assert TRANSITION.onto(wave(60), wave(30), 10, ROW_S) == pytest.approx(wave(60), abs=1e-3)


def test_a_prefix_longer_than_the_rows_makes_the_chunk_longer() -> None:
    led = TRANSITION.onto(wave(3), wave(30), 10, ROW_S)
    assert len(led) == 10 and (led == wave(10)).all()


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        (np.zeros((5, 7)), "expected rows of 8 values, got shape (5, 7)"),
        (np.zeros(8), "expected rows of 8 values, got shape (8,)"),
        (np.zeros((0, 8)), "expected rows of 8 values, got shape (0, 8)"),
        (np.full((5, 8), np.nan), "a value is not finite"),
    ],
)
def test_rows_that_cannot_be_played_are_refused(rows: np.ndarray, text: str) -> None:
    with pytest.raises(ValueError) as error:
        TRANSITION.onto(rows, wave(30), 3, ROW_S)
    assert text in str(error.value)


@pytest.mark.parametrize("rows", [1, 2])
def test_an_arm_at_rest_is_led_onto_few_rows(rows: int) -> None:
    led = TRANSITION.onto(wave(rows, 0.1 * ARM), HOME[None], 1, ROW_S)
    assert len(led) == rows and (led[0] == HOME).all()
