"""`import vla_ros` costs nothing and gives every name that it promises; the rooms likewise."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

HEAVY = ("numpy", "rclpy", "torch", "pinocchio", "coal", "mujoco", "cv2")


def imported(code: str) -> list[str]:
    """Names of HEAVY that a fresh interpreter has imported after `code`."""
    report = f"{code}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("room", ["vla_ros", "vla_ros.ros", "vla_ros.bringup", "vla_ros.tracing", "vla_ros.cli"])
def test_importing_a_room_imports_nothing_heavy(room: str) -> None:
    assert imported(f"import {room}") == []


@pytest.mark.parametrize("room", ["vla_ros", "vla_ros.bringup", "vla_ros.tracing"])
def test_every_promised_name_is_there(room: str) -> None:
    module = importlib.import_module(room)
    for name in module.__all__:
        assert getattr(module, name).__name__ == name
    assert set(module.__all__) <= set(dir(module))


@pytest.mark.parametrize("room", ["vla_ros", "vla_ros.ros", "vla_ros.bringup"])
def test_any_other_name_is_refused_with_the_rooms_name(room: str) -> None:
    with pytest.raises(AttributeError, match=f"module '{room}' has no attribute 'nothing'"):
        importlib.import_module(room).nothing  # noqa: B018


def test_the_contract_of_a_policy_needs_no_robot_library() -> None:
    assert imported("from vla_ros import Chunk, Frames, Plan, System1, System2, from_mapping") == ["numpy"]
