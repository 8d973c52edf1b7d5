"""Each graph has its processes, with the campaign's parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from vla_ros.lab.faults.graphs import AUDIT, FILTER_PARAMETERS, LOG, MONITOR_TIMEOUT_S, RAISE, processes


def test_no_graph_has_no_processes() -> None:
    assert processes("none", Path("/nowhere")) == ()


@pytest.mark.parametrize("graph", ["filter", "raising", "clock"])
def test_the_rig_stands_between_arm_and_filter(graph: str) -> None:
    arm, filter_ = processes(graph, Path("/nowhere"))[:2]
    assert (arm.name, filter_.name) == ("sim_arm", "safety_filter")
    assert arm.remappings == {name: f"arm/{name}" for name in ("joint_states", "arm_controller/controller_state")}
    assert arm.parameters["log_file"] == f"/nowhere/{LOG}"
    assert filter_.parameters["audit.directory"] == f"/nowhere/{AUDIT}"
    monitored = {"safety_monitor.timeout_s": MONITOR_TIMEOUT_S} if graph == "raising" else {}
    assert {key: filter_.parameters[key] for key in FILTER_PARAMETERS} == {**FILTER_PARAMETERS, **monitored}
    assert filter_.parameters.get("use_sim_time", False) is (graph == "clock")


def test_the_second_channel_has_the_parameters_of_its_filter() -> None:
    _, filter_, monitor = processes("raising", Path("/nowhere"))
    assert (filter_.name, monitor.name) == ("safety_filter", "safety_monitor")
    assert monitor.parameters == filter_.parameters
    assert monitor.parameters["safety_monitor.timeout_s"] == MONITOR_TIMEOUT_S
    assert f"/nowhere/{RAISE}" in filter_.arguments


def test_only_the_filter_of_graph_raising_can_be_made_to_raise() -> None:
    for graph in ("filter", "raising", "clock"):
        filter_ = processes(graph, Path("/nowhere"))[1]
        assert (f"/nowhere/{RAISE}" in filter_.arguments) is (graph == "raising")


def test_in_the_whole_graph_the_camera_gets_relayed_images_and_may_be_killed() -> None:
    by_name = {process.name: process for process in processes("whole", Path("/nowhere"))}
    assert {"camera", "planner", "action_expert", "safety_filter", "sim_arm"} <= by_name.keys()
    assert by_name["camera"].remappings == {"front_camera/image_raw": "relayed/image_raw"}
    assert not by_name["camera"].vital
