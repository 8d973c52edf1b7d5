"""Namespaces that ROS refuses are refused first; runs have a domain of their own; a user's DDS profile stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from vla_ros.bringup.process import (
    Process,
    check_namespace,
    dds_environment,
    discovery_environment,
    enclave_arguments,
    find_program,
    private_domain,
)
from vla_ros.parameters import ParameterError


@pytest.mark.parametrize("namespace", ["", "/", "left", "/left/", "a/b_2"])
def test_a_good_namespace_passes(namespace: str) -> None:
    check_namespace(namespace)


@pytest.mark.parametrize("namespace", ["2left", "a-b", "a//b", "ärm", "a b"])
def test_a_bad_namespace_is_named(namespace: str) -> None:
    with pytest.raises(ParameterError, match="namespace .*: letters, digits and _"):
        check_namespace(namespace)


def test_a_private_domain_is_a_valid_one_on_this_machine() -> None:
    variables = private_domain()
    assert 1 <= int(variables["ROS_DOMAIN_ID"]) <= 100
    assert variables["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"


def test_the_packaged_dds_profile_gives_way_to_a_users(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert all(Path(file).is_file() for file in dds_environment().values())
    assert len(dds_environment()) == 2
    monkeypatch.setenv("FASTRTPS_DEFAULT_PROFILES_FILE", "mine.xml")
    assert dds_environment() == {}


def test_a_program_is_found_in_its_package_and_missed_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "lib" / "some_viewer" / "view"
    file.parent.mkdir(parents=True)
    file.write_text("")
    file.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert find_program("some_viewer", "view") == str(file)
    with pytest.raises(ParameterError, match="other is not installed: apt install ros-.*-some-viewer"):
        find_program("some_viewer", "other")


def test_a_simulated_arm_is_found_on_this_machine_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_LOCALHOST_ONLY"):
        monkeypatch.delenv(name, raising=False)
    assert discovery_environment("sim") == {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    assert discovery_environment("franka") == {}
    assert discovery_environment("sim", alone=False) == {}, "a part of it runs on another host"
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    assert discovery_environment("sim") == {}, "the user has chosen"


def test_each_process_has_its_enclave_where_security_is_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROS_SECURITY_ENABLE", "ROS_SECURITY_ENCLAVE_OVERRIDE"):
        monkeypatch.delenv(name, raising=False)
    planner = Process("planner", "planner", "/arms/left/")
    assert enclave_arguments(planner) == []
    monkeypatch.setenv("ROS_SECURITY_ENABLE", "true")
    assert enclave_arguments(planner) == ["--enclave", "/arms/left/planner"]
    assert enclave_arguments(Process("planner", "planner")) == ["--enclave", "/planner"]
    monkeypatch.setenv("ROS_SECURITY_ENCLAVE_OVERRIDE", "/mine")
    assert enclave_arguments(planner) == []
