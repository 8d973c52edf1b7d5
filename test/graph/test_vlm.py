"""`system2:=vlm` on the running graph: a server that speaks the real protocol splits, `classical` acts, the sim judges."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from test.unit.policies.vlm.vlm_server import MODEL, Asked, Reply, VlmServer, check, name_of, plan
from vla_ros.lab.evaluation.through_graph import GraphEvaluation
from vla_ros.msg import ActionChunk, LatentPlan
from vla_ros.policies.vlm.cartesian_motion import KIND
from vla_ros.robot.kinematics import Kinematics
from vla_ros.ros.qos import NEWEST
from vla_ros.sim.arm_description import JOINT_NAMES, urdf
from vla_ros.sim.task_sampler import sample_task

SEED = 3
WORDS = sample_task(SEED, "sequence")[1].instruction.split(", then ")
QUESTION = "Which of the two do you mean?"
KINEMATICS = Kinematics(urdf(), JOINT_NAMES)


def script(asked: Asked) -> Reply:
    """Answer as a good model would, that sees through the words of the policy."""
    if name_of(asked) == "check":
        return check("done", "it is in its place") if "seen to be done" in asked.text else check("going")
    if 'has asked: "tidy up' in asked.text:
        return plan(*WORDS)
    return (
        plan(question=QUESTION)
        if 'has asked: "put the thing' in asked.text
        else Reply("Certainly! I would begin with the cube.")
    )


@pytest.mark.timeout(1800)
def test_a_vlm_plans_in_words_in_front_of_classical() -> None:
    plans: list[LatentPlan] = []
    chunks: list[ActionChunk] = []
    with VlmServer(script) as server:
        options: dict[str, Any] = {"vlm.url": server.url, "vlm.model": MODEL, "vlm.rate_hz": 1.0, "vlm.image_size": 256}
        with GraphEvaluation("classical", overrides={"planner": options}, system2="vlm") as graph:
            node = graph.client.node
            node.create_subscription(LatentPlan, "vla/latent_plan", plans.append, NEWEST)
            node.create_subscription(ActionChunk, "vla/action_chunk", chunks.append, NEWEST)

            # Subtasks, judged by the simulator.
            for _ in range(3):  # once more where the machine did not keep time
                plans.clear()
                outcome = graph.episode(SEED, "sequence", "tidy up the table", say=lambda line: None)
                if outcome.success or outcome.kept_time:
                    break
            assert outcome.success, outcome
            assert outcome.said.startswith("done"), outcome
            subtasks = list(dict.fromkeys(each.subtask.split(": ")[1] for each in plans if ": " in each.subtask))
            assert subtasks == WORDS
            assert all(each.images[0].shape == (256, 256, 3) for each in server.asked)

            # Metric words: 20 cm of the tool, by the joints that were sent.
            plans.clear(), chunks.clear()
            said = graph.episode(SEED, "pick", "move 20 cm forward", say=lambda line: None).said
            assert said.startswith("done"), said
            assert {each.kind for each in plans if each.state == LatentPlan.ACTIVE} == {KIND}
            assert all(each.waypoints for each in plans if each.state == LatentPlan.ACTIVE)  # what RViz draws
            first, last = (
                KINEMATICS.forward(np.array(row.positions))
                for row in (chunks[0].trajectory.points[0], chunks[-1].trajectory.points[-1])
            )
            assert last[:3, 3] - first[:3, 3] == pytest.approx((0.2, 0.0, 0.0), abs=0.005)

            # It asks back, with its own words.
            graph.client.publish("put the thing in the bowl")
            graph.client.spin(20.0, lambda: bool(plans) and plans[-1].state == LatentPlan.REFUSED)
            graph.client.spin(1.0)
            assert plans[-1].reasoning == QUESTION
            assert graph.client.diagnostics["planner"]["question"] == QUESTION

            # Nonsense is said in a line, and the arm holds.
            plans.clear()
            graph.client.publish("put the red cube in the bowl")
            graph.client.spin(30.0, lambda: bool(plans) and plans[-1].state == LatentPlan.FAILED)
            assert plans[-1].reasoning.startswith(
                "3 answers of the VLM were not usable: the VLM's answer is not usable: it is not JSON"
            )
            states = {each.state for each in plans if each.instruction == "put the red cube in the bowl"}
            assert states == {LatentPlan.HOLD, LatentPlan.FAILED}
