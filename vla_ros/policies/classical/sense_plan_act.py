"""System 2 of `classical`: look, go there, do it, look whether it is done, else try again.

Each kind of step is a generator that reads like a recipe: it yields what to do now, for as long as that takes, and goes
on when the measured arm has got there. Nothing is assumed to have worked: a grasp is checked by the opening of the
fingers, a result by another look.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pinocchio
from numpy.typing import NDArray

from vla_ros.policies import waypoints
from vla_ros.policies.classical.language import CONTAINERS, Description, NotUnderstood, Step, Verb, parse
from vla_ros.policies.classical.perception import Camera, Thing, classify, look, rests_at
from vla_ros.policies.classical.straight_line import PULL
from vla_ros.policies.contract import CameraHealth, Frames, Instruction, JointState, Plan, PlanState
from vla_ros.policies.parameters import ClassicalParameters
from vla_ros.policies.registry import Robot, joint_index, parameters_hash
from vla_ros.policies.waypoints import Waypoint
from vla_ros.robot.kinematics import Kinematics
from vla_ros.timing import NS_PER_S

Array = NDArray[np.float64]

TRAVEL_HEIGHT = 0.20  # of the tool above the table: a thing in the hand passes over everything that stands there
READY_HEIGHT = 0.11  # of the tool above the table before it reaches down for a thing
LOOKOUT = np.array([0.28, 0.0, 0.40])  # of the tool, above the table: the arm hides nothing from the camera
OPEN = 0.0395  # m, of one finger: a hair inside its range, so that no interpolation leaves it
CLOSED = 0.0005
HOLDS = 0.006  # m: fingers told to close that stay farther apart than this hold something
FINGER_STILL = 0.005  # m/s
AT_REST = 0.03  # rad/s or m/s, of any joint
AT = 0.012  # m: the tool counts as there
PASSING = 0.06  # m: where it needs not stop
FOLLOW_UP_S = 3.0  # more than a motion should take, before the attempt is given up
TIP = 0.011  # m, from the tool point to the finger tips
FINGER_DEPTH = 0.0095  # m, half, across the opening
DROP = 0.004  # m: gap over what a thing is put down on, and under the finger tips
PUSH_START = 0.03  # m between finger and thing before a push
PUSH_LENGTH = 0.11  # m
PUSHED = 0.085  # m: a thing that has moved so far has been pushed
PUSH_SPEED = 0.08  # m/s
BESIDE = 0.008  # m: gap that a push to another thing leaves
FINGER_REACH = 0.05  # m: from the tool to the middle of an open finger
FINGER_ROOM = 0.045  # m: from there to the middle of another thing
WAY_STEPS = 16  # in which a straight way is tried out
TURNING = 0.2  # per rad of turn of the hand: it takes time
MOST_STRAIN = 0.97  # of a joint on the way: 1 is its limit
LEAST_FIT = 0.6  # overlap of a segment with the outline of a thing that is believed
STACKED = 0.022  # m: offset of a thing that still stands on another


class GivesUp(Exception):
    """The step cannot be done; the text says why."""


class Missed(Exception):
    """This attempt has failed; the text says how. Another one may succeed."""


@dataclass(frozen=True)
class Observation:
    """What is known now. camera: that of the image. finger: its opening, m; finger_speed: m/s."""

    stamp_ns: int
    image: NDArray[np.uint8]
    camera: Camera
    q: Array
    dq: Array
    T_base_tool: Array
    finger: float
    finger_speed: float


@dataclass(frozen=True)
class Activity:
    """What to do now."""

    subtask: str
    waypoints: tuple[Waypoint, ...]


@dataclass(frozen=True)
class Leg:
    """A waypoint in the making. label: what people are told while the tool is on its way there."""

    label: str
    T_base_tool: Array
    gripper: float
    speed: float


class SensePlanAct:
    """The planning half of `classical`.

    Args:
        robot: the arm.
        parameters: options of the policy.
    """

    def __init__(self, robot: Robot, parameters: ClassicalParameters) -> None:
        self.checkpoint = parameters_hash("classical", robot, parameters)
        self._parameters = parameters
        self._kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        self._finger = joint_index(robot, parameters.gripper_joint, "classical.gripper_joint")
        self._table = parameters.table_height_m
        self._lookout = self._pose(LOOKOUT[:2], LOOKOUT[2], 0.0)
        self._held: Thing | None = None  # outlives an instruction: what was picked up can be put down by the next one
        self._begin(Instruction(0, ""))

    def _begin(self, instruction: Instruction) -> None:
        self._instruction = instruction
        self._course: Iterator[Activity] | None = None
        self._end: Plan | None = None
        self._index = 0
        self._number, self._steps = 0, 1
        self._share = 0.0
        self._confidence = math.nan
        self._touched = False
        self._goal: Array | None = None

    def plan(self, frames: Frames, instruction: Instruction, joint_state: JointState) -> Plan:
        """Return what to do now; see `contract.System2`."""
        if instruction != self._instruction:
            self._begin(instruction)
        hold = Plan(frames.stamp_ns, instruction, PlanState.HOLD)
        if not instruction.text.strip():
            return hold
        if self._end is not None:
            return replace(self._end, frame_stamp_ns=frames.stamp_ns)
        name = self._parameters.camera
        view = frames.views.get(name)
        if view is None:
            return replace(
                hold, reasoning=f"there is no camera {name!r}; there are {', '.join(frames.views) or 'none'}"
            )
        if view.health is not CameraHealth.OK:
            return replace(hold, reasoning=f"camera {name!r}: {view.health.name.lower().replace('_', ' ')}")
        if view.k is None or view.T_base_camera is None:
            missing = "CameraInfo" if view.k is None else "pose"
            return replace(hold, reasoning=f"camera {name!r}: its {missing} is not known")
        self._now = Observation(
            frames.stamp_ns,
            view.image,
            Camera(view.k, view.T_base_camera),
            joint_state.q,
            joint_state.dq,
            self._kinematics.forward(joint_state.q),
            float(joint_state.q[self._finger]),
            float(joint_state.dq[self._finger]),
        )
        if self._held is not None and not self._holds(self._held):
            self._held = None
        state, reason = PlanState.DONE, "seen to be done"
        try:
            if self._course is None:
                self._course = self._serve(parse(instruction.text))
            activity = next(self._course, None)
            if activity is not None:
                return Plan(
                    frames.stamp_ns,
                    instruction,
                    PlanState.ACTIVE,
                    subtask=activity.subtask,
                    kind=waypoints.KIND,
                    data=(rows := waypoints.pack(activity.waypoints)),
                    path=rows[:, 1:8],
                    progress=(self._number + self._share) / self._steps,
                    confidence=self._confidence,
                )
        except NotUnderstood as error:
            state, reason = PlanState.REFUSED, str(error)
        except (GivesUp, Missed) as error:
            state, reason = PlanState.FAILED if self._touched else PlanState.REFUSED, str(error)
        self._end = Plan(
            frames.stamp_ns,
            instruction,
            state,
            subtask="done" if state is PlanState.DONE else "",
            reasoning=reason,
            progress=1.0 if state is PlanState.DONE else (self._number + self._share) / self._steps,
            confidence=self._confidence,
        )
        return self._end

    # The recipes.

    def _serve(self, steps: tuple[Step, ...]) -> Iterator[Activity]:
        self._steps = len(steps)
        recipes = {Verb.PICK: self._pick, Verb.PLACE: self._place, Verb.STACK: self._stack, Verb.PUSH: self._push}
        for self._number, step in enumerate(steps):
            self._share, self._goal = 0.0, None
            if self._held is not None and (step.verb is Verb.PUSH or not self._held.is_called(step.object)):
                yield from self._put_back(self._held)
            reasons = []
            for _ in range(self._parameters.attempts):
                try:
                    yield from recipes[step.verb](step)
                    break
                except Missed as miss:
                    reasons.append(str(miss))
                    yield from self._let_go()
            else:
                raise GivesUp(f"{step}: tried {len(reasons)} times: {'; '.join(dict.fromkeys(reasons))}")
            while np.abs(self._now.dq).max() > AT_REST:
                yield self._activity
        self._share = 1.0

    def _pick(self, step: Step) -> Iterator[Activity]:
        yield from self._take(step.object)

    def _place(self, step: Step) -> Iterator[Activity]:
        assert step.target is not None
        target = yield from self._find(step.target)
        thing = yield from self._take(step.object)
        rest = target.solid.floor
        height = rest + thing.solid.height / 2 + DROP
        if rest < target.solid.height:  # a bowl: open fingers are wider than it, so they stay above its rim
            height = max(height, target.solid.height + TIP + DROP)
        spot = target.solid.p_base[:2]
        yield from self._release(thing, spot, height, f"{'in' if step.target.shape == 'bowl' else 'on'} {target}")
        yield from self._verify(thing, spot, rest, target.solid.width / 2, f"{thing} did not stay with {target}")

    def _stack(self, step: Step) -> Iterator[Activity]:
        assert step.target is not None
        target = yield from self._find(step.target)
        if target.solid.shape == "ball":
            raise GivesUp(f"{target}: nothing stays on a ball")
        thing = yield from self._take(step.object)
        top = target.solid.height
        spot = target.solid.p_base[:2]
        yield from self._release(thing, spot, top + thing.solid.height / 2 + DROP, f"on {target}")
        yield from self._verify(thing, spot, top, STACKED, f"{thing} does not stand on {target}")

    def _push(self, step: Step) -> Iterator[Activity]:
        thing = yield from self._find(step.object)
        at = thing.solid.p_base[:2]
        if step.target is not None:
            target = (yield from self._find(step.target)).solid
            to_target = target.p_base[:2] - at
            distance = float(np.linalg.norm(to_target))
            # The fingers turn a cube until its face lies flat on them: then it reaches half its width.
            way = to_target * (1 - (thing.solid.width / 2 + target.reach(to_target) + BESIDE) / distance)
            if way @ to_target < 0:
                way = np.zeros(2)
        else:
            if self._goal is None:
                self._goal = at + (0.0, PUSH_LENGTH if step.side == "left" else -PUSH_LENGTH)
            way = self._goal - at
        length = float(np.linalg.norm(way))
        if length > BESIDE:
            yield from self._shove(thing, way / length, length)
        yield from self._to_lookout("look whether it is done")
        now = (yield from self._find(step.object)).solid
        if step.target is not None:
            to_target = target.p_base[:2] - now.p_base[:2]
            if np.linalg.norm(to_target) > now.reach(to_target) + target.reach(to_target) + 3 * BESIDE:
                raise Missed(f"{thing} did not come to {step.target}")
        elif self._goal is not None:
            left = float(self._goal[1] - now.p_base[1]) * (1 if step.side == "left" else -1)
            if left > PUSH_LENGTH - PUSHED:
                raise Missed(f"{thing} did not move far enough")

    # What they are made of.

    def _take(self, wanted: Description) -> Generator[Activity, None, Thing]:
        """Return the thing that `wanted` describes, once it is in the hand and lifted."""
        if self._held is not None and self._held.is_called(wanted):
            return self._held
        thing = yield from self._find(wanted)
        yield from self._grasp(thing)
        return thing

    def _grasp(self, thing: Thing) -> Iterator[Activity]:
        self._share, self._touched = 0.1, True
        solid = thing.solid
        spot, height = solid.p_base[:2], max(solid.height / 2, TIP + DROP)
        yaws = [solid.yaw + turn * math.pi / 2 for turn in range(4)]
        if solid.shape != "cube":
            yaws = [turn * math.pi / 6 for turn in range(12)]
        yaw = self._best_yaw(spot, height, yaws, thing)
        quick, slow = self._parameters.speed_m_s, self._parameters.slow_speed_m_s
        down = self._pose(spot, height, yaw)
        yield from self._go(
            [
                Leg(f"reach for {thing}", self._pose(spot, max(READY_HEIGHT, height + 0.05), yaw), OPEN, quick),
                Leg(f"reach for {thing}", down, OPEN, slow),
                Leg(f"grasp {thing}", down, CLOSED, slow),
                Leg(f"lift {thing}", self._pose(spot, TRAVEL_HEIGHT, yaw), CLOSED, quick),
            ]
        )
        if not self._holds(thing):
            raise Missed(f"{thing} slipped")
        self._held = thing

    def _release(self, thing: Thing, spot: Array, height: float, where: str) -> Iterator[Activity]:
        """Put what is held so that the tool is at `height` over `spot` (2,), and go up."""
        self._share = 0.5
        yaw = self._best_yaw(spot, height, [self._yaw() + turn * math.pi / 2 for turn in range(4)], thing)
        quick, slow = self._parameters.speed_m_s, self._parameters.slow_speed_m_s
        opening = min(OPEN, thing.solid.width / 2 + 0.012)
        down = self._pose(spot, height, yaw)
        yield from self._go(
            [
                Leg(f"carry {thing} over", self._pose(spot, TRAVEL_HEIGHT, yaw), CLOSED, quick),
                Leg(f"put {thing} {where}", down, CLOSED, slow),
            ]
        )
        if not self._holds(thing):
            raise Missed(f"{thing} fell on the way")
        yield from self._go(
            [
                Leg(f"let go of {thing}", down, opening, slow),
                Leg(f"let go of {thing}", self._pose(spot, TRAVEL_HEIGHT, yaw), opening, quick),
            ]
        )
        self._held = None

    def _shove(self, thing: Thing, direction: Array, length: float) -> Iterator[Activity]:
        """Push a thing `length` m along `direction` (2,), unit, with two fingers side by side, so that it cannot slip off."""
        self._share, self._touched = 0.2, True
        solid = thing.solid
        behind = solid.reach(direction) + FINGER_DEPTH + PUSH_START
        height = max(solid.height / 2, TIP + DROP)
        opening = min(0.3 * solid.width, OPEN)
        start = solid.p_base[:2] - direction * behind
        end = solid.p_base[:2] + direction * (length - solid.width / 2 - FINGER_DEPTH)
        angle = math.atan2(direction[1], direction[0])
        yaw = self._best_yaw(start, height, [angle, angle + math.pi], thing)
        self._reachable(end, height, yaw, thing)
        quick, slow = self._parameters.speed_m_s, self._parameters.slow_speed_m_s
        back = end - direction * PUSH_START
        yield from self._go(
            [
                Leg(f"reach behind {thing}", self._pose(start, READY_HEIGHT, yaw), opening, quick),
                Leg(f"reach behind {thing}", self._pose(start, height, yaw), opening, slow),
                Leg(f"push {thing}", self._pose(end, height, yaw), opening, PUSH_SPEED),
                Leg(f"leave {thing}", self._pose(back, height, yaw), opening, slow),
                Leg(f"leave {thing}", self._pose(back, TRAVEL_HEIGHT, yaw), opening, quick),
            ]
        )
        self._share = 0.8

    def _verify(self, thing: Thing, spot: Array, rest: float, tolerance: float, failure: str) -> Iterator[Activity]:
        """Look whether `thing` rests at height `rest` over `spot` (2,), give or take `tolerance`."""
        self._share = 0.85
        yield from self._to_lookout("look whether it is done")
        places = [
            rests_at(segment, self._now.camera, self._table + rest, thing.solid.height)
            for segment in look(self._now.image)
            if segment.colour == thing.colour
        ]
        if not any(np.linalg.norm(place - spot) <= tolerance for place in places):
            raise Missed(failure)

    def _put_back(self, thing: Thing) -> Iterator[Activity]:
        """Put what an earlier step has left in the hand back to where it came from."""
        self._touched = True
        yield from self._release(thing, thing.solid.p_base[:2], thing.solid.height / 2 + DROP, "back on the table")

    def _let_go(self) -> Iterator[Activity]:
        """After a failure: open, and look from where nothing is hidden."""
        self._held = None
        try:
            yield from self._go([Leg("let go", self._now.T_base_tool, OPEN, self._parameters.slow_speed_m_s)])
            yield from self._to_lookout("look again")
        except Missed as miss:
            raise GivesUp(str(miss)) from None

    def _to_lookout(self, label: str) -> Iterator[Activity]:
        gripper = self._now.finger if self._held is None else CLOSED
        legs = [Leg(label, self._lookout, gripper, self._parameters.speed_m_s)]
        above = self._now.T_base_tool.copy()
        if above[2, 3] < self._table + TRAVEL_HEIGHT - AT:
            above[2, 3] = self._table + TRAVEL_HEIGHT
            legs.insert(0, Leg(label, above, gripper, self._parameters.slow_speed_m_s))
        yield from self._go(legs)

    def _go(self, legs: Sequence[Leg]) -> Iterator[Activity]:
        """Yield until the tool has been at the end of every leg in turn.

        Raises:
            Missed: it takes too long.
        """
        course = tuple(
            Waypoint(self._index + number, leg.T_base_tool, leg.gripper, leg.speed) for number, leg in enumerate(legs)
        )
        self._index += len(course)
        due_ns = self._now.stamp_ns + round(self._expected_s(course) * NS_PER_S)
        number = 0
        while True:
            while number < len(course) and self._arrived(course[number], course[number + 1 : number + 2]):
                number += 1
            if number == len(course):
                return
            if self._now.stamp_ns > due_ns:
                raise Missed(f"the arm did not get there in time ({legs[number].label})")
            self._activity = Activity(legs[number].label, course)
            yield self._activity

    def _expected_s(self, course: Sequence[Waypoint]) -> float:
        at, gripper = self._now.T_base_tool, self._now.finger
        expected = FOLLOW_UP_S
        for waypoint in course:
            expected += 1.5 + 2.0 * float(np.linalg.norm(waypoint.T_base_tool[:3, 3] - at[:3, 3])) / waypoint.speed
            expected += 1.0 * (waypoint.gripper != gripper)
            at, gripper = waypoint.T_base_tool, waypoint.gripper
        return expected

    def _arrived(self, waypoint: Waypoint, after: Sequence[Waypoint]) -> bool:
        now = self._now
        passing = bool(after) and after[0].gripper == waypoint.gripper and after[0].speed == waypoint.speed
        away = float(np.linalg.norm(now.T_base_tool[:3, 3] - waypoint.T_base_tool[:3, 3]))
        there = abs(now.finger - waypoint.gripper) < 0.003
        stalled = waypoint.gripper < now.finger < OPEN - 0.004 and abs(now.finger_speed) < FINGER_STILL
        return away < (PASSING if passing else AT) and (there or stalled)

    def _holds(self, thing: Thing) -> bool:
        return HOLDS < self._now.finger < thing.solid.width / 2 + HOLDS

    def _find(self, wanted: Description) -> Generator[Activity, None, Thing]:
        """Return the thing that `wanted` describes, seen from the lookout.

        Raises:
            GivesUp: nothing fits, or more than one thing does.
        """
        if np.linalg.norm(self._now.T_base_tool[:3, 3] - self._lookout[:3, 3]) > PASSING:
            yield from self._to_lookout(f"look for {wanted}")
        thing, reason = self._look_for(wanted)
        if thing is None:
            raise GivesUp(reason)
        self._confidence = float(np.nanmin([self._confidence, thing.solid.fit]))
        return thing

    def _look_for(self, wanted: Description) -> tuple[Thing | None, str]:
        """Return the thing in view that `wanted` describes, or None and why there is none."""
        containers = wanted.shape in CONTAINERS
        segments = [segment for segment in look(self._now.image) if (segment.colour in CONTAINERS) == containers]
        if containers:
            segments = [segment for segment in segments if segment.colour == wanted.shape]
        elif wanted.colour:
            segments = [segment for segment in segments if segment.colour == wanted.colour]
        things = [classify(segment, self._now.camera, self._table) for segment in segments]
        things = [thing for thing in things if thing.solid.fit >= LEAST_FIT]
        fitting = [thing for thing in things if thing.is_called(wanted)]
        if not fitting:
            if things and wanted.colour:
                return None, f"{wanted}: not in view; what is {wanted.colour} is a {things[0].solid.shape}"
            return None, f"{wanted}: not in view"
        exact = [thing for thing in fitting if thing.solid.shape == wanted.shape] or fitting
        if len(exact) > 1:
            return None, f"{wanted}: could be {' or '.join(str(thing) for thing in exact)}; say which"
        return exact[0], ""

    # Geometry.

    def _pose(self, spot: Array, height: float, yaw: float) -> Array:
        """Return T_base_tool (4, 4): pointing down, `height` above the table, fingers opening across `yaw`."""
        c, s = math.cos(yaw), math.sin(yaw)
        return np.array(
            [[c, s, 0.0, spot[0]], [s, -c, 0.0, spot[1]], [0.0, 0.0, -1.0, self._table + height], [0.0, 0.0, 0.0, 1.0]]
        )

    def _yaw(self) -> float:
        return math.atan2(self._now.T_base_tool[1, 0], self._now.T_base_tool[0, 0])

    def _best_yaw(self, spot: Array, height: float, yaws: Sequence[float], thing: Thing) -> float:
        """Return the yaw of those given for which the arm stays farthest from its joint limits and the fingers have room.

        Raises:
            GivesUp: the arm cannot get there with any.
        """
        others = [
            rests_at(segment, self._now.camera, self._table, 0.04)
            for segment in look(self._now.image)
            if segment.colour not in (thing.colour, *CONTAINERS)
        ]
        best, least = None, math.inf
        for yaw in yaws:
            strain = self._strain(self._pose(spot, height, yaw))
            if strain is None:
                continue
            cost = strain + TURNING * abs(math.remainder(yaw - self._yaw(), 2 * math.pi))
            across = np.array([math.sin(yaw), -math.cos(yaw)])
            for finger in (spot + FINGER_REACH * across, spot - FINGER_REACH * across):
                room = min((float(np.linalg.norm(other - finger)) for other in others), default=math.inf)
                cost += max(0.0, FINGER_ROOM - room) / FINGER_ROOM
            if cost < least:
                best, least = yaw, cost
        if best is None:
            raise GivesUp(f"{thing} is out of reach")
        return best

    def _reachable(self, spot: Array, height: float, yaw: float, thing: Thing) -> None:
        if self._strain(self._pose(spot, height, yaw)) is None:
            raise GivesUp(f"{thing} cannot be brought there: out of reach")

    def _strain(self, T_base_tool: Array) -> float | None:
        """Return how near to a joint limit the arm comes on a straight way to this pose; None where it cannot get there."""
        start, q = self._now.T_base_tool, self._now.q
        turn = pinocchio.log3(start[:3, :3].T @ T_base_tool[:3, :3])
        way = T_base_tool[:3, 3] - start[:3, 3]
        strain = 0.0
        for share in np.linspace(0.0, 1.0, WAY_STEPS + 1)[1:]:
            pose = start.copy()
            pose[:3, 3] += share * way
            pose[:3, :3] = start[:3, :3] @ pinocchio.exp3(share * turn)
            q = self._kinematics.follow(pose, q, PULL * float(np.linalg.norm(way)) / WAY_STEPS)
            strain = max(strain, self._kinematics.strain(q))
            if strain > MOST_STRAIN:
                return None
        return strain if np.abs(self._kinematics.forward(q) - T_base_tool).max() < 1e-3 else None
