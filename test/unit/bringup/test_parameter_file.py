"""A parameter file means to us what it means to rcl: names, wildcards, order; what rcl would take silently is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from vla_ros.bringup.graph import bringup, parameters_of
from vla_ros.bringup.parameter_file import read_parameter_file
from vla_ros.bringup.process import Process
from vla_ros.bringup.supervisor import command_line
from vla_ros.parameters import ParameterError

SLOW = "{ros__parameters: {speed_scale: 0.1}}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.yaml"


def refused(file: Path, text: str) -> tuple[str, ...]:
    """Return the faults of a file."""
    file.write_text(text)
    with pytest.raises(ParameterError) as error:
        read_parameter_file(file)
    assert all(fault.startswith(f"config: {file}") for fault in error.value.faults)
    return error.value.faults


# What rclpy 7.1.6 gives to a node safety_filter in "", "left" and "a/left".
@pytest.mark.parametrize(
    ("name", "matched"),
    [
        ("/safety_filter", [""]),
        ("/left/safety_filter", ["left"]),
        ("left/safety_filter", ["left"]),
        ("/*/safety_filter", ["left"]),
        ("/**/safety_filter", ["", "left", "a/left"]),
        ("'**/safety_filter'", ["", "left", "a/left"]),
        ("/left/*", ["left"]),
        ("/left/**", ["left"]),
        ("/a/**", ["a/left"]),
        ("/**/left/safety_filter", ["left", "a/left"]),
        ("/a/*/safety_filter", ["a/left"]),
        ("/*", [""]),
        ("'*'", [""]),
        ("'**'", ["", "left", "a/left"]),
        ("/**/*", ["", "left", "a/left"]),
        ("/*/*", ["left"]),
    ],
)
def test_a_block_is_of_the_nodes_that_rcl_gives_it_to(file: Path, name: str, matched: list[str]) -> None:
    file.write_text(f"{name}: {SLOW}")
    found = [
        namespace
        for namespace in ("", "left", "a/left")
        if "speed_scale" in read_parameter_file(file, namespace=namespace).get("safety_filter", {})
    ]
    assert found == matched


def test_two_arms_in_one_file_keep_their_limits(file: Path) -> None:
    fast = "{ros__parameters: {speed_scale: 0.9}}"
    file.write_text(f"/left/safety_filter: {SLOW}\n/right: {{safety_filter: {fast}}}\n")
    scales = {
        namespace: parameters_of("safety_filter", config=str(file), namespace=namespace).get("speed_scale")
        for namespace in ("left", "/left/", "right", "")
    }
    assert scales == {"left": 0.1, "/left/": 0.1, "right": 0.9, "": None}


def test_the_later_block_counts_and_a_plain_name_is_in_the_graphs_namespace(file: Path) -> None:
    fast = "{ros__parameters: {speed_scale: 0.9}}"
    for first, second, scale in (("/**", "safety_filter", 0.9), ("safety_filter", "/**", 0.9)):
        file.write_text(f"{first}: {SLOW}\n{second}: {fast}\n")
        assert read_parameter_file(file, namespace="left")["safety_filter"]["speed_scale"] == scale


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "safety_filter:\n  ros__parameters:\n    speed_scale: 0.1\n    speed_scale: 0.9\n",
            ":4: 'speed_scale' is given twice",
        ),
        (f"safety_filter: {SLOW}\nsafety_filter: {SLOW}\n", ":2: 'safety_filter' is given twice"),
        (
            f"safety_filter: {SLOW}\n/safety_filter: {SLOW}\n",
            "safety_filter.speed_scale is given by safety_filter and /saf",
        ),
        (f"/left/safety_filter: {SLOW}\n", ""),
        (
            "safety_filter: {ros__parameters: {fence.margin_m: 0.1, fence: {margin_m: 0.2}}}",
            "safety_filter: fence.margin_m is given twice",
        ),
        ("/left/safety filter: {ros__parameters: {a: 1}}", "not the name of a node"),
        ("/saf*: {ros__parameters: {a: 1}}", "not the name of a node"),
        (
            "left: {safety_filer: {ros__parameters: {a: 1}}}",
            "no node 'left/safety_filer'; did you mean 'safety_filter'?",
        ),
        ("left: {safety_filter: {speed_scale: 0.1}}", "expected `ros__parameters:`"),
        ("safety_filter: {ros__parameters: {}, speed_scale: 0.1}", "speed_scale stands beside ros__parameters"),
        ("/right/*: {ros__parameters: {speed_scal: 1}}", "no parameter 'speed_scal'; did you mean 'speed_scale'?"),
    ],
)
def test_what_would_count_silently_is_refused(file: Path, text: str, fault: str) -> None:
    if fault:
        (told,) = refused(file, text)
        assert fault in told
    else:
        file.write_text(text)
        assert read_parameter_file(file) == {}


def test_merge_keys_may_be_overridden(file: Path) -> None:
    file.write_text(
        "safety_filter: {ros__parameters: &p {speed_scale: 0.1, period_s: 4e-3}}\n"
        "/left/safety_filter: {ros__parameters: {<<: *p, speed_scale: 0.2}}\n"
    )
    assert read_parameter_file(file)["safety_filter"] == {"speed_scale": 0.1, "period_s": 0.004}


def test_all_faults_of_a_start_are_told_together_and_each_once(file: Path) -> None:
    file.write_text(
        "/**: {ros__parameters: {tool_frame: 3}}\n"
        "safety_filter: {ros__parameters: {speed_scale: 'true', fence: {margin_m: -1.0}}}\n"
        "camera: {ros__parameters: {use_sim_time: 'true', rate_hz: 0}}\n"
    )
    with pytest.raises(ParameterError) as error:
        bringup(config=str(file), dashboard=True)
    assert sorted(error.value.faults) == [
        "camera.rate_hz: must be above 0.0 Hz, got 0.0",
        "camera.use_sim_time: expected bool, got 'true'",
        "planner.tool_frame: expected str, got 3 (also of action_expert, dashboard)",
        "safety_filter.fence.margin_m: must be at least 0.0 m, got -1.0",
        "safety_filter.speed_scale: expected float, got 'true'",
    ]


@pytest.mark.parametrize("text", ["'true'", "'yes'", "1", "[true]", "y"])
def test_text_and_numbers_are_no_booleans(file: Path, text: str) -> None:
    file.write_text(f"safety_filter: {{ros__parameters: {{effort: {{check: {text}}}}}}}")
    with pytest.raises(ParameterError, match=r"safety_filter\.effort\.check: expected bool, got"):
        bringup(config=str(file))


def test_what_is_written_for_a_node_is_read_back_by_rcl_as_it_was(tmp_path: Path) -> None:
    """rcl takes a plain y for true and 1e-3 for a number; a list of whole and other numbers is refused by it."""
    names = ["x", "y", "on", "1e-3", "0x1f", "~"]
    line = command_line(Process("camera", "camera", parameters={"cameras": names}), tmp_path)
    (file,) = [word for word in line if word.endswith(".yaml")]
    scalars = [token for token in yaml.scan(Path(file).read_text()) if isinstance(token, yaml.ScalarToken)]
    assert [token.value for token in scalars if not token.plain][-len(names) :] == names


def test_whole_numbers_become_floats_where_the_parameter_is_one(file: Path) -> None:
    file.write_text("safety_filter: {ros__parameters: {fence: {box: [-1, -1, 0, 1, 1, 1.5], margin_m: 0}}}")
    given = parameters_of("safety_filter", config=str(file))
    assert [type(value) for value in (*given["fence.box"], given["fence.margin_m"])] == [float] * 7
