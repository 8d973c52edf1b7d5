"""Limits: read from the URDF, tightened, rounded to the safe side, or refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.safety.joint.joint_limits import JointLimits, TickLimits, joint_limits, per_tick
from vla_ros.safety.safety_parameters import SafetyFilterParameters

LIMIT = '<limit lower="-1.5" upper="1.5" velocity="2" effort="9"/>'


def urdf(limit: str = LIMIT, kind: str = "revolute") -> str:
    return f'<robot name="r"><joint name="a" type="{kind}">{limit}</joint><joint name="f" type="fixed"/></robot>'


def parameters(**changes: Any) -> SafetyFilterParameters:
    mapping = {
        "joint_names": ["a"],
        "limits": {"acceleration": [10.0], "jerk": [1000.0]},
        "command": {
            "period_s": 0.01,
            "delay_s": 0.02,
            "timeout_s": 0.06,
            "max_age_s": 0.1,
            "max_lead_s": 0.05,
            "step": [0.2],
        },
        "measured": {"timeout_s": 0.1, "position_tolerance": [0.0], "tracking_error": [0.1], "rest_velocity": [0.01]},
        "override": {"speed_scale": 0.2},
        "controller": {"type": "forward_position", "topic": "arm_controller/commands"},
    }
    for group, values in changes.items():
        mapping[group] = {**mapping.get(group, {}), **values} if isinstance(values, dict) else values
    return from_mapping(SafetyFilterParameters, mapping, "safety_filter.")


def test_the_urdf_tightened() -> None:
    assert joint_limits(urdf(), parameters()) == (JointLimits("a", -1.5, 1.5, 2.0, 10.0, 1000.0, hard_velocity=2.0),)
    tighter = parameters(limits={"position_lower": [-1.0], "position_upper": [1.5], "velocity": [0.5]})
    assert joint_limits(urdf(), tighter) == (JointLimits("a", -1.0, 1.5, 0.5, 10.0, 1000.0, hard_velocity=2.0),)


def test_scaled_and_slowed_near_its_ends() -> None:
    changed = parameters(limits={"scale": [0.5], "slow_zone": [0.2], "slow_velocity": [0.1]})
    assert joint_limits(urdf(), changed) == (JointLimits("a", -1.5, 1.5, 1.0, 5.0, 500.0, 0.2, 0.1, 2.0),)
    assert per_tick(joint_limits(urdf(), changed)[0], 0.004).slow_velocity == 400_000
    with pytest.raises(
        ParameterError, match=r"limits.slow_velocity\[0\]: 3.0 of joint a is more than its velocity limit"
    ):
        joint_limits(urdf(), parameters(limits={"slow_zone": [0.2], "slow_velocity": [3.0]}))


def test_a_continuous_joint_gets_its_range_from_the_configuration() -> None:
    with pytest.raises(ParameterError, match="limits.position_lower: joint a has no limit"):
        joint_limits(urdf(kind="continuous"), parameters())
    ranged = parameters(limits={"position_lower": [-3.0], "position_upper": [3.0]})
    assert joint_limits(urdf(kind="continuous"), ranged)[0].lower == -3.0


def joints(*elements: str) -> str:
    return f'<robot name="r">{"".join(elements)}</robot>'


def joint(name: str, inside: str, kind: str = "revolute") -> str:
    return f'<joint name="{name}" type="{kind}">{inside}</joint>'


@pytest.mark.parametrize("tag", ["gazebo", "ros2_control", "transmission"])
def test_a_nested_joint_changes_nothing(tag: str) -> None:
    looser = f"<{tag}>{joint('a', LIMIT.replace('1.5', '9'))}</{tag}>"
    for text in (joints(looser, joint("a", LIMIT)), joints(joint("a", LIMIT), looser)):
        assert joint_limits(text, parameters()) == (JointLimits("a", -1.5, 1.5, 2.0, 10.0, 1000.0, hard_velocity=2.0),)


@pytest.mark.parametrize(
    ("soft", "kind", "lower", "upper"),
    [
        ('soft_lower_limit="-0.5" soft_upper_limit="0.7"', "revolute", -0.5, 0.7),
        ('soft_lower_limit="-9" soft_upper_limit="9"', "revolute", -1.5, 1.5),
        ('soft_upper_limit="0.7" k_velocity="10"', "revolute", -1.5, 0.7),
        ('k_position="100" k_velocity="10"', "prismatic", -1.5, 1.5),
        ('soft_lower_limit="-3" soft_upper_limit="3"', "continuous", -3.0, 3.0),
    ],
)
def test_the_tighter_of_soft_and_hard_limits(soft: str, kind: str, lower: float, upper: float) -> None:
    text = joints(joint("a", f"{LIMIT}<safety_controller {soft}/>", kind))
    (limits,) = joint_limits(text, parameters())
    assert (limits.lower, limits.upper, limits.velocity) == (lower, upper, 2.0)


@pytest.mark.parametrize(
    ("mimic", "limit", "expected"),
    [
        ("", LIMIT, (-1.5, 1.5, 2.0)),
        ('multiplier="2"', LIMIT, (-0.75, 0.75, 1.0)),
        ('multiplier="-1" offset="0.5"', '<limit lower="-0.5" upper="1" velocity="3"/>', (-0.5, 1.0, 2.0)),
        ('multiplier="0"', '<limit lower="0" upper="0" velocity="0"/>', (-1.5, 1.5, 2.0)),
        ('multiplier="-4"', '<limit lower="-8" upper="0.8" velocity="1"/>', (-0.2, 1.5, 0.25)),
    ],
)
def test_a_joint_is_limited_by_those_that_mimic_it(
    mimic: str, limit: str, expected: tuple[float, float, float]
) -> None:
    text = joints(joint("a", LIMIT), joint("m", f'{limit}<mimic joint="a" {mimic}/>'))
    (limits,) = joint_limits(text, parameters())
    assert (limits.lower, limits.upper, limits.velocity) == expected


@pytest.mark.parametrize(
    ("text", "changes", "error"),
    [
        (joints(joint("a", LIMIT), joint("a", LIMIT)), {}, "urdf: joint a: given more than once"),
        (joints(joint("a", f'{LIMIT}<mimic joint="b"/>'), joint("b", LIMIT)), {}, "joint_names: 'a' follows 'b'"),
        (
            joints(joint("a", f'{LIMIT}<safety_controller soft_lower_limit="x"/>')),
            {},
            "limits.position_lower: joint a has soft_lower_limit='x' in the URDF",
        ),
        (
            joints(joint("a", f'{LIMIT}<safety_controller soft_lower_limit="0" soft_upper_limit="0"/>')),
            {},
            "0.0 of joint a is not below its upper limit 0.0",
        ),
        (
            joints(joint("a", f'{LIMIT}<safety_controller soft_upper_limit="1"/>')),
            {"limits": {"position_upper": [1.2]}},
            "limits.position_upper[0]: 1.2 of joint a is looser than the URDF's 1.0",
        ),
        (urdf('<limit lower="-1_0" upper="1" velocity="2"/>'), {}, "joint a has lower='-1_0' in the URDF"),
        ("<robot", {}, "urdf: not readable as XML"),
        (urdf(), {"joint_names": ["b"]}, "joint_names: 'b' is not a joint of the URDF; it has a"),
        (urdf(), {"joint_names": ["f"]}, "joint_names: 'f' is a fixed joint"),
        (urdf(""), {}, "limits.position_lower: joint a has no limit"),
        (
            urdf('<limit lower="-1" velocity="2"/>'),
            {},
            'put <limit upper="..."/> into the URDF or limits.position_upper',
        ),
        (urdf('<limit lower="-1" upper="1"/>'), {}, "limits.velocity: joint a has no limit"),
        (urdf('<limit lower="nan" upper="1" velocity="2"/>'), {}, "joint a has lower='nan' in the URDF"),
        (urdf('<limit lower="-1" upper="inf" velocity="2"/>'), {}, "joint a has upper='inf' in the URDF"),
        (urdf('<limit lower="-1e308" upper="1" velocity="2"/>'), {}, "joint a has lower='-1e308' in the URDF"),
        (urdf('<limit lower="-1" upper="1" velocity="fast"/>'), {}, "joint a has velocity='fast' in the URDF"),
        (urdf('<limit lower="-1" upper="1" velocity="0"/>'), {}, "joint a has 0.0 in the URDF, which allows no motion"),
        (urdf('<limit lower="1" upper="-1" velocity="2"/>'), {}, "1.0 of joint a is not below its upper limit -1.0"),
        (urdf(), {"limits": {"velocity": [2.1]}}, "limits.velocity[0]: 2.1 of joint a is looser than the URDF's 2.0"),
        (urdf(), {"limits": {"position_lower": [-1.6]}}, "limits.position_lower[0]: -1.6 of joint a is looser"),
        (urdf(), {"limits": {"position_upper": [1.6]}}, "limits.position_upper[0]: 1.6 of joint a is looser"),
    ],
)
def test_an_incomplete_or_looser_limit_is_refused_by_name(text: str, changes: dict[str, Any], error: str) -> None:
    with pytest.raises(ParameterError) as raised:
        joint_limits(text, parameters(**changes))
    assert error in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"joint_names": []}, "safety_filter.joint_names: must be non-empty names"),
        ({"joint_names": ["a", "a"]}, "safety_filter.joint_names: must be non-empty names, each once"),
        ({"limits": {"jerk": [1.0, 2.0]}}, "safety_filter.limits.jerk: expected 1 values, one per joint, got 2"),
        ({"limits": {"jerk": [0.0]}}, "safety_filter.limits.jerk[0]: must be above 0.0"),
        ({"limits": {"velocity": [1.0, 2.0]}}, "safety_filter.limits.velocity: expected 1 values"),
        ({"command": {"timeout_s": 0.01}}, "safety_filter.command.timeout_s: 0.01 is not more than command.period_s"),
        ({"command": {"step": []}}, "safety_filter.command.step: expected 1 values"),
        ({"controller": {"type": "torque"}}, "safety_filter.controller.type: must be one of joint_trajectory"),
        ({"controller": {"topic": ""}}, "safety_filter.controller.topic: must name"),
        ({"controller": {"gripper_joint": "a"}}, "safety_filter.controller.gripper_topic: give it together"),
        ({"controller": {"gripper_joint": "g", "gripper_topic": "t"}}, "controller.gripper_joint: 'g' is not one of"),
        ({"effort": {"limit": [9.0]}}, "safety_filter.effort.limit: is given, but effort.check is off"),
        ({"override": {"speed_scale": 1.5}}, "safety_filter.override.speed_scale: must be at most 1.0"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(changes: dict[str, Any], error: str) -> None:
    with pytest.raises(ParameterError) as raised:
        parameters(**changes)
    assert error in str(raised.value)


def test_safety_parameters_have_no_defaults() -> None:
    for key in ("limits", "command", "measured", "override", "controller", "joint_names"):
        with pytest.raises(ParameterError, match="required and missing"):
            from_mapping(
                SafetyFilterParameters,
                {
                    name: value
                    for name, value in {
                        "joint_names": ["a"],
                        "limits": {"acceleration": [1.0], "jerk": [1.0]},
                    }.items()
                    if name != key
                },
            )


def test_integers_are_rounded_to_the_safe_side() -> None:
    limits = per_tick(JointLimits("a", -1.0000000005, 1.0000000005, 1.0000001, 1.0101, 100.7), 0.004)
    assert limits == TickLimits(-1_000_000_000, 1_000_000_000, 4_000_000, 16_161, 6_444)
    with pytest.raises(ParameterError, match=r"limits.jerk: 0.001 of joint a is nothing in 0.004 s"):
        per_tick(JointLimits("a", -1.0, 1.0, 1.0, 1.0, 0.001), 0.004)
