"""Draws the picture in the README: python -m vla_ros.sim.scene_picture docs/scene.png"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("MUJOCO_GL", "egl")

import cv2
import mujoco
import numpy as np

from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.sim.model import xml
from vla_ros.sim.simulation import Simulation


def main() -> None:
    """Reach over the red cube of seed 3 and look at it from beside the table."""
    simulation = Simulation(3, "place")
    cube = simulation.scene.find("red cube")
    T_base_tool = np.diag([1.0, -1.0, -1.0, 1.0])
    T_base_tool[:3, 3] = cube.x, cube.y, 0.10
    q = Kinematics(urdf(), JOINT_NAMES).inverse(T_base_tool, HOME)
    model = mujoco.MjModel.from_xml_string(xml(simulation.scene, beautiful=True))
    data = mujoco.MjData(model)
    data.qpos[:] = simulation.data.qpos
    for name, value in zip(JOINT_NAMES, HOME if q is None else q, strict=True):
        data.qpos[model.joint(name).qposadr[0]] = value
    data.qpos[model.joint("finger_joint_mimic").qposadr[0]] = HOME[-1]
    mujoco.mj_forward(model, data)
    view = mujoco.MjvCamera()
    view.lookat[:] = 0.35, 0.0, 0.25
    view.distance, view.azimuth, view.elevation = 1.75, 145.0, -22.0
    with mujoco.Renderer(model, 600, 900) as renderer:
        renderer.update_scene(data, view)
        cv2.imwrite(sys.argv[1], renderer.render()[:, :, ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])


if __name__ == "__main__":
    main()
