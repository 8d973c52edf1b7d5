"""Arm, table and objects in MuJoCo, driven by setpoints. No clock: time passes when `tick` is called."""

from __future__ import annotations

from collections.abc import Callable

import mujoco
import numpy as np

from vla_ros.arrays import Array
from vla_ros.sim.arm_description import FINGER_JOINT, HOME, JOINT_NAMES, MIMIC_JOINT
from vla_ros.sim.controller import PERIOD_S, SimulatedController
from vla_ros.sim.model import TIMESTEP_S, body_name, xml
from vla_ros.sim.scene import Scene
from vla_ros.sim.task_sampler import sample_task
from vla_ros.sim.variation import Variation, sample_varied
from vla_ros.tasks.judge import ObjectState, evaluate_task
from vla_ros.tasks.task import Task
from vla_ros.time import NS_PER_S

STEPS = round(PERIOD_S / TIMESTEP_S)
SETTLE_S = 0.3  # objects fall half a millimetre when a scene begins


class Simulation:
    """A scene with its task. Contacts are MuJoCo's; nothing is ever attached to the hand.

    Args:
        seed, kind: of the task (vla_ros.sim.task_sampler.sample_task). controller: that leads the arm; None: a `jtc`,
        which hands positions on until a trajectory comes. variation: what may differ from the plain scene; None: nothing.
    """

    def __init__(
        self,
        seed: int = 0,
        kind: str = "",
        controller: SimulatedController | None = None,
        variation: Variation | None = None,
    ) -> None:
        self.controller = controller or SimulatedController(HOME, "jtc")
        self.time_s = 0.0
        self.reset(seed, kind, variation)

    @classmethod
    def of(cls, scene: Scene, task: Task) -> Simulation:
        """Return a simulation of this scene."""
        simulation = cls.__new__(cls)
        simulation.controller, simulation.time_s = SimulatedController(HOME, "jtc"), 0.0
        simulation.put(scene, task)
        return simulation

    def reset(self, seed: int, kind: str = "", variation: Variation | None = None) -> None:
        """Build another scene; the arm is at HOME. Time goes on."""
        self.put(*(sample_task(seed, kind) if variation is None else sample_varied(seed, kind, variation)))

    def put(self, scene: Scene, task: Task) -> None:
        """Build this scene."""
        self.scene, self.task = scene, task
        self.xml = xml(scene)
        self.model = mujoco.MjModel.from_xml_string(self.xml)
        self.data = mujoco.MjData(self.model)
        addresses = [self.model.joint(name).qposadr[0] for name in JOINT_NAMES]
        self._q = np.array(addresses)
        self._dq = np.array([self.model.joint(name).dofadr[0] for name in JOINT_NAMES])
        self._bodies = {item.name: self.model.body(body_name(item)).id for item in scene.objects}
        self._left, self._right = (self.model.body(name).id for name in ("left_finger", "right_finger"))
        self._fingers = {self._left, self._right}
        self.place_arm(HOME)
        for _ in range(round(SETTLE_S / TIMESTEP_S)):
            mujoco.mj_step(self.model, self.data)
        self._body_ids = np.array(list(self._bodies.values()))
        self._highest = self.data.xpos[self._body_ids, 2].copy()
        self.start = self.truth()

    def place_arm(self, q: Array) -> None:
        """Put the arm at q (8,), at rest, whatever is there."""
        mimic = self.model.joint(MIMIC_JOINT)
        self.data.qpos[self._q], self.data.qvel[self._dq] = q, 0.0
        self.data.qpos[mimic.qposadr[0]], self.data.qvel[mimic.dofadr[0]] = q[JOINT_NAMES.index(FINGER_JOINT)], 0.0
        self.data.ctrl[:8], self.data.ctrl[8:] = q, 0.0
        self.controller.reset(q)
        mujoco.mj_forward(self.model, self.data)

    def tick(self, start_ns: int | None = None, before_cycle: Callable[[int], None] | None = None) -> None:
        """Advance by PERIOD_S, in which the controller runs one or more cycles.

        Args:
            start_ns: ROS time at which it begins; None: the simulated time. before_cycle: called before each cycle of the
                controller with the time since then, ns: hand it the commands that have arrived.
        """
        controller = self.controller
        start_ns = round(self.time_s * NS_PER_S) if start_ns is None else start_ns
        cycles, done = round(controller.rate_hz * PERIOD_S), 0
        q0, dq0 = controller.q, controller.dq
        for step in range(STEPS):
            while done < cycles and done * STEPS < (step + 1) * cycles:
                since_ns = round(done * PERIOD_S * NS_PER_S) // cycles
                if before_cycle is not None:
                    before_cycle(since_ns)
                q0, dq0 = controller.q, controller.dq
                controller.update(start_ns + since_ns, self.q, self.time_s + since_ns / NS_PER_S)
                done += 1
            # The drives interpolate from cycle to cycle.
            share = min(1.0, (step + 1) * cycles / STEPS - (done - 1))
            self.data.ctrl[:8] = q0 + share * (controller.q - q0)
            self.data.ctrl[8:] = (dq0 + share * (controller.dq - dq0))[:7]
            mujoco.mj_step(self.model, self.data)
        self.time_s += PERIOD_S
        np.maximum(self._highest, self.data.xpos[self._body_ids, 2], out=self._highest)

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
        """(8,) forces of the actuators, what holds the arm against gravity included, N m and N."""
        forces: Array = (self.data.qfrc_actuator + self.data.qfrc_gravcomp)[self._dq]
        return forces

    def truth(self) -> dict[str, ObjectState]:
        """State of everything on the table: for judges, never for a policy."""
        held = set()
        for contact in self.data.contact:
            a, b = (int(self.model.geom_bodyid[geom]) for geom in contact.geom)
            held |= {b} if a in self._fingers else {a} if b in self._fingers else set()
        velocity = np.zeros(6)
        bodies = {}
        for (name, body), highest in zip(self._bodies.items(), self._highest, strict=True):
            mujoco.mj_objectVelocity(self.model, self.data, mujoco.mjtObj.mjOBJ_BODY, body, velocity, 0)
            bodies[name] = ObjectState(
                self.data.xpos[body].copy(), float(np.linalg.norm(velocity[3:])), float(highest), body in held
            )
        return bodies

    def object_pose(self, name: str) -> Array:
        """Return T_base_object (4, 4)."""
        pose = np.eye(4)
        pose[:3, :3] = self.data.xmat[self._bodies[name]].reshape(3, 3)
        pose[:3, 3] = self.data.xpos[self._bodies[name]]
        return pose

    def move_object(self, name: str, p_base: Array) -> None:
        """Put an object elsewhere, at rest. p_base: (3,) of its centre, m."""
        joint = self.model.body(self._bodies[name]).jntadr[0]
        at, speed = self.model.jnt_qposadr[joint], self.model.jnt_dofadr[joint]
        self.data.qpos[at : at + 3] = p_base
        self.data.qvel[speed : speed + 6] = 0.0
        mujoco.mj_forward(self.model, self.data)

    def gripped(self) -> str:
        """Return the name of what both fingers touch, or nothing."""
        a, b = self.model.geom_bodyid[self.data.contact.geom].T
        left, right = (set(b[a == finger]) | set(a[b == finger]) for finger in (self._left, self._right))
        between = left & right
        return next((name for name, body in self._bodies.items() if body in between), "") if between else ""

    def evaluate_task(self) -> tuple[bool, list[dict[str, object]]]:
        """Return whether the scene's task is achieved now, and what was measured."""
        return evaluate_task(self.task, self.start, self.truth())

    def camera_pose(self, camera: str) -> Array:
        """Return T_base_camera (4, 4) of a camera's optical frame, now."""
        at = self.model.camera(camera).id
        transform = np.eye(4)
        transform[:3, :3] = self.data.cam_xmat[at].reshape(3, 3) @ np.diag([1.0, -1.0, -1.0])
        transform[:3, 3] = self.data.cam_xpos[at]
        return transform
