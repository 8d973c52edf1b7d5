"""Each configuration with which the filter must not start differs from the correct one as its name says."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest

from test.unit.lab.faults.fake_rig import CASES, injected
from vla_ros.lab.faults.cases import refusals
from vla_ros.lab.faults.graphs import bounds
from vla_ros.sim.arm_description import JOINT_NAMES, urdf

NAMES = [case.name for case in refusals.cases(bounds())]


@pytest.mark.parametrize("name", NAMES)
def test_a_filter_is_started_once_with_a_changed_configuration(name: str) -> None:
    ((call, parameters, edit),) = injected(name).calls
    assert call == "start_filter"
    assert parameters or edit(urdf()) != urdf()
    assert CASES[name].graph == "none" and CASES[name].expected.says


@pytest.mark.parametrize(("attribute", "value"), [("lower", "nan"), ("upper", "9.5"), ("velocity", None)])
def test_one_limit_of_one_joint_is_edited(attribute: str, value: str | None) -> None:
    edited = ET.fromstring(refusals.with_limit("joint2", attribute, value)(urdf()))
    for before, after in zip(ET.fromstring(urdf()).iter("joint"), edited.iter("joint"), strict=True):
        old, new = ({} if (limit := each.find("limit")) is None else dict(limit.attrib) for each in (before, after))
        if after.get("name") == "joint2":
            assert new.pop(attribute, None) == value
            old.pop(attribute)
        assert new == old


def test_values_are_what_the_names_say() -> None:
    parameters = {name: injected(name).calls[0][1] for name in NAMES}
    assert all(map(math.isnan, parameters["limits-nan"]["limits.acceleration"]))
    assert parameters["limits-missing"] == {"limits.acceleration": None}
    assert len(parameters["limits-short"]["limits.jerk"]) == 2
    assert (
        parameters["limits-inverted"]["limits.position_lower"] > parameters["limits-inverted"]["limits.position_upper"]
    )
    assert set(parameters["joint-unknown"]["joint_names"]) - set(JOINT_NAMES) == {"joint9"}


def test_a_broken_urdf_is_no_xml() -> None:
    with pytest.raises(ET.ParseError):
        ET.fromstring(injected("urdf-broken").calls[0][2](urdf()))
