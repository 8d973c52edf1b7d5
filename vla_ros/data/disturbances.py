"""What goes wrong in a demonstration, so that there is something to recover from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from vla_ros.arrays import Array
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim import phases
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.sim.motion import pose_of
from vla_ros.sim.phases import ExpertDecision, ToolGoal
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.variation import X_RANGE, Y_RANGE
from vla_ros.tasks.hand import FINGER_CLOSED_M, FINGER_OPEN_M, LOWEST_TOOL_M
from vla_ros.tasks.vocabulary import MOVABLE_SHAPES

SHARES = {
    "none": 0.50,
    "odd start": 0.15,
    "slip": 0.08,
    "drop": 0.07,
    "moved": 0.08,
    "wrong object": 0.04,
    "kick": 0.08,
}
ALSO_ODD = 0.3  # share of the other disturbed episodes that start oddly too
MISSED_M = (0.014, 0.034)  # a grasp goes so far astray
KICK_M = (0.02, 0.06)
SHIFT_M = (0.02, 0.10)
BOX = ((0.30, 0.62), (-0.28, 0.28), (0.16, 0.46))  # where an odd start has the tool, m
TILT_RAD = 0.2
CLOSING_S = 0.8  # that a grasp that goes astray takes
DROPPING_S = 0.5  # that fingers stay open: they are told to be closed far more than they are
KICKING_S = 0.4


@dataclass
class ArmDisturbance:
    """What goes wrong in one demonstration.

    Attributes:
        kind: of SHARES.
        rng: source of what is random later.
        q: (8,) where the arm starts, rad (m), or None: HOME.
        held: name of what is in the hand at the start.
        happened: whether it came about; of an odd start, q says so.
    """

    kind: str
    rng: np.random.Generator
    q: Array | None = None
    held: str = ""
    happened: bool = False
    _phase: int = -1
    _share: float = 0.0
    _offset: Array = field(default_factory=lambda: np.zeros(3))
    _at_s: float = math.inf
    _until_s: float = math.nan
    _over: bool = False
    _seen: int = -1
    _astray: ToolGoal | None = None

    @property
    def recovery(self) -> str:
        """What the expert had to recover from: a disturbance that was drawn and did not happen is none."""
        return self.kind if self.happened else "none" if self.q is None else "odd start"

    def act(
        self, decision: ExpertDecision, simulation: Simulation, commanded_tool: Array
    ) -> tuple[tuple[ToolGoal, ...], bool]:
        """Return the goals that the arm follows in truth, and whether they are the expert's own.

        It may also move an object.
        """
        now_s = simulation.time_s
        goals = decision.goals
        if self._over or self.kind in ("none", "odd start", "wrong object"):
            return goals, True
        entered = decision.phase != self._seen
        self._seen = decision.phase
        if self.kind == "slip":
            return self._slip(decision, now_s, commanded_tool)
        if not math.isnan(self._until_s):
            if now_s < self._until_s:
                return self._disturbed(goals, commanded_tool), False
            self._over, self._until_s = True, math.nan
            return goals, True
        if entered and decision.phase == self._phase:
            self._at_s = now_s + self._share
        if decision.phase == self._phase and now_s >= self._at_s:
            if self.kind == "moved":
                self._over = True
                self.happened = move_to_free_place(simulation, decision.x, self.rng)
                return goals, True
            self.happened = True
            self._until_s = now_s + (DROPPING_S if self.kind == "drop" else KICKING_S)
            return self._disturbed(goals, commanded_tool), False
        return goals, True

    def _slip(self, decision: ExpertDecision, now_s: float, commanded_tool: Array) -> tuple[tuple[ToolGoal, ...], bool]:
        """Go down beside the object and close the fingers there, once."""
        goals = decision.goals
        if self._astray is None:
            if decision.phase != phases.DOWN:
                return goals, True
            first = goals[0]
            self._astray = first._replace(x=first.x + self._offset[0], y=first.y + self._offset[1])
        astray = self._astray
        if math.isnan(self._until_s) and np.abs(commanded_tool[:3] - astray[:3]).max() < 0.002:
            self._until_s, self.happened = now_s + CLOSING_S, True
        self._over = now_s >= self._until_s
        if not math.isnan(self._until_s):
            astray = astray._replace(gripper=FINGER_CLOSED_M)
        return (goals, True) if self._over else ((astray,), False)

    def _disturbed(self, goals: tuple[ToolGoal, ...], commanded_tool: Array) -> tuple[ToolGoal, ...]:
        first = goals[0]
        if self.kind == "drop":
            return (first._replace(gripper=FINGER_OPEN_M), *goals[1:])
        x, y, z = (float(v) for v in commanded_tool[:3] + self._offset)
        return (first._replace(x=x, y=y, z=max(z, LOWEST_TOOL_M + 0.02), speed=0.3), *goals[1:])


def draw(rng: np.random.Generator, simulation: Simulation) -> ArmDisturbance:
    """Return a disturbance that fits the simulation's task."""
    steps = simulation.task.steps
    grasps = [step for step in steps if step.kind != "push"]
    kind = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    if kind in ("slip", "drop") and not grasps:
        kind = "moved" if kind == "slip" else "kick"
    disturbance = ArmDisturbance(kind, rng)
    if kind == "odd start" or (kind not in ("none", "wrong object") and rng.random() < ALSO_ODD):
        disturbance.q = _odd_start(rng)
    angle = rng.uniform(0, 2 * math.pi)
    line = np.array([math.cos(angle), math.sin(angle), 0.0])
    if kind == "slip":
        disturbance._offset = line * rng.uniform(*MISSED_M)
    if kind == "kick":
        disturbance._offset = (line + [0, 0, rng.uniform(-0.3, 0.8)]) * rng.uniform(*KICK_M)
        pushes = steps[0].kind == "push"
        when = [phases.BEHIND, phases.DOWN_BEHIND] if pushes else [phases.REACH, phases.DOWN, phases.LIFT]
        disturbance._phase, disturbance._share = int(rng.choice(when)), float(rng.uniform(0.05, 0.6))
    if kind == "drop":
        placing = grasps[0].kind != "pick"
        disturbance._phase = int(rng.choice([phases.LIFT, phases.CARRY])) if placing else phases.LIFT
        disturbance._share = float(rng.uniform(0.1, 0.5))
    if kind == "moved":
        pushes = steps[0].kind == "push"
        when = [phases.BEHIND] if pushes else [phases.REACH, phases.REACH, phases.DOWN]
        disturbance._phase, disturbance._share = int(rng.choice(when)), float(rng.uniform(0.1, 1.0))
    if kind == "wrong object":
        named = {step.x for step in steps} | {step.y for step in steps}
        others = [
            item.name for item in simulation.scene.objects if item.shape in MOVABLE_SHAPES and item.name not in named
        ]
        if others:
            disturbance.held = str(rng.choice(others))
        else:
            disturbance.kind = "none"
    return disturbance


