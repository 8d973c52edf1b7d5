"""A LeRobot policy on the running graph: planner, action expert, filter and arm as processes, a tiny ACT."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lerobot")
pytest.importorskip("rclpy")

from sensor_msgs.msg import JointState

from test.models import tiny
from vla_ros.bringup.graph import bringup
from vla_ros.bringup.process import private_domain
from vla_ros.bringup.supervisor import Supervisor
from vla_ros.msg import LatentPlan
from vla_ros.ros.client import Client, connect
from vla_ros.ros.qos import SENSOR
from vla_ros.ros.stamps import nanoseconds
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

PATIENCE_S = 300.0
ROW_NS = 20_000_000
RATE_HZ = 10.0
NEAR = 0.02
"""rad"""


class Graph:
    """The processes, and what is heard of them."""

    def __init__(self, folder: Path, policy_python: str) -> None:
        os.environ.update(private_domain())
        options = {
            "lerobot.checkpoint": str(folder),
            "lerobot.binding.rate_hz": RATE_HZ,
            "lerobot.policy_python": policy_python,
        }
        overrides = {"planner": {**options, "monitors.hold": ["failure"]}, "action_expert": dict(options)}
        self.supervisor = Supervisor(bringup(policy="lerobot", overrides=overrides), self.log)
        self.lines: list[str] = []
        self._connection = connect()
        self.talk: Client = self._connection.__enter__()
        self.plans: list[LatentPlan] = []
        self.states: list[tuple[int, np.ndarray]] = []
        self.talk.node.create_subscription(LatentPlan, "vla/latent_plan", self.plans.append, 50)
        self.talk.node.create_subscription(JointState, "joint_states", self.on_state, SENSOR)

    def log(self, line: str) -> None:
        self.lines.append(line)

    def on_state(self, message: JointState) -> None:
        order = [message.name.index(name) for name in JOINT_NAMES]
        self.states.append((nanoseconds(message.header.stamp), np.asarray(message.position)[order]))

    def until(self, true: object, what: str) -> None:
        said = self.plans[-1].reasoning if self.plans else "no plan"
        assert self.talk.spin(PATIENCE_S, true), f"waited for {what}; {said}; {self.lines[-5:]}"  # type: ignore[arg-type]

    def say(self, text: str) -> None:
        """Give an instruction, and wait for the first plan for it."""
        published_ns = self.talk.publish(text)
        self.until(lambda: bool(self.plans) and self.plans[-1].instruction_id >= published_ns, f"a plan for {text!r}")

    def close(self) -> None:
        self._connection.__exit__(None, None, None)
        self.supervisor.stop()


@pytest.fixture(scope="module", params=["", sys.executable], ids=["this Python", "another Python"])
def graph(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Graph]:
    made = Graph(tiny.save("act", tmp_path_factory.mktemp("act") / "policy"), request.param)
    try:
        made.talk.wait_until_ready(PATIENCE_S)
        armed, why = made.talk.arm(60.0)
        assert armed, why
        yield made
    finally:
        made.close()


def rows(plan: LatentPlan) -> np.ndarray:
    return np.frombuffer(bytes(plan.data), plan.dtype).reshape(plan.shape)


def test_the_arm_follows_its_chunk(graph: Graph) -> None:
    graph.say("put the red cube in the bowl")
    graph.until(lambda: distance(graph) < NEAR, "the arm to reach its chunk")
    graph.plans.clear()
    graph.states.clear()
    graph.talk.spin(2.0)
    assert {plan.state for plan in graph.plans} == {LatentPlan.ACTIVE}
    assert {plan.kind for plan in graph.plans} == {"actions"}
    assert rows(graph.plans[0]).shape == (1 + round((tiny.CHUNK - 1) / RATE_HZ / 0.02), len(JOINT_NAMES))
    assert graph.plans[0].waypoints, "tool poses for people"
    assert distance(graph) < 2 * NEAR, "it stays there"
    assert np.abs(np.asarray(HOME) - graph.states[-1][1])[:-1].max() > 5 * NEAR, "it has left the place where it began"


def test_another_sentence_begins_anew_and_an_empty_one_holds(graph: Graph) -> None:
    graph.say("push the green ball to the left")
    graph.until(lambda: graph.plans[-1].state == LatentPlan.ACTIVE, "an active plan")
    assert graph.plans[-1].subtask == "push the green ball to the left"
    graph.say("")
    assert graph.plans[-1].state == LatentPlan.HOLD
    graph.talk.spin(2.0)
    graph.states.clear()
    graph.talk.spin(1.0)
    moved = np.ptp([q for _, q in graph.states], axis=0)
    assert moved.max() < 1e-3


def test_when_the_models_process_dies_the_arm_holds_and_then_goes_on(graph: Graph) -> None:
    if not children(graph):
        pytest.skip("the model runs in the planner's process")
    graph.say("put the red cube in the bowl")
    graph.until(lambda: graph.plans[-1].state == LatentPlan.ACTIVE, "an active plan")
    (child,) = children(graph)
    os.kill(child, signal.SIGKILL)
    graph.until(lambda: graph.plans[-1].state == LatentPlan.HOLD, "the arm to hold")
    assert "the model's process was ended by SIGKILL" in graph.plans[-1].reasoning
    graph.until(lambda: graph.plans[-1].state == LatentPlan.ACTIVE, "a model that was started again")
    assert children(graph) != [child]


def test_no_child_outlives_the_planner(graph: Graph) -> None:
    found = children(graph)
    graph.supervisor.stop()
    assert [pid for pid in found if alive(pid)] == []


def distance(graph: Graph) -> float:
    """Return how far the newest joint state is from the row of the newest plan that is due then, rad."""
    if not graph.states or graph.plans[-1].state != LatentPlan.ACTIVE:
        return np.inf
    stamp_ns, q = graph.states[-1]
    course = rows(graph.plans[-1])
    row = (stamp_ns - nanoseconds(graph.plans[-1].header.stamp)) // ROW_NS
    return float(np.abs(q - course[min(max(row, 0), len(course) - 1)])[:-1].max())


def children(graph: Graph) -> list[int]:
    """Return the processes of models that the planner has started."""
    planner = graph.supervisor.children["planner"].popen.pid
    text = Path(f"/proc/{planner}/task/{planner}/children").read_text()
    names = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in map(int, text.split())}
    return [pid for pid, name in names.items() if b"process_child" in name]


def alive(pid: int) -> bool:
    try:
        return "zombie" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
