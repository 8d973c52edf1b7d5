"""What the hand can do with one object: find, grasp, put down, push, look again.

Each skill is a generator: it yields what to do now, for as long as that takes, and goes on when the measured arm has got
there. Nothing is assumed to have worked: a grasp is checked by the opening of the fingers, a result by another look.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array, Image
from vla_ros.language.steps import ObjectPhrase
from vla_ros.perception.pinhole import PinholeCamera
from vla_ros.policies.classical.detection import DetectedObject, find_object
from vla_ros.policies.classical.reachability import Reachability, yaw_of
from vla_ros.policies.classical.segmentation import resting_place, segment_image
from vla_ros.policies.contract import JointState
from vla_ros.policies.policy_parameters import ClassicalParameters
from vla_ros.policies.registry import Robot, joint_index
from vla_ros.policies.waypoints import Waypoint
from vla_ros.robot.kinematics import Kinematics
from vla_ros.tasks.hand import (
    FINGER_CLOSED_M,
    FINGER_HALF_DEPTH_M,
    FINGER_OPEN_M,
    FINGERTIP_M,
    GRIPPING_FINGER_M,
    HOLDING_FINGER_M,
    PUSH_SPEED_M_S,
    PUSH_START_GAP_M,
    READY_HEIGHT_M,
    RELEASE_CLEARANCE_M,
    RELEASE_GAP_M,
    TRAVEL_HEIGHT_M,
)
from vla_ros.tasks.objects import OBJECT_HALF_WIDTH_M
from vla_ros.tasks.vocabulary import CONTAINERS
from vla_ros.time import NS_PER_S

LOOKOUT = np.array([0.28, 0.0, 0.40])
"""Of the tool, above the table, m: the arm hides nothing from the camera."""
FINGER_STILL = 0.005  # m/s
FINGER_MOVED_M, FINGER_START_S = 0.002, 1.0
"""Fingers that stand still have been stopped by something once they have moved so far, or were given so long to begin."""
AT_WAYPOINT_M = 0.012
PASSING_M = 0.06  # a waypoint where the tool need not stop is passed within this
FOLLOW_UP_S = 3.0  # more than a motion should take, before the attempt is given up
NO_IMAGE_S = 0.5  # without an image nothing is expected: the time beyond this does not count


class StepImpossible(Exception):
    """The step cannot be done; the text says why."""


class AttemptFailed(Exception):
    """This attempt has failed; the text says how. Another one may succeed."""


@dataclass(frozen=True)
class HandObservation:
    """What is measured and seen now.

    Attributes:
        stamp_ns: of the image.
        image: (H, W, 3) rgb.
        camera: that took it.
        q, dq: (n,) rad (m) and per s.
        T_base_tool: (4, 4).
        finger: opening, m.
        finger_speed: m/s.
    """

    stamp_ns: int
    image: Image
    camera: PinholeCamera
    q: Array
    dq: Array
    T_base_tool: Array
    finger: float
    finger_speed: float


@dataclass(frozen=True)
class Activity:
    """What to do now: a subtask in words, and waypoints."""

    subtask: str
    waypoints: tuple[Waypoint, ...]


@dataclass(frozen=True)
class LabelledPose:
    """A waypoint in the making.

    Attributes:
        label: what people are told while the tool is on its way there.
        T_base_tool: (4, 4).
        gripper: finger joint on arrival, m.
        speed: of the tool, m/s.
        within_m: the tool has arrived so near to it.
    """

    label: str
    T_base_tool: Array
    gripper: float
    speed: float
    within_m: float = AT_WAYPOINT_M


class Skills:
    """What the hand can do, and what is known while it does it.

    Args:
        robot: the arm.
        parameters: options of the policy.

    Attributes:
        now: the newest observation.
        activity: the newest that was yielded.
        held: what is in the hand. It outlives an instruction, so that the next one can put it down.
        step_progress: of the present step, 0..1.
        confidence: the lowest fit of what was found, NaN before.
        touched: whether anything has been, or is about to be.
    """

    now: HandObservation
    activity: Activity

    def __init__(self, robot: Robot, parameters: ClassicalParameters) -> None:
        self._parameters = parameters
        self._kinematics = Kinematics(robot.urdf, robot.joint_names, robot.tool_frame)
        self._finger = joint_index(robot, parameters.gripper_joint, "classical.gripper_joint")
        self._table = parameters.table_height_m
        self._reachability = Reachability(self._kinematics, self._table)
        self._lookout = self._reachability.pose(LOOKOUT[:2], LOOKOUT[2], 0.0)
        self.held: DetectedObject | None = None
        self.begin()

    def begin(self) -> None:
        """Start anew, for another instruction; what is in the hand stays there."""
        self._index = 0
        self.step_progress = 0.0
        self.confidence = math.nan
        self.touched = False

    def observe(self, stamp_ns: int, image: Image, camera: PinholeCamera, joint_state: JointState) -> None:
        """Take in what is seen and measured now."""
        self.now = HandObservation(
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

    def find(self, wanted: ObjectPhrase) -> Generator[Activity, None, DetectedObject]:
        """Return the object that `wanted` describes, seen from the lookout.

        Raises:
            StepImpossible: nothing fits, or more than one object does.
        """
        if np.linalg.norm(self.now.T_base_tool[:3, 3] - self._lookout[:3, 3]) > PASSING_M:
            yield from self.to_lookout(f"look for {wanted}")
        item, reason = find_object(self.now.image, self.now.camera, self._table, wanted)
        if item is None:
            raise StepImpossible(reason)
        self.confidence = float(np.nanmin([self.confidence, item.fitted.fit]))
        return item

    def seen(self, wanted: ObjectPhrase) -> DetectedObject | None:
        """Return the object that `wanted` describes, as it shows from here; None: none, or more than one does."""
        return find_object(self.now.image, self.now.camera, self._table, wanted)[0]

    def take(self, wanted: ObjectPhrase) -> Generator[Activity, None, DetectedObject]:
        """Return the object that `wanted` describes, once it is in the hand and lifted."""
        if self.held is not None and self.held.is_called(wanted):
            return self.held
        item = yield from self.find(wanted)
        yield from self._grasp(item)
        return item

    def _grasp(self, item: DetectedObject) -> Iterator[Activity]:
        self.step_progress, self.touched = 0.1, True
        fitted = item.fitted
        spot, height = fitted.p_base[:2], max(fitted.height / 2, FINGERTIP_M + RELEASE_GAP_M)
        yaws = [fitted.yaw + turn * math.pi / 2 for turn in range(4)]
        if fitted.shape != "cube":
            yaws = [turn * math.pi / 6 for turn in range(12)]
        yaw = self._best_yaw(spot, height, yaws, item)
        pose = self._reachability.pose
        quick, slow = self._parameters.speed_m_s, self._parameters.slow_speed_m_s
        down = pose(spot, height, yaw)
        yield from self._go(
            [
                LabelledPose(
                    f"reach for {item}", pose(spot, max(READY_HEIGHT_M, height + 0.05), yaw), FINGER_OPEN_M, quick
                ),
                LabelledPose(f"reach for {item}", down, FINGER_OPEN_M, slow),
                LabelledPose(f"grasp {item}", down, FINGER_CLOSED_M, slow),
            ]
        )
        if not self._holds(item):
            raise AttemptFailed(f"{item} slipped")
        self.held = item  # from now on: whoever breaks off the lift keeps the grip
        yield from self._go([LabelledPose(f"lift {item}", pose(spot, TRAVEL_HEIGHT_M, yaw), FINGER_CLOSED_M, quick)])
        if self.held is None:
            raise AttemptFailed(f"{item} slipped")

    def release(self, item: DetectedObject, spot: Array, height: float, where: str) -> Iterator[Activity]:
        """Put what is held so that the tool is at `height` over `spot` (2,), and go up."""
        self.step_progress = 0.5
        yaws = [yaw_of(self.now.T_base_tool) + turn * math.pi / 2 for turn in range(4)]
        yaw = self._best_yaw(spot, height, yaws, item)
        pose = self._reachability.pose
        quick, slow = self._parameters.speed_m_s, self._parameters.slow_speed_m_s
        opening = min(FINGER_OPEN_M, item.fitted.width / 2 + RELEASE_CLEARANCE_M)
        down = pose(spot, height, yaw)
        yield from self._go(
            [
                LabelledPose(f"carry {item} over", pose(spot, TRAVEL_HEIGHT_M, yaw), FINGER_CLOSED_M, quick),
                LabelledPose(f"put {item} {where}", down, FINGER_CLOSED_M, slow),
            ]
        )
        if not self._holds(item):
            raise AttemptFailed(f"{item} fell on the way")
        yield from self._go(
            [
                LabelledPose(f"let go of {item}", down, opening, slow),
                LabelledPose(f"let go of {item}", pose(spot, TRAVEL_HEIGHT_M, yaw), opening, quick),
            ]
        )
        self.held = None

    def push(self, item: DetectedObject, direction: Array, length: float) -> Iterator[Activity]:
        """Push `length` m along `direction` (2,), unit, with two fingers side by side, so that the object cannot slip off."""
        self.step_progress, self.touched = 0.2, True
        fitted = item.fitted
        behind = fitted.extent(direction) + FINGER_HALF_DEPTH_M + PUSH_START_GAP_M
        height = max(fitted.height / 2, FINGERTIP_M + RELEASE_GAP_M)
        opening = min(0.3 * fitted.width, FINGER_OPEN_M)
        start = fitted.p_base[:2] - direction * behind
        end = fitted.p_base[:2] + direction * (length - fitted.width / 2 - FINGER_HALF_DEPTH_M)
        angle = math.atan2(direction[1], direction[0])
        yaw = self._best_yaw(start, height, [angle, angle + math.pi], item)
        pose = self._reachability.pose
        if self._reachability.strain(self.now.q, pose(end, height, yaw)) is None:
            raise StepImpossible(f"{item} cannot be brought there: out of reach")
        quick, slow = self._parameters.speed_m_s, self._parameters.slow_speed_m_s
        back = end - direction * PUSH_START_GAP_M
        yield from self._go(
            [
                LabelledPose(f"reach behind {item}", pose(start, READY_HEIGHT_M, yaw), opening, quick),
                LabelledPose(f"reach behind {item}", pose(start, height, yaw), opening, slow),
                LabelledPose(f"push {item}", pose(end, height, yaw), opening, PUSH_SPEED_M_S),
                LabelledPose(f"leave {item}", pose(back, height, yaw), opening, slow),
                LabelledPose(f"leave {item}", pose(back, TRAVEL_HEIGHT_M, yaw), opening, quick),
            ]
        )
        self.step_progress = 0.8

    def verify(
        self, item: DetectedObject, spot: Array, rest: float, tolerance: float, failure: str
    ) -> Iterator[Activity]:
        """Look whether an object rests at height `rest` over `spot` (2,), give or take `tolerance`."""
        self.step_progress = 0.85
        yield from self.to_lookout("look whether it is done")
        places = [
            resting_place(segment, self.now.camera, self._table + rest, item.fitted.height)
            for segment in segment_image(self.now.image)
            if segment.colour == item.colour
        ]
        if not any(np.linalg.norm(place - spot) <= tolerance for place in places):
            raise AttemptFailed(failure)

    def put_back(self, item: DetectedObject) -> Iterator[Activity]:
        """Put what an earlier step has left in the hand back to where it came from."""
        self.touched = True
        yield from self.release(
            item, item.fitted.p_base[:2], item.fitted.height / 2 + RELEASE_GAP_M, "back on the table"
        )

    def let_go(self) -> Iterator[Activity]:
        """After a failure: open, and look from where nothing is hidden."""
        self.held = None
        try:
            yield from self._go(
                [LabelledPose("let go", self.now.T_base_tool, FINGER_OPEN_M, self._parameters.slow_speed_m_s)]
            )
            yield from self.to_lookout("look again")
        except AttemptFailed as miss:
            raise StepImpossible(str(miss)) from None

    def to_lookout(self, label: str) -> Iterator[Activity]:
        """Go up, then to where the arm hides nothing from the camera."""
        gripper = FINGER_CLOSED_M if self._grips_something() else self.now.finger
        legs = [LabelledPose(label, self._lookout, gripper, self._parameters.speed_m_s)]
        above = self.now.T_base_tool.copy()
        if above[2, 3] < self._table + TRAVEL_HEIGHT_M - AT_WAYPOINT_M:
            above[2, 3] = self._table + TRAVEL_HEIGHT_M
            legs.insert(0, LabelledPose(label, above, gripper, self._parameters.slow_speed_m_s))
        yield from self._go(legs)

    def _go(self, legs: Sequence[LabelledPose]) -> Iterator[Activity]:
        """Yield until the tool has been at the end of every leg in turn.

        Raises:
            AttemptFailed: it takes too long.
        """
        course = tuple(
            Waypoint(self._index + number, leg.T_base_tool, leg.gripper, leg.speed) for number, leg in enumerate(legs)
        )
        self._index += len(course)
        due_ns = self.now.stamp_ns + round(self._expected_s(course) * NS_PER_S)
        seen_ns, number = self.now.stamp_ns, 0
        began_ns, finger = self.now.stamp_ns, self.now.finger  # of the leg
        while True:
            due_ns += max(0, self.now.stamp_ns - seen_ns - round(NO_IMAGE_S * NS_PER_S))
            seen_ns = self.now.stamp_ns
            while number < len(course) and self._arrived(legs[number], legs[number + 1 : number + 2], began_ns, finger):
                number, began_ns, finger = number + 1, self.now.stamp_ns, self.now.finger
            if number == len(course):
                return
            if self.now.stamp_ns > due_ns:
                raise AttemptFailed(f"the arm did not get there in time ({legs[number].label})")
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

    def _arrived(self, leg: LabelledPose, after: Sequence[LabelledPose], began_ns: int, finger: float) -> bool:
        """Return whether a leg has ended. began_ns, finger: stamp, and position of the fingers, when it began."""
        now = self.now
        passing = bool(after) and after[0].gripper == leg.gripper and after[0].speed == leg.speed
        away = float(np.linalg.norm(now.T_base_tool[:3, 3] - leg.T_base_tool[:3, 3]))
        there = abs(now.finger - leg.gripper) < 0.003
        still = leg.gripper < now.finger < FINGER_OPEN_M - 0.004 and abs(now.finger_speed) < FINGER_STILL
        tried = abs(now.finger - finger) > FINGER_MOVED_M or now.stamp_ns - began_ns > FINGER_START_S * NS_PER_S
        stopped = still and (tried or self._grips_something())
        return away < (PASSING_M if passing else leg.within_m) and (there or stopped)

    def _holds(self, item: DetectedObject) -> bool:
        return HOLDING_FINGER_M < self.now.finger < item.fitted.width / 2 + HOLDING_FINGER_M

    def _grips_something(self) -> bool:
        """Whether something is in the hand, or may be: what another policy has taken is not known here."""
        return self.held is not None or is_gripping(self.now.finger)

    def _best_yaw(self, spot: Array, height: float, yaws: Sequence[float], item: DetectedObject) -> float:
        """Return the best turn of the hand for `item`, see `Reachability.best_yaw`.

        Raises:
            StepImpossible: the arm cannot get there with any.
        """
        others = [
            resting_place(segment, self.now.camera, self._table, 0.04)
            for segment in segment_image(self.now.image)
            if segment.colour not in (item.colour, *CONTAINERS)
        ]
        yaw = self._reachability.best_yaw(self.now.q, spot, height, yaws, others)
        if yaw is None:
            raise StepImpossible(f"{item} is out of reach")
        return yaw


def is_gripping(finger: float) -> bool:
    """Return whether fingers that rest at this position are kept apart by an object, m."""
    return GRIPPING_FINGER_M < finger < OBJECT_HALF_WIDTH_M + HOLDING_FINGER_M
