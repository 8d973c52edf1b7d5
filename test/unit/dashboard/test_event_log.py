"""What happened, in words that people can act on."""

from __future__ import annotations

import pytest

from vla_ros.dashboard.event_log import MAX_EVENTS, EventLog
from vla_ros.dashboard.observations import FilterStatus, NodeReport, PlanSummary


def words(events: EventLog) -> list[str]:
    return [event.text for event in events.newest()]


def limited(rule: str, joint: str = "joint4", **numbers: float) -> FilterStatus:
    margins = {"joint_names": ["joint4", "finger"], "position_margins": [0.1234, 0.002]}
    return FilterStatus("LIMITING", rule, "because", "policy", joint, **numbers, **margins)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (limited("position_limit"), "joint4 slowed: 0.12 rad from its limit"),
        (limited("position_limit", "finger"), "finger slowed: 0.00 m from its limit"),
        (limited("velocity_limit", requested=2.51, limit=2.175), "joint4 slowed: 2.51 rad/s asked, 2.17 allowed"),
        (limited("jerk_limit", requested=-1234.5, limit=-1000.0), "joint4 smoothed: 1234 rad/s³ asked, 1000 allowed"),
        (limited("acceleration_limit", requested=3.0, limit=5.0), "joint4 eased: because"),
        (limited("self_collision", ""), "self collision: because"),
    ],
)
def test_a_rule_that_acts_is_said_with_its_numbers(status: FilterStatus, said: str) -> None:
    events = EventLog(frozenset({"finger"}))
    events.on_status(0.0, status)
    assert words(events)[0] == said


def test_a_rule_that_goes_on_is_one_event_and_one_intervention() -> None:
    events = EventLog()
    events.on_status(0.0, FilterStatus("TRACKING", source="policy"))
    for tick in range(50):
        events.on_status(1.0 + tick * 0.04, limited("velocity_limit", requested=3.0, limit=2.0))
    (event,) = [event for event in events.newest() if event.level == "warning"]
    assert event.count == 50
    rule = events.rules["velocity_limit"]
    assert (rule.count, rule.total_s) == (1, pytest.approx(49 * 0.04))
    events.on_status(10.0, limited("velocity_limit", requested=3.0, limit=2.0))
    assert events.rules["velocity_limit"].count == 2
    assert len([event for event in events.newest() if event.level == "warning"]) == 2


def test_tracking_and_limiting_may_alternate_without_a_word() -> None:
    events = EventLog()
    for state in ("TRACKING", "LIMITING", "TRACKING", "LIMITING"):
        events.on_status(0.0, FilterStatus(state, source="policy"))
    assert words(events) == ["the arm follows the policy"]


def test_a_latch_is_an_alarm_with_its_reason() -> None:
    events = EventLog()
    events.on_status(0.0, FilterStatus("TRACKING", source="policy"))
    events.on_status(1.0, FilterStatus("ESTOP", "estop", "service vla/estop"))
    newest = events.newest()[0]
    assert (newest.level, newest.text) == ("alarm", "emergency stop: service vla/estop")


def test_the_normal_end_of_a_task_is_no_warning_and_no_intervention() -> None:
    silence = FilterStatus("STOPPING", "open_loop", "no setpoint from policy for 0.104 s", "policy")
    for plan in (PlanSummary("DONE", "stack", 1), PlanSummary("HOLD", "", 2)):
        events = EventLog()
        events.on_status(0.0, FilterStatus("TRACKING", source="policy"))
        events.on_plan(0.5, PlanSummary("ACTIVE", "stack", 1, "lift"))
        events.on_plan(1.0, plan)
        events.on_status(1.1, silence)
        events.on_status(1.2, FilterStatus("HOLDING"))
        assert {event.level for event in events.newest()} == {"info"}
        assert events.rules == {} and words(events)[:2] == ["at rest", "coming to rest"]


@pytest.mark.parametrize(
    ("plan", "status", "level"),
    [
        ("ACTIVE", FilterStatus("STOPPING", "open_loop", "no setpoint from policy for 0.104 s", "policy"), "warning"),
        ("DONE", FilterStatus("STALLED", "open_loop", "the filter stood still for 0.3 s"), "warning"),
        ("DONE", FilterStatus("STOPPING", "self_collision", "hand and base"), "warning"),
        ("DONE", FilterStatus("ESTOP", "estop", "pressed"), "alarm"),
    ],
)
def test_a_stop_during_a_task_and_any_other_rule_is_a_warning(plan: str, status: FilterStatus, level: str) -> None:
    events = EventLog()
    events.on_plan(0.0, PlanSummary(plan, "stack", 1))
    events.on_status(1.0, status)
    assert events.newest()[0].level == level and status.rule in events.rules


def test_the_planner_is_heard_when_it_says_something_new() -> None:
    events = EventLog()
    for _ in range(3):
        events.on_plan(0.0, PlanSummary("ACTIVE", "stack", 1, "grasp the red cube"))
    events.on_plan(1.0, PlanSummary("ACTIVE", "stack", 1, "lift"))
    events.on_plan(2.0, PlanSummary("FAILED", "stack", 1, reasoning="the cube is gone"))
    assert words(events) == ["planner failed: the cube is gone", "planner: lift", "planner: grasp the red cube"]
    assert events.newest()[0].level == "alarm"


def test_silence_is_told_once_and_so_is_its_end() -> None:
    events = EventLog()
    for now_s in (1.0, 1.1, 1.2):
        events.on_silent(now_s, {"planner": 0.6 + now_s})
    events.on_silent(2.0, {})
    assert words(events) == ["planner is heard again", "planner is silent (last heard 1.6 s ago)"]


def test_a_node_is_named_when_its_level_changes() -> None:
    events = EventLog()
    for level, message in ((0, "running"), (1, "late"), (1, "late"), (0, "running")):
        events.on_report(0.0, NodeReport("camera", level, message, {}))
    assert sorted(words(events)) == ["camera is well again", "camera: late"]


def test_only_the_newest_are_kept() -> None:
    events = EventLog()
    for i in range(10 * MAX_EVENTS):
        events.add(float(i), "info", f"{i}")
    assert len(events.newest()) == MAX_EVENTS
    assert words(events)[0] == f"{10 * MAX_EVENTS - 1}"
