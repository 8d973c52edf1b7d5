"""Plays a plan from a file: the first thing to run on a new arm, slowly, before any camera or model is trusted.

System 2 reads the file and walks along it, waiting wherever the arm does not follow; System 1 leads the arm to that
walk from wherever it is, inside the limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError, from_mapping, parameter, yaml_of
from vla_ros.perception.frames import Frames
from vla_ros.policies.action_player import ROW_S, ActionPlayer
from vla_ros.policies.contract import Instruction, JointState, Plan, PlanState
from vla_ros.policies.policy_parameters import ScriptedParameters
from vla_ros.policies.registry import Robot, parameters_hash
from vla_ros.policies.transition import Transition, motion_limits
from vla_ros.resources import share
from vla_ros.robot.joint_map import JointMap
from vla_ros.robot.kinematics import Kinematics
from vla_ros.time import NS_PER_S

PLAN_ROWS = 120  # 2.4 s: what System 1 can use while a plan is valid
FOLLOWS = 0.03  # rad: the walk waits while a joint of the arm is farther than this from it, and
LAG_S = 0.25  # than it goes in this time; a finger may hold something
LONGEST_STEP_S = 0.5  # of the walk from one plan to the next, however long the frames were missing
QUINTIC_PEAKS = (1.875, 5.7735, 60.0)  # of velocity, acceleration and jerk of a quintic over unit length and time


@dataclass(frozen=True)
class _File:
    joint_names: list[str] = parameter(description="joints that the positions are for, in any order")
    relative: bool = parameter(description="true: positions are offsets from where the arm is at the start")


@dataclass(frozen=True)
class _Waypoint:
    seconds: float = parameter(description="time to get there at full speed", unit="s", above=0.0)
    positions: list[float] = parameter(description="joint positions", unit="rad or m")


@dataclass(frozen=True)
class Stretch:
    """From rest to rest in a straight line of joint space. q0, q1: (n,). start_s, duration_s: on the walk's clock."""

    q0: Array
    q1: Array
    start_s: float
    duration_s: float

    def at(self, time_s: float) -> Array:
        """Return (n,): quintic in time, so that velocity and acceleration are zero at both ends."""
        share = min(max((time_s - self.start_s) / self.duration_s, 0.0), 1.0)
        blend = share**3 * (10 - 15 * share + 6 * share**2)
        position: Array = self.q0 + blend * (self.q1 - self.q0)
        return position


def load(plan: str, joint_names: tuple[str, ...]) -> tuple[bool, list[tuple[float, Array]]]:
    """Read a plan.

    Args:
        plan: a file, or the name of one that ships.
        joint_names: the robot's joints.

    Returns:
        whether the positions are relative, and (seconds, positions ordered as joint_names) of each waypoint.

    Raises:
        ParameterError: no such file, or something in it is wrong.
        JointNamesError: its joints are not the robot's.
    """
    path = _find(plan)
    content = yaml_of(path, str(path))
    if not isinstance(content, Mapping) or not isinstance(content.get("waypoints"), list) or not content["waypoints"]:
        raise ParameterError(f"{path}: expected joint_names, relative and a list of waypoints")
    waypoints = content["waypoints"]
    header = from_mapping(_File, {key: content[key] for key in content if key != "waypoints"}, f"{path}: ")
    whoever = header.relative and not header.joint_names  # offsets that any arm may take, joint by joint
    order = np.arange(len(joint_names)) if whoever else JointMap(joint_names).permutation(header.joint_names, str(path))
    course = []
    for number, waypoint in enumerate(waypoints):
        values = from_mapping(
            _Waypoint, waypoint if isinstance(waypoint, Mapping) else {}, f"{path}: waypoint {number}: "
        )
        if len(values.positions) != len(order):
            raise ParameterError(
                f"{path}: waypoint {number}: positions: expected {len(order)} values, got {len(values.positions)}"
            )
        course.append((values.seconds, np.array(values.positions)[order]))
    return header.relative, course


def _find(plan: str) -> Path:
    for path in (Path(plan).expanduser(), share() / "config" / "scripted" / f"{plan}.yaml"):
        if path.is_file():
            return path
    raise ParameterError(f"scripted.plan: there is no file {plan!r}, nor a plan of that name in config/scripted/")


