"""What the hand can do without an object of its own: go home, open, close, move, put down what it holds."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from vla_ros.arrays import Array
from vla_ros.language.steps import ObjectPhrase
from vla_ros.policies.classical.detection import DetectedObject, things_in_view
from vla_ros.policies.classical.free_places import is_free, places_around
from vla_ros.policies.classical.reachability import yaw_of
from vla_ros.policies.classical.segmentation import resting_place, segment_image
from vla_ros.policies.classical.shape_fitting import FittedShape
from vla_ros.policies.classical.skills import (
    AT_WAYPOINT_M,
    Activity,
    LabelledPose,
    Skills,
    StepImpossible,
    is_gripping,
)
from vla_ros.policies.contract import JointState
from vla_ros.tasks.hand import (
    FINGER_CLOSED_M,
    FINGER_OPEN_M,
    HOLDING_FINGER_M,
    LOWEST_TOOL_M,
    RELEASE_CLEARANCE_M,
    RELEASE_GAP_M,
    TRAVEL_HEIGHT_M,
)
from vla_ros.tasks.objects import CYLINDER_HEIGHT_M, OBJECT_HALF_WIDTH_M, height_of, radius_of
from vla_ros.tasks.vocabulary import CONTAINERS

IN_HAND_M = 0.05
"""What shows so near to the tool, seen at the tool's height, is in the hand."""
DROP_M = 0.06
"""The hand does not open higher than this over the table while it holds something."""
REACHED_SHARE = 0.4
"""Of the distance of a move that may be left when it counts as made: a centimetre is not what "there already" means."""
STANDS_M = 0.04
"""What was put down is seen so near to where it was."""
AXES = {
    "left": (0, 1, 0),
    "right": (0, -1, 0),
    "forward": (1, 0, 0),
    "back": (-1, 0, 0),
    "up": (0, 0, 1),
    "down": (0, 0, -1),
}


