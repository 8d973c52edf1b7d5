"""Whether another image is to be expected, from the stamps of those before."""

from __future__ import annotations

import pytest

from vla_ros.perception.stream_timing import StreamTiming


def timing(*stamps_ns: int) -> StreamTiming:
    made = StreamTiming()
    for stamp_ns in stamps_ns:
        made.add(stamp_ns)
    return made


@pytest.mark.parametrize(("moment_ns", "expected"), [(250, False), (251, True), (200, False), (150, False)])
def test_an_image_is_expected_when_the_next_one_would_be_nearer(moment_ns: int, expected: bool) -> None:
    assert timing(100, 200).expects_nearer(moment_ns, 50) is expected


def test_an_image_that_is_due_too_late_is_not_waited_for() -> None:
    assert timing(100, 200).expects_nearer(260, 40) and not timing(100, 200).expects_nearer(260, 39)
    assert timing(100, 200).period_ns == 100 and timing(100).period_ns == 0


def test_a_lost_image_does_not_slow_the_stream_down() -> None:
    assert timing(100, 200, 300, 600).expects_nearer(651, 50)


def test_a_clock_that_was_set_back_gives_no_interval() -> None:
    assert timing(500, 100).stamp_ns == 100
    assert timing(500, 100).expects_nearer(101, 50), "without an interval the next image may come at any time"
