"""Stamped trajectories are one path, however many messages tell of it, and a jump where one differs."""

from __future__ import annotations

import dataclasses

import numpy as np

from vla_ros.oracle.recordings.executed import PAUSE_NS, STEP_NS, TAKEN_UP_NS, StampedMessage, executed

H = 4_000_000
START_NS = 10**15


def wave(times_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A path of one joint that cubics between points 4 ms apart reproduce: a parabola to and fro."""
    t = (times_ns - START_NS) / 1e9
    return (0.5 * t * t)[:, None], t[:, None]


def message(k: int, count: int = 20) -> StampedMessage:
    times = START_NS + (k + np.arange(count)) * H
    return StampedMessage(times.tolist(), *wave(times))


def test_messages_that_agree_are_one_path_without_a_gap() -> None:
    rows, starts = executed([message(k) for k in range(50)])
    times, q = np.array([t for t, _ in rows]), np.array([q for _, q in rows])
    assert starts == [0]
    assert (np.diff(times) == STEP_NS).all()
    assert np.abs(q - wave(times)[0]).max() < 1e-12
    assert times[0] == START_NS and times[-1] == START_NS + 68 * H - STEP_NS


def test_lost_messages_leave_no_trace() -> None:
    whole = executed([message(k) for k in range(50)])
    assert executed([message(k) for k in (0, 1, 2, 7, 8, 20, 33, 49)]) == whole


def test_a_message_that_says_otherwise_jumps_where_it_is_taken_up() -> None:
    messages = [message(k) for k in range(50)]
    messages[25:] = [dataclasses.replace(each, positions=each.positions + 0.01) for each in messages[25:]]
    rows, _ = executed(messages)
    steps = np.diff([q[0] for _, q in rows])
    assert rows[int(np.argmax(steps)) + 1][0] == START_NS + 25 * H + TAKEN_UP_NS
    assert steps.max() > 0.01


def test_after_a_pause_a_new_stretch_begins() -> None:
    pause = (PAUSE_NS + 10**9) // H
    rows, starts = executed([message(0), message(1), message(pause)])
    assert len(starts) == 2
    assert rows[starts[1]][0] == START_NS + pause * H
