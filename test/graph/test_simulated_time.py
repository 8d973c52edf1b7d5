"""On a simulated clock the arm follows a path as it does on the machine's own."""

from __future__ import annotations

import pytest

from vla_ros.lab.evaluation.through_graph import GraphEvaluation
from vla_ros.msg import SafetyStatus


@pytest.mark.parametrize("use_sim_time", [True, False], ids=["simulated", "own"])
def test_the_scripted_walk_is_walked(use_sim_time: bool) -> None:
    quick = {"scripted.speed_scale": 0.5}
    overrides = {"planner": quick, "action_expert": quick}
    with GraphEvaluation("scripted", overrides=overrides, use_sim_time=use_sim_time) as graph:
        talk = graph.client
        armed, why = talk.arm(60.0)
        assert armed, why
        assert talk.spin(60.0, lambda: talk.status is not None and talk.status.state != SafetyStatus.DISARMED)
        said, why = talk.follow("run", 200.0, lambda line: None)
        assert said == "done", why
        assert talk.status is not None
        assert talk.status.accepted > 100, "a walk of 13 s is more than a jump to its end"
        assert talk.status.rejected < talk.status.accepted, "with a clock misread, all would be refused"
