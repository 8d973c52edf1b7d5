"""The path of a push, and what stands in it."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.sim.push_path import HAND_SPACE_M, PUSH_TO_LENGTH_M, leaves_path_free, push_path
from vla_ros.sim.scene import SceneObject
from vla_ros.tasks.hand import PUSH_LENGTH_M
from vla_ros.tasks.task import Step

CUBE = SceneObject("cube", "red", 0.5, 0.0, 0.0)
LEFT = Step("push", "red cube", "left")


def test_a_push_to_the_left_runs_along_plus_y() -> None:
    path = push_path(LEFT, [CUBE])
    assert path is not None
    assert path[0] == pytest.approx([0.5, -HAND_SPACE_M]) and path[1] == pytest.approx([0.5, PUSH_LENGTH_M])


@pytest.mark.parametrize(("y", "possible"), [(0.14, False), (0.20, True), (0.45, False)])
def test_a_push_to_an_object_has_a_least_and_a_largest_length(y: float, possible: bool) -> None:
    bowl = SceneObject("bowl", "", 0.5, y, 0.0)
    path = push_path(Step("push", "red cube", "bowl"), [CUBE, bowl])
    assert (path is not None) is possible
    if path is not None:
        assert PUSH_TO_LENGTH_M[0] < np.linalg.norm(path[1] - (0.5, 0.0)) < PUSH_TO_LENGTH_M[1]


@pytest.mark.parametrize(("x", "y", "free"), [(0.5, 0.1, False), (0.5, -0.1, False), (0.62, 0.05, True)])
def test_what_stands_in_the_path_or_behind_the_object_is_found(x: float, y: float, free: bool) -> None:
    other = SceneObject("cube", "blue", x, y, 0.0)
    assert leaves_path_free(other, LEFT, [CUBE, other]) is free
    assert leaves_path_free(CUBE, LEFT, [CUBE]) and leaves_path_free(other, Step("pick", "red cube"), [CUBE, other])
