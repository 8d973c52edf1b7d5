"""Each stamp is altered as its name says, and the filter refuses the setpoint by the expected rule."""

from __future__ import annotations

import pytest

from test.unit.lab.faults.fake_rig import CASES, correct_setpoint, injected
from test.unit.lab.faults.filter_at_home import refusing_rules
from vla_ros.time import NS_PER_S

STAMPS = ("out-of-order", "future-stamp", "old-stamp", "zero-stamp", "mixed-clocks", "replayed")


@pytest.mark.parametrize("name", STAMPS)
def test_a_wrong_stamp_is_refused_by_the_expected_rule(name: str) -> None:
    rules = refusing_rules(name)
    assert rules[1:] and set(rules[1:]) <= set(CASES[name].expected.rules)


def test_stamps_out_of_order_go_back_from_setpoint_to_setpoint() -> None:
    alter = injected("out-of-order").alter_setpoint
    stamps = [alter(correct_setpoint(k, k * NS_PER_S // 100), k * 0.01)[0].stamp_ns for k in range(5)]
    assert stamps == sorted(stamps, reverse=True) and len(set(stamps)) == 5


def test_a_replayed_message_is_the_first_one() -> None:
    alter = injected("replayed").alter_setpoint
    first = correct_setpoint(1)
    assert [alter(each, 0.0)[0] for each in (first, correct_setpoint(2))] == [first, first]


def test_the_clock_steps_forward_and_back() -> None:
    assert injected("clock-forward").named("step_clock") == [("step_clock", 5.0)]
    assert injected("clock-back").named("step_clock") == [("step_clock", -5.0)]


def test_the_filter_is_paused_for_less_than_the_heartbeat_timeout() -> None:
    assert injected("late-ticks").named("pause") == [("pause", "safety_filter", 0.04)] * 4
    ((_, _, seconds),) = injected("filter-stalled").named("pause")
    assert 0.1 < seconds < 0.5


def test_a_case_that_stalls_the_machine_says_so() -> None:
    assert all(CASES[name].stalls for name in ("late-ticks", "filter-stalled", "clock-forward", "clock-back"))
