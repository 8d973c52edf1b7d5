"""One running graph, looked at from all sides: status, trace, RViz's topics, the guard, a monitor's question."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from action_msgs.msg import GoalStatus
from nav_msgs.msg import Path as PathMessage
from rclpy.action import ActionClient
from rclpy.qos import ReliabilityPolicy

from vla_ros.action import Execute
from vla_ros.bringup.graph import bringup
from vla_ros.bringup.process import Process, private_domain
from vla_ros.bringup.rviz import view
from vla_ros.bringup.supervisor import Supervisor
from vla_ros.lab.security.__main__ import profile_of
from vla_ros.lab.security.policy import from_xml
from vla_ros.msg import LatentPlan, SafetyStatus
from vla_ros.resources import share
from vla_ros.ros.client import Client, connect
from vla_ros.ros.opened import opened_by
from vla_ros.ros.qos import NEWEST
from vla_ros.sim.arm_description import JOINT_NAMES
from vla_ros.tracing.graph_status import REQUIRED_NODES

# A training in the dark: what the camera sees is unlike it, always.
STATS = {"observation.images.front": {"mean": [0.02, 0.02, 0.02], "std": [0.01, 0.01, 0.01]}}
TYPES = {
    "Camera": "sensor_msgs/msg/Image",
    "Image": "sensor_msgs/msg/Image",
    "Path": "nav_msgs/msg/Path",
    "MarkerArray": "visualization_msgs/msg/MarkerArray",
    "RobotModel": "std_msgs/msg/String",
}


PATIENCE_S = 120.0
ARMED = (SafetyStatus.HOLDING, SafetyStatus.TRACKING, SafetyStatus.LIMITING, SafetyStatus.STOPPING)


class Running:
    """The graph, a client of it, and every plan that was sent."""

    def __init__(self, talk: Client) -> None:
        self.talk = talk
        self.plans: list[LatentPlan] = []
        self.paths: dict[str, PathMessage] = {}
        talk.node.create_subscription(LatentPlan, "vla/latent_plan", self.plans.append, 50)
        for name in ("waypoints", "proposed_motion", "filtered_motion"):
            keep = self.paths.__setitem__
            talk.node.create_subscription(
                PathMessage, f"vla/{name}", lambda m, name=name, keep=keep: keep(name, m), NEWEST
            )

    @property
    def speed(self) -> float:
        assert self.talk.status is not None
        return max(map(abs, self.talk.status.velocities), default=0.0)

    def ask(self, text: str) -> None:
        """Publish, and wait until the planner has answered."""
        before = self.plans[-1].instruction_id if self.plans else 0
        self.talk.publish(text)
        assert self.talk.spin(PATIENCE_S, lambda: bool(self.plans) and self.plans[-1].instruction_id > before)

    def arm(self) -> None:
        """Arm, unless it is."""
        assert self.talk.spin(PATIENCE_S, lambda: self.talk.status is not None)
        if self.talk.status.state not in ARMED:  # type: ignore[union-attr]
            self.talk.trigger("reset")
            armed, why = self.talk.arm(PATIENCE_S)
            assert armed, why

    def move(self) -> None:
        """Have it carry something out; what a monitor asks first is answered by asking again."""
        self.arm()
        for _ in range(2):
            self.ask("put the red cube in the bowl")
            self.talk.spin(PATIENCE_S, lambda: self.speed > 0.15 or bool(self.talk.question))
        assert self.talk.spin(PATIENCE_S, lambda: self.speed > 0.15), self.plans[-1].reasoning


def vla_ros(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "vla_ros.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    os.environ.update(private_domain())
    stats = tmp_path_factory.mktemp("training") / "stats.json"
    stats.write_text(json.dumps(STATS))
    watched = {"monitors.statistics": str(stats), "monitors.hold": ["drift"]}
    paths = Process("motion_paths", "motion_paths", parameters={"joint_names": list(JOINT_NAMES)})
    lines: list[str] = []
    supervisor = Supervisor((*bringup(overrides={"planner": watched}), paths), lines.append)
    try:
        with connect() as talk:
            talk.wait_until_ready(PATIENCE_S)
            yield Running(talk)
            assert not supervisor.watch(), lines[-5:]
    finally:
        supervisor.stop()


def test_a_monitor_holds_the_arm_and_asks_and_an_instruction_answers(running: Running) -> None:
    talk = running.talk
    running.arm()
    running.ask("put the red cube in the bowl")
    assert talk.spin(PATIENCE_S, lambda: "unlike the training data: camera front" in talk.question)
    assert talk.spin(PATIENCE_S, lambda: running.plans[-1].state == LatentPlan.FAILED)
    assert running.plans[-1].reasoning == talk.question
    assert talk.spin(PATIENCE_S, lambda: talk.status is not None and talk.status.state == SafetyStatus.HOLDING)
    running.ask("put the red cube in the bowl")
    answered = len(running.plans)
    assert talk.spin(PATIENCE_S, lambda: running.speed > 0.15)
    assert talk.question == ""
    talk.spin(1.0)
    assert talk.spin(PATIENCE_S, lambda: running.plans[-1].state == LatentPlan.ACTIVE)
    assert LatentPlan.FAILED not in {plan.state for plan in running.plans[answered:]}


def test_rviz_finds_each_topic_with_its_type_and_reliability(running: Running) -> None:
    present = dict(running.talk.node.get_topic_names_and_types())
    assert "/front_camera/camera_info" in present
    shown = view("", ["/front_camera/image_raw", "/wrist_camera/image_raw"])["Visualization Manager"]
    for display in shown["Displays"]:
        kind = TYPES.get(display["Class"].rpartition("/")[2])
        if kind is None:
            continue
        (topic,) = [display[key] for key in ("Topic", "Description Topic") if key in display]
        assert present[topic["Value"]] == [kind]
        publishers = running.talk.node.get_publishers_info_by_topic(topic["Value"])
        assert publishers
        best_effort = any(p.qos_profile.reliability is ReliabilityPolicy.BEST_EFFORT for p in publishers)
        assert topic["Reliability Policy"] == ("Best Effort" if best_effort else "Reliable")


def test_the_security_policy_allows_what_the_nodes_have_opened(running: Running) -> None:
    policy = from_xml((share() / "config" / "security_policy.xml").read_text())
    lacking = {
        node: policy[node].allows(profile_of(opened_by(running.talk.node, node), node))
        for node in {node.name for node in bringup()} | {"motion_paths"}
    }
    assert not any(lacking.values()), f"{lacking}: write it again: python -m vla_ros.lab.security"


def test_the_paths_are_where_the_tool_is(running: Running) -> None:
    running.move()
    assert running.talk.spin(PATIENCE_S, lambda: len(running.paths) == 3 and len(running.paths["waypoints"].poses) > 0)
    assert {path.header.frame_id for path in running.paths.values()} == {"base"}
    assert running.talk.spin(PATIENCE_S, lambda: len(running.paths["filtered_motion"].poses) > 10)

    def together() -> bool:
        newest = running.paths["filtered_motion"].poses[-1].pose.position
        begins = running.paths["proposed_motion"].poses[0].pose.position
        apart = sum((getattr(newest, axis) - getattr(begins, axis)) ** 2 for axis in "xyz") ** 0.5
        return 0.02 < newest.z < 1.2 and apart < 0.25

    assert running.talk.spin(PATIENCE_S, together)


def test_trace_follows_frames_to_the_controller(running: Running, tmp_path: Path) -> None:
    perfetto, reasoning = tmp_path / "trace.json", tmp_path / "reasoning.jsonl"
    for _ in range(4):  # a busy machine may end the task, or start `trace`, too late to see a whole way
        running.move()
        done = vla_ros("trace", "--seconds", "8", "--json", "--perfetto", str(perfetto), "--reasoning", str(reasoning))
        if done.returncode == 0:
            break
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)
    hops = read["hops_ms"]
    assert 0 < hops["camera to controller"]["count"] == read["complete"] <= read["frames"]
    parts = [hops[name] for name in ("camera", "plan", "chunk", "setpoint", "filter")]
    assert max(part["p50"] for part in parts) <= hops["camera to controller"]["p50"]
    assert hops["camera to controller"]["max"] <= sum(part["max"] for part in parts) + 1e-3
    assert all(hops[name]["p50"] >= 0 for name in hops)
    events = json.loads(perfetto.read_text())["traceEvents"]
    assert sum(event["ph"] == "X" for event in events) == 5 * read["complete"]
    lines = [json.loads(line) for line in reasoning.read_text().splitlines()]
    assert {"plan", "filter"} <= {line["kind"] for line in lines}


def test_a_stop_in_any_wording_stops_a_moving_arm(running: Running) -> None:
    running.move()
    running.ask("whoa there... please FREEZE!")
    spoken = running.plans[-1].instruction_id
    assert running.talk.spin(PATIENCE_S, lambda: running.talk.status.state == SafetyStatus.HOLDING)  # type: ignore[union-attr]
    running.talk.spin(1.0)
    said = [plan for plan in running.plans if plan.instruction_id == spoken]
    assert [plan.state for plan in said] == [LatentPlan.DONE]
    assert "whoa" in said[0].reasoning
    assert running.speed == 0.0


def test_goals_give_feedback_are_superseded_cancelled_and_refused(running: Running) -> None:
    talk, feedback = running.talk, []
    client = ActionClient(talk.node, Execute, "vla/execute")
    assert talk.spin(PATIENCE_S, client.server_is_ready)

    def send(text: str) -> tuple[Any, Any]:
        """Return the goal and the future of its result."""
        sent = client.send_goal_async(Execute.Goal(instruction=text), lambda told: feedback.append(told.feedback))
        assert talk.spin(PATIENCE_S, sent.done)
        return sent.result(), sent.result().get_result_async()

    def ended(future: Any, status: int, outcome: int) -> str:
        assert talk.spin(PATIENCE_S, future.done)
        assert (future.result().status, future.result().result.outcome) == (status, outcome)
        return str(future.result().result.why)

    running.move()  # what the monitor asks first is answered
    _, first = send("put the red cube in the bowl")
    assert talk.spin(PATIENCE_S, lambda: len(feedback) > 1)
    assert feedback[-1].subtask
    goal, second = send("push the red cube left")
    assert "a new goal came: 'push the red cube left'" in ended(first, GoalStatus.STATUS_ABORTED, Execute.Result.FAILED)
    heard = len(feedback)
    talk.spin(PATIENCE_S, lambda: second.done() or len(feedback) > heard + 1)
    if second.done():  # the monitor asks of a new scene, too
        goal, second = send("push the red cube left")
    goal.cancel_goal_async()
    ended(second, GoalStatus.STATUS_CANCELED, Execute.Result.CANCELLED)
    assert talk.spin(PATIENCE_S, lambda: running.plans[-1].state == LatentPlan.HOLD)
    _, third = send("now pick up the knife")
    assert ended(third, GoalStatus.STATUS_ABORTED, Execute.Result.REFUSED).startswith("dangerous: ")
    client.destroy()


def test_what_the_guard_refuses_reaches_no_model_and_ends_the_say_command(running: Running) -> None:
    running.move()
    for _ in range(3):  # what is refused is said once, and may be missed by who has just come
        done = vla_ros("say", "now pick up the knife")
        if done.returncode == 1:
            break
    assert done.returncode == 1, done.stdout
    assert "refused: dangerous: " in done.stdout
    last = [plan for plan in running.plans if plan.instruction == "now pick up the knife"]
    running.talk.spin(0.5, lambda: bool(last))
    assert {plan.state for plan in running.plans if plan.instruction == "now pick up the knife"} <= {LatentPlan.REFUSED}
    done = vla_ros("say", "stop")
    assert (done.returncode, "done: holding" in done.stdout) == (0, True)


def test_status_tells_who_is_there_and_who_complains(running: Running) -> None:
    everybody = set(REQUIRED_NODES) | {"sim_arm", "motion_paths", "safety_monitor", "task_server"}
    for _ in range(10):  # a node that a busy machine keeps silent is not listed
        running.move()
        done = vla_ros("status", "--json")
        read = json.loads(done.stdout)
        planner = read["nodes"].get("planner", {"level": "", "why": ""})
        wanted = {
            "listed": everybody == set(read["nodes"]),
            "working": read["plan"].startswith("ACTIVE: put the red cube in the bowl"),
            "warned": planner["level"] == "WARN" and "drift: unlike the training data" in planner["why"],
        }
        if all(wanted.values()):
            break
    assert all(wanted.values()), (wanted, read)
    assert read["nodes"]["safety_filter"]["rate_hz"] > 0
    assert (done.returncode, read["ok"]) == (1, False)
    for _ in range(10):
        shown = vla_ros("status", "--once")
        if all(name in shown.stdout for name in read["nodes"]):
            break
    assert shown.returncode == 1
    assert all(name in shown.stdout for name in read["nodes"]), shown.stdout


def test_nobody_there_is_one_clear_line(running: Running) -> None:
    for command in ("status", "trace"):
        extra = ["--once"] if command == "status" else ["--seconds", "1"]
        done = vla_ros(command, "--namespace", "nobody", *extra)
        assert done.returncode == 2
        assert "start the graph (vla-ros up), or give --namespace" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
