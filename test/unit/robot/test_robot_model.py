"""What a URDF is no model for is told in the parser's own words, without the places in its source."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.parameters import ParameterError
from vla_ros.robot.robot_model import bounded_model, library_line, robot_model

LINKS = '<robot name="r"><link name="a"/><link name="b"/>'
JOINT = '<joint name="j" type="{}"><parent link="a"/><child link="{}"/><axis xyz="{}"/>{}</joint></robot>'
LIMIT = '<limit lower="-1" upper="1" velocity="1" effort="1"/>'


@pytest.mark.parametrize(
    ("urdf", "cause"),
    [
        (
            LINKS + JOINT.format("revolute", "b", "0 0 1", ""),
            r"Joint \[j\] is of type REVOLUTE but it does not specify",
        ),
        (LINKS + JOINT.format("revolute", "c", "0 0 1", LIMIT), r"child link \[c\] of joint \[j\] not found"),
        (LINKS + JOINT.format("revolute", "b", "0 x 1", LIMIT), r"Malformed axis element for joint \[j\]"),
        (LINKS + "</robot>", r"Two root links found: \[a\] and \[b\]"),
    ],
)
def test_the_cause_is_named_and_no_path_of_another_machine(
    urdf: str, cause: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ParameterError, match=cause) as error:
        robot_model(urdf)
    assert str(error.value).startswith("urdf: cannot be read as a model: ")
    assert "/project/" not in str(error.value) + capfd.readouterr().err


def test_places_in_a_librarys_source_are_left_out() -> None:
    text = "From file: /project/src/x.hxx\nin function: void f()\nat line: 194\nmessage: Could not load a.stl\nHint: look.\n"
    assert library_line(ValueError(text)) == "Could not load a.stl Hint: look."
    assert library_line(ValueError("From file: /x.hxx\nat line: 3\n")) == "ValueError"


def test_a_continuous_joint_is_one_number_without_limits() -> None:
    model = bounded_model(LINKS + JOINT.format("continuous", "b", "0 0 1", '<limit velocity="2" effort="3"/>'))
    assert (model.nq, model.velocityLimit[0], model.upperEffortLimit[0]) == (1, 2.0, 3.0)
    assert np.isneginf(model.lowerPositionLimit[0]) and np.isposinf(model.upperPositionLimit[0])
    assert bounded_model(LINKS + JOINT.format("continuous", "b", "0 0 1", "")).nq == 1
