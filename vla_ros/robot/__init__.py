"""Any arm: which value belongs to which joint, and where the tool is.

Kinematics needs pinocchio; it is imported only when it is asked for.
"""

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names
from vla_ros.robot.joint_map import JointMap, JointNamesError

if TYPE_CHECKING:
    from vla_ros.robot.kinematics import Kinematics

__all__ = ["JointMap", "JointNamesError", "Kinematics"]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "kinematics": ("Kinematics",),
    },
)
