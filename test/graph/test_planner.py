"""The planner node: what comes over DDS reaches its core, and what the core says is published. Its rules are tested in
test/unit/control/test_planner.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
import yaml
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from vla_ros.bringup.graph import parameters_of
from vla_ros.bringup.process import private_domain
from vla_ros.msg import CameraFrames, LatentPlan, SafetyStatus
from vla_ros.parameters import nested
from vla_ros.resources import share
from vla_ros.ros.client import connect
from vla_ros.ros.instruction_relay import RELAYED
from vla_ros.ros.qos import NEWEST, SENSOR
from vla_ros.ros.stamps import time_message
from vla_ros.sim.arm_description import HOME, JOINT_NAMES

PATIENCE_S = 90.0
SIDE = 32
# A training in the dark.
STATS = {"observation.images.front": {"mean": [0.02, 0.02, 0.02], "std": [0.01, 0.01, 0.01]}}


class World:
    """The camera node, the arm and the people, as far as a planner hears them."""

    def __init__(self) -> None:
        self.context = connect()
        self.talk = self.context.__enter__()
        node = self.talk.node
        self.plans: list[LatentPlan] = []
        self.bright = 0.02
        self.seeing = True
        node.create_subscription(LatentPlan, "vla/latent_plan", self.plans.append, 50)
        self.frames = node.create_publisher(CameraFrames, "vla/frames", NEWEST)
        self.instructions = node.create_publisher(String, RELAYED, NEWEST)
        self.joints = node.create_publisher(JointState, "joint_states", SENSOR)
        node.create_timer(0.1, self.publish)

    def publish(self) -> None:
        stamp = time_message(time.time_ns())
        q = HOME
        if self.plans and self.plans[-1].kind == "actions":  # the arm walks along
            q = np.frombuffer(bytes(self.plans[-1].data), self.plans[-1].dtype).reshape(self.plans[-1].shape)[5]
        state = JointState(name=list(JOINT_NAMES), position=list(map(float, q)), velocity=[0.0] * len(JOINT_NAMES))
        state.header.stamp = stamp
        self.joints.publish(state)
        frames = CameraFrames(names=["front"], frame_ids=["front"], stamps=[stamp], health=[0], height=SIDE, width=SIDE)
        frames.header.stamp = stamp
        frames.k = [0.0] * 9
        noise = np.random.default_rng(1).normal(self.bright, 0.01, (SIDE, SIDE, 3))
        frames.data = np.clip(noise * 255, 0, 255).astype(np.uint8).tobytes()
        if self.seeing:
            self.frames.publish(frames)

    def until(self, true: Callable[[], bool], what: str) -> None:
        said = self.plans[-1].reasoning if self.plans else "no plan"
        assert self.talk.spin(PATIENCE_S, true), f"waited for {what}; {said}; {self.planner}"

    def say(self, text: str) -> LatentPlan:
        """Publish, and return the first plan for it."""
        before = self.plans[-1].instruction_id if self.plans else 0
        self.until(lambda: self.instructions.get_subscription_count() >= 1, "the planner")
        self.instructions.publish(String(data=text))
        self.until(lambda: bool(self.plans) and self.plans[-1].instruction_id > before, f"a plan for {text!r}")
        return next(plan for plan in self.plans if plan.instruction_id > before)

    @property
    def planner(self) -> dict[str, str]:
        return self.talk.diagnostics.get("planner", {})


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    os.environ.update(private_domain())
    folder = tmp_path_factory.mktemp("planner")
    (folder / "stats.json").write_text(json.dumps(STATS))
    flat = {
        **parameters_of("planner", policy="scripted"),
        "urdf": str(share() / "config" / "sim_arm.urdf"),
        "monitors.statistics": str(folder / "stats.json"),
        "monitors.hold": ["drift"],
    }
    (folder / "planner.yaml").write_text(yaml.safe_dump({"/**": {"ros__parameters": nested(flat)}}))
    command = [
        sys.executable,
        "-m",
        "vla_ros.nodes.planner",
        "--ros-args",
        "--params-file",
        str(folder / "planner.yaml"),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    made = World()
    try:
        made.until(lambda: bool(made.planner), "the planner's diagnostics")
        yield made
    finally:
        made.context.__exit__(None, None, None)
        process.terminate()
        _, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors


@pytest.fixture
def healthy(world: World) -> None:
    world.bright, world.seeing = 0.02, True


@pytest.mark.usefixtures("healthy")
def test_a_task_is_planned_in_the_words_that_were_said(world: World) -> None:
    plan = world.say("run")
    world.until(lambda: world.plans[-1].state == LatentPlan.ACTIVE, "motion")
    assert (plan.instruction, world.planner["prompt"]) == ("run", "plain.v1")
    world.until(lambda: world.planner["level"] == "0", "level OK")


@pytest.mark.usefixtures("healthy")
def test_a_stop_ends_motion_and_the_policy_hears_no_more_of_it(world: World) -> None:
    world.say("run")
    world.until(lambda: world.plans[-1].state == LatentPlan.ACTIVE, "motion")
    plan = world.say("whoa there... please FREEZE!")
    world.talk.spin(1.0)
    assert (plan.state, world.plans[-1].plan_id) == (LatentPlan.DONE, plan.plan_id)
    assert plan.reasoning.startswith("holding: ")


@pytest.mark.usefixtures("healthy")
def test_what_is_refused_is_refused_once_with_its_rule(world: World) -> None:
    plan = world.say("pick up the knife")
    world.talk.spin(1.0)
    assert (plan.state, world.plans[-1].plan_id) == (LatentPlan.REFUSED, plan.plan_id)
    assert plan.reasoning.startswith("dangerous: ")


@pytest.mark.usefixtures("healthy")
def test_a_monitor_asks_and_an_instruction_answers(world: World) -> None:
    world.bright = 0.8
    world.say("run")
    world.until(lambda: "unlike the training data: camera front" in world.talk.question, "a question")
    world.until(lambda: world.plans[-1].state == LatentPlan.FAILED, "the end of the instruction")
    assert world.plans[-1].reasoning == world.talk.question
    world.until(lambda: world.planner["level"] == "1" and "drift" in world.planner["message"], "the warning")
    assert world.say("what do you see?").state == LatentPlan.REFUSED
    world.talk.spin(1.0)
    assert "drift" in world.talk.question, "what is refused answers nothing"
    assert world.say("try again").instruction == "try again"
    world.until(lambda: world.talk.question == "", "the answer")
    count = len(world.plans)
    world.until(lambda: len(world.plans) > count + 15, "more plans")
    assert world.talk.question == ""
    assert LatentPlan.FAILED not in {plan.state for plan in world.plans[count:]}
    world.until(lambda: world.plans[-1].state == LatentPlan.ACTIVE, "motion")


@pytest.mark.usefixtures("healthy")
def test_missing_frames_are_a_warning_and_hold(world: World) -> None:
    world.say("run")
    world.until(lambda: world.plans[-1].state == LatentPlan.ACTIVE, "motion")
    world.seeing = False
    world.until(lambda: world.plans[-1].state == LatentPlan.HOLD, "hold")
    assert world.plans[-1].reasoning == "no frames from the camera node"
    world.until(lambda: world.planner["level"] == "1", "a warning")
    world.seeing = True
    world.until(lambda: world.planner["level"] == "0", "level OK")


@pytest.mark.usefixtures("healthy")
def test_a_planner_that_was_deactivated_does_not_go_on_by_itself(world: World) -> None:
    assert world.say("run").state == LatentPlan.ACTIVE
    for transition in (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_ACTIVATE):
        request = ChangeState.Request(transition=Transition(id=transition))
        assert world.talk.call(ChangeState, "planner/change_state", request).success
    world.until(lambda: "deactivated" in world.plans[-1].reasoning, "the plan to hold")
    world.talk.spin(1.5, lambda: False)
    assert world.plans[-1].state == LatentPlan.HOLD
    assert world.say("run").state == LatentPlan.ACTIVE


@pytest.mark.usefixtures("healthy")
def test_what_is_done_stays_done_whatever_is_seen_after_it(world: World) -> None:
    world.say("run")
    world.until(lambda: world.plans[-1].state == LatentPlan.DONE, "the end of the walk")
    world.bright = 0.8
    world.until(lambda: "drift" in world.planner["message"], "the warning")
    world.talk.spin(1.0)
    assert world.talk.question == ""
    assert world.plans[-1].state == LatentPlan.DONE


@pytest.mark.usefixtures("healthy")
def test_a_stop_ends_the_task_which_goes_on_when_it_is_told_to(world: World) -> None:
    node = world.talk.node
    statuses = node.create_publisher(SafetyStatus, "vla/safety_status", 50)
    world.until(lambda: statuses.get_subscription_count() >= 2, "who hears the filter")
    stops = 0

    def publish() -> None:
        statuses.publish(SafetyStatus(state=SafetyStatus.HOLDING, stops=stops))

    timer = node.create_timer(0.05, publish)
    world.until(lambda: world.talk.status is not None, "the filter")
    world.say("run")
    world.until(lambda: world.plans[-1].state == LatentPlan.ACTIVE, "motion")
    world.until(lambda: "is under way" in world.planner["outlook"], "the outlook")
    stops = 1
    world.until(lambda: world.plans[-1].state == LatentPlan.FAILED, "the end of the task")
    assert world.plans[-1].reasoning == "ended by a stop: say --continue to go on, or say what to do"
    world.until(lambda: "'run' was ended by a stop" in world.planner["outlook"], "the outlook")
    stopped = len(world.plans)
    world.talk.spin(0.5)
    assert len(world.plans) == stopped, "nothing goes on by itself"
    answer = world.talk.call(Trigger, "vla/continue", Trigger.Request())
    assert (answer.success, answer.message) == (True, "continuing 'run'")
    world.until(lambda: world.plans[-1].state == LatentPlan.ACTIVE, "motion")
    assert world.plans[-1].instruction == "run"
    assert not world.talk.call(Trigger, "vla/continue", Trigger.Request()).success
    node.destroy_timer(timer)
    node.destroy_publisher(statuses)


@pytest.mark.usefixtures("healthy")
def test_frames_of_a_stranger_hold_the_arm_and_both_are_named(world: World) -> None:
    world.say("run")
    world.until(lambda: world.plans[-1].state == LatentPlan.ACTIVE, "motion")
    stranger = world.talk.node.create_publisher(CameraFrames, "vla/frames", NEWEST)
    world.until(lambda: world.plans[-1].state == LatentPlan.HOLD, "holding")
    assert world.plans[-1].reasoning.startswith("2 publishers for /vla/frames: /vla_ros_client_")
    world.until(lambda: world.planner["level"] == "2" and "stop all but one" in world.planner["message"], "the error")
    world.talk.node.destroy_publisher(stranger)
    world.until(lambda: world.plans[-1].state == LatentPlan.ACTIVE, "motion")
