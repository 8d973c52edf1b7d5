"""An episode's planner is configured as the graph's, and its cameras draw what is asked for, once."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from vla_ros.bringup.graph import parameters_of
from vla_ros.control.planner import PlanOutput
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.lab.evaluation.loop import Conditions
from vla_ros.lab.evaluation.offline import _configured, _Views, planner_core
from vla_ros.parameters import from_mapping, nested
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.policies.contract import JointState
from vla_ros.sim.arm_description import JOINT_NAMES
from vla_ros.time import NS_PER_S


def test_the_planner_is_configured_as_in_the_graph() -> None:
    configured = _configured("compact")
    assert configured == from_mapping(PlannerParameters, nested(parameters_of("planner", policy="compact")))
    assert (configured.required_cameras, configured.policy) == (["front"], "compact")


def test_the_conditions_of_an_evaluation_go_before_the_planners_own() -> None:
    policy = SimpleNamespace(checkpoint="0123")
    core = planner_core(_configured("classical"), Conditions(plan_period_s=0.5, valid_for_s=2.0), policy)  # type: ignore[arg-type]
    state = JointState(0, np.zeros(len(JOINT_NAMES)), np.zeros(len(JOINT_NAMES)))
    core.on_joint_state(0, state)
    core.on_instruction(1, "pick up the red cube")
    core.on_frames(Frames(0, {"front": CameraView(np.zeros((4, 4, 3), np.uint8))}), 0)
    assert core.due(0) and core.request(0) is not None
    assert not core.due(round(0.3 * NS_PER_S)) and core.due(round(0.4 * NS_PER_S))
    core.on_instruction(2, "stop")
    (plan,) = [output.plan for output in core.take_outputs() if isinstance(output, PlanOutput)]
    assert (plan.valid_for_s, plan.checkpoint) == (2.0, "0123")


def test_a_camera_is_drawn_when_it_is_asked_for_and_once() -> None:
    drawn: list[str] = []

    def draw(camera: str, stamp_ns: int, qpos: np.ndarray) -> CameraView:
        drawn.append(camera)
        return CameraView(np.zeros((1, 1, 3), np.uint8))

    views = _Views(SimpleNamespace(draw=draw), 7, np.zeros(1))  # type: ignore[arg-type]
    assert drawn == [] and views.get("nowhere") is None
    assert views["front"] is views["front"] and drawn == ["front"]
    with pytest.raises(KeyError):
        views["nowhere"]