class ScriptedSystem2:
    """Any words start the plan, no words hold the arm, new words start it anew.

    Args:
        robot: the arm.
        parameters: which plan, how fast.

    Raises:
        ParameterError: the plan cannot be read or used.
        JointNamesError: its joints are not the robot's.
    """

    def __init__(self, robot: Robot, parameters: ScriptedParameters) -> None:
        self.checkpoint = parameters_hash("scripted", robot, parameters)
        self._kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        self._limits = motion_limits(parameters.motion, self._kinematics) / 2
        self._speed_scale = parameters.speed_scale
        self._relative, self._course = load(parameters.plan, robot.joint_names)
        self._instruction: int | None = None
        self._stretches: list[Stretch] = []
        self._elapsed_s = 0.0
        self._stamp_ns = 0

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return the next seconds of the walk; see `contract.System2`."""
        stamp_ns = frames.stamp_ns
        if not instruction.text.strip():
            self._instruction = None
            return Plan(stamp_ns, instruction, PlanState.HOLD)
        if instruction.id != self._instruction:
            self._instruction, self._elapsed_s, self._stamp_ns = instruction.id, 0.0, stamp_ns
            self._stretches = self._walk(joint_state.q)
            outside = self._outside()
            if outside:
                self._stretches = []
                return Plan(stamp_ns, instruction, PlanState.REFUSED, reasoning=outside)
        elif not self._stretches:
            return Plan(stamp_ns, instruction, PlanState.REFUSED, reasoning="the plan leaves the joint limits")

        total_s = self._stretches[-1].start_s + self._stretches[-1].duration_s
        at, arm = self._at(self._elapsed_s), self._kinematics.arm
        speed = np.abs(self._at(self._elapsed_s + ROW_S) - at) / ROW_S
        behind = np.zeros(len(at))
        behind[arm] = np.abs(joint_state.q - at)[arm]
        follows = bool((behind <= FOLLOWS + LAG_S * speed).all())
        if follows:
            self._elapsed_s += min(max(stamp_ns - self._stamp_ns, 0) / NS_PER_S, LONGEST_STEP_S)
        self._stamp_ns = stamp_ns
        if self._elapsed_s >= total_s + ROW_S:
            return Plan(stamp_ns, instruction, PlanState.DONE, subtask="at the end of the plan", progress=1.0)
        number = sum(stretch.start_s <= self._elapsed_s for stretch in self._stretches)
        late = self._kinematics.joint_names[int(behind.argmax())]
        # While the arm does not follow, the plan asks for one place, not for motion.
        rate = float(follows)
        return Plan(
            stamp_ns,
            instruction,
            PlanState.ACTIVE,
            subtask=f"waypoint {number} of {len(self._stretches)}",
            reasoning="" if follows else f"waiting for {late}: it is {behind.max():.2f} away from the plan",
            kind="actions",
            data=np.array([self._at(self._elapsed_s + rate * row * ROW_S) for row in range(PLAN_ROWS)]),
            progress=min(self._elapsed_s / total_s, 1.0),
            confidence=1.0,
        )

    def _walk(self, q: Array) -> list[Stretch]:
        q = np.clip(
            q, self._kinematics.lower, self._kinematics.upper
        )  # an open finger measures a hair beyond its limit
        stretches: list[Stretch] = []
        at, start_s = q, 0.0
        for seconds, positions in self._course:
            goal = q + positions if self._relative else positions
            way = np.abs(goal - at)
            needed_s = [
                float(np.max(peak * way / limit)) ** (1 / order)
                for order, (peak, limit) in enumerate(zip(QUINTIC_PEAKS, self._limits, strict=True), start=1)
            ]
            duration_s = max(seconds, *needed_s) / self._speed_scale
            stretches.append(Stretch(at, goal, start_s, duration_s))
            at, start_s = goal, start_s + duration_s
        return stretches

    def _outside(self) -> str:
        lower, upper = self._kinematics.lower, self._kinematics.upper
        for number, stretch in enumerate(self._stretches, start=1):
            for name, value, low, high in zip(self._kinematics.joint_names, stretch.q1, lower, upper, strict=True):
                if not low <= value <= high:
                    return f"waypoint {number} takes {name} to {value:.3f}, outside its limits {low:.3f} to {high:.3f}"
        return ""

    def _at(self, time_s: float) -> Array:
        current = max((stretch for stretch in self._stretches if stretch.start_s <= time_s), key=lambda s: s.start_s)
        return current.at(time_s)


class ScriptedSystem1(ActionPlayer):
    """Leads the arm onto the rows of an "actions" plan and along them.

    Args:
        robot: the arm.
        parameters: the same as System 2's.
    """

    def __init__(self, robot: Robot, parameters: ScriptedParameters) -> None:
        kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        transition = Transition.of(parameters.motion, kinematics, parameters.speed_scale)
        super().__init__(parameters_hash("scripted", robot, parameters), transition)
