"""A few faults of the campaign on the running graph; `vla-ros faults` provokes all of them."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("vla_ros.msg")

from std_msgs.msg import Header

from vla_ros.lab.faults import campaign
from vla_ros.lab.faults.cases import all_cases
from vla_ros.lab.faults.graph_rig import GraphRig, started
from vla_ros.lab.faults.graphs import bounds
from vla_ros.lab.faults.rig import Rig
from vla_ros.msg import SafetyStatus
from vla_ros.ros.stamps import time_message

NAMES = (
    "limits-missing",
    "nan",
    "step-jump",
    "silent",
    "joint-states-stale",
    "estop-topic",
    "two-publishers",
    "obstacle-stale",
    "filter-killed",
)


def test_the_arm_reacts_as_expected() -> None:
    lines: list[str] = []
    results, sent = campaign.run([case for case in all_cases(bounds()) if case.name in NAMES], lines.append)
    assert len(results) == len(NAMES)
    assert not any(result.wrong for result in results), "\n".join(lines)
    assert [each.graph for each in sent] == ["filter"]
    assert sent[0].samples > 1000 and not sent[0].broken, sent


def test_the_rig_over_ros_is_the_one_that_the_cases_are_written_for(tmp_path: Path) -> None:
    for name, asked in vars(Rig).items():
        if inspect.isfunction(asked) and not name.startswith("_"):
            assert list(inspect.signature(getattr(GraphRig, name)).parameters) == list(
                inspect.signature(asked).parameters
            ), name
    with started("none", tmp_path) as rig:
        assert [name for name in Rig.__annotations__ if not hasattr(rig, name)] == []
    threads = [int(thread) for thread in os.listdir("/proc/self/task")]
    assert not any(os.sched_getscheduler(thread) & os.SCHED_FIFO for thread in threads), "the tests after it would hog"


def test_a_step_of_the_clock_and_a_killed_filter_are_no_stalls(tmp_path: Path) -> None:
    def heard(stamp_ms: int, receive_ms: int) -> float:
        header = Header(stamp=time_message(stamp_ms * 1_000_000))
        rig._see(SafetyStatus(state=SafetyStatus.TRACKING, header=header), receive_ms * 1_000_000)
        return rig.stall_s

    with started("none", tmp_path) as rig:
        assert heard(100_000, 1_000) == 0.0
        assert heard(105_000, 1_040) == 0.0, "the clock was stepped by 5 s"
        assert heard(100_000, 1_080) == 0.0, "and back"
        assert heard(100_040, 1_620) == pytest.approx(0.5), "the filter was not heard"
        rig.stall_s, rig.state = 0.0, ""  # killed, and started again
        assert heard(110_000, 11_000) == 0.0
