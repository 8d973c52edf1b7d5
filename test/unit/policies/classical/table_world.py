"""A table, an arm and objects without physics: the tool is where a waypoint says, and what it holds goes with it.

It shows whether a skill does what was said, in milliseconds; whether contacts hold is shown by test/sim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pinocchio

from test.unit.policies.classical.drawn_objects import CAMERA, draw
from vla_ros.arrays import Array
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.policies import waypoints
from vla_ros.policies.classical.shape_fitting import FittedShape
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState, System2
from vla_ros.policies.waypoints import Waypoint
from vla_ros.robot.kinematics import CENTERING_PER_M, Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.tasks.hand import FINGER_HALF_DEPTH_M
from vla_ros.tasks.vocabulary import CONTAINERS

STEPS = 20  # of a straight line
PERIOD_NS = 500_000_000  # of plans; the tool reaches one waypoint in each
MAX_PLANS = 120
IN_REACH_M = 0.015  # of fingers that close
FINGER = JOINT_NAMES.index("finger_joint")


class TableWorld:
    """Args: objects: name, such as "red cube" or "bowl" → shape, and where it stands. Attributes: q: (8,) joints."""

    def __init__(self, **objects: FittedShape) -> None:
        self.objects = {name.replace("_", " "): shape for name, shape in objects.items()}
        self.q = HOME.copy()
        self.held = ""
        self._grip_height = 0.0  # of the tool over the foot of what is held
        self._kinematics = Kinematics(urdf(), JOINT_NAMES, "tool")
        self._stamp_ns, self._reached, self._number = 0, -1, 0

    @property
    def tool(self) -> Array:
        """(3,) where the tool is."""
        p: Array = self._kinematics.forward(self.q)[:3, 3]
        return p

    def place(self, name: str) -> Array:
        """Return (3,) where the foot of an object is."""
        return self.objects[name].p_base

    def say(self, planner: System2, text: str) -> Plan:
        """Return the last plan for an instruction."""
        self._number, self._reached = self._number + 1, -1
        for _ in range(MAX_PLANS):
            plan = planner.plan(self._frames(), Instruction(self._number, text), self._joint_state())
            if plan.state not in (PlanState.ACTIVE, PlanState.HOLD):
                return plan
            if plan.state is PlanState.ACTIVE:
                self._follow(waypoints.unpack(plan.data))
            self._stamp_ns += PERIOD_NS
        raise AssertionError(f"{text}: no end; {plan}")

    def _frames(self) -> Frames:
        """Return what the camera sees: containers, then what is farther from it, then what hides that."""
        eye = CAMERA.T_base_camera[:3, 3]
        far = sorted(self.objects.items(), key=lambda entry: -float(np.linalg.norm(entry[1].p_base - eye)))
        order = sorted(far, key=lambda entry: entry[0] not in CONTAINERS)
        image = draw(*((name.split()[0], shape) for name, shape in order))
        return Frames(self._stamp_ns, {"front": CameraView(image, k=CAMERA.k, T_base_camera=CAMERA.T_base_camera)})

    def _joint_state(self) -> JointState:
        return JointState(self._stamp_ns, self.q.copy(), np.zeros(len(self.q)))

    def _follow(self, course: Sequence[Waypoint]) -> None:
        """Go to the next waypoint that has not been reached, then move the fingers."""
        for waypoint in course:
            if waypoint.index > self._reached:
                self._reached = waypoint.index
                self._go(waypoint.T_base_tool)
                self._move_fingers(waypoint.gripper)
                return

    def _go(self, T_base_tool: Array) -> None:
        start = self._kinematics.forward(self.q)
        turn, way = pinocchio.log3(start[:3, :3].T @ T_base_tool[:3, :3]), T_base_tool[:3, 3] - start[:3, 3]
        for share in np.linspace(0.0, 1.0, STEPS + 1)[1:]:
            pose = start.copy()
            pose[:3, 3] += share * way
            pose[:3, :3] = start[:3, :3] @ pinocchio.exp3(share * turn)
            self.q = self._kinematics.follow(pose, self.q, CENTERING_PER_M * float(np.linalg.norm(way)) / STEPS)
            self._push(way[:2])
            if self.held:
                self._put(self.held, self.tool - (0.0, 0.0, self._grip_height))

    def _push(self, way: Array) -> None:
        """Let the fingers push what stands in their way."""
        length = float(np.hypot(*way))
        for name, shape in self.objects.items():
            low = self.tool[2] < shape.p_base[2] + shape.height
            if name == self.held or name in CONTAINERS or not low or length < 1e-6:
                continue
            ahead = shape.p_base[:2] - self.tool[:2]
            along, aside = float(ahead @ way) / length, float(ahead @ (way[1], -way[0])) / length
            contact = shape.width / 2 + FINGER_HALF_DEPTH_M
            if 0.0 < along < contact and abs(aside) < shape.width / 2:
                self._put(name, shape.p_base + np.array([*(way / length * (contact - along)), 0.0]))

    def _move_fingers(self, gripper: float) -> None:
        if self.held:
            if gripper > self.objects[self.held].width / 2:
                self._drop(self.held)
                self.q[FINGER] = gripper
            return
        between = [name for name in self.objects if gripper < self.q[FINGER] and self._is_between(name)]
        self.q[FINGER] = gripper
        if between:
            self.held = between[0]
            self.q[FINGER] = self.objects[self.held].width / 2
            self._grip_height = float(self.tool[2] - self.place(self.held)[2])

    def _is_between(self, name: str) -> bool:
        shape, tool = self.objects[name], self.tool
        beside = float(np.hypot(*(shape.p_base - tool)[:2]))
        return name not in CONTAINERS and beside < IN_REACH_M and tool[2] < shape.p_base[2] + shape.height

    def _drop(self, name: str) -> None:
        """Let go of an object: it falls on what is below."""
        shape, floor = self.objects[name], 0.0
        for other, below in self.objects.items():
            if other != name and np.hypot(*(below.p_base - shape.p_base)[:2]) < below.width / 2:
                floor = max(floor, float(below.p_base[2]) + (below.floor if other in CONTAINERS else below.height))
        self.held = ""
        self._put(name, np.array([*shape.p_base[:2], floor]))

    def _put(self, name: str, p_base: Array) -> None:
        self.objects[name] = replace(self.objects[name], p_base=p_base)
