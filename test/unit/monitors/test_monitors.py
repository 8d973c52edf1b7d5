"""All monitors together: a held arm asks once, and an answer is an answer."""

from __future__ import annotations

import json
from pathlib import Path

from test.unit.monitors.watching import JOINTS, STATS, Q, S, image, monitors, move, plan, see
from vla_ros.monitors.monitor_parameters import MonitorsParameters
from vla_ros.monitors.monitors import Monitors
from vla_ros.monitors.training_statistics import parse_statistics
from vla_ros.parameters import from_mapping


def test_only_monitors_that_are_to_hold_ask() -> None:
    quiet, asking = monitors(hold=[]), monitors(hold=["oscillation"])
    for watching in (quiet, asking):
        move(watching, 0.02, 3.0)
        for i in range(20):
            watching.on_plan(2 * i * S, plan(subtask=("reach", "grasp")[i % 2]))
    assert quiet.question() == ""
    assert asking.question().startswith("oscillation: elbow turned round 6 times")
    assert asking.question().endswith("What shall I do?")


def test_an_answer_excuses_what_stands_until_it_has_gone() -> None:
    watching = monitors(parse_statistics(STATS, JOINTS), hold=["drift"])
    see(watching, 3, image(0.95))
    assert watching.question()
    watching.on_instruction()
    see(watching, 3, image(0.95))
    assert watching.warnings() and not watching.question()
    see(watching, 3, image(0.47))
    assert not watching.question()
    see(watching, 3, image(0.95))
    assert watching.question()


def test_a_file_of_statistics_goes_before_what_the_policy_brings(tmp_path: Path) -> None:
    dark = {"observation.images.front": {"mean": [0.02] * 3, "std": [0.01] * 3}}
    file = tmp_path / "stats.json"
    file.write_text(json.dumps(STATS))
    for named, warned in ((str(file), False), ("", True)):
        parameters = from_mapping(MonitorsParameters, {"statistics": named})
        watching = Monitors.for_policy(parameters, JOINTS, dark)
        see(watching, 3, image(0.47), Q)
        assert ("drift" in watching.warnings()) is warned
    blind = Monitors.for_policy(from_mapping(MonitorsParameters, {}), JOINTS, None)
    see(blind, 3, image(0.95))
    assert blind.warnings() == {}
