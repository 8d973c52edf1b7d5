"""Nodes of two hosts that were not started alike are named."""

from __future__ import annotations

from vla_ros.tracing.hosts import differences, hosts

ROBOT = {"host": "robot", "version": "0.1.0", "configuration": "camera:aa planner:bb"}
GPU = {"host": "gpu", "version": "0.1.0", "configuration": "camera:aa planner:bb"}


def test_hosts_and_their_nodes() -> None:
    found = hosts({"planner": GPU, "camera": ROBOT, "safety_filter": ROBOT, "driver": {}})
    assert found == {"robot": ["camera", "safety_filter"], "gpu": ["planner"]}


def test_nodes_that_were_started_alike_differ_in_nothing() -> None:
    assert differences({"planner": GPU, "camera": ROBOT, "driver": {}}) == []


def test_another_version_and_other_parameters_are_named_with_node_and_host() -> None:
    other = {**GPU, "version": "0.2.0", "configuration": "camera:aa planner:cc"}
    version, parameters = differences({"planner": other, "camera": ROBOT})
    assert version == "versions differ: 0.1.0: camera on robot; 0.2.0: planner on gpu; install one on all hosts"
    assert parameters.startswith("parameters of planner differ: bb: camera on robot; cc: planner on gpu")


def test_a_node_that_was_started_by_hand_says_nothing_of_its_configuration() -> None:
    assert differences({"planner": {**GPU, "configuration": ""}, "camera": ROBOT}) == []
