"""Monitors an episode by the simulator's true state: why it failed, and whether the planner went for the right object.

Nothing of this reaches the policy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from vla_ros.policies.contract import Plan, PlanState
from vla_ros.sim.arm_description import FINGER_JOINT, JOINT_NAMES
from vla_ros.sim.simulation import Simulation
from vla_ros.tasks.judge import ObjectState, evaluate_task

REASONS = (
    "stopped by the filter",
    "refused",
    "never reached",
    "wrong object",
    "not grasped",
    "slipped",
    "misplaced",
    "undone",
    "gave up",
)
"""Why an episode failed: of its first step that is not achieved.

- stopped by the filter: a latched stop.
- refused: the planner refused the instruction before it moved.
- never reached: no finger touched the object.
- wrong object: the same, and another object was lifted or moved.
- not grasped: touched, never lifted.
- slipped: lost from closed fingers.
- misplaced: let go, or pushed, to where it does not count.
- undone: it was achieved, and the arm went on.
- gave up: still in the hand at the end.
"""

IN_HAND_M = 0.02  # so much higher than at the start, an object is in the hand
MOVED_M = 0.03  # so far from its start, an object has been moved
LET_GO_M = 0.02  # fingers that are told to open wider than this let go: an object is 0.022 m wide, half
INTENDED_M = 0.08  # a plan is about an object that its path passes within this: a push begins 0.062 m behind its object
FINGER = JOINT_NAMES.index(FINGER_JOINT)


class EpisodeMonitor:
    """Monitors one episode.

    Args:
        simulation: the scene, before anything moves.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._touched: set[str] = set()
        self._lifted: set[str] = set()
        self._slipped: set[str] = set()  # lost, and not lifted again since
        self._achieved = False
        self._in_hand = ""
        self._sure: list[float] = []
        self._ended_sure = math.nan
        self._meant: bool | None = None

    def on_plan(self, plan: Plan) -> None:
        """A plan takes effect."""
        if plan.state is not PlanState.ACTIVE:
            self._ended_sure = math.nan if plan.state is PlanState.HOLD else plan.confidence
            return
        if math.isfinite(plan.confidence):
            self._sure.append(plan.confidence)
        if self._meant is None and len(plan.path):
            now = self._simulation.truth()
            near = {name: _distance(body, plan.path[:, :2]) for name, body in now.items()}
            nearest = min(near, key=lambda name: near[name])
            self._meant = nearest == self._simulation.task.steps[0].x and near[nearest] < INTENDED_M

    def observe(self) -> None:
        """Observe the scene; call it a few times in a tenth of a second."""
        simulation = self._simulation
        now, gripped = simulation.truth(), simulation.gripped()
        self._touched |= {name for name, body in now.items() if body.held}
        if gripped and now[gripped].p_base[2] > simulation.start[gripped].p_base[2] + IN_HAND_M:
            self._lifted.add(gripped)
            self._slipped.discard(gripped)
            self._in_hand = gripped
        elif self._in_hand and gripped != self._in_hand:
            if simulation.controller.q[FINGER] < LET_GO_M:
                self._slipped.add(self._in_hand)
            self._in_hand = ""
        self._achieved |= evaluate_task(simulation.task, simulation.start, now)[0]

    @property
    def confidence(self) -> float:
        """Mean of the plans that moved the arm; where none did, that of the plan that ended it; NaN where none is told."""
        return float(np.mean(self._sure)) if self._sure else self._ended_sure

    @property
    def meant(self) -> bool | None:
        """Whether the first plan that moved the arm led to the right object; None without one that says where to."""
        return self._meant

    def is_untouched(self) -> bool:
        """Whether nothing was touched, and nothing has moved."""
        return not self._touched and not self._moved(0.01)

    def failure_reason(self, measures: Sequence[Mapping[str, object]], state: PlanState, latched: bool) -> str:
        """Return why the episode failed, of REASONS.

        Args:
            measures: of the judge, at the end. state: of the planner, at the end. latched: the filter has stopped the arm.
        """
        step = next(step for step in measures if not step["success"])
        x = str(step["x"])
        if latched:
            return "stopped by the filter"
        if self._achieved:
            return "undone"
        if x not in self._touched:
            asked = {str(other["x"]) for other in measures}
            if (self._lifted - asked) or (self._moved(MOVED_M) - asked):
                return "wrong object"
            return "refused" if state is PlanState.REFUSED else "never reached"
        if step["step"] == "push":
            return "misplaced"
        if x not in self._lifted:
            return "wrong object" if self._lifted - {x} and len(measures) == 1 else "not grasped"
        if x in self._slipped:
            return "slipped"
        return "gave up" if self._in_hand == x else "misplaced"

    def _moved(self, distance_m: float) -> set[str]:
        now, start = self._simulation.truth(), self._simulation.start
        return {name for name in now if np.linalg.norm(now[name].p_base[:2] - start[name].p_base[:2]) > distance_m}


def _distance(body: ObjectState, path: np.ndarray) -> float:
    """Least distance, seen from above, of an object to the points of a path."""
    return float(np.linalg.norm(path - body.p_base[:2], axis=1).min())
