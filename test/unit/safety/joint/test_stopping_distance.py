"""travel and speed against their definitions, and second-order braking on a whole small grid."""

from __future__ import annotations

from vla_ros.safety.joint.stopping_distance import speed, travel


def test_travel_is_the_sum_of_a_braked_motion() -> None:
    for w in range(1, 9):
        for v in range(80):
            assert travel(v, w) == sum(range(v, 0, -w))
            assert travel(v, w) == v + travel(max(0, v - w), w)


def test_speed_is_the_largest_that_can_still_stop() -> None:
    for w in range(1, 9):
        for d in range(600):
            assert travel(speed(d, w), w) <= d < travel(speed(d, w) + 1, w)
        assert speed(0, w) == speed(-1, w) == speed(-(10**18), w) == 0


def test_whoever_keeps_to_speed_can_always_brake_inside_the_range() -> None:
    """Every v' <= speed(d) leaves a d' = d - v' >= 0 in which braking by w is again allowed: never an empty choice."""
    for w in range(1, 7):
        for d in range(300):
            for v in range(speed(d, w) + 1):
                assert d - v >= 0
                assert max(0, v - w) <= speed(d - v, w)


def test_real_magnitudes_are_exact() -> None:
    """Far beyond the 2^53 at which floating point would round."""
    d, w = 10**19 + 7, 59_999
    v = speed(d, w)
    assert travel(v, w) <= d < travel(v + 1, w)