class HandSkills(Skills):
    """The skills of `Skills`, and those of the hand alone. Arguments and attributes: see there."""

    @property
    def grips(self) -> bool:
        """Whether the fingers are closed on something."""
        return is_gripping(self.now.finger)

    def holds_something(self, joint_state: JointState) -> bool:
        """Return whether the fingers are closed on something, by their measured opening alone."""
        return is_gripping(float(joint_state.q[self._finger]))

    def in_hand(self) -> str:
        """Return what the fingers are closed on, in words; empty: nothing."""
        if not self.grips:
            return ""
        if self.held is not None:
            return str(self.held)
        shown = self._shown_in_hand()
        return f"the {next(iter(shown))} object" if len(shown) == 1 else "something"

    def places(self, but: str = "") -> list[tuple[Array, float]]:
        """Return centre (2,) and radius of everything in view that stands on the table. but: a colour that is left out."""
        seen = things_in_view(self.now.image, self.now.camera, self._table)
        found = [(np.array(each.p_base), radius_of(each.shape)) for each in seen if each.colour != but or not but]
        tool = self.now.T_base_tool[:2, 3]
        return [(p, r) for p, r in found if not (self.grips and np.linalg.norm(p - tool) < r)]

    def inside(self, target: DetectedObject, but: str) -> list[Array]:
        """Return (2,) of everything that shows in or on a container. but: a colour that is left out."""
        fitted = target.fitted
        shown = [
            resting_place(segment, self.now.camera, self._table + fitted.floor, 2 * OBJECT_HALF_WIDTH_M)
            for segment in segment_image(self.now.image)
            if segment.colour not in (but, *CONTAINERS)
        ]
        return [place for place in shown if np.linalg.norm(place - fitted.p_base[:2]) < fitted.width / 2]

    def adopt(self, wanted: ObjectPhrase) -> bool:
        """Take for held what the fingers grip, where it looks like `wanted`; return whether it does."""
        if not self.grips:
            return False
        tool, shown = self.now.T_base_tool[:3, 3], self._shown_in_hand()
        if wanted.colour not in shown and (wanted.colour or len(shown) != 1):
            return False
        shape, colour = wanted.shape or "cube", wanted.colour or next(iter(shown))
        foot = np.array([tool[0], tool[1], self._table])
        fitted = FittedShape(shape, foot, yaw_of(self.now.T_base_tool), 2 * OBJECT_HALF_WIDTH_M, height_of(shape), 1.0)
        self.held = DetectedObject(colour, fitted, {shape: 1.0})
        return True

    def _shown_in_hand(self) -> set[str]:
        """Return the colours of what shows where the tool is."""
        tool = self.now.T_base_tool[:3, 3]
        return {
            segment.colour
            for segment in segment_image(self.now.image)
            if np.linalg.norm(self.now.camera.point_on_plane(segment.centre, float(tool[2]))[:2] - tool[:2]) < IN_HAND_M
        } - set(CONTAINERS)

    def home(self) -> Iterator[Activity]:
        """Go to where the arm hides nothing; the fingers keep what they hold."""
        yield from self.to_lookout("go home")

    def set_gripper(self, opening: float, label: str) -> Iterator[Activity]:
        """Open or close where the hand is.

        Raises:
            StepImpossible: something would fall.
        """
        height = self.now.T_base_tool[2, 3] - self._table
        if opening > self.now.finger and self.grips and height > DROP_M + OBJECT_HALF_WIDTH_M:
            raise StepImpossible(f"what is in the hand would fall {100 * height:.0f} cm: say 'put it down'")
        yield from self._go([LabelledPose(label, self.now.T_base_tool, opening, self._parameters.slow_speed_m_s)])
        self.held = None

    def reach(self, direction: str, distance_m: float) -> Iterator[Activity]:
        """Move the hand on a straight line.

        Raises:
            StepImpossible: the arm cannot get there.
        """
        pose = self.now.T_base_tool.copy()
        pose[:3, 3] += distance_m * np.array(AXES[direction])
        low = pose[2, 3] < self._table + LOWEST_TOOL_M
        if low or self._reachability.strain(self.now.q, pose) is None:
            why = "the table is in the way" if low else "out of reach"
            raise StepImpossible(f"the hand cannot go {100 * distance_m:g} cm {direction}: {why}")
        closed = self.grips or self.now.finger < HOLDING_FINGER_M
        gripper = FINGER_CLOSED_M if closed else self.now.finger
        label, speed = f"move the hand {direction}", self._parameters.slow_speed_m_s
        within_m = min(AT_WAYPOINT_M, REACHED_SHARE * distance_m)
        yield from self._go([LabelledPose(label, pose, gripper, speed, within_m)])

    def put_down(self) -> Iterator[Activity]:
        """Put what is in the hand on the table, as near as there is room.

        Raises:
            StepImpossible: nothing is in the hand, or there is no room, or it is not seen there afterwards.
        """
        if not self.grips:
            raise StepImpossible("nothing is in the hand")
        self.touched = True
        tool = self.now.T_base_tool
        half = CYLINDER_HEIGHT_M / 2 if self.held is None else self.held.fitted.height / 2
        height, yaw = half + RELEASE_GAP_M, yaw_of(tool)
        pose, quick, slow = self._reachability.pose, self._parameters.speed_m_s, self._parameters.slow_speed_m_s
        spot = self.free_spot(
            places_around(tool[:2, 3].copy()), OBJECT_HALF_WIDTH_M, "" if self.held is None else self.held.colour
        )
        if spot is None:
            raise StepImpossible("there is no room to put it down")
        opening = min(FINGER_OPEN_M, OBJECT_HALF_WIDTH_M + RELEASE_CLEARANCE_M)
        down, above = pose(spot, height, yaw), pose(spot, TRAVEL_HEIGHT_M, yaw)
        yield from self._go(
            [
                LabelledPose("carry it to a free place", above, FINGER_CLOSED_M, quick),
                LabelledPose("put it down", down, FINGER_CLOSED_M, slow),
            ]
        )
        if not self.grips:
            raise StepImpossible("it fell out of the hand on the way")
        yield from self._go(
            [LabelledPose("let go", down, opening, slow), LabelledPose("let go", above, opening, quick)]
        )
        self.held = None
        yield from self.to_lookout("look whether it is done")
        seen = things_in_view(self.now.image, self.now.camera, self._table)
        standing = [thing for thing in seen if thing.shape not in CONTAINERS]
        if not any(np.linalg.norm(np.array(thing.p_base) - spot) < STANDS_M for thing in standing):
            raise StepImpossible("what was put down is not seen where it was put")

    def free_spot(self, places: Iterator[Array], radius_m: float, but: str = "") -> Array | None:
        """Return the first (2,) place where there is room and where the arm gets; None: there is none."""
        others = self.places(but)
        for place in places:
            if is_free(place, radius_m, others) and self._reaches(place):
                return place
        return None

    def _reaches(self, place: Array) -> bool:
        yaw = yaw_of(self.now.T_base_tool)
        turns = [yaw + turn * np.pi / 2 for turn in range(4)]
        return self._reachability.best_yaw(self.now.q, place, LOWEST_TOOL_M + RELEASE_GAP_M, turns, []) is not None
