"""Phases in words, and the heading of objects."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vla_ros.sim.phases import ASIDE, CARRY, PHASES, PUSH, ExpertDecision, ToolGoal, heading

GOAL = ToolGoal(0.5, 0.0, 0.1, 0.0, 0.04, 0.3)


@pytest.mark.parametrize(
    ("phase", "y", "words"),
    [
        (CARRY, "bowl", "carry the red cube to the bowl"),
        (PUSH, "left", "push the red cube"),
        (ASIDE, "", "put the red cube aside"),
    ],
)
def test_a_phase_is_told_in_words(phase: int, y: str, words: str) -> None:
    assert ExpertDecision(phase, (GOAL,), 0, "red cube", y, 0.0).subtask == words


def test_there_is_one_index_for_each_phase() -> None:
    assert len(PHASES) - 1 == ASIDE and PHASES[ASIDE] == "put {x} aside"


def turned(axis: int, angle: float) -> np.ndarray:
    pose = np.eye(4)
    c, s = math.cos(angle), math.sin(angle)
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    pose[i, i], pose[i, j], pose[j, i], pose[j, j] = c, -s, s, c
    return pose


def test_a_cube_faces_where_it_is_turned_and_a_standing_cylinder_nowhere() -> None:
    assert math.remainder(heading("cube", turned(2, 0.4)) - 0.4, math.pi / 2) == pytest.approx(0.0)
    assert heading("cylinder", turned(2, 0.4)) == 0.0 == heading("ball", turned(2, 0.4))
    assert heading("cylinder", turned(1, math.pi / 2)) == pytest.approx(0.0)
