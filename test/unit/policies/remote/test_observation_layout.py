"""Which key holds what: nested maps, parts of a state, parts of the actions, channels first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vla_ros.parameters import ParameterError
from vla_ros.policies.remote.observation_layout import ObservationLayout, VectorPart, key_values, vector_parts
from vla_ros.policies.remote.policy_client import PolicyRequest, ServerFault

DROID = ObservationLayout(
    (VectorPart("observation/joint_position", 7), VectorPart("observation/gripper_position", 1)),
    (VectorPart("actions", 0),),
    "prompt",
    {},
)


def request(**images: Any) -> PolicyRequest:
    return PolicyRequest(images, np.arange(8.0), "go", 1, 1)


def test_the_state_is_sent_in_parts() -> None:
    found = DROID.observation(request())
    assert found["observation/joint_position"].tolist() == list(range(7))
    assert found["observation/gripper_position"].tolist() == [7.0] and found["prompt"] == "go"


def test_keys_nest() -> None:
    layout = ObservationLayout((VectorPart("state", 0),), (VectorPart("out>actions", 0),), "prompt", {}, (8, 8), True)
    found = layout.observation(request(**{"images>cam_high": np.zeros((16, 16, 3), np.uint8)}))
    assert found["images"]["cam_high"].shape == (3, 8, 8) and found["images"]["cam_high"].flags["C_CONTIGUOUS"]
    assert layout.joined({"out": {"actions": [[1.0, 2.0]]}}).tolist() == [[1.0, 2.0]]
    with pytest.raises(ServerFault, match="its answer has no 'out>actions' but out"):
        layout.joined({"out": 3})


def test_without_a_state_none_is_sent() -> None:
    layout = ObservationLayout((), (VectorPart("actions", 0),), "prompt", {})
    assert layout.observation(PolicyRequest({}, None, "go", 1, 1)) == {"prompt": "go"}


def test_parts_of_actions_lie_side_by_side() -> None:
    layout = ObservationLayout((), (VectorPart("arm", 2), VectorPart("hand", 1)), "prompt", {})
    joined = layout.joined({"hand": np.array([5.0, 6.0]), "arm": np.array([[1.0, 2.0], [3.0, 4.0]]), "more": 1})
    assert joined.tolist() == [[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]


@pytest.mark.parametrize(
    ("texts", "width", "said"),
    [
        (["a="], 3, "must be"),
        (["=3"], 3, "must be"),
        (["a=-1"], 3, "must be"),
        (["a=0"], 3, "must be"),
        (["a=2", "b"], 3, "each needs its width"),
        (["a=2", "b=2"], 3, "are 4 values, but the binding has 3"),
    ],
)
def test_parts_that_are_wrong_are_named(texts: list[str], width: int, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        vector_parts(texts, width, "remote.state_keys")


def test_parts_and_pairs_are_read() -> None:
    assert vector_parts(["a=2", "b=1"], 3, "x") == (VectorPart("a", 2), VectorPart("b", 1))
    assert vector_parts(["a"], 3, "x") == (VectorPart("a", 0),)
    assert key_values(["a=b=c", "d="], "x") == {"a": "b=c", "d": ""}
