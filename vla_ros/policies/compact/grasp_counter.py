"""Counts grasps that close on nothing: after a few of one object there is no sense in another."""

from __future__ import annotations

from vla_ros.tasks.hand import FINGER_OPEN_M, HOLDING_FINGER_M

MAX_FUTILE = 3
"""So many futile grasps of one object end the instruction."""
OPENED_M = FINGER_OPEN_M / 2
"""Fingers wider than this have been opened for another grasp."""
GRASPING = ("grasp {x}", "lift {x}", "carry {x} to {y}")
"""Subtasks in which fingers that are closed to the end hold nothing, or have lost what they held."""


class GraspCounter:
    """Counts for one step. Attributes: futile: number of futile grasps so far."""

    def __init__(self) -> None:
        self.futile = 0
        self._opened = False

    def update(self, subtask: str, finger_m: float) -> None:
        """Take in a measurement. subtask: of `subtasks.SUBTASKS`. finger_m: position of one finger."""
        if finger_m > OPENED_M:
            self._opened = True
        elif self._opened and subtask in GRASPING and finger_m < HOLDING_FINGER_M:
            self.futile += 1
            self._opened = False

    @property
    def exhausted(self) -> bool:
        """Whether it has been tried often enough."""
        return self.futile >= MAX_FUTILE
