"""A gripper that is an action: which goals it gets, and what is said of one that takes none."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import rclpy
from control_msgs.action import GripperCommand, ParallelGripperCommand
from rclpy.action import ActionServer, GoalResponse
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from test.graph.ros_node import ros_node
from vla_ros.parameters import from_mapping
from vla_ros.ros.gripper_output import ANSWER_TIMEOUT_NS, GripperAction
from vla_ros.safety.controller_parameters import ControllerParameters, Output

KINDS = {"gripper_command": GripperCommand, "parallel_gripper_command": ParallelGripperCommand}
MS = 1_000_000


def gripper(node: Node, kind: str = "gripper_command", **changes: Any) -> GripperAction:
    values = {"type": "forward_position", "topic": "arm/commands", "gripper_max_effort": 5.0, **changes}
    parameters = from_mapping(ControllerParameters, values)
    return GripperAction(node, Output(kind, "hand/gripper_cmd", (1,), is_gripper=True), "finger", parameters)


def wait(output: GripperAction, positions: list[float], from_ns: int = 0) -> None:
    """Let the output stand at `positions` for a little longer than answers are waited for."""
    for now_ns in range(from_ns + 100 * MS, from_ns + ANSWER_TIMEOUT_NS + 350 * MS, 100 * MS):
        output.send(positions, now_ns)


class Hand:
    """A server of the action. accept: whether it takes goals; goals: what it was sent."""

    def __init__(self, node: Node, kind: str) -> None:
        self.accept, self.goals = True, list[Any]()
        self._kind = KINDS[kind]
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)
        self._server = ActionServer(
            node, self._kind, "hand/gripper_cmd", execute_callback=self._execute, goal_callback=self._heard
        )

    def _heard(self, goal: Any) -> GoalResponse:
        self.goals.append(goal)
        return GoalResponse.ACCEPT if self.accept else GoalResponse.REJECT

    def _execute(self, goal: Any) -> Any:
        goal.succeed()
        return self._kind.Result(reached_goal=True)

    def until(self, true: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + 60.0
        while not true():
            assert time.monotonic() < end, what
            self._executor.spin_once(timeout_sec=0.005)

    def close(self) -> None:
        self._server.destroy()
        self._executor.shutdown()


@contextmanager
def hand(kind: str) -> Iterator[tuple[Node, Hand]]:
    with ros_node() as node:
        server = rclpy.create_node("hand", context=node.context)
        made = Hand(server, kind)
        try:
            yield node, made
        finally:
            made.close()
            server.destroy_node()


@pytest.mark.parametrize("kind", list(KINDS))
def test_goals_follow_the_output_and_end_where_it_rests(kind: str) -> None:
    with hand(kind) as (node, server):
        output = gripper(node, kind)
        server.until(output._client.server_is_ready, "the server")
        path = [0.04] * 5 + [0.04 - 0.0002 * k for k in range(151)] + [0.01] * 60
        for tick, target in enumerate(path):
            output.send([9.0, target], tick * 4 * MS)
            count = len(output.own_goals)
            server.until(lambda c=count: output._pending is None or (output.poll() or len(server.goals) >= c), "a goal")
            output.poll()
        server.until(lambda: output.poll() or output.newest == "reached", "the result")
        if kind == "gripper_command":
            sent = [goal.command.position for goal in server.goals]
            assert {goal.command.max_effort for goal in server.goals} == {5.0}
        else:
            sent = [goal.command.position[0] for goal in server.goals]
            assert {(goal.command.name[0], goal.command.effort[0]) for goal in server.goals} == {("finger", 5.0)}
        assert set(sent) <= set(path), "a goal is an output"
        assert sent == sorted(sent, reverse=True) and sent[-1] == path[-1]
        assert 3 <= len(sent) <= 9, "one each 0.1 s at most, none for where it stood"
        assert output.problem == ""


def test_a_pause_moves_nothing() -> None:
    with ros_node() as node:
        output = gripper(node)
        for begin_ns in (0, 10**10):
            for tick in range(500):
                output.send([0.0, 0.01 if begin_ns else 0.04], begin_ns + tick * 4 * MS)
        assert not output.own_goals and not output.problem


def test_a_hand_that_is_not_there_or_refuses_is_a_problem() -> None:
    with hand("gripper_command") as (node, server):
        absent = GripperAction(
            node,
            Output("gripper_command", "nobody/gripper_cmd", (0,)),
            "finger",
            from_mapping(ControllerParameters, {"type": "forward_position", "topic": "c"}),
        )
        wait(absent, [0.0])
        assert absent.problem == "", "where it stands it needs no goal"
        wait(absent, [0.03], from_ns=ANSWER_TIMEOUT_NS)
        assert absent.problem == "nobody/gripper_cmd: no server of this action"

        output, server.accept = gripper(node), False
        server.until(output._client.server_is_ready, "the server")
        output.send([0.0, 0.0], 0)
        wait(output, [0.0, 0.03])
        assert output.problem == "hand/gripper_cmd does not answer a goal"
        server.until(lambda: bool(server.goals), "the first goal")
        output.problem = ""
        later_ns = 10 * ANSWER_TIMEOUT_NS
        output.send([0.0, 0.0], later_ns)
        output.send([0.0, 0.03], later_ns + 200 * MS)
        server.until(lambda: output.poll() or output.problem != "", "the refusal")
        assert output.problem == "hand/gripper_cmd rejects a goal"
