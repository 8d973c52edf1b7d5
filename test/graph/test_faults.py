"""A few faults of the campaign on the running graph; `vla-ros faults` provokes all of them."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("vla_ros.msg")

from vla_ros.faults import campaign
from vla_ros.faults.cases import all_cases
from vla_ros.faults.graphs import bounds

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
