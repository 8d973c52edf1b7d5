"""The files in config/: parameters, of which whatever is wrong is one line that names it, and the middleware's profile."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from vla_ros.bringup.graph import NODE_NAMES, bringup, parameters_of
from vla_ros.bringup.parameter_file import read_parameter_file
from vla_ros.bringup.supervisor import command_line
from vla_ros.parameters import ParameterError
from vla_ros.resources import share


@pytest.mark.parametrize(
    "content",
    [
        b"a: \x00",
        b"\xff\xfe\xfa",
        b"a: 2026-99-99",
        b"[" * 5000,
        b"a: &a [*a]",
        b"1: 2",
        b"? [1, 2]\n: 3",
        b"a: !!python/none",
    ],
)
def test_whatever_is_no_configuration_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(ParameterError) as error:
        read_parameter_file(path)
    assert str(error.value).startswith(f"config: {path}")
    assert "\n" not in str(error.value)


def test_files_are_named_as_people_type_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    robot = (share() / "config" / "sim.yaml").read_text()
    for name in ("arm.yaml", "arm.yml"):
        (tmp_path / name).write_text(robot)
    (tmp_path / "mine.yaml").write_text("planner: {ros__parameters: {rate_hz: 7.0}}")
    for name in ("~/arm.yaml", "~/arm.yml"):
        assert parameters_of("planner", robot=name, config="~/mine.yaml")["rate_hz"] == 7.0
    refused = {
        "arm.urdf": "no parameter file; .*safety_filter.urdf",
        f"{tmp_path}/none": "there are franka, sim",
        "Sim": "no 'Sim'",
    }
    for name, told in refused.items():
        with pytest.raises(ParameterError, match=told):
            bringup(robot=name)
    with pytest.raises(ParameterError, match="there is no 'OpenVLA-OFT'; did you mean 'openvla_oft'"):
        bringup(policy="OpenVLA-OFT")


def test_the_dashboard_finds_meshes_where_the_filter_does(tmp_path: Path) -> None:
    file = tmp_path / "more.yaml"

    def folders(text: str) -> object:
        file.write_text(text)
        return parameters_of("dashboard", dashboard=True, config=str(file)).get("mesh_folders")

    filters = "safety_filter: {ros__parameters: {mesh_folders: [/a], urdf: /b/arm.urdf}}\n"
    assert folders(filters) == ["/a", "/b"]
    assert folders(f"{filters}dashboard: {{ros__parameters: {{mesh_folders: [/c]}}}}") == ["/c"]
    with pytest.raises(ParameterError, match="safety_filter.mesh_folders: expected a list of str, got 'a'"):
        folders("safety_filter: {ros__parameters: {mesh_folders: a}}")


def test_shared_memory_outlasts_killed_readers_and_fits_a_container():
    """What a killed process was about to read is never freed; `vla-ros faults planner-killed camera-killed expert-killed`."""
    shape = {"fastdds": "http://www.eprosima.com"}
    profile = ElementTree.parse(share() / "config" / "fastdds.xml")
    (segment,) = (int(found.text) for found in profile.iterfind(".//fastdds:segment_size", shape))
    arm = next(process.parameters for process in bringup() if process.name == "sim_arm")
    images = 2 * 3 * int(arm["camera_size"]) ** 2  # of both cameras
    assert segment > 8 * images
    assert len(NODE_NAMES) * segment < 64 * 2**20
    paths = (".//fastdds:userTransports/*", ".//fastdds:transport_descriptor/fastdds:transport_id")
    used, described = ({found.text for found in profile.iterfind(path, shape)} for path in paths)
    assert len(used) == 2 and used <= described


def test_the_page_draws_the_tool_that_is_planned(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("planner:\n  ros__parameters: {tool_frame: hand}\n")
    (page,) = [process for process in bringup(config=str(file), dashboard=True) if process.name == "dashboard"]
    assert page.parameters["tool_frame"] == "hand"


def test_the_graph_goes_on_without_who_only_shows() -> None:
    assert [process.name for process in bringup(dashboard=True) if process.viewer] == ["task_server", "dashboard"]


def test_a_configuration_may_ask_for_simulated_time(tmp_path: Path) -> None:
    path = tmp_path / "slow.yaml"
    path.write_text("/**: {ros__parameters: {use_sim_time: true}}")
    for process in bringup(config=str(path)):
        if process.name in NODE_NAMES:
            assert process.parameters["publish_clock" if process.name == "sim_arm" else "use_sim_time"] is True


def test_a_file_of_ones_own_stands_alone(tmp_path: Path) -> None:
    """No limit of another arm lies below it: what is left out refuses the start by its name."""
    whole = (share() / "config" / "franka.yaml").read_text()
    file = tmp_path / "my_arm.yaml"
    file.write_text(whole)
    assert parameters_of("safety_filter", robot=str(file)) == parameters_of("safety_filter", robot="franka")
    file.write_text("\n".join(line for line in whole.splitlines() if "acceleration: [" not in line))
    with pytest.raises(ParameterError, match=r"safety_filter\.limits\.acceleration"):
        bringup(robot=str(file))
    with pytest.raises(ParameterError, match="nowhere.yaml"):
        bringup(robot=str(tmp_path / "nowhere.yaml"))


@pytest.mark.parametrize("robot", ["sim", "franka"])
def test_the_nodes_files_hold_nothing_that_rcl_does_not_read(robot: str, tmp_path: Path) -> None:
    for process in bringup(robot=robot, dashboard=True):
        written = command_line(process, tmp_path)
        (file,) = [word for word in written if word.endswith(".yaml")]
        kinds = {type(token) for token in yaml.scan(Path(file).read_text())}
        assert not kinds & {yaml.AnchorToken, yaml.AliasToken, yaml.TagToken}, process.name


@pytest.mark.parametrize("text", ["compact: ", "compact: 3", "compact: [1]", "safety_filter: {limits: }"])
def test_a_group_that_is_left_empty_is_called_one(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.yaml"
    node, _, inner = text.partition(": {")
    written = f"{node}:\n  ros__parameters: {{{inner}\n" if inner else f"/**:\n  ros__parameters: {{{text}}}\n"
    file.write_text(written)
    with pytest.raises(ParameterError, match=r"(compact|limits) is a group of parameters, such as \1\.\w+"):
        bringup(config=str(file), policy="compact")


def test_parameters_of_a_vlm_belong_to_a_graph_with_one(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("planner:\n  ros__parameters: {vlm: {url: 'http://localhost:8000/v1', model: m, rate_hz: 1.0}}\n")
    planner = parameters_of("planner", config=str(file), system2="vlm")
    assert (planner["vlm.rate_hz"], planner["system2"]) == (1.0, "vlm")
    assert parameters_of("action_expert", config=str(file), system2="vlm")["system2"] == "vlm"
    with pytest.raises(ParameterError, match="no parameter 'vlm.url'; it belongs to --system2 vlm"):
        bringup(config=str(file))
    file.write_text("planner:\n  ros__parameters: {system2: vlm}\n")
    with pytest.raises(ParameterError, match=r"planner\.system2: say it at the start: --system2 vlm"):
        bringup(config=str(file))
    assert [key for key in parameters_of("planner") if "vlm" in key] == []


def test_the_planner_knows_the_cameras(tmp_path: Path) -> None:
    assert parameters_of("planner")["camera_names"] == ["front", "wrist"]
    file = tmp_path / "mine.yaml"
    file.write_text("camera: {ros__parameters: {cameras: [top]}}\n")
    assert parameters_of("planner", config=str(file))["camera_names"] == ["top"]
    file.write_text("planner: {ros__parameters: {camera_names: [side]}}\n")
    assert parameters_of("planner", config=str(file))["camera_names"] == ["side"]
