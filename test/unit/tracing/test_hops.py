"""Each frame's time is divided among the hops without a rest, and a lost frame is named by where it got lost."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vla_ros.tracing.hops import HISTORY_LENGTH, HOPS, HopTracker

MS = 1_000_000


def follow(hops: HopTracker, captured_ns: int, steps_ns: tuple[int, int, int, int, int]) -> None:
    times = [captured_ns + sum(steps_ns[: i + 1]) for i in range(5)]
    hops.frames(captured_ns, times[0])
    hops.plan(captured_ns, times[1], 7, 0.002, "grasp")
    hops.chunk(captured_ns, times[2], 3, 0.001)
    hops.setpoint(captured_ns, times[3], 100)
    hops.controller(times[4])


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 10**9)] * 5), min_size=1, max_size=20))
def test_the_hops_add_up_to_the_whole(steps: list[tuple[int, int, int, int, int]]) -> None:
    hops, at_ns = HopTracker(), 10**18
    for each in steps:
        follow(hops, at_ns, each)
        at_ns += 10**10
    assert len(hops.complete()) == len(steps)
    for journey, each in zip(hops.complete(), steps, strict=True):
        parts = [getattr(journey, end) - getattr(journey, begin) for _, begin, end, _ in HOPS]
        assert tuple(parts[:-2]) == each
        assert tuple(parts[-2:]) == (sum(each[:2]), sum(each))
    whole = hops.summaries()["camera to controller"]
    assert whole.count == len(steps)
    assert whole.largest == pytest.approx(max(map(sum, steps)) / 1e9)


def test_percentiles_are_those_of_the_hop() -> None:
    hops = HopTracker()
    for i in range(100):
        follow(hops, 10**18 + i * 10**9, (i * MS, 2 * MS, 3 * MS, 4 * MS, 5 * MS))
    summaries = hops.summaries()
    assert (summaries["camera"].p50, summaries["camera"].p95, summaries["camera"].largest) == (0.049, 0.094, 0.099)
    assert summaries["chunk"].p99 == 0.003
    assert summaries["of it in System 2"].p50 == 0.002


def test_only_the_first_message_of_a_kind_counts() -> None:
    hops = HopTracker()
    hops.frames(1, 10)
    hops.plan(1, 20, 1, 0.0, "")
    hops.plan(1, 25, 2, 0.0, "")
    hops.chunk(1, 30, 1, 0.0)
    hops.chunk(1, 35, 2, 0.0)
    hops.setpoint(1, 40, 1)
    hops.setpoint(1, 50, 2)
    hops.controller(39)
    assert not hops.complete()
    hops.controller(44)
    hops.controller(48)
    (journey,) = hops.complete()
    assert (journey.plan_id, journey.chunk_id, journey.seq, journey.controller_ns) == (1, 1, 1, 44)


def test_what_belongs_to_no_known_frame_is_left_out() -> None:
    hops = HopTracker()
    hops.frames(0, 5)
    hops.plan(99, 20, 1, 0.0, "")
    hops.setpoint(99, 20, 1)
    hops.controller(30)
    assert hops.traces == {}
    assert math.isnan(hops.summaries()["camera to controller"].p50)


def test_memory_is_bounded() -> None:
    hops = HopTracker()
    for i in range(HISTORY_LENGTH + 100):
        follow(hops, 10**18 + i * 10**9, (1, 1, 1, 1, 1))
        hops.joint_state(10**18 + i)
    assert len(hops.traces) == HISTORY_LENGTH
    assert not hops._sent_to_filter


def test_the_newest_joint_state_before_a_message_is_the_one_it_answers() -> None:
    hops = HopTracker()
    for sent_ns in (0, 4 * MS, 8 * MS):
        hops.joint_state(sent_ns)
    hops.controller(5 * MS)
    assert hops.summaries()["joint state to controller"].p50 == pytest.approx(0.001)


def test_where_frames_got_lost_is_said() -> None:
    hops = HopTracker()
    assert "vla/frames" in hops.missing()
    hops.frames(1, 10)
    assert "no plan" in hops.missing()
    hops.plan(1, 20, 1, 0.0, "")
    assert "no chunk" in hops.missing()
    hops.chunk(1, 30, 1, 0.0)
    assert "no setpoint" in hops.missing()
    hops.setpoint(1, 40, 1)
    assert "arm controller" in hops.missing()
    hops.controller(44)
    assert hops.missing() == ""
