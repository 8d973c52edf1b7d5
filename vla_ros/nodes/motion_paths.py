"""motion_paths: the tool's way as RViz draws it, what System 1 intends and what the filter sent."""

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

from vla_ros.bringup.node_parameters import MotionPathsParameters
from vla_ros.msg import ActionChunk, SafetyStatus
from vla_ros.robot.kinematics import Kinematics
from vla_ros.ros.node import EVENTS, NEWEST, OK, WARN, Diagnostics, StartRefused, declare, every, run, urdf_of
from vla_ros.transforms import pose

Poses = deque[tuple[float, Pose]]


def path_message(header: Header, poses: list[Pose]) -> Path:
    """Poses as a path; empty poses clear it."""
    return Path(header=header, poses=[PoseStamped(header=header, pose=each) for each in poses])


class MotionPaths(Node):
    """Thin: joints in, poses of the tool out."""

    def __init__(self) -> None:
        super().__init__("motion_paths")
        self.parameters = p = declare(self, MotionPathsParameters)
        urdf = urdf_of(self, p.urdf)
        try:
            self.kinematics = Kinematics(urdf, p.joint_names, p.tool_frame)
        except (ValueError, RuntimeError) as error:
            raise StartRefused(" ".join(str(error).split())) from None
        self.sent: Poses = deque()
        self.paths = 0
        self.strange: dict[str, str] = {}
        self.proposed = self.create_publisher(Path, "vla/proposed_motion", NEWEST)
        self.filtered = self.create_publisher(Path, "vla/filtered_motion", NEWEST)
        self.create_subscription(ActionChunk, "vla/action_chunk", self.see_chunk, NEWEST)
        self.create_subscription(SafetyStatus, "vla/safety_status", self.see_status, EVENTS)
        every(self, 0.2, self.show)
        self.diagnostics = Diagnostics(self, self.report)

    def header(self) -> Header:
        return Header(stamp=self.get_clock().now().to_msg(), frame_id=self.parameters.base_frame)

    def see_chunk(self, message: ActionChunk) -> None:
        """A new intention takes the place of the one before."""
        order = self.order("vla/action_chunk", message.trajectory.joint_names)
        if order is not None and self.proposed.get_subscription_count():
            poses = [self.tool(np.array(point.positions)[order]) for point in message.trajectory.points]
            self.proposed.publish(path_message(self.header(), poses))
            self.paths += 1

    def see_status(self, message: SafetyStatus) -> None:
        """Keep where the tool was sent; while disarmed nothing is."""
        order = self.order("vla/safety_status", message.joint_names)
        if order is not None and len(message.positions) == len(message.joint_names):
            self.sent.append((time.monotonic(), self.tool(np.array(message.positions)[order])))

    def show(self) -> None:
        """The way of the last seconds."""
        while self.sent and time.monotonic() - self.sent[0][0] > self.parameters.history_s:
            self.sent.popleft()
        if self.filtered.get_subscription_count():
            self.filtered.publish(path_message(self.header(), [each for _, each in self.sent]))
            self.paths += 1

    def order(self, who: str, names: Sequence[str]) -> list[int] | None:
        """Where the joints of this node's parameters stand among `names`; None when one is missing."""
        missing = set(self.parameters.joint_names) - set(names)
        self.strange[who] = f"{who} lacks {', '.join(sorted(missing))}" if missing else ""
        return None if missing else [names.index(name) for name in self.parameters.joint_names]

    def tool(self, q: np.ndarray) -> Pose:
        """Where the tool is at q, (n,) in the order of joint_names."""
        x, y, z, qx, qy, qz, qw = pose(self.kinematics.forward(q)).tolist()
        return Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))

    def report(self) -> tuple[bytes, str, dict[str, object]]:
        """For /diagnostics."""
        values: dict[str, object] = {"paths": self.paths}
        strange = "; ".join(filter(None, self.strange.values()))
        return (WARN, strange, values) if strange else (OK, "running", values)


def main() -> None:
    os.nice(5)
    sys.exit(run("motion_paths", MotionPaths))


if __name__ == "__main__":
    main()
