"""Checks an installed vla_ros: `installed.py PREFIX NODE` fails unless everything comes from PREFIX and NODE runs."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import control_msgs.action
import control_msgs.msg
import rclpy
from rclpy.qos import qos_profile_sensor_data
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import JointState

import vla_ros.action
import vla_ros.msg
import vla_ros.srv
from vla_ros.safety.compiled import KERNELS

WAIT_S = 60.0


def messages(prefix: Path) -> None:
    """The messages travel, and with libraries of this installation."""
    gripper = control_msgs.action.GripperCommand, control_msgs.action.ParallelGripperCommand
    own = vla_ros.msg.LatentPlan, vla_ros.srv.ResetScene.Request, vla_ros.action.Execute.Goal
    for kind in (*own, control_msgs.msg.JointTrajectoryControllerState, *(each.Goal for each in gripper)):
        assert deserialize_message(serialize_message(kind()), kind) == kind()
    mapped = {line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "vla_ros" in line}
    libraries = {Path(path) for path in mapped if "/libvla_ros__" in path}
    expected = {path.resolve() for path in (prefix / "lib").glob("libvla_ros__*")}
    assert libraries and libraries <= expected, f"libraries of another installation: {sorted(libraries - expected)}"


def files(prefix: Path) -> None:
    share = prefix / "share"
    for name in (
        "package.xml",
        "launch/bringup.launch.py",
        "config",
        "msg/LatentPlan.msg",
        "action/Execute.action",
        "cmake/vla_rosConfig.cmake",
    ):
        assert (share / "vla_ros" / name).exists(), f"not installed: share/vla_ros/{name}"
    for index in ("packages", "rosidl_interfaces"):
        assert (share / "ament_index/resource_index" / index / "vla_ros").exists(), f"not in the index of {index}"
    package = Path(control_msgs.msg.__file__).resolve()
    assert any((Path(path) / "share/control_msgs/package.xml").is_file() for path in package.parents), package


def kernels() -> None:
    """The compiled part of the safety filter is there; without it, a slower form in Python would be used."""
    assert KERNELS is not None and KERNELS.__file__ is not None
    assert Path(KERNELS.__file__).parent == Path(vla_ros.__file__).parent / "safety", KERNELS.__file__


def node_runs(executable: Path) -> None:
    """The node starts from the installed space, is heard over DDS and ends cleanly."""
    rclpy.init()
    node = rclpy.create_node("listener")
    heard: list[JointState] = []
    node.create_subscription(JointState, "joint_states", heard.append, qos_profile_sensor_data)
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([executable], stdout=output, stderr=subprocess.STDOUT)
        end = time.monotonic() + WAIT_S
        while not heard and process.poll() is None and time.monotonic() < end:
            rclpy.spin_once(node, timeout_sec=0.5)
        process.send_signal(signal.SIGINT)
        status = process.wait(WAIT_S)
        output.seek(0)
        words = output.read()
    node.destroy_node()
    rclpy.try_shutdown()
    assert heard and status == 0, f"{executable}: {len(heard)} messages heard, exit status {status}\n{words}"


def main() -> None:
    prefix, executable = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    assert os.access(executable, os.X_OK), f"not installed: {executable}"
    messages(prefix)
    files(prefix)
    kernels()
    node_runs(executable)
    print(f"works from {Path(vla_ros.__file__).parent}")


if __name__ == "__main__":
    main()
