"""Values are ordered by name; names that do not bind are refused and said."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.robot.joint_map import JointMap, JointNamesError


def test_values_come_in_the_order_of_the_map() -> None:
    index = JointMap(["a", "b", "c"]).permutation(["c", "a", "b"], "checkpoint")
    assert np.array([3.0, 1.0, 2.0])[index].tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (["a"], "checkpoint: joint b is missing; it has a"),
        (["a", "b", "d"], "checkpoint: joint d is not of this robot; it has a, b"),
        (["a", "b", "b"], "checkpoint: joint b is named twice"),
        ([], "checkpoint: joint a, b is missing; it has none"),
    ],
)
def test_names_that_do_not_bind_are_refused(names: list[str], text: str) -> None:
    with pytest.raises(JointNamesError) as error:
        JointMap(["a", "b"]).permutation(names, "checkpoint")
    assert str(error.value) == text


def test_a_map_needs_unique_joints() -> None:
    with pytest.raises(JointNamesError, match="named twice"):
        JointMap(["a", "a"])
    with pytest.raises(JointNamesError, match="empty"):
        JointMap([])
