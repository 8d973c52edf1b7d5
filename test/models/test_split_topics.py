"""The halves as nodes: planner and action expert, each in its process, over real topics.

The first chunk that the action expert publishes is the whole model's, led onto from rest: compared to the last bit.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("lerobot")
pytest.importorskip("rclpy")

import rclpy
import yaml
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState as JointStateMessage
from std_msgs.msg import String

from test.models import tiny
from test.models.split_cases import CAMERAS, CASES, JOINTS, STATE, TEXT, Case, Q, frames, images_of, system1
from vla_ros.bringup.process import private_domain
from vla_ros.msg import ActionChunk, CameraFrames, LatentPlan, SafetyStatus
from vla_ros.parameters import nested
from vla_ros.policies.contract import MOTION_ROWS, Chunk
from vla_ros.resources import share
from vla_ros.ros.stamps import time_message

SMALL = Path(__file__).parent / "small"
ROOT = Path(__file__).parents[2]
START_S = 240.0
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)


class Rig:
    """Gives both nodes what a robot gives: frames, joint states, a filter at rest, an instruction; and hears them."""

    def __init__(self) -> None:
        self.node = Node("rig")
        self.plans: list[LatentPlan] = []
        self.chunks: list[ActionChunk] = []
        newest = QoSProfile(depth=1)
        self._frames = self.node.create_publisher(CameraFrames, "vla/frames", newest)
        self._joints = self.node.create_publisher(JointStateMessage, "joint_states", BEST_EFFORT)
        self._status = self.node.create_publisher(SafetyStatus, "vla/safety_status", 10)
        self._instruction = self.node.create_publisher(String, "task_instruction", newest)
        self.node.create_subscription(LatentPlan, "vla/latent_plan", self.plans.append, newest)
        self.node.create_subscription(ActionChunk, "vla/action_chunk", self.chunks.append, newest)
        self._said = 0.0

    def tick(self, tick: int) -> None:
        """Publish once; an instruction every ten seconds until a chunk has come."""
        stamp = time_message(time.time_ns())
        joints = JointStateMessage(name=list(JOINTS), position=Q.tolist(), velocity=[0.0] * len(Q))
        joints.header.stamp = stamp
        self._joints.publish(joints)
        status = SafetyStatus(state=SafetyStatus.HOLDING)
        status.header.stamp = stamp
        self._status.publish(status)
        if tick % 5 == 0:
            seen = images_of(frames())
            message = CameraFrames(names=list(CAMERAS), frame_ids=list(CAMERAS), height=tiny.SIDE, width=tiny.SIDE)
            message.stamps = [stamp] * len(CAMERAS)
            message.header.stamp = stamp
            message.data = array("B", np.stack([seen[name] for name in CAMERAS]).tobytes())
            message.health = bytes(len(CAMERAS))
            message.k = [0.0] * 9 * len(CAMERAS)
            self._frames.publish(message)
        heard = self._instruction.get_subscription_count() >= 1
        if heard and not self.chunks and time.monotonic() - self._said > 10.0:
            self._instruction.publish(String(data=TEXT))
            self._said = time.monotonic()
        rclpy.spin_once(self.node, timeout_sec=0.0)
        rclpy.spin_once(self.node, timeout_sec=0.02)


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    for name, value in private_domain().items():
        monkeypatch.setenv(name, value)
    rclpy.init()
    made = Rig()
    yield made
    made.node.destroy_node()
    rclpy.try_shutdown()


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Start a node of the project with parameters."""
    processes = []

    def start(node: str, parameters: dict[str, Any]) -> Any:
        file = tmp_path / f"{node}.yaml"
        file.write_text(yaml.safe_dump({"/**": {"ros__parameters": nested(parameters)}}))
        path = os.pathsep.join([str(SMALL), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        log = (tmp_path / f"{node}.log").open("w")
        command = [sys.executable, "-m", f"vla_ros.nodes.{node}", "--ros-args", "--params-file", str(file)]
        process = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": path}, stdout=log, stderr=subprocess.STDOUT, cwd=tmp_path
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(10.0)
        except subprocess.TimeoutExpired:
            process.kill()


def flat(options: dict[str, Any], prefix: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in options.items():
        found |= flat(value, f"{prefix}.{name}") if isinstance(value, dict) else {f"{prefix}.{name}": value}
    return found


def start_both(case: Case, folder: Path, started: Callable[..., Any], **changes: Any) -> list[Any]:
    urdf = str(share() / "config" / "sim_arm.urdf")
    common = {"joint_names": list(JOINTS), "policy": case.policy, "urdf": urdf, "tool_frame": "tool"}
    common |= flat(case.all_options(folder), case.policy)
    planner = {**common, "valid_for_s": 30.0, "rate_hz": 2.0, "prompt": "plain.v1", **changes}
    return [started("planner", planner), started("action_expert", common)]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("shared", [True])
def test_the_chunk_on_the_topic_is_the_whole_models(
    name: str, shared: bool, rig: Rig, started: Callable[..., Any], tmp_path: Path
) -> None:
    case = CASES[name]
    folder = case.save(tmp_path / "policy")
    # The tiny plans are of a few kB: let them go through shared memory as large ones do.
    processes = start_both(case, folder, started, shared_memory_bytes=1 if shared else 0)
    end, tick = time.monotonic() + START_S, 0
    while not rig.chunks and time.monotonic() < end:
        assert all(process.poll() is None for process in processes), log(tmp_path)
        rig.tick(tick)
        tick += 1
    assert rig.chunks, log(tmp_path)
    chunk, plan = rig.chunks[0], rig.plans[-1]
    assert plan.state == LatentPlan.ACTIVE
    assert bool(plan.shm_name) is shared
    one = system1(case, folder)
    assert plan.checkpoint == one.checkpoint
    reference = case.reference(case, folder, images_of(frames()), one.binding.state(STATE), one.noise)
    width = one.half.noise_shape[2]
    padded = torch_pad(reference, width)
    rows = one.binding.positions(one.half.actions(padded), Q)
    expected = one.transition.onto(rows, Chunk.rest(Q, 0).positions, MOTION_ROWS, one.dt_s)
    assert chunk.trajectory.joint_names == list(JOINTS)
    published = np.array([point.positions for point in chunk.trajectory.points])
    assert published.shape == expected.shape
    assert (published == expected).all(), float(np.abs(published - expected).max())
    assert np.abs(expected[-1] - Q).max() > 1e-3


def torch_pad(actions: Any, width: int) -> Any:
    import torch

    return torch.nn.functional.pad(actions, (0, width - actions.shape[2]))


def log(folder: Path) -> str:
    return "\n".join(path.read_text()[-2000:] for path in folder.glob("*.log"))
