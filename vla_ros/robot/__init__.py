"""Any arm: which value belongs to which joint, and where the tool is.

Kinematics needs pinocchio; it is imported only when it is asked for.
"""

from typing import TYPE_CHECKING, Any

from vla_ros.robot.joint_map import JointMap, JointNamesError

if TYPE_CHECKING:
    from vla_ros.robot.kinematics import Kinematics

__all__ = ["JointMap", "JointNamesError", "Kinematics"]


def __getattr__(name: str) -> Any:
    if name == "Kinematics":
        from vla_ros.robot.kinematics import Kinematics

        return Kinematics
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
