"""A URDF is read as the standard parsers read it, and what they would leave open is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vla_ros.parameters import ParameterError
from vla_ros.robot.urdf import Mimic, followers, mimic_of, read_urdf, urdf_joints, urdf_number, urdf_root, urdf_text

JOINT = '<joint name="a" type="revolute"/>'


@pytest.mark.parametrize(
    "text",
    [
        '\n<?xml version="1.0"?><robot><joint name="a"/></robot>',
        '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<robot><joint name="a"/></robot>\n\0',
        '<?xml version="1.0" encoding="ISO-8859-1"?><robot><joint name="a"/></robot>',
        '<!-- made -->\n<robot xmlns="http://www.ros.org/wiki/xacro"><joint name="a"/></robot>',
        '<robot><xacro:property name="x"/><joint name="a"/></robot>',
    ],
)
def test_what_standard_parsers_read_is_read(text: str) -> None:
    assert list(urdf_joints(urdf_root(text))) == ["a"]
    assert urdf_text(text)[0] == "<"


def test_bytes_are_decoded_as_they_declare(tmp_path: Path) -> None:
    text = '<?xml version="1.0" encoding="latin-1"?><robot name="Käfer"/>'
    for data in (text.encode("latin-1"), '<robot name="Käfer"/>'.encode(), '<robot name="Käfer"/>'.encode("utf-16")):
        assert urdf_root(urdf_text(data)).get("name") == "Käfer"
    file = tmp_path / "arm.urdf"
    file.write_bytes(b'\xef\xbb\xbf\n<robot name="r"/>')
    assert read_urdf(file) == '<robot name="r"/>'
    file.write_bytes(b'<robot name="\xff"/>')
    with pytest.raises(ParameterError, match=rf"urdf: {file}: is not in the encoding utf-8"):
        read_urdf(file)
    with pytest.raises(ParameterError, match="urdf: gone.urdf: No such file"):
        read_urdf("gone.urdf")


@pytest.mark.parametrize("tag", ["gazebo", "ros2_control", "transmission", "link", "group"])
def test_only_direct_children_are_joints(tag: str) -> None:
    nested = f'<{tag}><joint name="b" type="revolute"/><joint name="a"/></{tag}>'
    assert list(urdf_joints(urdf_root(f"<robot>{JOINT}{nested}</robot>"))) == ["a"]


@pytest.mark.parametrize(
    ("inside", "error"),
    [
        (JOINT * 2, "urdf: joint a: given more than once"),
        ('<link name="l"/><link name="l"/>', "urdf: link l: given more than once"),
        ('<joint name="a"><limit lower="-1"/><limit lower="-9"/></joint>', "joint a has more than one <limit>"),
        ('<joint name="a"><mimic joint="b"/><mimic joint="c"/></joint>', "joint a has more than one <mimic>"),
        ('<joint type="revolute"/>', "urdf: a joint has no name"),
        ("<joint", "urdf: not readable as XML"),
    ],
)
def test_what_is_open_is_refused(inside: str, error: str) -> None:
    with pytest.raises(ParameterError, match=error):
        urdf_joints(urdf_root(f"<robot>{inside}</robot>"))


def test_another_root_is_refused() -> None:
    with pytest.raises(ParameterError, match="its root is <sdf>"):
        urdf_root("<sdf/>")


@pytest.mark.parametrize("text", ["1_000", "nan", "inf", "1e300", "", "1 2", "0x10", "fast", "１"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="joint a has lower="):
        urdf_number(text, "joint a has lower")


def test_numbers() -> None:
    assert [urdf_number(text, "") for text in (" 1.5\n", "+.5", "-3.", "1E-3")] == [1.5, 0.5, -3.0, 1e-3]


def test_mimics_of_mimics() -> None:
    root = urdf_root(
        '<robot><joint name="c"><mimic joint="b" multiplier="-2" offset="0.5"/></joint>'
        '<joint name="b"><mimic joint="a" multiplier="3" offset="1"/></joint>'
        '<joint name="a"/><joint name="x"/><joint name="d"><mimic joint="x"/></joint></robot>'
    )
    assert followers(root, ["a"]) == {"b": Mimic("a", 3.0, 1.0), "c": Mimic("a", -6.0, -1.5)}
    joints = urdf_joints(root)
    assert mimic_of("d", joints["d"]) == Mimic("x", 1.0, 0.0)
    assert mimic_of("a", joints["a"]) is None


@pytest.mark.parametrize("tag", ["<mimic/>", '<mimic joint="b" multiplier="x"/>', '<mimic joint="b" offset="nan"/>'])
def test_a_mimic_that_cannot_be_read_is_refused(tag: str) -> None:
    with pytest.raises(ParameterError, match="<mimic> of joint a"):
        followers(urdf_root(f'<robot><joint name="a">{tag}</joint></robot>'), ["b"])


@pytest.mark.parametrize(
    ("chain", "told"),
    [
        ({"a": "a"}, "joint a follows itself (<mimic>: a → a)"),
        ({"a": "b", "b": "c", "c": "b"}, "joint a follows itself (<mimic>: a → b → c → b)"),
        ({"a": "b", "b": "nowhere"}, "joint b follows 'nowhere' (<mimic>), which is not in the URDF"),
    ],
)
def test_a_chain_of_mimics_that_leads_nowhere_is_refused(chain: dict[str, str], told: str) -> None:
    joints = "".join(f'<joint name="{name}"><mimic joint="{leader}"/></joint>' for name, leader in chain.items())
    with pytest.raises(ParameterError, match=re.escape(told)):
        followers(urdf_root(f"<robot>{joints}</robot>"), ["a"])
