"""The last look of an instruction: fresh images, fresh trackers, and the steps as they were read, one after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.perception.frames import CameraView
from vla_ros.policies.compact.instruction_parser import ParsedInstruction
from vla_ros.policies.compact.object_localizer import ObjectLocalizer
from vla_ros.policies.compact.object_tracker import MIN_PRESENCE, ObjectTracker
from vla_ros.policies.compact.waypoint_decoder import LOOKOUT, WaypointDecoder
from vla_ros.tasks.completion import Completion, SeenHand, SeenObject, StepCheck, check_step

LOOKS = 5  # sets of images for each step
LEAVE_LIMIT_S = 6.0  # that the hand is given to go where it hides nothing
AT_LOOKOUT_M = 0.05  # of the tool, which then hides nothing


@dataclass(frozen=True)
class StepMemory:
    """What a step leaves behind for the last look, from its own trackers.

    Attributes:
        start: (3,) where x was before.
        x, y: (3,) where the objects were in the end; None: not known, or not seen any more.
    """

    start: Array
    x: Array | None
    y: Array | None

    @classmethod
    def of(cls, start: Array, x: ObjectTracker, y: ObjectTracker) -> StepMemory:
        """Return what the trackers of a step know now."""
        return cls(start, _place(x), _place(y))


@dataclass(frozen=True)
class ArmPosture:
    """The arm of one moment: hand (z above the table), its yaw, joints q, whether they rest and whether they may move."""

    hand: SeenHand
    yaw: float
    q: Array
    at_rest: bool
    may_move: bool


class FinalCheck:
    """Looks at the objects of every step that no later step has moved on; if they do not show, once more from farther away.

    Args:
        localizer: finds them; its trackers begin anew for each step.
        decoder: makes the waypoints of the way out of the picture.
        parsed: the instruction.
        memories: of its steps.
    """

    def __init__(
        self,
        localizer: ObjectLocalizer,
        decoder: WaypointDecoder,
        parsed: ParsedInstruction,
        memories: Sequence[StepMemory],
    ) -> None:
        self._localizer, self._decoder, self._parsed, self._memories = localizer, decoder, parsed, memories
        self._steps = list(standing_steps(parsed.parsed_steps))
        self._checks: list[StepCheck] = []
        self._looks = 0
        self._leaving_s: float | None = None  # None: not yet

    def update(
        self, views: Sequence[CameraView], elapsed_s: float, arm: ArmPosture, finger: float
    ) -> StepCheck | Array | None:
        """Take in one set of images.

        Args:
            views: one for each camera of the network, with matrix and pose.
            elapsed_s: since the last images.
            arm: as measured. finger: position of the finger joint, m.

        Returns:
            What is wrong with the steps, else what cannot be told, else that all is done. Rows of `WaypointDecoder.decode`:
            the hand is to go there first. None: it is to stay, and the look goes on.
        """
        if self._leaving_s is not None and self._leaving_s < LEAVE_LIMIT_S:
            self._leaving_s += elapsed_s if arm.may_move else 0.0
            if not arm.at_rest or np.linalg.norm(arm.hand.p - LOOKOUT) > AT_LOOKOUT_M:
                return self._decoder.lookout(arm.hand.p, arm.yaw, 0.0 if arm.hand.holds else finger, arm.q)
            self._leaving_s = LEAVE_LIMIT_S
        found = self._look(views, elapsed_s, arm.hand)
        if found is not None and found.verdict is not Completion.DONE and self._leaving_s is None:
            self._leaving_s, self._checks = 0.0, []
            return None
        return found

    def _look(self, views: Sequence[CameraView], elapsed_s: float, hand: SeenHand) -> StepCheck | None:
        number = self._steps[len(self._checks)]
        step = self._parsed.parsed_steps[number]
        if not self._looks:
            self._localizer.begin_step(step)
        held = step["verb"] == "pick" and hand.holds
        self._localizer.update(views, self._parsed.queries[:, number], elapsed_s, hand.p, held)
        self._looks += 1
        if self._looks < LOOKS:
            return None
        self._looks = 0
        self._checks.append(self._check(step, self._memories[number], hand, self._localizer.p_camera(views[0])))
        return combined(self._checks) if len(self._checks) == len(self._steps) else None

    def _check(self, step: Mapping[str, str], memory: StepMemory, hand: SeenHand, p_camera: Array) -> StepCheck:
        """Compare one step with what is seen. What is not seen is where it was: y, which x may hide, and x in the hand."""
        places = [_place(tracker) for tracker in self._localizer.trackers]
        if places[0] is None and step["verb"] == "pick":
            places[0] = memory.x
        if places[1] is None:
            places[1] = memory.y
        x, y = (
            SeenObject(name_of(step, role), step[f"{role}_shape"].replace("none", ""), place, tracker.std_m, p_camera)
            for role, place, tracker in zip("xy", places, self._localizer.trackers, strict=True)
        )
        has_y = step["y_shape"] != "none"
        return check_step(step["verb"], x, y if has_y else None, step["side"], memory.start, hand)


def standing_steps(parsed_steps: Sequence[Mapping[str, str]]) -> Iterable[int]:
    """Yield the numbers of the steps whose object no later step moves."""
    for number, step in enumerate(parsed_steps):
        if not any(name_of(later, "x") == name_of(step, "x") for later in parsed_steps[number + 1 :]):
            yield number


def combined(checks: Sequence[StepCheck]) -> StepCheck:
    """Return one answer for all steps: what has failed goes before what cannot be told."""
    for verdict in (Completion.FAILED, Completion.UNSURE):
        reasons = [check.reason for check in checks if check.verdict is verdict]
        if reasons:
            return StepCheck(verdict, "; ".join(reasons))
    return StepCheck(Completion.DONE)


def _place(tracker: ObjectTracker) -> Array | None:
    """Return a copy of (3,) where a tracker sees its object now; None: it does not."""
    return tracker.p.copy() if tracker.known and tracker.presence >= MIN_PRESENCE else None


def name_of(step: Mapping[str, str], role: str) -> str:
    """Return an object of a step in words; a side where it has none."""
    words = [step[f"{role}_{part}"] for part in ("colour", "shape")]
    named = " ".join(word for word in words if word != "none")
    return f"the {named}" if named else f"the {step['side']}"
