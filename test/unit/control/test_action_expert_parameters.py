"""The old name of a parameter is refused with the new one."""

from __future__ import annotations

import pytest

from vla_ros.control.action_expert_parameters import ActionExpertParameters
from vla_ros.control.chunk_player import CHUNK_TRANSITIONS
from vla_ros.parameters import ParameterError, from_mapping


@pytest.mark.parametrize("transition", CHUNK_TRANSITIONS)
def test_splicing_is_refused_with_the_line_to_write_instead(transition: str) -> None:
    named = {"joint_names": ["elbow"], "chunk_transition": transition}
    assert from_mapping(ActionExpertParameters, named).chunk_transition == transition
    with pytest.raises(
        ParameterError, match=rf"^action_expert\.splicing: renamed, write chunk_transition: {transition}$"
    ):
        from_mapping(ActionExpertParameters, {"joint_names": ["elbow"], "splicing": transition}, "action_expert.")
