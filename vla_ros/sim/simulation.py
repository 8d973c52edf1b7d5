"""Arm, table and things in MuJoCo, driven by setpoints. No clock: time passes when `tick` is called."""

from __future__ import annotations

import mujoco
import numpy as np
from numpy.typing import NDArray

from vla_ros.robot.description import FINGER_JOINT, HOME, JOINT_NAMES, MIMIC_JOINT
from vla_ros.sim.controller import PERIOD_S, Controller
from vla_ros.sim.model import TIMESTEP_S, body_name, xml
from vla_ros.sim.scene import Scene
from vla_ros.sim.tasks import Body, Task, judge, sample_task

Array = NDArray[np.float64]

STEPS = round(PERIOD_S / TIMESTEP_S)
SETTLE_S = 0.3  # things fall half a millimetre when a scene begins


class Simulation:
    """A scene with its task. Contacts are MuJoCo's; nothing is ever attached to the hand.

    Args:
        seed, kind: of the task (vla_ros.sim.tasks.sample_task). timeout_s, log: of the controller.
    """

    def __init__(self, seed: int = 0, kind: str = "", timeout_s: float = 0.02, log: str = "") -> None:
        self.controller = Controller(HOME, timeout_s, log)
        self.time_s = 0.0
        self.reset(seed, kind)

    def reset(self, seed: int, kind: str = "") -> None:
        """Build another scene; the arm is at HOME. Time goes on."""
        scene, task = sample_task(seed, kind)
        self.put(scene, task)

    def put(self, scene: Scene, task: Task) -> None:
        """Build this scene."""
        self.scene, self.task = scene, task
        self.xml = xml(scene)
        self.model = mujoco.MjModel.from_xml_string(self.xml)
        self.data = mujoco.MjData(self.model)
        addresses = [self.model.joint(name).qposadr[0] for name in JOINT_NAMES]
        self._q = np.array(addresses)
        self._dq = np.array([self.model.joint(name).dofadr[0] for name in JOINT_NAMES])
        self._bodies = {thing.name: self.model.body(body_name(thing)).id for thing in scene.things}
        self._fingers = {self.model.body(name).id for name in ("left_finger", "right_finger")}
        self.data.qpos[self._q] = HOME
        self.data.qpos[self.model.joint(MIMIC_JOINT).qposadr[0]] = HOME[JOINT_NAMES.index(FINGER_JOINT)]
        self.controller.reset(HOME)
        self.data.ctrl[:8] = HOME
        mujoco.mj_forward(self.model, self.data)
        for _ in range(round(SETTLE_S / TIMESTEP_S)):
            mujoco.mj_step(self.model, self.data)
        self._highest = {name: float(self.data.xpos[body][2]) for name, body in self._bodies.items()}
        self.start = self.truth()

    def tick(self) -> None:
        """Advance by one controller period (4 ms)."""
        q0, dq0 = self.controller.q, self.controller.dq
        self.controller.tick(self.time_s, self.q)
        for step in range(1, STEPS + 1):
            share = step / STEPS
            self.data.ctrl[:8] = q0 + share * (self.controller.q - q0)
            self.data.ctrl[8:] = (dq0 + share * (self.controller.dq - dq0))[:7]
            mujoco.mj_step(self.model, self.data)
        self.time_s += PERIOD_S
        for name, body in self._bodies.items():
            height = float(self.data.xpos[body][2])
            self._highest[name] = max(self._highest[name], height)

    @property
    def q(self) -> Array:
        """(8,) measured positions, ordered as JOINT_NAMES."""
        positions: Array = self.data.qpos[self._q]
        return positions

    @property
    def dq(self) -> Array:
        """(8,) measured velocities."""
        velocities: Array = self.data.qvel[self._dq]
        return velocities

    @property
    def effort(self) -> Array:
        """(8,) forces of the actuators, N m and N."""
        forces: Array = self.data.qfrc_actuator[self._dq]
        return forces

    def truth(self) -> dict[str, Body]:
        """State of everything on the table: for judges, never for a policy."""
        held = set()
        for contact in self.data.contact:
            a, b = (int(self.model.geom_bodyid[geom]) for geom in contact.geom)
            held |= {b} if a in self._fingers else {a} if b in self._fingers else set()
        velocity = np.zeros(6)
        bodies = {}
        for name, body in self._bodies.items():
            mujoco.mj_objectVelocity(self.model, self.data, mujoco.mjtObj.mjOBJ_BODY, body, velocity, 0)
            bodies[name] = Body(
                self.data.xpos[body].copy(), float(np.linalg.norm(velocity[3:])), self._highest[name], body in held
            )
        return bodies

    def judged(self) -> tuple[bool, list[dict[str, object]]]:
        """Return whether the scene's task is achieved now, and what was measured."""
        return judge(self.task, self.start, self.truth())

    def camera_pose(self, camera: str) -> Array:
        """Return T_base_camera (4, 4) of a camera's optical frame, now."""
        at = self.model.camera(camera).id
        transform = np.eye(4)
        transform[:3, :3] = self.data.cam_xmat[at].reshape(3, 3) @ np.diag([1.0, -1.0, -1.0])
        transform[:3, 3] = self.data.cam_xpos[at]
        return transform
