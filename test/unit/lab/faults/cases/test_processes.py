"""Faults of processes and of the machine, and exceptions in the rules."""

from __future__ import annotations

import os

import pytest

from test.unit.lab.faults.fake_rig import CASES, POSITIONS, correct_setpoint, injected
from vla_ros.lab.faults.cases.processes import BY_CONTROLLER
from vla_ros.lab.faults.graphs import bounds
from vla_ros.lab.faults.raising import AT_START, CODE


@pytest.mark.parametrize(
    ("name", "process"),
    [
        ("filter-killed", "safety_filter"),
        ("planner-killed", "planner"),
        ("camera-killed", "camera"),
        ("expert-killed", "action_expert"),
    ],
)
def test_one_process_is_killed(name: str, process: str) -> None:
    assert injected(name).calls == [("kill", process)]


def test_the_filter_is_started_again_after_it_was_killed() -> None:
    assert injected("filter-restarted").named("kill", "restart") == [
        ("kill", "safety_filter"),
        ("restart", "safety_filter"),
    ]


def test_the_load_is_twice_the_number_of_cores_and_ends() -> None:
    rig = injected("cpu-hog")
    assert rig.named("set_cpu_load") == [("set_cpu_load", 2 * (os.cpu_count() or 1)), ("set_cpu_load", 0)]
    assert CASES["cpu-hog"].stalls


def test_the_log_is_replayed_after_it_was_blocked_or_removed() -> None:
    blocked = injected("disk-full").named("block_log_writes", "replay_audit_log")
    assert blocked == [("block_log_writes", True), ("block_log_writes", False), ("replay_audit_log",)]
    removed = injected("log-removed").named("remove_audit_log", "replay_audit_log")
    assert removed == [("remove_audit_log",), ("replay_audit_log",)]


def test_the_front_camera_freezes() -> None:
    assert injected("camera-frozen").camera_frozen


def test_every_rule_raises_in_one_case() -> None:
    names = {f"raising-{rule.replace('_', '-')}" for rule in CODE}
    assert names == {name for name in CASES if name.startswith("raising-")}


def test_a_rule_raises_while_a_setpoint_must_be_limited() -> None:
    rig = injected("raising-velocity-limit")
    assert rig.calls == [("raise_in_rule", "velocity_limit")]
    (sent,) = rig.alter_setpoint(correct_setpoint(), 0.0)
    assert sent.positions[0] - POSITIONS[0] == pytest.approx(0.1)


@pytest.mark.parametrize("rule", AT_START)
def test_a_rule_that_runs_at_the_start_raises_in_a_filter_that_starts(rule: str) -> None:
    rig = injected(f"raising-{rule.replace('_', '-')}")
    assert rig.calls == [
        ("kill", "safety_filter"),
        ("raise_in_rule", rule),
        ("restart", "safety_filter"),
        ("raise_in_rule", ""),
    ]


def test_where_the_filter_cannot_stop_the_arm_the_bound_is_that_of_the_controller() -> None:
    times = bounds()
    for rule in BY_CONTROLLER:
        assert CASES[f"raising-{rule.replace('_', '-')}"].expected.rest_s == times.arrival + times.by_message
    assert CASES["raising-schema"].expected.rest_s == times.at_once
