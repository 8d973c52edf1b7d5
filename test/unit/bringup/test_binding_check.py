"""What `up` and `check` hold against each other: the checkpoint of the policy, and the robot of the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from test.unit.policies.lerobot.folders import write_folder
from test.unit.policies.lerobot.registered import BOUND
from vla_ros.bringup.binding_check import BindingRefused, check_binding, checkpoint_overrides, require_binding
from vla_ros.bringup.graph import bringup
from vla_ros.bringup.process import Process
from vla_ros.parameters import ParameterError
from vla_ros.policies import registry


@pytest.fixture(autouse=True)
def bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the policy "bound"."""
    monkeypatch.setitem(registry.POLICIES, "bound", BOUND)  # type: ignore[arg-type]


def graph(checkpoint: Path | str, tmp_path: Path, config: str = "", robot: str = "sim") -> tuple[Process, ...]:
    file = tmp_path / "mine.yaml"
    file.write_text(config or "{}")
    overrides = checkpoint_overrides("bound", str(checkpoint))
    return bringup(robot, "bound", str(file), overrides=overrides)


def binding(text: str) -> str:
    return f"planner: {{ros__parameters: {{bound: {{binding: {{{text}}}}}}}}}"


def test_both_nodes_get_the_checkpoint(tmp_path: Path) -> None:
    found = {process.name: process.parameters.get("bound.checkpoint") for process in graph("/ckpt", tmp_path)}
    assert found["planner"] == found["action_expert"] == "/ckpt" and found["camera"] is None
    assert checkpoint_overrides("bound", "") == {}
    with pytest.raises(ParameterError, match="policy 'scripted' has none"):
        checkpoint_overrides("scripted", "/ckpt")


def test_a_checkpoint_that_fits(tmp_path: Path) -> None:
    processes = graph(write_folder(tmp_path / "ckpt"), tmp_path, binding("rate_hz: 50.0"))
    report = require_binding(processes, "bound", "sim")
    assert report is not None and report.refusal == "" and report.source == str(tmp_path / "ckpt")
    (camera,) = [row for row in report.rows if row.what.startswith("camera")]
    assert (camera.has, camera.verdict) == ("front, 256x256", "ok")


def test_what_does_not_fit_is_one_line_with_the_policys_name(tmp_path: Path) -> None:
    processes = graph(write_folder(tmp_path / "ckpt"), tmp_path)
    with pytest.raises(BindingRefused) as error:
        require_binding(processes, "bound", "sim")
    assert str(error.value).startswith(
        f"bound: {tmp_path}/ckpt: rate: the checkpoint wants a rate that its folder does not tell"
    )
    assert "write binding.rate_hz" in str(error.value) and "\n" not in str(error.value)
    assert len(error.value.report.rows) > 8


def test_faults_of_the_folder_come_first(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "ckpt")
    (folder / "model.safetensors").write_bytes(b"")
    report = check_binding(graph(folder, tmp_path), "bound", "sim")
    assert report is not None and report.rows[0].what == "folder" and "0 bytes hold no tensors" in report.rows[0].has
    assert "model.safetensors" in report.refusal
    write_folder(folder, input_features=None)
    report = check_binding(graph(folder, tmp_path), "bound", "sim")
    assert report is not None and "input_features: empty" in report.refusal


def test_a_robot_of_ones_own_is_checked_without_its_urdf_until_that_is_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "ckpt", cameras=("observation.images.front",))
    config = binding("rate_hz: 50.0")
    report = check_binding(graph(folder, tmp_path, config, "franka"), "bound", "franka")
    assert report is not None and report.refusal == ""
    (robot,) = [row for row in report.rows if row.what == "robot"]
    assert "limits are checked when robot_description is heard" in robot.has
    assert robot.has.startswith("fr3_joint1")
    with pytest.raises(ParameterError, match=r"urdf: .*nowhere\.urdf"):
        check_binding(graph(folder, tmp_path, config, "franka"), "bound", "franka", str(tmp_path / "nowhere.urdf"))


def test_a_policy_without_a_checkpoint_has_no_report(tmp_path: Path) -> None:
    assert check_binding(bringup(), "classical", "sim") is None
    with pytest.raises(ParameterError, match="bound.checkpoint: which one"):
        require_binding(graph("", tmp_path), "bound", "sim")
    (tmp_path / "config.json").write_text('{"model_type": "pi0"}')
    assert check_binding(graph(tmp_path, tmp_path), "bound", "sim") is None, "only the policy can read it"


def remote(text: str, tmp_path: Path, robot: str = "sim") -> tuple[Process, ...]:
    file = tmp_path / "remote.yaml"
    file.write_text(f"planner: {{ros__parameters: {{remote: {{{text}}}}}}}\n")
    file.write_text(file.read_text() + f"action_expert: {{ros__parameters: {{remote: {{{text}}}}}}}\n")
    return bringup(robot, "remote", str(file))


def test_a_server_is_held_against_the_robot_without_asking_it(tmp_path: Path) -> None:
    matched = 'cameras: ["observation/image=front"]'
    report = require_binding(remote(f"binding: {{rate_hz: 20.0, {matched}}}", tmp_path), "remote", "sim")
    assert report is not None and report.source == "openpi server ws://127.0.0.1:8000" and report.refusal == ""
    with pytest.raises(BindingRefused, match="camera observation/image: .* but front or wrist may be meant"):
        require_binding(remote("binding: {rate_hz: 20.0}", tmp_path), "remote", "sim")
    others = f"binding: {{rate_hz: 20.0, {matched}, action: [a, b]}}"
    with pytest.raises(BindingRefused, match="a, b is neither a joint of the robot"):
        require_binding(remote(others, tmp_path), "remote", "sim")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("api_key_file: /nowhere/key", "remote.api_key_file: /nowhere/key: No such file"),
        ("action_scale: [1.0, 2.0]", "remote.action_scale: has 2 values, but an action has 8"),
        ('expect: ["abc"]', 'remote.expect: .abc. must be "key=value"'),
        ('state_keys: ["arm=7"]', "remote.state_keys: .* 7 values, but the binding has 8"),
    ],
)
def test_what_is_wrong_with_a_servers_options_is_said_before_it_is_asked(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(ParameterError, match=line):
        require_binding(remote(f"binding: {{rate_hz: 20.0}}, {text}", tmp_path), "remote", "sim")


def test_an_option_that_is_wrong_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"planner\.bound\.binding\.angle_unit: must be one of rad, deg"):
        graph("/ckpt", tmp_path, binding("angle_unit: turns"))
