"""What goes wrong in a demonstration, so that there is something to recover from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim import expert, phases
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.sim.motion import pose_of
from vla_ros.sim.phases import Decision, Goal
from vla_ros.sim.scene import SHAPES
from vla_ros.sim.simulation import Simulation

Array = NDArray[np.float64]

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
class Disturbance:
    """kind: of SHARES. q: (8,) where the arm starts, or None: HOME. held: name of what is in the hand at the start.

    rng: source of what is random later. happened: whether it came about; of an odd start, q says so.
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
    _astray: Goal | None = None

    @property
    def recovery(self) -> str:
        """What the expert had to recover from: a disturbance that was drawn and did not happen is none."""
        return self.kind if self.happened else "none" if self.q is None else "odd start"

    def act(self, decision: Decision, simulation: Simulation, aim: Array) -> tuple[tuple[Goal, ...], bool]:
        """Return the goals that the arm follows in truth, and whether they are the expert's own.

        It may also move a thing.
        """
        now_s = simulation.time_s
        goals = decision.goals
        if self._over or self.kind in ("none", "odd start", "wrong object"):
            return goals, True
        entered = decision.phase != self._seen
        self._seen = decision.phase
        if self.kind == "slip":
            return self._slip(decision, now_s, aim)
        if not math.isnan(self._until_s):
            if now_s < self._until_s:
                return self._disturbed(goals, aim), False
            self._over, self._until_s = True, math.nan
            return goals, True
        if entered and decision.phase == self._phase:
            self._at_s = now_s + self._share
        if decision.phase == self._phase and now_s >= self._at_s:
            if self.kind == "moved":
                self._over = True
                self.happened = shift(simulation, decision.x, self.rng)
                return goals, True
            self.happened = True
            self._until_s = now_s + (DROPPING_S if self.kind == "drop" else KICKING_S)
            return self._disturbed(goals, aim), False
        return goals, True

    def _slip(self, decision: Decision, now_s: float, aim: Array) -> tuple[tuple[Goal, ...], bool]:
        """Go down beside the thing and close the fingers there, once."""
        goals = decision.goals
        if self._astray is None:
            if decision.phase != phases.DOWN:
                return goals, True
            first = goals[0]
            self._astray = first._replace(x=first.x + self._offset[0], y=first.y + self._offset[1])
        astray = self._astray
        if math.isnan(self._until_s) and np.abs(aim[:3] - astray[:3]).max() < 0.002:
            self._until_s, self.happened = now_s + CLOSING_S, True
        self._over = now_s >= self._until_s
        if not math.isnan(self._until_s):
            astray = astray._replace(gripper=expert.CLOSED)
        return (goals, True) if self._over else ((astray,), False)

    def _disturbed(self, goals: tuple[Goal, ...], aim: Array) -> tuple[Goal, ...]:
        first = goals[0]
        if self.kind == "drop":
            return (first._replace(gripper=expert.OPEN), *goals[1:])
        x, y, z = (float(v) for v in aim[:3] + self._offset)
        return (first._replace(x=x, y=y, z=max(z, expert.LOWEST + 0.02), speed=0.3), *goals[1:])


def draw(rng: np.random.Generator, simulation: Simulation) -> Disturbance:
    """Return a disturbance that fits the simulation's task."""
    steps = simulation.task.steps
    grasps = [step for step in steps if step.kind != "push"]
    kind = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    if kind in ("slip", "drop") and not grasps:
        kind = "moved" if kind == "slip" else "kick"
    disturbance = Disturbance(kind, rng)
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
        others = [thing.name for thing in simulation.scene.things if thing.shape in SHAPES and thing.name not in named]
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
            q[-1] = rng.choice([0.0, 0.0395, rng.uniform(0.0, 0.0395)], p=[0.3, 0.4, 0.3])
            return q


def shift(simulation: Simulation, name: str, rng: np.random.Generator) -> bool:
    """Move a thing over the table to where there is room; returns whether there is any."""
    at = simulation.thing_pose(name)[:3, 3]
    thing = simulation.scene.thing(name)
    others = [(o.radius, simulation.thing_pose(o.name)[:2, 3]) for o in simulation.scene.things if o.name != name]
    for _ in range(100):
        angle, length = rng.uniform(0, 2 * math.pi), rng.uniform(*SHIFT_M)
        spot = at[:2] + length * np.array([math.cos(angle), math.sin(angle)])
        inside = 0.38 < spot[0] < 0.66 and abs(spot[1]) < 0.29
        if inside and all(np.linalg.norm(spot - p) > r + thing.radius + 0.03 for r, p in others):
            simulation.move_thing(name, np.array([*spot, at[2]]))
            return True
    return False
