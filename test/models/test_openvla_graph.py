"""OpenVLA over the running graph: planner, action expert, filter and simulated arm, each a process; the tool goes ahead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("timm")
pytest.importorskip("transformers")
pytest.importorskip("rclpy")

from sensor_msgs.msg import JointState

from test.models import openvla_folder as made
from vla_ros.lab.evaluation.through_graph import GraphEvaluation
from vla_ros.msg import LatentPlan, SafetyStatus
from vla_ros.policies.contract import PlanState
from vla_ros.robot.kinematics import Kinematics
from vla_ros.ros.client import Client
from vla_ros.ros.qos import NEWEST, SENSOR
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

AHEAD = [0.9, 0.0, -0.21, 0.01, 0.13, -0.01, 0.99]
"""In [-1, 1]; by BRIDGE's range 25 mm ahead a step, the gripper open."""
FAR_M = 0.05
STATE = ["tool.x", "tool.y", "tool.z", "tool.rx", "tool.ry", "tool.rz", "finger_joint", "finger_joint"]


class Tool:
    """Where the tool is, by the joint states that the graph publishes."""

    def __init__(self, node: Any) -> None:
        self._kinematics = Kinematics(urdf(), JOINT_NAMES, "tool")
        self.at: np.ndarray | None = None
        self.q: np.ndarray | None = None
        node.create_subscription(JointState, "joint_states", self._hear, SENSOR)

    def _hear(self, message: JointState) -> None:
        where = dict(zip(message.name, message.position, strict=True))
        if set(JOINT_NAMES) <= where.keys():
            self.q = np.array([where[name] for name in JOINT_NAMES])
            self.at = self._kinematics.forward(self.q)[:3, 3]


def _overrides(name: str, folder: Path, **options: Any) -> dict[str, dict[str, Any]]:
    flat = {f"{name}.checkpoint": str(folder), f"{name}.device": "cpu"}
    flat |= {f"{name}.{key.replace('__', '.')}": value for key, value in options.items()}
    return {"planner": flat, "action_expert": flat}


@contextmanager
def _armed_arm(folder: Path) -> Iterator[tuple[Client, Tool]]:
    """The graph with a model that always says AHEAD, its arm armed."""
    checkpoint = made.write(folder, made.answering(AHEAD))
    overrides = _overrides("openvla", checkpoint, binding__cameras=["full_image=front"])
    with GraphEvaluation("openvla", overrides=overrides) as graph:
        talk, tool = graph.client, Tool(graph.client.node)
        armed, why = talk.arm(180.0)
        assert armed, why
        assert talk.spin(30.0, lambda: tool.at is not None)
        yield talk, tool


def test_a_plan_goes_where_the_tokens_say_and_the_arm_holds_when_asked(tmp_path: Path) -> None:
    with _armed_arm(tmp_path) as (talk, tool):
        plans: list[LatentPlan] = []
        talk.node.create_subscription(LatentPlan, "vla/latent_plan", plans.append, NEWEST)
        talk.publish("pick up the red cube")
        assert talk.spin(60.0, lambda: any(plan.state == PlanState.ACTIVE for plan in plans))
        active = [plan for plan in plans if plan.state == PlanState.ACTIVE]
        assert (active[0].kind, active[0].subtask) == ("actions", "pick up the red cube")
        first = Kinematics(urdf(), JOINT_NAMES, "tool")
        rows = np.frombuffer(bytes(active[0].data), active[0].dtype).reshape(active[0].shape)
        step = first.forward(rows[-1])[:3, 3] - first.forward(rows[0])[:3, 3]
        assert step == pytest.approx([0.025, 0.0, 0.0], abs=1e-3)
        talk.publish("")
        assert talk.spin(20.0, lambda: talk.plan is not None and talk.plan.state == PlanState.HOLD)
        talk.spin(2.0)
        held = tool.at.copy()
        talk.spin(1.0)
        assert np.abs(tool.at - held).max() < 1e-3, "without words it holds"


def test_the_tool_keeps_to_the_line_that_the_tokens_say(tmp_path: Path) -> None:
    with _armed_arm(tmp_path) as (talk, tool):
        start = tool.at.copy()
        talk.publish("pick up the red cube")
        assert talk.spin(60.0, lambda: tool.at[0] - start[0] > FAR_M)
        assert np.abs((tool.at - start)[1:]).max() < 0.03  # what a busy machine delays included


def test_oft_plays_its_chunks_with_two_cameras_and_the_state(tmp_path: Path) -> None:
    folder = made.write_oft(tmp_path)
    options = {
        "binding__cameras": ["full_image=front", "wrist_image=wrist"],
        "binding__state": STATE,
        "binding__position_scale": 0.002,  # a random head does not know where the arm can go
        "binding__rotation_scale": 0.01,
    }
    with GraphEvaluation("openvla_oft", overrides=_overrides("openvla_oft", folder, **options)) as graph:
        talk, tool = graph.client, Tool(graph.client.node)
        armed, why = talk.arm(180.0)
        assert armed, why
        assert talk.spin(30.0, lambda: tool.at is not None)
        start = tool.at.copy()
        plans: list[LatentPlan] = []
        talk.node.create_subscription(LatentPlan, "vla/latent_plan", plans.append, NEWEST)
        talk.publish("pick up the red cube")
        moved = talk.spin(60.0, lambda: np.abs(tool.at - start).max() > 0.005)
        assert moved, [plan.reasoning for plan in plans[-2:]]
        active = [plan for plan in plans if plan.state == PlanState.ACTIVE]
        assert active
        assert list(active[-1].shape) == [21, 8]
        assert talk.status is not None
        assert talk.status.state != SafetyStatus.DISARMED
