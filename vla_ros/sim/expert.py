"""The scripted expert: what to do now, from the simulator's truth. It makes demonstrations and is no policy.

It is a feedback law, not a script: phase and goals follow from where everything is now, so that whatever went wrong
(an object slipped, was moved, is the wrong one) is answered from there, and every state has its labels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vla_ros.arrays import Array
from vla_ros.sim.phases import (
    ASIDE,
    BEHIND,
    CARRY,
    DONE,
    DOWN,
    DOWN_BEHIND,
    GRASP,
    GRASP_PHASES,
    LEAVE,
    LEAVE_THERE,
    LET_GO,
    LIFT,
    PUSH,
    PUSH_PHASES,
    PUT,
    REACH,
    ExpertDecision,
    ExpertObservation,
    ToolGoal,
    heading,
)
from vla_ros.sim.scene import Scene, SceneObject
from vla_ros.sim.simulation import Simulation
from vla_ros.tasks.geometry import IN_BOWL_HEIGHT_M, IN_BOWL_M, ON_PLATE_M, STACK_HEIGHT_M, STACKED_M, with_margin
from vla_ros.tasks.hand import (
    APPROACH_SPEED_M_S,
    FINGER_CLOSED_M,
    FINGER_HALF_DEPTH_M,
    FINGER_OPEN_M,
    FINGERTIP_M,
    HOLDING_FINGER_M,
    LOWEST_TOOL_M,
    PUSH_GAP_M,
    PUSH_LENGTH_M,
    PUSH_SPEED_M_S,
    PUSH_START_GAP_M,
    READY_HEIGHT_M,
    RELEASE_CLEARANCE_M,
    RELEASE_GAP_M,
    TRAVEL_HEIGHT_M,
    TRAVEL_SPEED_M_S,
)
from vla_ros.tasks.objects import BOWL_HEIGHT_M, OBJECT_HALF_WIDTH_M, PLATE_HEIGHT_M
from vla_ros.tasks.task import Step
from vla_ros.tasks.vocabulary import SIDES

RELEASE_OPENING_M = OBJECT_HALF_WIDTH_M + RELEASE_CLEARANCE_M
PUSH_OPENING_M = 0.013
OVER_RIM_M = BOWL_HEIGHT_M + FINGERTIP_M + RELEASE_GAP_M
"""Height of the tool over a bowl: open fingers are wider than a bowl, so they stay above its rim."""
PUSHED_M = 0.006
"""A push with less than this left is done."""
CLOSING_S = 1.0
"""That fingers are given to find something between them."""
# What the expert takes for placed, the judge does too: every tolerance is tighter than the judge's.
PLACED_IN_BOWL_M = with_margin(IN_BOWL_M, -0.005)
PLACED_IN_BOWL_HEIGHT_M = with_margin(IN_BOWL_HEIGHT_M, -0.02)
PLACED_ON_PLATE_M = with_margin(ON_PLATE_M, -0.01)
PLACED_ON_PLATE_HEIGHT_M = with_margin(STACK_HEIGHT_M, -0.003)
PLACED_STACKED_M = with_margin(STACKED_M, -0.005)
PLACED_STACK_HEIGHT_M = with_margin(STACK_HEIGHT_M, -0.004)


class Expert:
    """Does the steps of one task.

    Args:
        simulation: whose truth it reads.
        steps: what to achieve, in order.
    """

    def __init__(self, simulation: Simulation, steps: Sequence[Step]) -> None:
        self._simulation = simulation
        self._steps = tuple(steps)
        self._number = 0
        self._closing_s = math.nan  # since when the fingers have been closing
        self._holding = 0  # decisions in a row in which something was between still fingers
        self._gripped, self._held, self._lost = "", "", 0
        self._aside: tuple[str, Array] | None = None
        self._rest: ToolGoal | None = None
        self._leaving = False
        self._yaws: dict[str, float] = {}
        self._begin()

    @property
    def start(self) -> Array:
        """(3,) where the object that the present step moves was when the step began."""
        return self._start

    @property
    def held(self) -> str:
        """Name of what is between the fingers, or empty."""
        return self._held

    def _begin(self) -> None:
        step = self._steps[min(self._number, len(self._steps) - 1)]
        self._start = self._at(step.x)
        self._closing_s, self._holding, self._leaving, self._yaws = math.nan, 0, False, {}

    def decide(self, view: ExpertObservation) -> ExpertDecision:
        """Return what to do now. To be called every 20 ms."""
        if view.gripped:
            self._gripped, self._lost = view.gripped, 0
        else:
            self._lost += 1
            if self._lost > 3:
                self._gripped = ""
        self._held = self._gripped if self._between(self._gripped, view) else ""
        while self._number < len(self._steps):
            step = self._steps[self._number]
            decision = self._put_aside(step, view)
            if decision is None:
                decision = self._push(step, view) if step.kind == "push" else self._grasp(step, view)
            if decision is not None:
                self._rest = None
                return decision
            self._number += 1
            if self._number < len(self._steps):
                self._begin()
        last = self._steps[-1]
        if self._rest is None:
            gripper = FINGER_CLOSED_M if last.kind == "pick" else max(view.finger, 0.002)
            self._rest = ToolGoal(
                view.commanded_tool[0],
                view.commanded_tool[1],
                view.commanded_tool[2],
                view.commanded_tool[3],
                gripper,
                APPROACH_SPEED_M_S,
            )
        return ExpertDecision(DONE, (self._rest,), len(self._steps) - 1, last.x, last.y, 1.0, True)

    # Grasping: pick, place, stack.

    def _grasp(self, step: Step, view: ExpertObservation) -> ExpertDecision | None:
        x, at = self._object(step.x), self._at(step.x)
        spot, release, near = self._spot(step)
        yaw = self._yaw_for(step.x)
        wide = min(FINGER_OPEN_M, RELEASE_OPENING_M)
        height = max(float(at[2]), LOWEST_TOOL_M)
        above = ToolGoal(at[0], at[1], max(READY_HEIGHT_M, height + 0.05), yaw, FINGER_OPEN_M, TRAVEL_SPEED_M_S)
        down = above._replace(z=height, speed=APPROACH_SPEED_M_S)
        grasp = down._replace(gripper=FINGER_CLOSED_M)
        hand, aim = view.tool, view.commanded_tool
        lift = ToolGoal(aim[0], aim[1], TRAVEL_HEIGHT_M, aim[3], FINGER_CLOSED_M, TRAVEL_SPEED_M_S)
        carry = lift._replace(x=spot[0], y=spot[1])
        put = carry._replace(z=release, speed=APPROACH_SPEED_M_S)
        let_go = put._replace(gripper=wide)
        leave = let_go._replace(z=TRAVEL_HEIGHT_M, speed=TRAVEL_SPEED_M_S)
        chain = [above, down, grasp, grasp._replace(z=TRAVEL_HEIGHT_M, speed=TRAVEL_SPEED_M_S)]
        if step.kind != "pick":
            chain += [carry._replace(yaw=yaw), put._replace(yaw=yaw), let_go._replace(yaw=yaw), leave._replace(yaw=yaw)]
        aside = float(np.hypot(*(hand[:2] - at[:2])))

        if self._gripped == step.x and (self._holding > 3 or self._holds(view)):
            if step.kind == "pick":
                if hand[2] > self._start[2] + 0.14 and hand[2] > TRAVEL_HEIGHT_M - 0.012:
                    return None
                return self._decision(LIFT, [lift], step)
            off = float(np.hypot(*(hand[:2] - spot)))
            if off < near and hand[2] < release + 0.004:
                self._leaving = True
            if self._leaving:
                return self._decision(LET_GO, [let_go, leave], step)
            if off < max(near, 0.012 if hand[2] > release + 0.03 else near):
                return self._decision(PUT, [put, let_go, leave], step)
            if hand[2] < TRAVEL_HEIGHT_M - 0.035 and not (off < 0.03 and hand[2] > release):
                return self._decision(LIFT, [lift, carry, put, let_go, leave], step)
            return self._decision(CARRY, [carry, put, let_go, leave], step)
        self._leaving = self._leaving and self._placed(step)
        if step.kind != "pick" and self._placed(step):
            if view.finger < wide - 0.005 and hand[2] < release + 0.03 and np.hypot(*(hand[:2] - spot)) < 0.03:
                here = ToolGoal(aim[0], aim[1], aim[2], aim[3], wide, APPROACH_SPEED_M_S)
                return self._decision(LET_GO, [here, leave], step)
            if hand[2] < TRAVEL_HEIGHT_M - 0.03 and aside < 0.12:
                return self._decision(
                    LEAVE, [ToolGoal(aim[0], aim[1], TRAVEL_HEIGHT_M, aim[3], wide, TRAVEL_SPEED_M_S)], step
                )
            return None

        turned = abs(math.remainder(yaw - hand[3], math.pi if self._lying(step.x) else 2 * math.pi))
        if not math.isnan(self._closing_s):
            if view.time_s - self._closing_s < CLOSING_S and aside < 0.025 and view.finger > HOLDING_FINGER_M * 0.4:
                return self._decision(GRASP, chain[2:], step)
            self._closing_s = math.nan
        opened = view.finger > FINGER_OPEN_M - 0.005
        if opened and aside < 0.006 and abs(hand[2] - height) < 0.005 and turned < 0.08:
            self._closing_s = view.time_s
            return self._decision(GRASP, chain[2:], step)
        clear = hand[2] > min(above.z, at[2] + x.height / 2 + 0.03) - 0.02
        if aside < (0.03 if clear else 0.015) and (turned < 0.3 if clear else turned < 0.4) and opened:
            return self._decision(DOWN, chain[1:], step)
        if aside < 0.03 and not clear:
            up = ToolGoal(aim[0], aim[1], above.z, aim[3], FINGER_OPEN_M, APPROACH_SPEED_M_S)
            return self._decision(REACH, [up, *chain], step)
        if hand[2] < above.z - 0.025:
            up = ToolGoal(aim[0], aim[1], TRAVEL_HEIGHT_M - 0.02, aim[3], FINGER_OPEN_M, TRAVEL_SPEED_M_S)
            return self._decision(REACH, [up, *chain], step)
        return self._decision(REACH, chain, step)

    def _holds(self, view: ExpertObservation) -> bool:
        """Fingers have come to rest on something."""
        still = view.gripped != "" and abs(view.finger_speed) < 0.004 and view.finger > HOLDING_FINGER_M
        self._holding = self._holding + 1 if still else 0
        if self._holding > 3:
            self._closing_s = math.nan
            return True
        return False

    def _spot(self, step: Step) -> tuple[Array, float, float]:
        """Return where x is to be let go (2,), the height of the tool there, and how near is near enough, m."""
        if not step.y:
            return np.zeros(2), 0.0, 0.0
        x, y, at = self._object(step.x), self._object(step.y), self._at(step.y)
        if y.shape == "bowl":
            return at[:2], OVER_RIM_M, 0.008
        if y.shape == "plate":
            return at[:2], PLATE_HEIGHT_M + x.height / 2 + RELEASE_GAP_M, 0.008
        return at[:2], float(at[2]) + y.height / 2 + x.height / 2 + RELEASE_GAP_M, 0.004

    def _placed(self, step: Step) -> bool:
        """x is where it is to be, whether a finger still touches it or not."""
        x, y = self._object(step.x), self._object(step.y)
        at, there = self._at(step.x), self._at(step.y)
        apart = float(np.hypot(*(at - there)[:2]))
        if y.shape == "bowl":
            return apart < PLACED_IN_BOWL_M and at[2] < PLACED_IN_BOWL_HEIGHT_M
        if y.shape == "plate":
            return apart < PLACED_ON_PLATE_M and at[2] < PLATE_HEIGHT_M + x.height / 2 + PLACED_ON_PLATE_HEIGHT_M
        return apart < PLACED_STACKED_M and abs(at[2] - there[2] - (x.height + y.height) / 2) < PLACED_STACK_HEIGHT_M

    # Pushing.

    def _push(self, step: Step, view: ExpertObservation) -> ExpertDecision | None:
        x, at, hand, aim = self._object(step.x), self._at(step.x), view.tool, view.commanded_tool
        if step.y in SIDES:
            sign = 1.0 if step.y == "left" else -1.0
            direction, left = np.array([0.0, sign]), sign * (self._start[1] + sign * PUSH_LENGTH_M - at[1])
        else:
            y = self._object(step.y)
            line = self._at(step.y)[:2] - at[:2]
            distance = float(np.linalg.norm(line))
            direction = line / distance
            # The fingers turn a cube until its face lies flat on them: then it reaches half its width.
            left = distance - x.height / 2 * (x.shape == "cube") - OBJECT_HALF_WIDTH_M * (x.shape != "cube")
            left -= self._reach(y, direction) + PUSH_GAP_M
        yaw = self._turn("push", math.atan2(direction[1], direction[0]), math.pi, math.radians(-80.0))
        height = max(float(at[2]), LOWEST_TOOL_M)
        opening = PUSH_OPENING_M
        behind = at[:2] - direction * (self._reach(x, direction) + FINGER_HALF_DEPTH_M + PUSH_START_GAP_M)
        end = at[:2] + direction * (left - OBJECT_HALF_WIDTH_M - FINGER_HALF_DEPTH_M)
        back = end - direction * PUSH_START_GAP_M
        reach = ToolGoal(behind[0], behind[1], READY_HEIGHT_M, yaw, opening, TRAVEL_SPEED_M_S)
        down = reach._replace(z=height, speed=APPROACH_SPEED_M_S)
        push = down._replace(x=end[0], y=end[1], speed=PUSH_SPEED_M_S)
        leave = push._replace(x=back[0], y=back[1], speed=APPROACH_SPEED_M_S)
        rise = leave._replace(z=TRAVEL_HEIGHT_M, speed=TRAVEL_SPEED_M_S)
        offset = hand[:2] - at[:2]
        along, across = float(offset @ direction), float(offset @ (-direction[1], direction[0]))
        low = hand[2] < height + 0.02
        if left < PUSHED_M or (self._leaving and left < 0.02):
            self._leaving = True
            if low and -along < self._reach(x, direction) + FINGER_HALF_DEPTH_M + PUSH_START_GAP_M - 0.012:
                return self._decision(LEAVE_THERE, [leave, rise], step)
            if hand[2] < TRAVEL_HEIGHT_M - 0.03 and float(np.hypot(*offset)) < 0.12:
                up = ToolGoal(aim[0], aim[1], TRAVEL_HEIGHT_M, aim[3], opening, TRAVEL_SPEED_M_S)
                return self._decision(LEAVE_THERE, [up], step)
            return None
        self._leaving = False
        turned = abs(math.remainder(yaw - hand[3], math.pi))
        gap = -along - self._reach(x, direction) - FINGER_HALF_DEPTH_M
        closed = abs(view.finger - opening) < 0.004
        in_line = abs(across) < 0.012 and turned < 0.12
        if closed and in_line and hand[2] < height + 0.008 and -0.012 < gap < PUSH_START_GAP_M + 0.012:
            return self._decision(PUSH, [push, leave, rise], step)
        to_behind = float(np.hypot(*(hand[:2] - behind)))
        if to_behind < (0.03 if hand[2] > READY_HEIGHT_M - 0.03 else 0.014) and turned < 0.25:
            return self._decision(DOWN_BEHIND, [down, push, leave, rise], step)
        if hand[2] < READY_HEIGHT_M - 0.025:
            up = ToolGoal(aim[0], aim[1], TRAVEL_HEIGHT_M - 0.02, aim[3], opening, TRAVEL_SPEED_M_S)
            return self._decision(BEHIND, [up, reach, down, push], step)
        return self._decision(BEHIND, [reach, down, push, leave], step)

    def _reach(self, item: SceneObject, direction: Array) -> float:
        """Return how far an object extends from its middle along `direction` (2,), m."""
        if item.shape != "cube":
            return item.radius
        angle = math.atan2(direction[1], direction[0]) - self._heading(item.name)
        return OBJECT_HALF_WIDTH_M * (abs(math.cos(angle)) + abs(math.sin(angle)))

    # What is wrongly held.

    def _put_aside(self, step: Step, view: ExpertObservation) -> ExpertDecision | None:
        held = self._held
        wrong = held and (held != step.x or step.kind == "push")
        if self._aside is None and wrong:
            self._aside = held, self._free_spot(view.tool[:2], held)
        if self._aside is None:
            return None
        name, spot = self._aside
        half = self._object(name).height / 2
        hand, aim = view.tool, view.commanded_tool
        carry = ToolGoal(spot[0], spot[1], TRAVEL_HEIGHT_M, aim[3], FINGER_CLOSED_M, TRAVEL_SPEED_M_S)
        put = carry._replace(z=max(half, LOWEST_TOOL_M) + RELEASE_GAP_M, speed=APPROACH_SPEED_M_S)
        let_go = put._replace(gripper=RELEASE_OPENING_M)
        leave = let_go._replace(z=TRAVEL_HEIGHT_M - 0.05, speed=TRAVEL_SPEED_M_S)
        off = float(np.hypot(*(hand[:2] - spot)))
        if held == name and view.finger < 0.03 and hand[2] > put.z + 0.004:
            if off > 0.015 and hand[2] < READY_HEIGHT_M:
                up = ToolGoal(aim[0], aim[1], TRAVEL_HEIGHT_M, aim[3], FINGER_CLOSED_M, TRAVEL_SPEED_M_S)
                return self._decision(ASIDE, [up, carry, put], step, name)
            return self._decision(ASIDE, [carry, put, let_go] if off > 0.015 else [put, let_go, leave], step, name)
        if held == name or view.finger < 0.03:
            here = ToolGoal(aim[0], aim[1], aim[2], aim[3], RELEASE_OPENING_M, APPROACH_SPEED_M_S)
            return self._decision(LET_GO, [here, leave], step, name)
        if hand[2] < TRAVEL_HEIGHT_M - 0.08:
            return self._decision(LEAVE, [leave._replace(x=aim[0], y=aim[1])], step, name)
        self._aside = None
        return None

    def _between(self, name: str, view: ExpertObservation) -> bool:
        """Both fingers touch it, and it is between them rather than before them."""
        return (
            name != ""
            and view.finger > HOLDING_FINGER_M
            and float(np.linalg.norm(view.tool[:3] - self._at(name))) < 0.022
            and float(np.hypot(*(view.tool[:2] - self._at(name)[:2]))) < 0.02
        )

    def _free_spot(self, near: Array, held: str) -> Array:
        """Return the place (2,) nearest to `near` where there is space for an object and open fingers."""
        others = [(item, self._at(item.name)[:2]) for item in self._scene.objects if item.name != held]
        spots = [near, *(np.array([x, y]) for x in np.arange(0.40, 0.65, 0.02) for y in np.arange(-0.28, 0.29, 0.02))]

        def room(spot: Array) -> float:
            return min(float(np.linalg.norm(spot - at)) - item.radius for item, at in others)

        free = [spot for spot in spots if room(spot) > 0.07]
        return min(free or [max(spots, key=room)], key=lambda spot: float(np.linalg.norm(spot - near)))

    # Truth.

    @property
    def _scene(self) -> Scene:
        return self._simulation.scene

    def _object(self, name: str) -> SceneObject:
        return self._scene.find(name)

    def _at(self, name: str) -> Array:
        return self._simulation.object_pose(name)[:3, 3]

    def _lying(self, name: str) -> bool:
        """A cylinder that has fallen over."""
        return self._object(name).shape == "cylinder" and abs(self._simulation.object_pose(name)[2, 2]) < 0.7

    def _heading(self, name: str) -> float:
        """Return the direction of a cube's face, or of a lying cylinder's axis, rad."""
        return heading(self._object(name).shape, self._simulation.object_pose(name))

    def _yaw_for(self, name: str) -> float:
        """Return the yaw of the hand that grasps an object: the one nearest to straight ahead that fits."""
        shape = self._object(name).shape
        if shape == "cube":
            return self._turn(name, self._heading(name), math.pi / 2, math.radians(-45.0))
        if self._lying(name):
            return self._turn(name, self._heading(name), math.pi, math.radians(-80.0))
        return 0.0

    def _turn(self, about: str, angle: float, period: float, lowest: float) -> float:
        """Return the angle that differs from `angle` by whole periods: near the one chosen before, else from `lowest` up."""
        before = self._yaws.get(about)
        if before is not None:
            lowest = before - 0.6 * period if abs(math.remainder(angle - before, period)) < 0.4 * period else lowest
        self._yaws[about] = chosen = lowest + (angle - lowest) % period
        return chosen

    def _decision(self, phase: int, goals: list[ToolGoal], step: Step, x: str = "") -> ExpertDecision:
        recipe = PUSH_PHASES if step.kind == "push" else GRASP_PHASES[:4] if step.kind == "pick" else GRASP_PHASES
        share = 0.0 if phase == ASIDE or x else recipe.index(phase) / len(recipe)
        return ExpertDecision(
            phase,
            tuple(goals),
            self._number,
            x or step.x,
            "" if x else step.y,
            (self._number + share) / len(self._steps),
        )
