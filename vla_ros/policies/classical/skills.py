"""What the hand can do with one thing: find, grasp, put down, push, look again.

Each skill is a generator: it yields what to do now, for as long as that takes, and goes on when the measured arm has got
there. Nothing is assumed to have worked: a grasp is checked by the opening of the fingers, a result by another look.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.policies.classical.language import CONTAINERS, Description
from vla_ros.policies.classical.perception import Camera, Thing, find, look, rests_at
from vla_ros.policies.classical.reachability import Reachability, yaw_of
from vla_ros.policies.contract import JointState
from vla_ros.policies.policy_parameters import ClassicalParameters
from vla_ros.policies.registry import Robot, joint_index
from vla_ros.policies.waypoints import Waypoint
from vla_ros.robot.kinematics import Kinematics
from vla_ros.time import NS_PER_S

Array = NDArray[np.float64]

TRAVEL_HEIGHT = 0.20  # of the tool above the table: a thing in the hand passes over everything that stands there
READY_HEIGHT = 0.11  # of the tool above the table before it reaches down for a thing
LOOKOUT = np.array([0.28, 0.0, 0.40])  # of the tool, above the table: the arm hides nothing from the camera
OPEN = 0.0395  # m, of one finger: a hair inside its range, so that no interpolation leaves it
CLOSED = 0.0005
HOLDS = 0.006  # m: fingers told to close that stay farther apart than this hold something
FINGER_STILL = 0.005  # m/s
AT = 0.012  # m: the tool counts as there
PASSING = 0.06  # m: where it needs not stop
FOLLOW_UP_S = 3.0  # more than a motion should take, before the attempt is given up
BLIND_S = 0.5  # without a picture nothing is expected: the time beyond this does not count
TIP = 0.011  # m, from the tool point to the finger tips
FINGER_DEPTH = 0.0095  # m, half, across the opening
DROP = 0.004  # m: gap over what a thing is put down on, and under the finger tips
PUSH_START = 0.03  # m between finger and thing before a push
PUSH_SPEED = 0.08  # m/s


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


class Skills:
    """What the hand can do, and what is known while it does it.

    Args:
        robot: the arm.
        parameters: options of the policy.

    Attributes:
        now: the newest observation. activity: the newest that was yielded.
        held: what is in the hand; it outlives an instruction, so that the next one can put it down.
        share: of the present step that is done, 0..1. confidence: the least of what was found, NaN before.
        touched: whether anything has been, or is about to be.
    """

    now: Observation
    activity: Activity

    def __init__(self, robot: Robot, parameters: ClassicalParameters) -> None:
        self._parameters = parameters
        self._kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        self._finger = joint_index(robot, parameters.gripper_joint, "classical.gripper_joint")
        self._table = parameters.table_height_m
        self._reachability = Reachability(self._kinematics, self._table)
        self._lookout = self._reachability.pose(LOOKOUT[:2], LOOKOUT[2], 0.0)
        self.held: Thing | None = None
        self.begin()

    def begin(self) -> None:
        """Start anew, for another instruction; what is in the hand stays there."""
        self._index = 0
        self.share = 0.0
        self.confidence = math.nan
        self.touched = False

    def observe(self, stamp_ns: int, image: NDArray[np.uint8], camera: Camera, joint_state: JointState) -> None:
        """Take in what is seen and measured now."""
        self.now = Observation(
            stamp_ns,
            image,
            camera,
            joint_state.q,
            joint_state.dq,
            self._kinematics.forward(joint_state.q),
            float(joint_state.q[self._finger]),
            float(joint_state.dq[self._finger]),
        )
        if self.held is not None and not self._holds(self.held):
            self.held = None

    def find(self, wanted: Description) -> Generator[Activity, None, Thing]:
        """Return the thing that `wanted` describes, seen from the lookout.

        Raises:
            GivesUp: nothing fits, or more than one thing does.
        """
        if np.linalg.norm(self.now.T_base_tool[:3, 3] - self._lookout[:3, 3]) > PASSING:
            yield from self.to_lookout(f"look for {wanted}")
        thing, reason = find(self.now.image, self.now.camera, self._table, wanted)
        if thing is None:
            raise GivesUp(reason)
        self.confidence = float(np.nanmin([self.confidence, thing.solid.fit]))
        return thing

    def take(self, wanted: Description) -> Generator[Activity, None, Thing]:
        """Return the thing that `wanted` describes, once it is in the hand and lifted."""
        if self.held is not None and self.held.is_called(wanted):
            return self.held
        thing = yield from self.find(wanted)
        yield from self._grasp(thing)
        return thing

    def _grasp(self, thing: Thing) -> Iterator[Activity]:
        self.share, self.touched = 0.1, True
        solid = thing.solid
        spot, height = solid.p_base[:2], max(solid.height / 2, TIP + DROP)
        yaws = [solid.yaw + turn * math.pi / 2 for turn in range(4)]
        if solid.shape != "cube":
            yaws = [turn * math.pi / 6 for turn in range(12)]
        yaw = self._best_yaw(spot, height, yaws, thing)
        pose = self._reachability.pose
        quick, slow = self._parameters.speed_m_s, self._parameters.slow_speed_m_s
        down = pose(spot, height, yaw)
        yield from self._go(
            [
                Leg(f"reach for {thing}", pose(spot, max(READY_HEIGHT, height + 0.05), yaw), OPEN, quick),
                Leg(f"reach for {thing}", down, OPEN, slow),
                Leg(f"grasp {thing}", down, CLOSED, slow),
            ]
        )
        if not self._holds(thing):
            raise Missed(f"{thing} slipped")
        self.held = thing  # from now on: who breaks off the lift keeps the grip
        yield from self._go([Leg(f"lift {thing}", pose(spot, TRAVEL_HEIGHT, yaw), CLOSED, quick)])
        if self.held is None:
            raise Missed(f"{thing} slipped")

    def release(self, thing: Thing, spot: Array, height: float, where: str) -> Iterator[Activity]:
        """Put what is held so that the tool is at `height` over `spot` (2,), and go up."""
        self.share = 0.5
        yaws = [yaw_of(self.now.T_base_tool) + turn * math.pi / 2 for turn in range(4)]
        yaw = self._best_yaw(spot, height, yaws, thing)
        pose = self._reachability.pose
        quick, slow = self._parameters.speed_m_s, self._parameters.slow_speed_m_s
        opening = min(OPEN, thing.solid.width / 2 + 0.012)
        down = pose(spot, height, yaw)
        yield from self._go(
            [
                Leg(f"carry {thing} over", pose(spot, TRAVEL_HEIGHT, yaw), CLOSED, quick),
                Leg(f"put {thing} {where}", down, CLOSED, slow),
            ]
        )
        if not self._holds(thing):
            raise Missed(f"{thing} fell on the way")
        yield from self._go(
            [
                Leg(f"let go of {thing}", down, opening, slow),
                Leg(f"let go of {thing}", pose(spot, TRAVEL_HEIGHT, yaw), opening, quick),
            ]
        )
        self.held = None

    def push(self, thing: Thing, direction: Array, length: float) -> Iterator[Activity]:
        """Push a thing `length` m along `direction` (2,), unit, with two fingers side by side, so that it cannot slip off."""
        self.share, self.touched = 0.2, True
        solid = thing.solid
        behind = solid.reach(direction) + FINGER_DEPTH + PUSH_START
        height = max(solid.height / 2, TIP + DROP)
        opening = min(0.3 * solid.width, OPEN)
        start = solid.p_base[:2] - direction * behind
        end = solid.p_base[:2] + direction * (length - solid.width / 2 - FINGER_DEPTH)
        angle = math.atan2(direction[1], direction[0])
        yaw = self._best_yaw(start, height, [angle, angle + math.pi], thing)
        pose = self._reachability.pose
        if self._reachability.strain(self.now.q, pose(end, height, yaw)) is None:
            raise GivesUp(f"{thing} cannot be brought there: out of reach")
        quick, slow = self._parameters.speed_m_s, self._parameters.slow_speed_m_s
        back = end - direction * PUSH_START
        yield from self._go(
            [
                Leg(f"reach behind {thing}", pose(start, READY_HEIGHT, yaw), opening, quick),
                Leg(f"reach behind {thing}", pose(start, height, yaw), opening, slow),
                Leg(f"push {thing}", pose(end, height, yaw), opening, PUSH_SPEED),
                Leg(f"leave {thing}", pose(back, height, yaw), opening, slow),
                Leg(f"leave {thing}", pose(back, TRAVEL_HEIGHT, yaw), opening, quick),
            ]
        )
        self.share = 0.8

    def verify(self, thing: Thing, spot: Array, rest: float, tolerance: float, failure: str) -> Iterator[Activity]:
        """Look whether `thing` rests at height `rest` over `spot` (2,), give or take `tolerance`."""
        self.share = 0.85
        yield from self.to_lookout("look whether it is done")
        places = [
            rests_at(segment, self.now.camera, self._table + rest, thing.solid.height)
            for segment in look(self.now.image)
            if segment.colour == thing.colour
        ]
        if not any(np.linalg.norm(place - spot) <= tolerance for place in places):
            raise Missed(failure)

    def put_back(self, thing: Thing) -> Iterator[Activity]:
        """Put what an earlier step has left in the hand back to where it came from."""
        self.touched = True
        yield from self.release(thing, thing.solid.p_base[:2], thing.solid.height / 2 + DROP, "back on the table")

    def let_go(self) -> Iterator[Activity]:
        """After a failure: open, and look from where nothing is hidden."""
        self.held = None
        try:
            yield from self._go([Leg("let go", self.now.T_base_tool, OPEN, self._parameters.slow_speed_m_s)])
            yield from self.to_lookout("look again")
        except Missed as miss:
            raise GivesUp(str(miss)) from None

    def to_lookout(self, label: str) -> Iterator[Activity]:
        """Go up, then to where the arm hides nothing from the camera."""
        gripper = self.now.finger if self.held is None else CLOSED
        legs = [Leg(label, self._lookout, gripper, self._parameters.speed_m_s)]
        above = self.now.T_base_tool.copy()
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
        due_ns = self.now.stamp_ns + round(self._expected_s(course) * NS_PER_S)
        seen_ns, number = self.now.stamp_ns, 0
        while True:
            due_ns += max(0, self.now.stamp_ns - seen_ns - round(BLIND_S * NS_PER_S))
            seen_ns = self.now.stamp_ns
            while number < len(course) and self._arrived(course[number], course[number + 1 : number + 2]):
                number += 1
            if number == len(course):
                return
            if self.now.stamp_ns > due_ns:
                raise Missed(f"the arm did not get there in time ({legs[number].label})")
            # Not from the beginning: a System 1 that was started anew would go there again.
            self.activity = Activity(legs[number].label, course[max(0, number - 1) :])
            yield self.activity

    def _expected_s(self, course: Sequence[Waypoint]) -> float:
        at, gripper = self.now.T_base_tool, self.now.finger
        expected = FOLLOW_UP_S
        for waypoint in course:
            expected += 1.5 + 2.0 * float(np.linalg.norm(waypoint.T_base_tool[:3, 3] - at[:3, 3])) / waypoint.speed
            expected += 1.0 * (waypoint.gripper != gripper)
            at, gripper = waypoint.T_base_tool, waypoint.gripper
        return expected

    def _arrived(self, waypoint: Waypoint, after: Sequence[Waypoint]) -> bool:
        now = self.now
        passing = bool(after) and after[0].gripper == waypoint.gripper and after[0].speed == waypoint.speed
        away = float(np.linalg.norm(now.T_base_tool[:3, 3] - waypoint.T_base_tool[:3, 3]))
        there = abs(now.finger - waypoint.gripper) < 0.003
        stalled = waypoint.gripper < now.finger < OPEN - 0.004 and abs(now.finger_speed) < FINGER_STILL
        return away < (PASSING if passing else AT) and (there or stalled)

    def _holds(self, thing: Thing) -> bool:
        return HOLDS < self.now.finger < thing.solid.width / 2 + HOLDS

    def _best_yaw(self, spot: Array, height: float, yaws: Sequence[float], thing: Thing) -> float:
        """Return the best turn of the hand for `thing`, see `Reachability.best_yaw`.

        Raises:
            GivesUp: the arm cannot get there with any.
        """
        others = [
            rests_at(segment, self.now.camera, self._table, 0.04)
            for segment in look(self.now.image)
            if segment.colour not in (thing.colour, *CONTAINERS)
        ]
        yaw = self._reachability.best_yaw(self.now.q, spot, height, yaws, others)
        if yaw is None:
            raise GivesUp(f"{thing} is out of reach")
        return yaw
