"""What ROS would not start with is one line with the remedy, in every node and every command."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vla_ros.parameters import ParameterError
from vla_ros.ros.environment import environment_problems, require_environment

HOME = {"HOME": "/tmp"}


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ROS_DOMAIN_ID": "abc"}, "ROS_DOMAIN_ID='abc': give a whole number from 0 to 232"),
        ({"ROS_DOMAIN_ID": "-1"}, "ROS_DOMAIN_ID='-1'"),
        ({"ROS_DOMAIN_ID": "233"}, "ROS_DOMAIN_ID='233'"),
        ({"ROS_DOMAIN_ID": "1 2"}, "ROS_DOMAIN_ID='1 2'"),
        ({"ROS_DOMAIN_ID": "²"}, "ROS_DOMAIN_ID='²'"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF"}, "no node hears another one"),
        ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "host"}, "it is one of SUBNET, LOCALHOST, SYSTEM_DEFAULT"),
        ({"RMW_IMPLEMENTATION": "rmw_nobody"}, "RMW_IMPLEMENTATION='rmw_nobody' is not installed"),
        ({"FASTDDS_DEFAULT_PROFILES_FILE": "/nope.xml"}, "there is no such file"),
        ({"FASTRTPS_DEFAULT_PROFILES_FILE": __file__}, "it cannot be read (no XML: "),
        ({"ROS_SECURITY_ENABLE": "true"}, "there is no keystore"),
        ({"HOME": ""}, "HOME is not set, so that ROS has no folder for its logs: set ROS_LOG_DIR"),
        ({"HOME": "/proc/nowhere"}, "the folder for logs, /proc/nowhere/.ros/log, cannot be made"),
        ({"ROS_LOG_DIR": "/dev/null"}, "the folder for logs, /dev/null, cannot be made"),
        ({"ROS_LOG_DIR": "~/log", "HOME": ""}, "HOME is not set, and the logs go to ~/log"),
    ],
)
def test_what_ros_would_not_start_with_is_named_with_the_remedy(variables: dict[str, str], said: str) -> None:
    (problem,) = environment_problems(HOME | variables)
    assert said in str(problem)
    assert "\n" not in str(problem)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"ROS_DOMAIN_ID": ""},
        {"ROS_DOMAIN_ID": "0"},
        {"ROS_DOMAIN_ID": "232"},
        {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"},
        {"HOME": "", "ROS_LOG_DIR": "/tmp"},
        {"ROS_SECURITY_ENABLE": "false"},
    ],
)
def test_what_it_starts_with_is_let_pass(variables: dict[str, str]) -> None:
    assert list(environment_problems(HOME | variables, ["say", "grüße", "–"])) == []


def test_a_folder_that_cannot_be_written_and_bytes_that_are_no_text_are_told_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # for root every folder can be written
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path))
    with pytest.raises(
        ParameterError, match=r"'caf\\\\xe9' is no UTF-8: .*; the folder for logs, .* cannot be written"
    ):
        require_environment([os.fsdecode(b"caf\xe9")])


@pytest.mark.parametrize(
    ("command", "variable", "begins"),
    [
        (("vla_ros.cli", "status", "--once"), "ROS_DOMAIN_ID", "vla-ros: ROS_DOMAIN_ID='abc'"),
        (("vla_ros.nodes.camera",), "ROS_DOMAIN_ID", "vla_ros camera: ROS_DOMAIN_ID='abc'"),
        (("vla_ros.cli", "estop"), "RMW_IMPLEMENTATION", "vla-ros: RMW_IMPLEMENTATION='abc' is not installed"),
        (("vla_ros.nodes.camera",), "RMW_IMPLEMENTATION", "vla_ros: RMW_IMPLEMENTATION='abc' is not installed"),
    ],
)
def test_one_line_and_exit_code_2(command: tuple[str, ...], variable: str, begins: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env={**os.environ, variable: "abc"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith(begins)
