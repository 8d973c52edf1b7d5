"""One graph's arm is moved by a policy that `vla-ros serve` holds in another process; the server dies and comes back."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from vla_ros.lab.evaluation.through_graph import PATIENCE_S, GraphEvaluation
from vla_ros.msg import LatentPlan
from vla_ros.policies.contract import PlanState
from vla_ros.ros.qos import NEWEST, SENSOR
from vla_ros.sim.arm_description import JOINT_NAMES

RATE_HZ = 50.0
REST_S = 3.0
"""Within this time after the server's death the arm is at rest, on a busy machine too."""


class Server:
    """`vla-ros serve --policy scripted`, at full speed."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        fast = {"ros__parameters": {"scripted": {"speed_scale": 1.0}}}
        self._config = folder / "fast.yaml"
        self._config.write_text(yaml.safe_dump({"planner": fast, "action_expert": fast}))
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "vla_ros.cli", "serve", "--policy", "scripted", "--config", str(self._config)]
        command += ["--port", str(self.port), "--rate", str(RATE_HZ)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "on ws://127.0.0.1" in line, line

    def signal(self, number: int) -> None:
        assert self.process is not None
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate(timeout=20)
            self.process = None


class Arm:
    """What the graph's arm does, and what its planner says."""

    def __init__(self, graph: GraphEvaluation) -> None:
        from sensor_msgs.msg import JointState

        self.talk = graph.client
        self.plans: list[LatentPlan] = []
        self.positions: list[tuple[float, np.ndarray]] = []
        self.talk.node.create_subscription(LatentPlan, "vla/latent_plan", self.plans.append, NEWEST)
        self.talk.node.create_subscription(JointState, "joint_states", self._hear, SENSOR)

    def _hear(self, message: object) -> None:
        index = [list(message.name).index(name) for name in JOINT_NAMES]  # type: ignore[attr-defined]
        self.positions.append((time.monotonic(), np.array(message.position)[index]))  # type: ignore[attr-defined]

    def until(self, true: Callable[[], bool], what: str) -> None:
        said = [f"{PlanState(plan.state).name}: {plan.reasoning}" for plan in self.plans[-3:]]
        assert self.talk.spin(PATIENCE_S, true), f"waited for {what}; {said}"

    def moved(self, since_s: float) -> float:
        """Largest distance that a joint of the arm has gone since then, rad."""
        seen = np.array([q[:7] for at, q in self.positions if at >= since_s])
        return float(np.ptp(seen, axis=0).max()) if len(seen) else 0.0

    @property
    def plan(self) -> LatentPlan:
        return self.plans[-1]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.mark.timeout(900)
def test_the_arm_is_moved_from_elsewhere_holds_without_the_server_and_goes_on(server: Server) -> None:
    remote = {
        "remote.url": f"ws://127.0.0.1:{server.port}",
        "remote.binding.rate_hz": RATE_HZ,
        "remote.image_size": [0, 0],
        "remote.image_keys": ["observation/front_image"],
    }
    with GraphEvaluation("remote", overrides={"planner": remote, "action_expert": remote}) as graph:
        arm = Arm(graph)
        armed, why = arm.talk.arm(PATIENCE_S)
        assert armed, why
        began_s = time.monotonic()
        arm.talk.publish("run")
        arm.until(lambda: arm.moved(began_s) > 0.03, "motion")
        assert PlanState(arm.plan.state) is PlanState.ACTIVE and arm.plan.kind == "actions"
        assert arm.plan.subtask.startswith("waypoint")  # the server's own words

        server.kill()
        died_s = time.monotonic()
        arm.until(lambda: PlanState(arm.plan.state) is PlanState.HOLD, "a plan that holds")
        assert time.monotonic() - died_s < REST_S
        arm.until(lambda: time.monotonic() > died_s + REST_S + 1.0, "rest")
        assert arm.moved(died_s + REST_S) < 2e-3
        assert f"openpi server ws://127.0.0.1:{server.port} " in arm.plan.reasoning
        arm.until(lambda: "refuses the connection; start it" in arm.plan.reasoning, "the line that says so")
        planner = arm.talk.diagnostics["planner"]
        assert "refuses the connection" in json.dumps(planner)

        server.start()
        back_s = time.monotonic()
        arm.until(lambda: arm.moved(back_s) > 0.03, "motion again, of the same instruction")
        assert PlanState(arm.plan.state) is PlanState.ACTIVE

        server.signal(signal.SIGSTOP)  # it hangs: nothing is refused, nothing is answered
        stopped_s = time.monotonic()
        try:
            arm.until(lambda: PlanState(arm.plan.state) is PlanState.HOLD, "a plan that holds")
            arm.until(lambda: time.monotonic() > stopped_s + REST_S + 1.0, "rest")
            assert arm.moved(stopped_s + REST_S) < 2e-3
        finally:
            server.signal(signal.SIGCONT)
        again_s = time.monotonic()
        arm.until(lambda: arm.moved(again_s) > 0.03, "motion after the hang")
