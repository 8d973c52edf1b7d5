"""The subtasks, whose indices are stored in checkpoints and data sets."""

from __future__ import annotations

from vla_ros.policies.compact.model_config import SUBTASKS as COMPACT_SUBTASKS
from vla_ros.sim.phases import GRASP_PHASES, PHASES, PUSH_PHASES
from vla_ros.tasks.subtasks import GRASP_SUBTASKS, PUSH_SUBTASKS, SUBTASKS


def test_planner_and_expert_share_one_list() -> None:
    assert COMPACT_SUBTASKS is SUBTASKS and PHASES[: len(SUBTASKS)] == SUBTASKS


def test_parts_of_the_list_are_those_of_grasps_and_pushes() -> None:
    assert tuple(PHASES[phase] for phase in GRASP_PHASES) == GRASP_SUBTASKS
    assert tuple(PHASES[phase] for phase in PUSH_PHASES) == PUSH_SUBTASKS
    assert (*GRASP_SUBTASKS, *PUSH_SUBTASKS, "done") == SUBTASKS
