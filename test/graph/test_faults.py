"""A few faults of the campaign on the running graph; `vla-ros faults` injects all of them."""

from __future__ import annotations

import inspect
import os
import signal
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("vla_ros.msg")

from vla_ros.lab.faults import campaign, graph_rig
from vla_ros.lab.faults.cases import all_cases
from vla_ros.lab.faults.graph_rig import GraphRig, started
from vla_ros.lab.faults.graphs import RAISE, bounds
from vla_ros.lab.faults.reaction import NO_FILTER
from vla_ros.lab.faults.rig import CaseAborted, FaultRig
from vla_ros.lab.faults.swing import swing
from vla_ros.ros.rig_node import ReceivedStatus

NAMES = (
    "limits-missing",
    "nan",
    "step-jump",
    "silent",
    "controller-slow",
    "joint-states-stale",
    "estop-topic",
    "two-publishers",
    "obstacle-stale",
    "filter-killed",
)


def test_the_arm_reacts_as_expected() -> None:
    lines: list[str] = []
    results, outputs = campaign.run([case for case in all_cases(bounds()) if case.name in NAMES], lines.append)
    assert len(results) == len(NAMES)
    assert not any(result.wrong for result in results), "\n".join(lines)
    assert [each.graph for each in outputs] == ["filter"]
    assert outputs[0].samples > 1000 and not outputs[0].broken, outputs


def test_the_rig_over_ros_is_the_one_that_the_cases_are_written_for(tmp_path: Path) -> None:
    for name, asked in vars(FaultRig).items():
        if inspect.isfunction(asked) and not name.startswith("_"):
            assert list(inspect.signature(getattr(GraphRig, name)).parameters) == list(
                inspect.signature(asked).parameters
            ), name
    with started("none", tmp_path) as rig:
        assert [name for name in FaultRig.__annotations__ if not hasattr(rig, name)] == []
    threads = [int(thread) for thread in os.listdir("/proc/self/task")]
    assert not any(os.sched_getscheduler(thread) & os.SCHED_FIFO for thread in threads), (
        "later tests would run in real time"
    )


def status(state: str = "TRACKING", receive_ms: int = 0, rule: str = "", late_ticks: int = 0) -> ReceivedStatus:
    return ReceivedStatus(state, rule, 0.5, late_ticks, receive_ms * 1_000_000)


def test_only_a_running_filter_that_sends_no_status_counts_as_a_stall(tmp_path: Path) -> None:
    with started("none", tmp_path) as rig:

        def stall_s(receive_ms: int) -> float:
            rig.on_status(status(receive_ms=receive_ms))
            return rig.longest_stall_s

        assert stall_s(1_000) == 0.0
        assert stall_s(1_040) == 0.0
        assert stall_s(1_620) == pytest.approx(0.54)
        rig.longest_stall_s, rig.state = 0.0, ""  # killed, and started again
        assert stall_s(11_000) == 0.0


def test_a_status_that_comes_after_the_end_of_its_filter_does_not_raise_it_from_the_dead(tmp_path: Path) -> None:
    with started("none", tmp_path) as rig:
        rig.state = NO_FILTER
        rig.on_status(status("LIMITING"))
        assert rig.state == NO_FILTER
        rig.state = ""  # started again
        rig.on_status(status("DISARMED"))
        assert rig.state == "DISARMED"


def test_the_rig_observes_states_rules_and_answers(tmp_path: Path) -> None:
    with started("none", tmp_path) as rig:
        observed = rig.begin_case()
        for state, rule in (("TRACKING", ""), ("LIMITING", "fence"), ("LIMITING", "fence")):
            rig.on_status(status(state, rule=rule))
        rig.record_answer("refused")
        assert (observed.states, observed.rules, observed.answers) == (["TRACKING", "LIMITING"], ["fence"], ["refused"])
        assert (rig.state, rig.rule, rig.speed) == ("LIMITING", "fence", 0.5)
        assert rig.begin_case().states == []


def test_a_service_that_nobody_offers_aborts_the_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_rig, "SERVICE_S", 0.1)
    with started("none", tmp_path) as rig, pytest.raises(CaseAborted, match="nobody offers vla/arm"):
        rig.call_filter("arm")


def test_the_setpoint_of_the_rig_swings_and_counts(tmp_path: Path) -> None:
    with started("none", tmp_path) as rig:
        rig.start_swing()
        first, second = rig._correct_setpoint(), rig._correct_setpoint()
        assert first.positions == second.positions == swing(0.0)
        assert second.seq == first.seq + 1


def test_a_rule_is_switched_by_file_and_signal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signals: list[tuple[str, int]] = []
    with started("none", tmp_path) as rig:
        monkeypatch.setattr(rig, "send_signal", lambda name, number: signals.append((name, number)))
        rig.state = "TRACKING"
        rig.raise_in_rule("fence")
        rig.state = "-"  # no process that could receive a signal
        rig.raise_in_rule("table")
    assert signals == [("safety_filter", signal.SIGUSR1)]
    assert (tmp_path / RAISE).read_text() == "table"