def _odd_start(rng: np.random.Generator) -> Array:
    kinematics = Kinematics(urdf(), JOINT_NAMES)
    while True:
        values = np.array(
            [*(rng.uniform(*side) for side in BOX), rng.uniform(-1.0, 1.2), *rng.uniform(-1, 1, 2) * TILT_RAD]
        )
        q = kinematics.inverse(pose_of(values), HOME + np.array([*rng.uniform(-0.15, 0.15, 7), 0.0]))
        if q is not None and kinematics.limit_proximity(q) < 0.93:
            q[-1] = rng.choice([0.0, FINGER_OPEN_M, rng.uniform(0.0, FINGER_OPEN_M)], p=[0.3, 0.4, 0.3])
            return q


def move_to_free_place(simulation: Simulation, name: str, rng: np.random.Generator) -> bool:
    """Move an object over the table to where there is room; returns whether there is any."""
    at = simulation.object_pose(name)[:3, 3]
    item = simulation.scene.find(name)
    others = [(o.radius, simulation.object_pose(o.name)[:2, 3]) for o in simulation.scene.objects if o.name != name]
    for _ in range(100):
        angle, length = rng.uniform(0, 2 * math.pi), rng.uniform(*SHIFT_M)
        spot = at[:2] + length * np.array([math.cos(angle), math.sin(angle)])
        inside = X_RANGE[0] < spot[0] < X_RANGE[1] and Y_RANGE[0] < spot[1] < Y_RANGE[1]
        if inside and all(np.linalg.norm(spot - p) > r + item.radius + 0.03 for r, p in others):
            simulation.move_object(name, np.array([*spot, at[2]]))
            return True
    return False
