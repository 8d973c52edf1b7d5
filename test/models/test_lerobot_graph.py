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
    graph.talk.spin(3.0)  # onto the chunk
    graph.plans.clear()
    graph.states.clear()
    graph.talk.spin(2.0)
    assert {plan.state for plan in graph.plans} == {LatentPlan.ACTIVE}
    assert {plan.kind for plan in graph.plans} == {"actions"}
    assert rows(graph.plans[0]).shape == (1 + round((tiny.CHUNK - 1) / RATE_HZ / 0.02), len(JOINT_NAMES))
    assert graph.plans[0].waypoints, "tool poses for people"
    stamps = np.array([nanoseconds(plan.header.stamp) for plan in graph.plans])
    errors = []
    for stamp_ns, q in graph.states:
        newest = int(np.searchsorted(stamps, stamp_ns - 200_000_000)) - 1  # older than inference and transport
        if newest >= 0:
            course = rows(graph.plans[newest])
            errors.append(np.abs(q - course[min((stamp_ns - stamps[newest]) // ROW_NS, len(course) - 1)]))
    np.savez("/tmp/lgraph.npz", stamps=stamps, rows=np.array([rows(p) for p in graph.plans]), t=[t for t,_ in graph.states], q=[q for _,q in graph.states])
    target = rows(graph.plans[-1])[-1]
    away = np.abs(np.asarray(HOME) - target)[:-1].max()
    assert away > 0.1, "the chunk leads away from where the arm began"
    assert np.median(np.array(errors), axis=0)[:-1].max() < 0.3 * away
    assert len(graph.plans) > 5


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
    if "policy_python" not in str(graph.supervisor.children["planner"].popen.args) and not children(graph):
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
