"""The launch file and `vla-ros up` start the same; everything ends in time; bad input is one clear line."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest
import yaml

from vla_ros.bringup.graph import bringup, parameters_of
from vla_ros.bringup.process import private_domain
from vla_ros.bringup.supervisor import command_line
from vla_ros.parameters import ParameterError, nested
from vla_ros.resources import share

LAUNCH = Path(__file__).parents[2] / "launch" / "bringup.launch.py"


class Recorded:
    """Stands for any class of launch: keeps what it was made with."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.arguments, self.options = arguments, options


def load_launch_file(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    names = {
        "launch": ["LaunchDescription"],
        "launch.actions": [
            *("DeclareLaunchArgument", "IncludeLaunchDescription", "OpaqueFunction", "RegisterEventHandler"),
            *("PopLaunchConfigurations", "PushLaunchConfigurations"),
        ],
        "launch.event_handlers": ["OnProcessExit"],
        "launch.logging": ["get_logger"],
        "launch.utilities": ["normalize_to_list_of_substitutions", "perform_substitutions"],
        "launch_ros": [],
        "launch_ros.actions": ["Node"],
    }
    for module, classes in names.items():
        stand_in = types.ModuleType(module)
        for name in classes:
            setattr(stand_in, name, type(name, (Recorded,), {}))
        monkeypatch.setitem(sys.modules, module, stand_in)

    sys.modules["launch.utilities"].normalize_to_list_of_substitutions = str  # type: ignore[attr-defined]
    sys.modules["launch.utilities"].perform_substitutions = lambda _, text: text  # type: ignore[attr-defined]
    spec = importlib.util.spec_from_file_location("bringup_launch", LAUNCH)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class LaunchContext:
    """Stands for that of launch: configurations, of which launch does not tell whose they are."""

    def __init__(self, **configurations: Any) -> None:
        self.launch_configurations, self.globals = configurations, dict[str, Any]()

    def extend_globals(self, more: dict[str, Any]) -> None:
        self.globals |= more


def started(module: types.ModuleType, context: LaunchContext, **passed: str) -> list[Any]:
    """The actions of the file, included with these arguments."""
    include = sys.modules["launch.actions"].IncludeLaunchDescription()  # found on the stack
    include.launch_arguments = list(passed.items())
    context.launch_configurations |= passed
    result: list[Any] = module.actions(context)
    return result


def nodes_of(actions: list[Any]) -> list[dict[str, Any]]:
    return [action.options for action in actions if type(action).__name__ == "Node"]


@pytest.fixture
def launch_file(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = load_launch_file(monkeypatch)
    module.asked = []  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "refuse_second_filter", lambda *arguments: module.asked.append(arguments))
    monkeypatch.setenv("ROS_DOMAIN_ID", private_domain()["ROS_DOMAIN_ID"])
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE", raising=False)
    return module


@pytest.mark.parametrize("namespace", ["", "left"])
def test_launch_file_and_up_start_the_same(launch_file: types.ModuleType, tmp_path: Path, namespace: str) -> None:
    with pytest.raises(ParameterError, match="rviz: expected true or false, got 'si'"):
        started(launch_file, LaunchContext(), rviz="si")
    nodes = nodes_of(started(launch_file, LaunchContext(), namespace=namespace))
    processes = bringup(namespace=namespace, dashboard=True)
    assert launch_file.asked == [(namespace, "launch")], "it asks whether a filter answers already"
    assert "ROS_AUTOMATIC_DISCOVERY_RANGE" not in os.environ, "what else is launched is not kept on this machine"
    assert len(nodes) == len(processes) == 8
    for node, process in zip(nodes, processes, strict=True):
        line = command_line(process, tmp_path)
        assert line[3] == f"vla_ros.nodes.{node['executable']}"
        file = line[line.index("--params-file") + 1]
        written = yaml.safe_load(Path(file).read_text())["/**"]["ros__parameters"]
        assert node["parameters"] == [dict(process.parameters)]
        assert written == nested(node["parameters"][0])
        rules = dict(word.split(":=") for word in line[line.index("--params-file") + 2 :] if ":=" in word)
        assert rules.pop("__node") == node["name"]
        assert rules.pop("__ns", "/") == node["namespace"]
        assert list(rules.items()) == node["remappings"]
        assert node["respawn"] is process.respawn


def test_a_vital_node_that_ends_makes_the_launch_fail(launch_file: types.ModuleType) -> None:
    actions = started(launch_file, LaunchContext())
    handlers = [action for action in actions if type(action).__name__ == "RegisterEventHandler"]
    assert len(handlers) == sum(process.vital for process in bringup()) == 2
    for handler in handlers:
        (ended,) = handler.arguments[0].options["on_exit"]
        stop, arguments = ended.options["function"], ended.options["args"]
        with pytest.raises(RuntimeError, match="ended: the graph stops"):
            stop(types.SimpleNamespace(is_shutdown=False), *arguments)
        stop(types.SimpleNamespace(is_shutdown=True), *arguments)


def test_what_the_including_file_has_does_not_leak_in_and_what_it_passes_counts(
    launch_file: types.ModuleType, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("/right/left/planner:\n  ros__parameters: {rate_hz: 7.0}")
    parents = {"config": "/nowhere.yaml", "policy": "theirs", "rviz": "si", "namespace": "9", "ros_namespace": "/right"}
    nodes = nodes_of(started(launch_file, LaunchContext(**parents)))
    assert {node["namespace"] for node in nodes} == {"/right"}, "of PushRosNamespace"
    nodes = nodes_of(started(launch_file, LaunchContext(**parents), config=str(mine), namespace="left/"))
    assert {node["namespace"] for node in nodes} == {"/right/left"}
    (planner,) = [node["parameters"][0] for node in nodes if node["name"] == "planner"]
    assert planner["rate_hz"] == 7.0 and planner["policy"] == "classical"
    assert [asked[0] for asked in launch_file.asked] == ["right", "right/left"]


def test_two_graphs_of_one_namespace_do_not_start_at_the_same_time(launch_file: types.ModuleType) -> None:
    first, second = LaunchContext(), LaunchContext()
    assert nodes_of(started(launch_file, first, namespace="twice"))
    with pytest.raises(ParameterError, match="launch: a graph of namespace /twice runs on this machine already"):
        started(launch_file, second, namespace="/twice/")
    assert nodes_of(started(launch_file, second, namespace="other")), "the other arm may"


def test_a_file_around_ours_may_set_the_clock_of_all_nodes(launch_file: types.ModuleType) -> None:
    nodes = nodes_of(started(launch_file, LaunchContext(global_params=[("use_sim_time", True)])))
    clocks = {node["name"]: node["parameters"][0].get("use_sim_time") for node in nodes}
    assert clocks.pop("sim_arm") is False and all(clocks.values())


def test_each_of_several_faults_is_a_line(launch_file: types.ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(launch_file, "get_logger", lambda _: types.SimpleNamespace(error=told.append))
    with pytest.raises(RuntimeError, match="nothing is started; 2 faults"):
        started(launch_file, LaunchContext(), polcy="compact", dashboard="ja")
    assert [line.partition(":")[0] for line in told] == ["polcy", "dashboard"]


def test_the_launch_file_loads_with_launch_ros() -> None:
    pytest.importorskip("launch.actions")
    pytest.importorskip("launch_ros")
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    assert PythonLaunchDescriptionSource(str(LAUNCH)).try_get_launch_description_without_context() is not None


def test_who_is_started_again_and_who_is_vital() -> None:
    kinds = {process.name: (process.respawn, process.vital) for process in bringup()}
    assert kinds["safety_filter"] == (False, True)
    assert all(kinds[name] == (True, False) for name in ("camera", "planner", "action_expert"))


def vla_ros(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vla_ros.cli", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


BAD = {
    "planner: [": "not YAML",
    "planer:\n  ros__parameters: {rate_hz: 5.0}": "no node 'planer'; did you mean 'planner'?",
    "planner:\n  ros__parameters: {rat_hz: 5.0}": "no parameter 'rat_hz'; did you mean 'rate_hz'?",
    "planner: {rate_hz: 5.0}": "expected `ros__parameters:`",
    "safety_filter:\n  ros__parameters: {controller: {type: torque}}": "safety_filter.controller.type: must be one of",
    "safety_filter:\n  ros__parameters: {limits: {jerk: [.nan, 1, 1, 1, 1, 1, 1, 1]}}": "limits.jerk[0]: must be finite",
    "safety_filter:\n  ros__parameters: {limits: {acceleration: [1.0]}}": "limits.acceleration: expected 8 values",
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    done = vla_ros("up", "--config", str(file))
    assert done.returncode == 2
    assert BAD[text] in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("up", "--policy", "magic"), "policy: there is no 'magic'"),
        (("up", "--robot", "hal"), "robot: there is no 'hal'"),
        (("up", "--config", "/nowhere.yaml"), "/nowhere.yaml: No such file"),
        (("eval", "--tasks", "juggle"), "task kinds are pick"),
        (("arm", "--namespace", "nobody"), "nobody offers /nobody/vla/arm"),
    ],
)
def test_a_bad_argument_is_one_clear_line(arguments: tuple[str, ...], text: str) -> None:
    os.environ.update(private_domain())
    done = vla_ros(*arguments)
    assert done.returncode == 2
    assert text in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_missing_limits_are_named_by_the_filter_itself() -> None:
    os.environ.update(private_domain())
    command = [sys.executable, "-m", "vla_ros.nodes.safety_filter", "--ros-args", "-p", "joint_names:=[joint1]"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "safety_filter.limits.acceleration: required and missing" in done.stderr


def test_an_unknown_joint_is_named_by_the_filter(tmp_path: Path) -> None:
    os.environ.update(private_domain())
    gate = parameters_of("safety_filter")
    names = [*gate["joint_names"][:-1], "joint9"]
    file = tmp_path / "gate.yaml"
    urdf = str(share() / "config" / "sim_arm.urdf")
    flat = {**gate, "joint_names": names, "urdf": urdf}
    file.write_text(yaml.safe_dump({"/**": {"ros__parameters": nested(flat)}}))
    command = [sys.executable, "-m", "vla_ros.nodes.safety_filter", "--ros-args", "--params-file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "joint9" in done.stderr


def test_interrupt_ends_everything_in_time_and_quietly() -> None:
    os.environ.update(private_domain())
    up = subprocess.Popen(
        [sys.executable, "-m", "vla_ros.cli", "up"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert up.stdout is not None
    said = []
    for line in up.stdout:
        said.append(line)
        assert "not ready" not in line
        if "up after" in line:
            break
    time.sleep(0.5)
    up.send_signal(signal.SIGINT)
    rest = up.communicate(timeout=120)[0]
    assert up.returncode == 0
    assert "Traceback" not in "".join(said) + rest
    assert "was killed" not in rest
