"""Where each camera was when it took its image: fixed, on a link of the arm, or where /tf has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.robot.link_poses import LinkPoses

JointsAt: TypeAlias = Callable[[int], Array | None]
"""A moment in ROS time, ns → joint positions (n,) then, rad or m; None: not known."""
TransformAt: TypeAlias = Callable[[str, int], Array | None]
"""A frame and a moment, ns → its pose (4, 4) in the base frame; None: not known."""


class CameraMounts:
    """Gives the views of a set their poses.

    Args:
        poses: camera → (4, 4) pose of its optical frame, m, in the base frame or on its link.
        links: camera → link on which it is mounted; "" or absent: the base.
        link_poses: of the arm; None: its URDF cannot be used.
        transform_at: where frames are that the URDF does not have; None: nobody knows.
    """

    def __init__(
        self,
        poses: Mapping[str, Array],
        links: Mapping[str, str],
        link_poses: LinkPoses | None = None,
        transform_at: TransformAt | None = None,
    ) -> None:
        self._poses, self._links = dict(poses), dict(links)
        self._link_poses, self._transform_at = link_poses, transform_at

    @classmethod
    def of_arm(
        cls,
        fixed: Mapping[str, Array],
        mounted: Mapping[str, tuple[str, Array]],
        link_poses: LinkPoses | None,
        transform_at: TransformAt | None = None,
    ) -> CameraMounts:
        """Make the mounts of a robot's parameters.

        Args:
            fixed: camera → (4, 4) pose in the base frame. mounted: camera → its link, and its pose (4, 4) on that.

        Raises:
            ParameterError: nobody knows where a link is.
        """
        for name, (link, _) in mounted.items():
            if transform_at is None and (link_poses is None or not link_poses.knows(link)):
                raise ParameterError(f"planner.camera_links: camera {name}: the URDF has no link {link!r}")
        poses = {**fixed, **{name: pose for name, (_, pose) in mounted.items()}}
        return cls(poses, {name: link for name, (link, _) in mounted.items()}, link_poses, transform_at)

    def placed(self, frames: Frames, joints_at: JointsAt) -> Frames:
        """Return the frames with the pose of each camera at its own image's stamp, or why it is not known."""
        views = {}
        for name, view in frames.views.items():
            pose, problem = self._pose(name, view, joints_at)
            views[name] = replace(view, T_base_camera=pose, pose_problem=problem)
        return replace(frames, views=views)

    def _pose(self, name: str, view: CameraView, joints_at: JointsAt) -> tuple[Array | None, str]:
        fixed, link = self._poses.get(name), self._links.get(name, "")
        if fixed is not None and not link:
            return fixed, ""
        frame = link or view.frame_id
        if not frame:
            return None, "its images name no frame_id"
        mounted, problem = self._frame_pose(frame, view.stamp_ns, joints_at)
        if mounted is None:
            return None, problem
        return mounted if fixed is None else mounted @ fixed, ""

    def _frame_pose(self, frame: str, stamp_ns: int, joints_at: JointsAt) -> tuple[Array | None, str]:
        """Return T_base_frame (4, 4), m, at a moment, or why it is not known."""
        if self._link_poses is not None and self._link_poses.knows(frame):
            unnamed = self._link_poses.unnamed_joints(frame)
            if not unnamed:
                q = joints_at(stamp_ns)
                return (
                    (None, "no joint states of its image's moment")
                    if q is None
                    else (self._link_poses.pose(frame, q), "")
                )
            problem = f"{', '.join(unnamed)} moves it and is not in joint_names"
        else:
            problem = f"its frame {frame!r} is no link of the URDF"
        if self._transform_at is None:
            return None, problem
        pose = self._transform_at(frame, stamp_ns)
        return pose, "" if pose is not None else f"{problem}, and /tf does not have it at its image's moment"
