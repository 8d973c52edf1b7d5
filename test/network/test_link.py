"""What is asked of the network is what the frames meet, and the same seed gives it again."""

from __future__ import annotations

from typing import Any

import pytest

from test.network.link import Conditions, Link

PERIOD_S = 0.001
END_S = 1e6


def arrivals(count: int, seed: int = 1, size: int = 100, **fields: Any) -> list[tuple[float, int]]:
    """Send frames, one each PERIOD_S; return when each arrives, and its number."""
    link, found = Link(seed), []
    link.become(Conditions(**fields), 0.0)
    for i in range(count):
        link.offer(i.to_bytes(4, "big") + bytes(size - 4), i * PERIOD_S)
    now_s = 0.0
    while (wait_s := link.wait_s(now_s)) is not None:
        now_s += wait_s
        found += [(now_s, int.from_bytes(frame[:4], "big")) for frame in link.arrived(now_s)]
    assert link.offered == count and link.bytes == count * size
    return found


def test_a_wire_changes_nothing() -> None:
    times, numbers = zip(*arrivals(50), strict=True)
    assert numbers == tuple(range(50))
    assert times == pytest.approx([i * PERIOD_S for i in numbers])


def test_the_share_that_is_lost_is_the_share_that_was_asked_for() -> None:
    assert len(arrivals(20_000, loss=0.05)) == pytest.approx(19_000, abs=120)  # four standard deviations
    assert arrivals(100, loss=1.0) == []


def test_delay_and_jitter_keep_the_order() -> None:
    found = arrivals(1000, delay_s=0.02, jitter_s=0.005)
    assert [i for _, i in found] == list(range(1000))
    delays_s = [arrived_s - i * PERIOD_S for arrived_s, i in found]
    assert min(delays_s) >= 0.015 - 1e-9 and max(delays_s) <= 0.025 + 1e-9
    assert max(delays_s) - min(delays_s) > 0.005


def test_a_rate_is_kept_and_who_would_wait_for_too_long_is_dropped() -> None:
    found = arrivals(2000, size=1250, rate_bit_s=5e6, queue_s=0.1)  # 2 ms each, and they come every 1 ms
    assert found[-1][0] == pytest.approx(2.1, abs=0.01)
    assert len(found) == pytest.approx(1050, abs=5)
    waited_s = max(arrived_s - i * PERIOD_S for arrived_s, i in found)
    assert 0.1 < waited_s <= 0.1 + 0.004


def test_frames_come_twice_and_out_of_order_as_often_as_asked_for() -> None:
    assert len(arrivals(10_000, duplicate=0.1)) == pytest.approx(11_000, abs=120)
    numbers = [i for _, i in arrivals(10_000, reorder=0.1, reorder_s=0.0055)]
    assert sorted(numbers) == list(range(10_000)) != numbers
    overtaken = sum(max(numbers[max(0, at - 10) : at], default=-1) > i for at, i in enumerate(numbers))
    assert overtaken == pytest.approx(1000, abs=120)


def test_a_cut_takes_what_is_sent_and_not_what_is_under_way() -> None:
    link = Link(1)
    link.become(Conditions(delay_s=1.0), 0.0)
    link.offer(b"under way", 0.0)
    link.become(Conditions(cut=True), 0.5)
    link.offer(b"cut", 0.6)
    link.become(Conditions(), 0.7)
    link.offer(b"afterwards", 0.8)
    assert link.arrived(END_S) == [b"under way", b"afterwards"]
    assert (link.offered, link.dropped) == (3, 1)


def test_a_network_that_comes_and_goes_does_so_from_when_it_was_asked_to() -> None:
    link = Link(1)
    link.become(Conditions(flap_s=(0.3, 0.1)), 100.0)
    passed = []
    for tenth in range(10):
        link.offer(b"%d" % tenth, 100.05 + tenth / 10)
        passed += link.arrived(END_S)
    assert passed == [b"0", b"1", b"2", b"4", b"5", b"6", b"8", b"9"]


def test_a_seed_gives_the_same_network_again() -> None:
    bad: dict[str, Any] = {"loss": 0.1, "jitter_s": 0.003, "delay_s": 0.01, "duplicate": 0.05, "reorder": 0.05}
    assert arrivals(500, seed=7, **bad) == arrivals(500, seed=7, **bad) != arrivals(500, seed=8, **bad)
