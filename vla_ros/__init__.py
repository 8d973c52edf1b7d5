"""A vision-language-action model on a ROS 2 robot arm, behind a deterministic safety filter.

What a program that uses the package as a library needs: the contract of a policy, the safety filter, parameters.

    from vla_ros import SafetyFilter, SafetyFilterParameters, from_mapping

    parameters = from_mapping(SafetyFilterParameters, {...})
    safety_filter = SafetyFilter.from_urdf(parameters, urdf)

Each name is imported when it is first used: `import vla_ros` loads neither rclpy nor torch nor pinocchio.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

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
_MODULES = {
    **dict.fromkeys(("ParameterError", "from_mapping", "parameter"), "vla_ros.parameters"),
    **dict.fromkeys(("CameraHealth", "CameraView", "Frames"), "vla_ros.perception.frames"),
    **dict.fromkeys(
        ("Chunk", "Instruction", "JointState", "Plan", "PlanState", "System1", "System2"), "vla_ros.policies.contract"
    ),
    "SafetyFilter": "vla_ros.safety.filter",
    "SafetyFilterParameters": "vla_ros.safety.safety_parameters",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
