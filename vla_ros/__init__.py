"""A vision-language-action model on a ROS 2 robot arm, behind a deterministic safety filter.

What a program that uses the package as a library needs: the contract of a policy, the safety filter, parameters.

    from vla_ros import SafetyFilter, SafetyFilterParameters, from_mapping

    parameters = from_mapping(SafetyFilterParameters, {...})
    safety_filter = SafetyFilter.from_urdf(parameters, urdf)

Each name is imported when it is first used: `import vla_ros` loads neither rclpy nor torch nor pinocchio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

if TYPE_CHECKING:
    from vla_ros.parameters import ParameterError, from_mapping, parameter
    from vla_ros.perception.frames import CameraHealth, CameraView, Frames
    from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState, System1, System2
    from vla_ros.safety.filter import SafetyFilter
    from vla_ros.safety.safety_parameters import SafetyFilterParameters

__all__ = [
    "CameraHealth",
    "CameraView",
    "Chunk",
    "Frames",
    "Instruction",
    "JointState",
    "ParameterError",
    "Plan",
    "PlanState",
    "SafetyFilter",
    "SafetyFilterParameters",
    "System1",
    "System2",
    "from_mapping",
    "parameter",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "parameters": (
            "ParameterError",
            "from_mapping",
            "parameter",
        ),
        "perception.frames": (
            "CameraHealth",
            "CameraView",
            "Frames",
        ),
        "policies.contract": (
            "Chunk",
            "Instruction",
            "JointState",
            "Plan",
            "PlanState",
            "System1",
            "System2",
        ),
        "safety.filter": ("SafetyFilter",),
        "safety.safety_parameters": ("SafetyFilterParameters",),
    },
)
