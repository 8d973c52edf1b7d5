"""The simulated arm: a Franka-like arm, a table, objects and cameras in MuJoCo.

`Simulation(seed, kind)` is a scene with its task. Time passes when `tick` is called. `sample_task` and `sample_varied` make
scenes and tasks from a seed. `RenderProcess` draws what the cameras see. `Expert` makes demonstrations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

if TYPE_CHECKING:
    from vla_ros.sim.appearance import Appearance
    from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
    from vla_ros.sim.controller import SimulatedController
    from vla_ros.sim.expert import Expert
    from vla_ros.sim.rendering import CameraRenderer, RenderProcess
    from vla_ros.sim.scene import Scene, SceneObject
    from vla_ros.sim.sim_arm_parameters import SimArmParameters
    from vla_ros.sim.simulation import Simulation
    from vla_ros.sim.task_sampler import sample_task
    from vla_ros.sim.trajectory_controller import CommandRefused, TrajectoryController
    from vla_ros.sim.variation import Variation, sample_varied

__all__ = [
    "HOME",
    "JOINT_NAMES",
    "Appearance",
    "CameraRenderer",
    "CommandRefused",
    "Expert",
    "RenderProcess",
    "Scene",
    "SceneObject",
    "SimArmParameters",
    "SimulatedController",
    "Simulation",
    "TrajectoryController",
    "Variation",
    "sample_task",
    "sample_varied",
    "urdf",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "appearance": ("Appearance",),
        "arm_description": (
            "HOME",
            "JOINT_NAMES",
            "urdf",
        ),
        "controller": ("SimulatedController",),
        "expert": ("Expert",),
        "rendering": (
            "CameraRenderer",
            "RenderProcess",
        ),
        "scene": (
            "Scene",
            "SceneObject",
        ),
        "sim_arm_parameters": ("SimArmParameters",),
        "simulation": ("Simulation",),
        "task_sampler": ("sample_task",),
        "trajectory_controller": (
            "CommandRefused",
            "TrajectoryController",
        ),
        "variation": (
            "Variation",
            "sample_varied",
        ),
    },
)
