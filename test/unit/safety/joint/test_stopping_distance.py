"""stopping_distance and max_stoppable_speed against their definitions, and second-order braking on a whole small grid."""

from __future__ import annotations

from vla_ros.safety.joint.stopping_distance import max_stoppable_speed, stopping_distance


def test_the_stopping_distance_is_the_sum_of_a_braked_motion() -> None:
    for w in range(1, 9):
        for v in range(80):
            assert stopping_distance(v, w) == sum(range(v, 0, -w))
            assert stopping_distance(v, w) == v + stopping_distance(max(0, v - w), w)


def test_the_max_stoppable_speed_is_the_largest_that_can_still_stop() -> None:
    for w in range(1, 9):
        for d in range(600):
            assert (
                stopping_distance(max_stoppable_speed(d, w), w)
                <= d
                < stopping_distance(max_stoppable_speed(d, w) + 1, w)
            )
        assert max_stoppable_speed(0, w) == max_stoppable_speed(-1, w) == max_stoppable_speed(-(10**18), w) == 0


def test_whoever_keeps_to_the_max_stoppable_speed_can_always_brake_inside_the_range() -> None:
    """Every v' <= max_stoppable_speed(d) leaves a d' = d - v' >= 0 that allows braking by w: never an empty choice."""
    for w in range(1, 7):
        for d in range(300):
            for v in range(max_stoppable_speed(d, w) + 1):
                assert d - v >= 0
                assert max(0, v - w) <= max_stoppable_speed(d - v, w)


def test_real_magnitudes_are_exact() -> None:
    """Far beyond the 2^53 at which floating point would round."""
    d, w = 10**19 + 7, 59_999
    v = max_stoppable_speed(d, w)
    assert stopping_distance(v, w) <= d < stopping_distance(v + 1, w)
