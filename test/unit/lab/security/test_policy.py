"""The shipped policy covers what the graph declares, and gives each topic that moves something to one enclave."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vla_ros.bringup.graph import NODE_NAMES
from vla_ros.lab.security.devices import DEVICES, OF_ALL
from vla_ros.lab.security.policy import Profile, from_xml, relative, to_xml
from vla_ros.resources import share

ROOT = Path(__file__).parents[4]
POLICY = from_xml((share() / "config" / "security_policy.xml").read_text())


def publishers(topic: str) -> set[str]:
    return {node for node, profile in POLICY.items() if topic in profile.publish}


@pytest.mark.parametrize(
    ("topic", "who"),
    [
        ("arm_controller/joint_trajectory", {"safety_filter"}),
        ("gripper_controller/commands", {"safety_filter"}),
        ("gripper_controller/joint_trajectory", {"safety_filter"}),
        ("arm_controller/controller_state", {"controller_manager", "sim_arm"}),
        ("gripper_controller/controller_state", {"controller_manager", "sim_arm"}),
        ("vla/safety_monitor", {"safety_monitor"}),
        ("vla/safety_status", {"safety_filter"}),
        ("vla/joint_command", {"action_expert"}),
        ("vla/latent_plan", {"planner"}),
        ("vla/frames", {"camera"}),
        ("vla/override", {"teleop"}),
        ("vla/estop", {"estop_button"}),
        ("vla/estop_heartbeat", {"estop_button"}),
        ("vla/deadman", {"deadman_switch"}),
        ("vla/enabling", {"enabling_device"}),
        ("vla/reduced", {"mode_switch"}),
        ("vla/speed_scale", {"speed_scale"}),
        ("vla/obstacles", {"obstacle_detector"}),
        ("joint_states", {"controller_manager", "sim_arm"}),
        ("robot_description", {"robot_state_publisher", "sim_arm"}),
        ("task_instruction", {"dashboard", "operator", "task_server"}),
        ("vla/instruction", {"action_expert"}),
    ],
)
def test_what_moves_something_is_published_by_its_owner_alone(topic: str, who: set[str]) -> None:
    assert publishers(topic) == who


def test_every_node_and_every_device_has_an_enclave_with_what_ros_itself_opens() -> None:
    assert set(NODE_NAMES) | set(DEVICES) <= set(POLICY)
    for node, profile in POLICY.items():
        assert profile.allows(Profile(OF_ALL.publish, OF_ALL.subscribe)) == [], node
    assert {node: POLICY[node] for node in DEVICES} == dict(DEVICES), "write it again: python -m vla_ros.lab.security"


def test_the_topics_and_services_of_the_documentation_are_covered() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| (`[^|]*) \| [^|]*\|", page[page.index("## Topics") : page.index("## Time")], re.MULTILINE)
    quoted = {name for row in rows for name in row.split("`")[1::2]}
    names = {name for name in quoted if "<" not in name and name != "/compressed"}
    assert len(names) > 30
    known = set().union(*(p.publish | p.subscribe | p.reply | p.execute for p in POLICY.values()))
    assert names - known == set(), "write it again: python -m vla_ros.lab.security"


def test_only_the_planner_and_the_filter_offer_services_that_move_something() -> None:
    for service, owner in (("vla/arm", "safety_filter"), ("vla/reset", "safety_filter"), ("vla/continue", "planner")):
        assert {node for node, profile in POLICY.items() if service in profile.reply} == {owner}
        assert {node for node, profile in POLICY.items() if service in profile.request} == {"dashboard", "operator"}


def test_a_policy_is_read_as_it_was_written() -> None:
    assert from_xml(to_xml(POLICY)) == POLICY
    with pytest.raises(ValueError, match="not an sros2 policy"):
        from_xml("<policy version='9'/>")


def test_names_are_relative_to_the_node_and_its_namespace() -> None:
    names = ("/rosout", "/vla/estop", "/planner/get_state", "/planner_b/x")
    assert relative(names, "planner") == {"/rosout", "vla/estop", "~/get_state", "planner_b/x"}


def test_an_action_stands_for_its_topics_and_services() -> None:
    parts = {"publish": ("feedback", "status"), "reply": ("send_goal", "cancel_goal", "get_result")}
    named = {kind: frozenset({f"vla/execute/_action/{part}" for part in found}) for kind, found in parts.items()}
    server = Profile(named["publish"] | {"a"}, reply=named["reply"]).with_actions()
    assert server == Profile(frozenset({"a"}), execute=frozenset({"vla/execute"}))
    client = Profile(subscribe=named["publish"], request=named["reply"] | {"b"}).with_actions()
    assert client == Profile(request=frozenset({"b"}), call=frozenset({"vla/execute"}))
    watcher = Profile(subscribe=frozenset({"a", "arm/follow/_action/status"}))
    assert watcher.with_actions() == watcher, "who reads the status alone needs that topic"
    assert {
        "arm_controller/follow_joint_trajectory/_action/status",
        "gripper_controller/gripper_cmd/_action/status",
    } <= (POLICY["safety_filter"].subscribe)
    assert Profile().allows(client) == ["request b", "call vla/execute"]
    assert {node for node, profile in POLICY.items() if profile.execute} == {"task_server"}
    assert {node for node, profile in POLICY.items() if profile.call} == {"operator"}


def test_what_is_lacking_is_named() -> None:
    small, large = Profile(frozenset({"a"})), Profile(frozenset({"a", "b"}), request=frozenset({"c"}))
    assert large.allows(small) == [] and small.allows(large) == ["publish b", "request c"]
