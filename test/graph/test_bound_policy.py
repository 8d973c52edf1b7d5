"""A checkpoint that is bound moves the simulated arm through all nodes; what it says wrongly holds the arm."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sensor_msgs.msg import JointState

from test.unit.policies.binding.contracts import HIGH, JOINT_NAMES, LOW, statistics
from test.unit.policies.lerobot.folders import write_folder
from vla_ros.bringup.graph import bringup
from vla_ros.bringup.process import private_domain
from vla_ros.bringup.supervisor import Supervisor
from vla_ros.msg import LatentPlan
from vla_ros.policies.registry import GROUP
from vla_ros.ros.client import Client, connect
from vla_ros.ros.qos import SENSOR

PATIENCE_S = 120.0
ORDER = [JOINT_NAMES[index] for index in (6, 5, 4, 3, 2, 1, 0, 7)]
CAMERA = "observation.images.top"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Register the policy "rocking" for this process and its children; return a folder with a checkpoint in degrees."""
    packages = tmp_path / "packages"
    metadata = packages / "rocking-1.0.dist-info"
    metadata.mkdir(parents=True)
    (packages / "bound_policy.py").write_text((Path(__file__).parent / "bound_policy.py").read_text())
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: rocking\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\nrocking = bound_policy:POLICY\n")
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")]))
    order = np.array([JOINT_NAMES.index(name) for name in ORDER])
    factor = np.array([math.degrees(1.0)] * 7 + [1.0])
    spec = statistics(LOW[order] * factor, HIGH[order] * factor)
    image = {"mean": np.full((3, 1, 1), 0.4), "std": np.full((3, 1, 1), 0.2)}
    stats: dict[str, Any] = {"observation.state": spec, "action": spec, CAMERA: image}
    return write_folder(tmp_path / "ckpt", stats=stats, cameras=(CAMERA,))


def options(folder: Path, **more: Any) -> dict[str, dict[str, Any]]:
    flat = {
        "rocking.checkpoint": str(folder),
        "rocking.binding.cameras": ["top=front"],
        "rocking.binding.state": list(ORDER),
        "rocking.binding.action": [*ORDER[:7], "-"],
        "rocking.binding.angle_unit": "deg",
        "rocking.binding.rate_hz": 20.0,
        **more,
    }
    return {node: dict(flat) for node in ("planner", "action_expert")}


@contextmanager
def running(folder: Path, **more: Any) -> Iterator[Client]:
    supervisor = Supervisor(bringup(policy="rocking", overrides=options(folder, **more)), print)
    try:
        with connect() as made:
            made.wait_until_ready(PATIENCE_S)
            armed, why = made.arm(PATIENCE_S)
            assert armed, why
            yield made
    finally:
        supervisor.stop()


def test_the_joint_that_is_meant_moves_as_far_as_it_is_meant(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in private_domain().items():
        monkeypatch.setenv(key, value)
    with running(installed) as client:
        seen: list[list[float]] = []

        def on_state(message: JointState) -> None:
            at = dict(zip(message.name, message.position, strict=True))
            seen.append([at[name] for name in JOINT_NAMES])

        client.node.create_subscription(JointState, "joint_states", on_state, SENSOR)
        client.publish("pick up the red cube")
        client.spin(12.0)
        assert client.plan is not None and client.plan.state == LatentPlan.ACTIVE, client.plan
        assert client.plan.kind == "actions" and len(client.plan.waypoints) > 5
        moved = np.ptp(np.array(seen), axis=0)
        assert 0.15 < moved[6] < 0.25, moved
        assert np.delete(moved, 6).max() < 0.02, moved


@pytest.mark.parametrize(
    ("fault", "text"),
    [("radians", "times beyond what the statistics say"), ("broken", "is nan: the weights or the statistics")],
)
def test_an_action_that_is_wrong_holds_the_arm_and_says_so(
    installed: Path, monkeypatch: pytest.MonkeyPatch, fault: str, text: str
) -> None:
    for key, value in private_domain().items():
        monkeypatch.setenv(key, value)
    with running(installed, **{"rocking.fault": fault}) as client:
        client.publish("pick up the red cube")
        assert client.spin(30.0, lambda: client.plan is not None and client.plan.state == LatentPlan.FAILED)
        assert client.plan is not None and text in client.plan.reasoning
        client.spin(2.0)
        assert client.plan.state == LatentPlan.FAILED and text in client.question


def test_up_refuses_a_checkpoint_that_does_not_fit_before_anything_starts(installed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vla_ros.cli", "up", "--policy", "rocking", "--checkpoint", str(installed)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2 and done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert lines[-1].startswith(f"vla-ros: rocking: {installed}: rate: ") and "write binding.rate_hz" in lines[-1]
    assert any("binding.angle_unit: deg" in line for line in lines)
