"""Two graphs of one arm on one machine: the second is refused, and told which process has the first."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from vla_ros.bringup.only_graph import claimed
from vla_ros.parameters import ParameterError


def test_a_second_graph_of_a_namespace_is_refused_and_the_first_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(100_000 + os.getpid()))
    with claimed("left"), claimed(""), claimed("right"):
        for same in ("left", "/left", "left/"):
            named = rf"namespace /left runs .*\(process {os.getpid()}\): end it"
            with pytest.raises(ParameterError, match=named), claimed(same):
                pass
        monkeypatch.setenv("ROS_DOMAIN_ID", str(200_000 + os.getpid()))
        with claimed("left"):
            pass
    with claimed("left"):
        pass


def test_a_claim_ends_with_its_process_however_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(300_000 + os.getpid()))
    code = "import time\n"
    code += "from vla_ros.bringup.only_graph import claimed\nwith claimed('x'): print(1, flush=True); time.sleep(99)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "1\n"
    with pytest.raises(ParameterError, match=f"process {process.pid}"), claimed("x"):
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    with claimed("x"):
        pass
