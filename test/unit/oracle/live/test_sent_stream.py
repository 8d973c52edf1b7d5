"""Paths with stamps: what a controller makes of them between their points, and whether one goes on where the other was."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.arrays import Array
from vla_ros.oracle.live.sent_stream import SentMessage, SentStream
from vla_ros.oracle.oracle import JointBounds

H_NS, AHEAD = 4_000_000, 5
BOUNDS = JointBounds(-1.0, 1.0, 2.0, 8.0, 800.0)


def stream() -> SentStream:
    return SentStream(["a"], [BOUNDS], 0.004, [0.1])


def outputs(count: int, peak: float = 0.99) -> Array:
    """A joint that begins and ends at rest, with peak shares of the limits: control points of the spline."""
    jerk = np.zeros(count)
    per_tick = peak * BOUNDS.jerk * 0.004**3
    ramp = 2
    for start, sign in ((0, 1), (20, -1), (60, -1), (80, 1)):
        jerk[start : start + ramp] = sign * per_tick
    return np.cumsum(np.cumsum(np.cumsum(jerk)))


def path(q: Array, first: int, number: int, start_ns: int = 10**9) -> SentMessage:
    """The rest of a uniform cubic B-spline with control points q, from a knot on, sent AHEAD knots before it is due."""
    q = np.concatenate([q, [q[-1]] * 4])
    k = np.arange(first, len(q) - 1)
    p, v = (q[k - 1] + 4 * q[k] + q[k + 1]) / 6, (q[k + 1] - q[k - 1]) / 0.008
    v[-1] = 0.0
    at_ns = start_ns + first * H_NS
    times = [int(i) * H_NS for i in range(len(k))]
    return SentMessage(number, at_ns + H_NS, at_ns, times, p[:, None], v[:, None])


def test_messages_that_carry_the_way_to_rest_are_within_the_limits() -> None:
    heard, q = stream(), outputs(100)
    for number, first in enumerate(range(1, 90)):
        assert heard.take(path(q, first, number + 1), None) == ""
    now, end = heard.positions(10**9 + 95 * H_NS)
    assert end[0] == pytest.approx(q[-1])
    assert now[0] == pytest.approx((q[94] + 4 * q[95] + q[96]) / 6, abs=1e-12)


@pytest.mark.parametrize(("scale", "what"), [(1.2, "jerk"), (-1.2, "jerk")])
def test_a_path_beyond_a_limit_is_named(scale: float, what: str) -> None:
    assert f"a: {what}" in stream().take(path(outputs(100, scale), 1, 1), None)


def test_a_velocity_that_the_positions_do_not_have_is_found() -> None:
    message = path(outputs(100), 1, 1)
    assert message.velocities is not None
    message.velocities[10] *= 1.5
    assert "is sent" in stream().take(message, None)


def test_between_its_points_a_path_keeps_the_range() -> None:
    q = np.full(30, 1.0)
    message = path(q, 1, 1)
    assert message.velocities is not None
    message.velocities[5] = 1.5  # at the end of the range, outwards
    assert "beyond its range" in stream().take(message, None)


def test_a_path_that_does_not_end_at_rest_and_times_that_do_not_rise() -> None:
    message = path(outputs(100), 1, 1)
    assert message.velocities is not None
    message.velocities[-1] = 0.1
    assert "does not end at rest" in stream().take(message, None)
    message = path(outputs(100), 1, 1)
    times = [0, *message.times_ns[:-1]]
    wrong = SentMessage(1, message.sent_ns, message.start_ns, times, message.positions, message.velocities)
    assert "do not rise" in stream().take(wrong, None)


def test_a_path_that_jumps_from_the_one_before_is_found() -> None:
    heard, q = stream(), outputs(100)
    assert heard.take(path(q, 40, 1), None) == ""
    assert "a: velocity" in heard.take(path(q + 0.05, 41, 2), np.array([0.5]))


def test_a_path_behind_messages_that_were_not_heard_is_judged_by_itself() -> None:
    heard, q = stream(), outputs(100)
    assert heard.take(path(q, 40, 1), None) == ""
    assert heard.take(path(q + 0.05, 60, 21), np.array([0.5])) == ""
    assert "a: velocity" in heard.take(path(q, 61, 22), np.array([0.5]))


def test_after_an_end_a_stream_begins_anew_at_the_measured_arm() -> None:
    heard, q = stream(), outputs(100)
    assert heard.take(path(q, 80, 1), None) == ""
    begin = np.full(10, q[-1] + 0.05)
    later_ns = 10**9 + 200 * H_NS
    assert heard.take(path(begin, 1, 2, later_ns), np.array([q[-1] + 0.04])) == ""
    assert "a: velocity" in heard.take(path(begin + 0.2, 1, 3, later_ns + 10**9), np.array([q[-1]]))


def setpoint(number: int, tick: float, q: float) -> SentMessage:
    return SentMessage(number, round(10**9 + tick * H_NS), 0, (0,), np.array([[q]]))


def test_lost_setpoints_widen_the_step_and_late_ones_do_not_narrow_it() -> None:
    heard, step = stream(), 0.99 * 2.0 * 0.004
    q = [0.0, *np.cumsum([step] * 6).tolist()]
    assert heard.take(setpoint(1, 0, q[0]), None) == ""
    assert heard.take(setpoint(4, 3, q[3]), None) == "", "two were lost"
    assert heard.take(setpoint(5, 3.1, q[4]), None) == "", "sent soon after a late one"
    assert heard.take(setpoint(6, 40, q[5]), None) == "", "after a stall as if there had been none"
    assert "a: velocity" in heard.take(setpoint(7, 41, q[5] + 2 * step), None)


def test_after_a_gap_setpoints_begin_anew_at_the_measured_arm_only() -> None:
    for measured, named in ((0.29, ""), (0.0, "a: velocity"), (np.nan, "a: velocity")):
        heard = stream()
        assert heard.take(setpoint(1, 0, 0.0), None) == ""
        assert heard.take(setpoint(2, 1, 0.0), None) == ""
        said = heard.take(setpoint(3, 100, 0.3), np.array([measured]))
        assert (named in said) if named else not said


@pytest.mark.parametrize("late", [0.4, 0.9])
def test_a_late_tick_and_a_skipped_one_after_it_are_no_fault_near_the_measured_arm(late: float) -> None:
    """Each of the two gaps alone may be shorter than one that begins a stream anew."""
    for measured, fault in (([0.0], False), ([np.nan], True)):
        heard, step = stream(), 0.5 * 2.0 * 0.004
        for number, (tick, steps) in enumerate([(0, 0), (1, 1), (2, 2), (3 + late, 3)]):
            heard.take(setpoint(number + 1, tick, steps * step), np.zeros(1))
        said = heard.take(setpoint(5, 5, 5 * step), np.array(measured))
        assert ("a: acceleration" in said) is fault, said
        if not fault:
            assert heard.take(setpoint(6, 6, 6 * step), None) == ""
            assert "a: acceleration" in heard.take(setpoint(7, 7, 8 * step), None), "judged again"
