"""The whole graph on a machine without a network: nothing calls out, nothing forks; nothing is left of a killed parent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml

from test.graph.test_kill import after, rows_of
from vla_ros.bringup.process import private_domain

HERE = Path(__file__).parent / "no_network"
NODES = ("sim_arm", "safety_filter", "safety_monitor", "camera", "planner", "action_expert", "task_server", "dashboard")
HELPERS = ("spawn_main", "resource_tracker", "safety.audit.writer", "last_resort.py")
"""Parts of the command lines of what else there may be: System 1 and the cameras with what Python starts beside each of
them, the writer of the audit log, and what ends the rest when the supervisor cannot."""


def without_network() -> list[str]:
    """Return what a command begins with so that it finds this machine alone; empty where that is not permitted."""
    command = ["unshare", "-rn", sys.executable, str(HERE / "loopback.py")]
    permitted = shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if permitted and permitted.returncode == 0 else []


class Up:
    """`vla-ros up` with the policy that ships, under way."""

    def __init__(self, folder: Path) -> None:
        self.tried, self.log = folder / "tried.txt", folder / "controller.csv"
        nodes = {"sim_arm": {"seed": 3, "task": "place", "log_file": str(self.log)}, "dashboard": {"port": 0}}
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump({name: {"ros__parameters": given} for name, given in nodes.items()}))
        options = ["--policy", "compact", "--config", str(config), "--arm", "--say", "put the red cube in the bowl"]
        paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH", str(Path.cwd()))])]
        self.process = subprocess.Popen(
            [*without_network(), sys.executable, "-m", "vla_ros.cli", "up", *options],
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                **private_domain(),
                "PYTHONPATH": os.pathsep.join(paths),
                "VLA_ROS_TRIED": str(self.tried),
                "PYTHONUNBUFFERED": "1",
            },
        )
        self.lines: list[str] = []

    def wait_until_up(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            assert "not ready" not in line, self.lines[-20:]
            if "up after" in line:
                return
        pytest.fail("".join(self.lines[-20:]))

    def tree(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    started = Up(tmp_path_factory.mktemp("alone"))
    yield started
    if started.process.poll() is None:
        started.process.send_signal(signal.SIGINT)
    started.process.communicate(timeout=120)


def until(condition: Callable[[], object], seconds: float) -> bool:
    deadline_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.05)
    return True


def test_nothing_calls_out_and_nothing_forks(up: Up) -> None:
    up.wait_until_up()
    commands = {process.pid: process.cmdline() for process in up.tree()}
    lines = [" ".join(words) for words in commands.values()]
    counted = Counter({name: sum(f"vla_ros.nodes.{name}" in line for line in lines) for name in NODES})
    assert counted == dict.fromkeys(NODES, 1)
    helpers = Counter(part for line in lines for part in HELPERS if part in line)
    assert helpers.total() + len(NODES) == len(lines), lines
    assert helpers["last_resort.py"] == 1
    for process in up.tree():
        parent = process.parent()
        assert parent is None or process.cmdline() != parent.cmdline(), f"{process.cmdline()} is forked"
    assert not up.tried.exists(), up.tried.read_text()


def test_the_arm_brakes_and_nothing_is_left_when_the_supervisor_is_killed(up: Up) -> None:
    moving = lambda: np.abs(np.diff(rows_of(up.log)[1][-20:], axis=0)).max() > 0.05 * 0.004  # noqa: E731
    assert until(moving, 120.0)
    left = up.tree()
    killed_s = float(rows_of(up.log)[0][-1])
    up.process.kill()
    _, alive = psutil.wait_procs(left, 60)
    assert not alive
    rest_s, shares = after(up.log, killed_s)
    assert 0.0 < rest_s < 1.0
    assert max(shares) <= 1.0001, shares
    assert np.abs(np.diff(rows_of(up.log)[1][-10:], axis=0)).max() < 1e-6
