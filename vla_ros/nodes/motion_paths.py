"""motion_paths: paths of the tool for RViz, of the chunk that System 1 intends and of the positions that the filter sent."""

from __future__ import annotations

import os
import sys
import time
from collections import deque
from collections.abc import Sequence

import numpy as np
from geometry_msgs.msg import Point, Pose, PoseStamped, Quaternion
from nav_msgs.msg import Path
from rclpy.node import Node
from std_msgs.msg import Header

from vla_ros.arrays import Array
from vla_ros.bringup.node_parameters import MotionPathsParameters
from vla_ros.msg import ActionChunk, SafetyStatus
from vla_ros.robot.base_frame import pose_in_root
from vla_ros.robot.kinematics import Kinematics
from vla_ros.robot.robot_model import library_line
from vla_ros.robot.urdf import root_link
from vla_ros.ros.diagnostics import OK, WARN, Diagnostics
from vla_ros.ros.node import StartRefused, run, steady_timer
from vla_ros.ros.parameter_declaration import declare_parameters
from vla_ros.ros.qos import EVENTS, NEWEST
from vla_ros.ros.robot_description import wait_for_urdf
from vla_ros.transforms import pose

PUBLISH_PERIOD_S = 0.2

Poses = deque[tuple[float, Pose]]


def path_message(header: Header, poses: list[Pose]) -> Path:
    """Return the poses as a path; no poses clear it."""
    return Path(header=header, poses=[PoseStamped(header=header, pose=each) for each in poses])


class MotionPathsNode(Node):
    """Turns joint positions into poses of the tool."""

    def __init__(self) -> None:
        super().__init__("motion_paths")
        self.parameters = p = declare_parameters(self, MotionPathsParameters)
        urdf = wait_for_urdf(self, p.urdf)
        self.T_base_root = np.linalg.inv(pose_in_root(urdf, p.base_frame, "motion_paths.base_frame"))
        self.frame = p.base_frame or root_link(urdf)
        try:
            self.kinematics = Kinematics(urdf, p.joint_names, p.tool_frame)
        except (ValueError, RuntimeError) as error:
            raise StartRefused(library_line(error)) from None
        self.sent_poses: Poses = deque()
        self.published_paths = 0
        self.problems: dict[str, str] = {}
        self.proposed = self.create_publisher(Path, "vla/proposed_motion", NEWEST)
        self.filtered = self.create_publisher(Path, "vla/filtered_motion", NEWEST)
        self.create_subscription(ActionChunk, "vla/action_chunk", self.on_chunk, NEWEST)
        self.create_subscription(SafetyStatus, "vla/safety_status", self.on_status, EVENTS)
        steady_timer(self, PUBLISH_PERIOD_S, self.publish_filtered_motion)
        self.diagnostics = Diagnostics(self, self.report)

    def header(self) -> Header:
        """Return a header of now in the base frame."""
        return Header(stamp=self.get_clock().now().to_msg(), frame_id=self.frame)

    def on_chunk(self, message: ActionChunk) -> None:
        """Publish the path of a new chunk, which replaces the one before."""
        order = self.joint_order("vla/action_chunk", message.trajectory.joint_names)
        if order is not None and self.proposed.get_subscription_count():
            poses = [self.tool_pose(np.array(point.positions)[order]) for point in message.trajectory.points]
            self.proposed.publish(path_message(self.header(), poses))
            self.published_paths += 1

    def on_status(self, message: SafetyStatus) -> None:
        """Keep the pose that the filter sent; a disarmed filter sends none."""
        order = self.joint_order("vla/safety_status", message.joint_names)
        if order is not None and len(message.positions) == len(message.joint_names):
            self.sent_poses.append((time.monotonic(), self.tool_pose(np.array(message.positions)[order])))

    def publish_filtered_motion(self) -> None:
        """Publish the path of the last `history_s`."""
        while self.sent_poses and time.monotonic() - self.sent_poses[0][0] > self.parameters.history_s:
            self.sent_poses.popleft()
        if self.filtered.get_subscription_count():
            self.filtered.publish(path_message(self.header(), [each for _, each in self.sent_poses]))
            self.published_paths += 1

    def joint_order(self, topic: str, names: Sequence[str]) -> list[int] | None:
        """Return the indices of this node's joints in `names`; None when one is missing, which the diagnostics report."""
        missing = set(self.parameters.joint_names) - set(names)
        self.problems[topic] = f"{topic} lacks {', '.join(sorted(missing))}" if missing else ""
        return None if missing else [names.index(name) for name in self.parameters.joint_names]

    def tool_pose(self, q: Array) -> Pose:
        """Return the pose of the tool in the base frame at q (n,), rad, in the order of joint_names."""
        x, y, z, qx, qy, qz, qw = pose(self.T_base_root @ self.kinematics.forward(q)).tolist()
        return Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """Return level, message and values for /diagnostics."""
        values: dict[str, object] = {"paths": self.published_paths}
        problems = "; ".join(filter(None, self.problems.values()))
        return (WARN, problems, values) if problems else (OK, "running", values)


def main() -> None:
    os.nice(5)
    sys.exit(run("motion_paths", MotionPathsNode))


if __name__ == "__main__":
    main()
