"""A graph that cannot run is refused before any of it starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from test.unit.policies.lerobot.folders import write_folder
from test.unit.policies.lerobot.registered import BOUND
from vla_ros.bringup.binding_check import BindingRefused, checkpoint_overrides
from vla_ros.bringup.graph import bringup, merged, vlm_overrides
from vla_ros.bringup.placement import placed
from vla_ros.bringup.process import Process
from vla_ros.bringup.start_check import require_modules, require_startable, require_urdf
from vla_ros.parameters import ParameterError
from vla_ros.policies import registry
from vla_ros.resources import share


@pytest.fixture(autouse=True)
def bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the policy "bound", which needs a module that is nowhere."""
    monkeypatch.setitem(registry.POLICIES, "bound", BOUND)  # type: ignore[arg-type]


def graph(tmp_path: Path, policy: str, text: str) -> tuple[Process, ...]:
    file = tmp_path / "mine.yaml"
    file.write_text(f"/**: {{ros__parameters: {{{policy}: {{{text}}}}}}}")
    checkpoint = write_folder(tmp_path / "ckpt")
    return bringup(policy=policy, config=str(file), overrides=checkpoint_overrides(policy, str(checkpoint)))


def vlm(**options: str) -> tuple[Process, ...]:
    overrides = merged(vlm_overrides("", ""), {"planner": {f"vlm.{key}": value for key, value in options.items()}})
    return bringup(system2="vlm", overrides=overrides)


def test_a_policy_whose_packages_are_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processes = graph(tmp_path, "bound", "binding: {rate_hz: 50.0}")
    with pytest.raises(
        ParameterError, match="policy bound: this Python has no no_such_module; install: pip install it"
    ):
        require_startable(processes, "bound", "sim")
    monkeypatch.setitem(registry.POLICIES, "bound", replace(BOUND, requires=("math",)))  # type: ignore[arg-type]
    report = require_startable(processes, "bound", "sim")
    assert report is not None and report.refusal == ""


def test_what_does_not_fit_comes_before_what_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(BindingRefused, match=r"write binding\.rate_hz"):
        require_startable(graph(tmp_path, "bound", "binding: {rate_hz: 0.0}"), "bound", "sim")


def test_a_host_that_does_not_run_the_policy_needs_none_of_its_packages(tmp_path: Path) -> None:
    processes = graph(tmp_path, "bound", "binding: {rate_hz: 0.0}")
    assert require_startable(processes, "bound", "sim", placed(processes, without="planner,action_expert").here) is None
    with pytest.raises(ParameterError):
        require_startable(processes, "bound", "sim", placed(processes, only="planner").here)


def test_another_python_may_have_the_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = replace(registry.POLICIES["lerobot"], requires=("no_such_module",))
    monkeypatch.setitem(registry.POLICIES, "lerobot", entry)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="policy lerobot: this Python has no no_such_module"):
        require_modules(graph(tmp_path, "lerobot", "seed: 1"), "lerobot")
    require_modules(graph(tmp_path, "lerobot", "policy_python: python3"), "lerobot")


def test_a_policy_that_needs_nothing_starts() -> None:
    assert require_startable(bringup(), "classical", "sim") is None
    assert require_startable(vlm(url="http://localhost:1/v1", model="m"), "classical", "sim") is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"folder": "/nowhere"}, "vlm.folder: /nowhere: there is no such folder"),
        ({"url": "http://h/v1", "model": "m", "api_key_file": "/nowhere"}, "vlm.api_key_file: /nowhere: No such file"),
        ({"url": "http://h:99999/v1", "model": "m"}, "vlm.url: .*Port out of range"),
        ({"url": "http://[::1/v1", "model": "m"}, "vlm.url: .*Invalid IPv6"),
        ({"url": "http://h h/v1", "model": "m"}, "vlm.url: expected http://host:port/v1"),
        (
            {"url": "http://h/v1", "model": "m", "plan_prompt": "poem.v1"},
            "vlm.plan_prompt: .*poem.v1.yaml: No such file",
        ),
        ({"url": "http://h/v1", "model": "m", "python": "/nowhere/python"}, "vlm.python: there is no program"),
    ],
)
def test_a_vlm_that_is_not_there(options: dict[str, str], text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        require_startable(vlm(**options), "classical", "sim")


def test_geometry_is_looked_at_before_anything_starts_and_all_of_it_is_told(tmp_path: Path) -> None:
    file, urdf = tmp_path / "robot.yaml", share() / "config" / "sim_arm.urdf"
    sim = (share() / "config" / "sim.yaml").read_text()
    file.write_text(sim)
    wrong = {"urdf": str(urdf), "tool.link": "grasp", "payload.mass_kg": 1.0, "payload.link": "load"}
    overrides = {"safety_filter": wrong, "planner": {"base_frame": "base_link", "tool_frame": "tcp"}}
    processes = bringup(robot=str(file), overrides=overrides)
    with pytest.raises(ParameterError) as refused:
        require_urdf(processes)
    keys = [fault.partition(":")[0] for fault in refused.value.faults]
    assert keys == ["safety_filter.payload.link", "safety_filter.tool.link", "planner.base_frame", "planner.tool_frame"]
    require_urdf(bringup(robot=str(file), overrides={"safety_filter": {"urdf": str(urdf)}}))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('<robot name="a" xmlns:xacro="x"><xacro:include filename="$(find x)/a.xacro"/></robot>', "xacro that is not"),
        ("<sdf><model/></sdf>", "its root is <sdf>"),
        ("hello", "not readable as XML"),
        ("\udc8b", "is not in the encoding utf-8"),
        ('<robot name="a"><link name="b"/><link name="c"/></robot>', "it must have one root link; it has b, c"),
        (None, "No such file"),
    ],
)
def test_a_urdf_that_nobody_can_read_is_one_line_with_its_file(tmp_path: Path, text: str | None, told: str) -> None:
    file = tmp_path / "arm.urdf"
    if text is not None:
        file.write_bytes(text.encode(errors="surrogateescape"))
    processes = bringup(robot="franka", overrides={"safety_filter": {"urdf": str(file)}})
    with pytest.raises(ParameterError) as refused:
        require_urdf(processes)
    (line,) = refused.value.faults
    assert line.startswith(f"safety_filter.urdf: {file}: ") and told in line


def test_a_robot_whose_button_may_vanish_unnoticed_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "robot.yaml"
    shipped = (share() / "config" / "franka.yaml").read_text()
    file.write_text(shipped.replace("unchecked: [heartbeat, ", "unchecked: ["))
    with pytest.raises(ParameterError, match=r"safety_filter\.estop\.heartbeat_s: .* unchecked: \[heartbeat\]"):
        require_startable(bringup(robot=str(file)), "classical", str(file))
    require_startable(bringup(robot="franka"), "classical", "franka")
    heartbeat = {"safety_filter": {"estop.heartbeat_s": 0.5}}
    require_startable(bringup(robot=str(file), overrides=heartbeat), "classical", str(file))
    require_startable(bringup(overrides={"safety_filter": {"unchecked": []}}), "classical", "sim")
