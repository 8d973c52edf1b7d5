"""Where is a link that people measure in? All poses of this package are in the frame of the URDF's root link.

A robot has several links that are called its base. UR arms have `base_link`, and a link `base` in it that is turned by 180
degrees: a pose in one of them, taken for one in the other, is mirrored.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pinocchio

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.robot.robot_model import robot_model
from vla_ros.robot.urdf import root_link
from vla_ros.transforms import matrix


def pose_in_root(urdf: str, link: str, parameter: str) -> Array:
    """Return T_root_link (4, 4), m, of a link that no joint moves.

    Args:
        link: its name; empty: the root.
        parameter: that names it, for the error.

    Raises:
        ParameterError: it is not a link of the URDF, or a joint moves it.
    """
    root = root_link(urdf)
    if link in ("", root):
        return np.eye(4)
    model = robot_model(urdf)
    if not model.existBodyName(link):
        raise ParameterError(
            f"{parameter}: the URDF has no link {link!r}; its root is {root!r}: name that, or leave the parameter out"
        )
    frame = model.frames[model.getFrameId(link, pinocchio.FrameType.BODY)]
    if frame.parentJoint != 0:
        joint = model.names[frame.parentJoint]
        raise ParameterError(
            f"{parameter}: joint {joint} moves {link!r}, so that nothing can be measured in it; name the root, {root!r}"
        )
    pose: Array = frame.placement.homogeneous
    return pose.copy()


def camera_poses_in_root(
    urdf: str, link: str, cameras: Sequence[str], poses: Sequence[float], parameter: str
) -> dict[str, Array]:
    """Return T_root_camera (4, 4), m, of cameras that were measured in a link.

    Args:
        link, parameter: as for `pose_in_root`.
        poses: x y z qx qy qz qw of each camera's optical frame in the link's frame, m.

    Raises:
        ParameterError: as `pose_in_root`.
    """
    T_root_link = pose_in_root(urdf, link, parameter)
    rows = np.reshape(poses, (-1, 7))
    return {name: T_root_link @ matrix(row[:3], row[3:]) for name, row in zip(cameras, rows, strict=True)}
