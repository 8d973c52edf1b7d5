"""The page's document: what was seen, how old it is, and what is missing."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.dashboard_parameters import DashboardParameters
from vla_ros.dashboard.observations import CameraImage, FilterStatus, NodeReport, PlanSummary
from vla_ros.dashboard.view_model import ViewModel
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

S = 1_000_000_000
K = np.array([[300.0, 0.0, 128.0], [0.0, 300.0, 128.0], [0.0, 0.0, 1.0]])


@pytest.fixture
def view_model(parameters: DashboardParameters, arm: Arm) -> ViewModel:
    return ViewModel(parameters, arm, "run", 0)


def content(view_model: ViewModel, now_ns: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(view_model.document(now_ns, now_ns, now_ns / S).text)
    return found


def test_nothing_seen_is_a_whole_document(view_model: ViewModel) -> None:
    found = content(view_model, S)
    assert (found["filter"], found["plan"], found["cameras"], found["events"]) == (None, None, [], [])
    assert [joint["name"] for joint in found["joints"]] == list(JOINT_NAMES)
    assert len(found["row"]) == 1 + 4 * len(JOINT_NAMES)


def test_proposed_and_granted_stand_side_by_side(view_model: ViewModel) -> None:
    back = list(reversed(JOINT_NAMES))
    q = list(range(8))
    for i in range(2):
        view_model.on_command(S, S + i * 10_000_000, JOINT_NAMES, [value + 0.01 * i for value in q])
    view_model.on_status(S, 1.0, FilterStatus("TRACKING", joint_names=back, positions=q, velocities=q))
    row = content(view_model, S)["row"]
    assert row[1:9] == pytest.approx([value + 0.01 for value in q])
    assert row[9:17] == q[::-1]
    assert row[17:25] == pytest.approx([1.0] * 8)
    assert content(view_model, 2 * S)["row"][1:9] == [None] * 8  # an old proposal is none


def test_states_that_lack_a_joint_or_a_number_are_passed_over(view_model: ViewModel) -> None:
    view_model.on_joint_state(S, JOINT_NAMES[:-1], [0.0] * 7)
    view_model.on_joint_state(S, JOINT_NAMES, [np.nan] * 8)
    view_model.on_joint_state(S, JOINT_NAMES, [0.0] * 7)
    assert view_model.q is None
    view_model.on_joint_state(S, [*JOINT_NAMES, "other"], [*HOME, 1.0])
    assert view_model.q == list(HOME)


def test_joints_of_several_drivers_are_merged_while_each_of_them_speaks(view_model: ViewModel) -> None:
    view_model.on_joint_state(S, JOINT_NAMES[:-1], HOME[:-1])
    view_model.on_joint_state(S, JOINT_NAMES[-1:], [0.03])
    assert view_model.q == [*HOME[:-1], 0.03]
    view_model.on_joint_state(2 * S, JOINT_NAMES[-1:], [0.01])
    assert view_model.q == [*HOME[:-1], 0.03], "the arm's driver is silent"


def test_who_never_spoke_is_missed_once_it_should_have_started(view_model: ViewModel) -> None:
    view_model.on_report(S, 0.0, NodeReport("planner", 0, "waiting", {}))
    assert [node["name"] for node in content(view_model, 2 * S)["nodes"]] == ["planner"]
    missed = {node["name"]: node["level"] for node in content(view_model, 13 * S)["nodes"]}
    assert missed == dict.fromkeys(("action_expert", "camera", "joint_states", "planner", "safety_filter"), 3)


def test_a_planner_that_dies_during_a_task_is_told_within_a_second(view_model: ViewModel) -> None:
    for i in range(11):
        view_model.on_plan(i * S // 10, 0.0, PlanSummary("ACTIVE", "go", 1, "reach", valid_for_s=0.6))
    view_model.on_report(S, 0.0, NodeReport("planner", 0, "running", {}))
    assert content(view_model, S + 5 * S // 10)["plan"]["silent"] is False
    found = content(view_model, S + 7 * S // 10)
    assert found["plan"]["silent"] is True
    assert found["events"][0][2:4] == ["alarm", "planner is silent (last heard 0.7 s ago)"]
    (node,) = found["nodes"]
    assert (node["level"], node["message"]) == (3, "silent for 0.7 s")


def test_the_waypoints_of_a_planner_that_is_silent_are_not_drawn(view_model: ViewModel) -> None:
    view_model.on_plan(S, 0.0, PlanSummary("ACTIVE", "go", 1, valid_for_s=0.6, waypoints=np.array([[0.5, 0.0, 0.1]])))
    assert len(view_model.waypoints(S + 5 * S // 10)) == 1
    assert len(view_model.waypoints(S + 7 * S // 10)) == 0


def test_a_planner_that_is_started_again_has_no_plan(view_model: ViewModel) -> None:
    view_model.on_plan(S, 0.0, PlanSummary("ACTIVE", "go", 1, "reach", valid_for_s=0.6))
    for tick in range(11, 80):
        if tick >= 40 and tick % 2 == 0:  # three seconds after its last plan it is there again, and says so
            view_model.on_report(tick * S // 10, 0.0, NodeReport("planner", 0, "waiting for an instruction", {}))
        found = content(view_model, tick * S // 10)
    assert view_model.plan is None
    assert sum(event[3].startswith("planner is silent") for event in found["events"]) == 1


def test_a_question_stands_until_it_is_answered_or_nobody_asks_it_any_more(view_model: ViewModel) -> None:
    assert content(view_model, S)["question"] == ""
    view_model.on_question(1.0, "no progress for 20 s")
    view_model.on_question(1.1, "no progress for 20 s")
    found = content(view_model, S)
    assert found["question"] == "no progress for 20 s"
    assert [event[3] for event in found["events"]] == ["the planner asks: no progress for 20 s"]
    view_model.on_question(2.0, "")
    assert content(view_model, S)["question"] == ""
    view_model.on_plan(S, 0.0, PlanSummary("FAILED", "go", 1))
    view_model.on_question(3.0, "which one")
    assert content(view_model, 2 * S)["question"] == "which one"
    assert content(view_model, 9 * S)["question"] == ""  # the planner is silent


def test_a_filter_that_is_silent_has_no_state(view_model: ViewModel) -> None:
    view_model.on_status(S, 1.0, FilterStatus("TRACKING"))
    assert content(view_model, S + S // 10)["filter"]["state"] == "TRACKING"
    assert content(view_model, 2 * S)["filter"] is None


def test_instructions_are_kept_once_each_newest_first(view_model: ViewModel) -> None:
    for i, text in enumerate(["a", "b", "", "a"]):
        view_model.on_plan(S, 0.0, PlanSummary("HOLD", text, i + 1))
        view_model.on_plan(S, 0.0, PlanSummary("ACTIVE", text, i + 1))
    assert content(view_model, S)["instructions"] == ["a", "b"]


@pytest.fixture
def above(arm: Arm) -> ViewModel:
    """With a camera that looks down on the table."""
    down = [0.5, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0]
    parameters = DashboardParameters(joint_names=list(JOINT_NAMES), cameras=["top"], camera_poses=down)
    view_model = ViewModel(parameters, arm, "run", 0)
    view_model.on_joint_state(0, JOINT_NAMES, HOME)
    return view_model


def image(name: str = "top", stamp_ns: int = 0) -> CameraImage:
    return CameraImage(name, "", np.zeros((256, 256, 3), np.uint8), K, "ok", stamp_ns)


def test_the_tools_way_is_drawn_into_images_while_it_is_proposed(above: ViewModel) -> None:
    above.on_plan(S, 0.0, PlanSummary("ACTIVE", "go"))
    above.on_chunk(S, JOINT_NAMES, [list(HOME), [0.3, *HOME[1:]]])
    for now_ns, points in ((S, 2), (3 * S, 0)):
        above.on_images(now_ns, 0, 0, [image()])
        assert len(content(above, now_ns)["cameras"][0]["path"]) == points


def test_images_grow_old_whatever_their_clock_does(above: ViewModel) -> None:
    above.on_images(S, 100 * S, 98 * S, [image(stamp_ns=98 * S), image("wrist", 100 * S)])
    for now_s in (1, 4):
        found = json.loads(above.document(now_s * S, 100 * S, 0.0).text)["cameras"]
        assert [camera["age_s"] for camera in found] == [now_s + 1.0, now_s - 1.0]


def test_the_document_says_whose_it_is_and_how_far_back_it_reaches(arm: Arm) -> None:
    parameters = DashboardParameters(joint_names=list(JOINT_NAMES), history_s=40.0)
    found = content(ViewModel(parameters, arm, "run", 0, "/left"), S)
    assert (found["namespace"], found["history_s"]) == ("/left", 40.0)


def test_waypoints_lie_on_the_image_of_a_camera_with_a_pose(above: ViewModel) -> None:
    view_model = above
    view_model.on_plan(0, 0.0, PlanSummary("ACTIVE", "go", waypoints=np.array([[0.5, 0.0, 0.0], [0.5, 0.0, 2.0]])))
    view_model.on_images(0, 0, 0, [image(), CameraImage("blind", "", image().image, None, "dark")])
    document = view_model.document(0, 0, 0.0)
    top, blind = json.loads(document.text)["cameras"]
    assert top["waypoints"] == [[0.5, 0.5], None]
    assert "waypoints" not in blind and blind["health"] == "dark"
    assert top["bytes"] + blind["bytes"] == len(document.images)


def test_the_tools_way_is_that_of_the_chunk(view_model: ViewModel, arm: Arm) -> None:
    chunk = [list(HOME), [0.3, *HOME[1:]]]
    view_model.on_chunk(S, JOINT_NAMES, chunk)
    arm.set_joints(chunk[1])
    np.testing.assert_allclose(view_model.tool_path[1], arm.tool_position())
    assert view_model.is_proposed(S) and not view_model.is_proposed(2 * S)


def test_speed_limits_are_those_of_the_filter(view_model: ViewModel) -> None:
    """Tighter than the URDF's: an arm at rest uses none of them."""
    names = ("joint1", "joint2")
    status = FilterStatus(
        "TRACKING", joint_names=names, positions=[0.0, 0.0], velocities=[0.0, -0.1], velocity_margins=[0.43, 0.33]
    )
    view_model.on_status(S, 0.0, status)
    joints = {joint["name"]: joint for joint in content(view_model, S)["joints"]}
    assert [joints[name]["velocity_limit"] for name in names] == [0.43, 0.43]
    assert joints["joint1"]["velocity_margin"] == joints["joint1"]["velocity_limit"]


def test_a_planner_without_a_task_is_missed_within_a_second_too(view_model: ViewModel) -> None:
    view_model.on_report(S, 0.0, NodeReport("planner", 0, "waiting for an instruction", {}))
    assert content(view_model, S + 6 * S // 10)["events"] == []
    assert content(view_model, 2 * S)["events"][0][2:4] == ["alarm", "planner is silent (last heard 1.0 s ago)"]


def test_the_age_of_a_node_is_that_of_what_it_sends(view_model: ViewModel) -> None:
    values = {"hop_p95_ms": "3.0", "camera_to_command_p95_ms": "180.0"}
    view_model.on_report(S, 0.0, NodeReport("safety_filter", 0, "running", values))
    (node,) = [node for node in content(view_model, S)["nodes"] if node["name"] == "safety_filter"]
    assert (node["age_ms"], node["age_of"]) == (180.0, "camera to command")
