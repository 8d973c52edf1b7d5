"""Physics: the same for the same commands, and true to the description."""

from __future__ import annotations

import os

os.environ.setdefault("MUJOCO_GL", "egl")

import numpy as np
import yaml

from vla_ros.resources import share
from vla_ros.robot.kinematics import Kinematics
from vla_ros.robot.link_poses import LinkPoses
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.sim.model import CAMERAS
from vla_ros.sim.rendering import BACKENDS, RenderProcess
from vla_ros.sim.simulation import Simulation
from vla_ros.transforms import matrix


def wave(simulation: Simulation, ticks: int) -> np.ndarray:
    for tick in range(ticks):
        simulation.controller.command(HOME + 0.2 * np.sin(0.01 * tick) * np.array([1, 1, 1, 1, 1, 1, 1, 0]))
        simulation.tick()
    return simulation.data.qpos.copy()


def test_the_same_commands_give_the_same_bits() -> None:
    assert (wave(Simulation(5, "place"), 200) == wave(Simulation(5, "place"), 200)).all()


def test_the_arm_follows_its_commands() -> None:
    simulation = Simulation(5, "place")
    wave(simulation, 400)
    assert np.abs(simulation.q - simulation.controller.q).max() < 0.02


def test_the_tool_is_where_the_urdf_says() -> None:
    simulation = Simulation(5, "place")
    wave(simulation, 100)
    tool = simulation.data.site("tool")
    T_base_tool = Kinematics(urdf(), JOINT_NAMES).forward(simulation.q)
    import mujoco

    mujoco.mj_forward(simulation.model, simulation.data)
    assert np.abs(tool.xpos - T_base_tool[:3, 3]).max() < 1e-6
    assert np.abs(tool.xmat.reshape(3, 3) - T_base_tool[:3, :3]).max() < 1e-6


def test_the_urdf_file_is_the_description() -> None:
    assert (share() / "config" / "sim_arm.urdf").read_text() == urdf()


def test_the_planner_is_told_where_the_front_camera_is() -> None:
    planner = yaml.safe_load((share() / "config" / "sim.yaml").read_text())["planner"]["ros__parameters"]
    told = matrix(planner["camera_poses"][:3], planner["camera_poses"][3:])
    assert np.abs(told - Simulation(0).camera_pose("front")).max() < 1e-5


def test_the_wrist_camera_is_where_its_link_and_the_joints_say() -> None:
    simulation = Simulation(0)
    told = LinkPoses(urdf(), JOINT_NAMES).pose("wrist_camera_optical", simulation.q)
    assert told is not None and np.abs(told - simulation.camera_pose("wrist")).max() < 1e-6


def test_every_renderer_that_starts_sees_the_same_things() -> None:
    simulation = Simulation(5, "place")
    centres, wrists = {}, {}
    for backend in BACKENDS:
        try:
            eyes = RenderProcess(simulation.xml, 128, backend)
        except RuntimeError:
            continue
        assert eyes.request(1, simulation.data.qpos)
        answer = eyes.poll(30.0)
        eyes.close()
        assert answer is not None
        assert set(answer[1]) == set(CAMERAS)
        wrists[backend] = answer[1]["wrist"].astype(int)
        image = answer[1]["front"].astype(int)
        bowl = (image[:, :, 2] > image[:, :, 0] + 50) & (image[:, :, 1] > image[:, :, 0] + 50)
        centres[backend] = np.argwhere(bowl).mean(0)
    assert "ray" in centres
    for centre in centres.values():
        assert np.abs(centre - centres["ray"]).max() < 2.0
    # What is close to the wrist camera, the fingers and the palm, is in everybody's picture.
    for wrist in wrists.values():
        assert (np.abs(wrist - wrists["ray"]).max(2) > 60).mean() < 0.04
        assert wrist[100:].mean() < 60
