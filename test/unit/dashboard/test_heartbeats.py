"""Who is silent, and since when."""

from __future__ import annotations

from vla_ros.dashboard.heartbeats import EXPECTED, STARTUP_NS, Heartbeats
from vla_ros.time import NS_PER_S


def test_nobody_is_missed_while_the_graph_starts() -> None:
    heartbeats = Heartbeats(0)
    assert heartbeats.silent(STARTUP_NS) == {}
    assert set(heartbeats.silent(STARTUP_NS + 3 * NS_PER_S)) == set(EXPECTED)


def test_each_part_has_its_own_limit() -> None:
    heartbeats = Heartbeats(0)
    for name in (*EXPECTED, "recorder"):
        heartbeats.on_message(name, 20 * NS_PER_S)
    assert set(heartbeats.silent(20 * NS_PER_S + 6 * NS_PER_S // 10)) == {"safety_filter", "joint_states"}
    assert set(heartbeats.silent(22 * NS_PER_S)) == {"safety_filter", "joint_states", "planner"}
    assert heartbeats.silent(23 * NS_PER_S) == dict.fromkeys((*EXPECTED, "recorder"), 3.0)


def test_during_a_task_plans_are_due_and_not_just_reports() -> None:
    heartbeats = Heartbeats(0)
    heartbeats.on_plan(NS_PER_S, active=True, valid_for_s=0.6)
    assert heartbeats.plan_is_fresh(NS_PER_S + 5 * NS_PER_S // 10)
    heartbeats.on_message("planner", 2 * NS_PER_S)
    assert heartbeats.silent(2 * NS_PER_S) == {"planner": 1.0}
    assert not heartbeats.plan_is_fresh(2 * NS_PER_S)
    heartbeats.on_plan(2 * NS_PER_S, active=False, valid_for_s=0.6)
    assert heartbeats.silent(2 * NS_PER_S) == {}
    assert not heartbeats.plan_is_fresh(2 * NS_PER_S)


def test_a_planner_that_speaks_without_plans_has_restarted() -> None:
    heartbeats = Heartbeats(0)
    assert not heartbeats.planner_has_restarted(9 * NS_PER_S)
    heartbeats.on_plan(NS_PER_S, active=True, valid_for_s=2.0)
    assert not heartbeats.planner_has_restarted(3 * NS_PER_S)
    assert heartbeats.planner_has_restarted(4 * NS_PER_S)
    heartbeats.on_planner_restart()
    assert not heartbeats.planner_has_restarted(4 * NS_PER_S)
