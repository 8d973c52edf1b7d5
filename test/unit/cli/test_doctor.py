"""The doctor's exit code says whether something needed is missing; a remedy is printed where there is something to mend."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import yaml

from vla_ros.cli import doctor
from vla_ros.cli.main import main
from vla_ros.resources import share
from vla_ros.ros.installation import InstallationFinding


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    doctor.arguments(parser)
    return parser.parse_args(options)


@pytest.mark.parametrize(("level", "code"), [("ok", 0), ("warn", 0), ("fail", 1)])
def test_only_a_failure_fails(
    level: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = InstallationFinding(level, "clock", "hpet", "tsc is faster")
    monkeypatch.setattr(doctor, "examine", lambda chosen: [found])
    assert doctor.run(parsed()) == code
    line = capsys.readouterr().out
    assert line.split()[:3] == [level, "clock", "hpet"]
    assert ("→ tsc is faster" in line) is (level != "ok")


def test_this_machine_is_examined_whole() -> None:
    found = list(doctor._machine())
    assert [finding.what for finding in found if finding.what != "governor"] == [
        "cores",
        "memory",
        "clock",
        "/dev/shm",
        "real time",
    ]
    assert all(bool(finding.remedy) is (finding.level == "warn") for finding in found)


def start_findings(*options: str) -> list[tuple[str, str]]:
    found = list(doctor._start(parsed(*options)))
    assert {finding.what for finding in found} == {"start"}
    return [(finding.level, finding.text) for finding in found]


def test_files_that_fit_are_said_to() -> None:
    assert start_findings() == [("ok", "sim with classical: files, parameters and URDF fit")]


@pytest.mark.parametrize(
    ("text", "options", "faults"),
    [
        (
            "safety_filter: {ros__parameters: {sped: 1}}",
            (),
            ["safety_filter: no parameter 'sped'"],
        ),
        ("/left/planner: {ros__parameters: {camera_names: yes}}", ("--namespace", "left"), ["camera_names"]),
        ("a: {ros__parameters: {x: 1, x: 2}}", (), ["given twice"]),
        ("", ("--namespace", "2left"), ["namespace '2left'"]),
        ("", ("--robot", "hal"), ["robot: there is no 'hal'"]),
        ("", ("--robot", "/etc/passwd"), ["robot: there is no '/etc/passwd'; there are franka, sim, and any file"]),
        ("", ("--policy", "lerobot"), ["lerobot"]),
        ("", ("--config", "/nowhere/mine.yaml"), ["/nowhere/mine.yaml: No such file"]),
    ],
)
def test_files_that_do_not_are_told_as_a_start_would(
    text: str, options: tuple[str, ...], faults: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if text:
        (tmp_path / "mine.yaml").write_text(text)
        options = (*options, "--config", str(tmp_path / "mine.yaml"))
    found = start_findings(*options)
    assert {level for level, _ in found} == {"fail"}
    assert all(any(fault in said for _, said in found) for fault in faults), found
    with pytest.raises(SystemExit) as ended:
        main(["up", *options])
    assert ended.value.code == 2
    assert capsys.readouterr().err.splitlines() == [f"vla-ros: {said}" for _, said in found]


def test_a_link_that_a_robot_lacks_is_told(tmp_path: Path) -> None:
    """What only the URDF shows: camera poses that were measured in a link of another arm."""
    robot = yaml.safe_load((share() / "config" / "franka.yaml").read_text())
    robot["planner"]["ros__parameters"]["base_frame"] = "base_of_another_arm"
    robot["safety_filter"]["ros__parameters"]["urdf"] = str(share() / "config" / "sim_arm.urdf")
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(robot))
    found = start_findings("--robot", str(tmp_path / "mine.yaml"))
    assert any("planner.base_frame: the URDF has no link 'base_of_another_arm'" in said for _, said in found), found
