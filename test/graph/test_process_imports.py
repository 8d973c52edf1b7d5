"""The filter's process holds neither models nor the simulator; no node needs what only the laboratory has."""

from __future__ import annotations

import subprocess
import sys

import pytest

NODES = (
    "safety_filter",
    "safety_monitor",
    "camera",
    "planner",
    "action_expert",
    "sim_arm",
    "dashboard",
    "motion_paths",
    "task_server",
)


def modules_of(node: str) -> set[str]:
    """Names of all modules that a node's process has imported before it is made."""
    code = f"import sys, vla_ros.nodes.{node}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "forbidden", ["torch", "onnxruntime", "mujoco", "cv2", "vla_ros.sim", "vla_ros.policies", "vla_ros.bringup"]
)
def test_the_filters_process_imports_no_model_and_no_simulator(forbidden: str) -> None:
    assert forbidden not in modules_of("safety_filter")


@pytest.mark.parametrize("node", NODES)
def test_no_node_imports_the_laboratory_or_torch(node: str) -> None:
    assert not modules_of(node) & {"vla_ros.lab", "vla_ros.cli", "torch"}
