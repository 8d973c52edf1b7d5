"""Both halves of `remote` with a server in this process: the arm holds when it is gone, goes on when it is back, and never
jumps."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from test.unit.policies.remote.websocket_server import chunk, openpi_server
from vla_ros.control.action_expert import ActionExpert
from vla_ros.parameters import ParameterError, from_mapping
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies.contract import MOTION_ROWS, Chunk, Instruction, JointState, Plan, PlanState
from vla_ros.policies.policy_parameters import MotionParameters
from vla_ros.policies.registry import Robot, system1, system2
from vla_ros.policies.remote.plan_report import REPORT_KEY, SERVER_KEY
from vla_ros.policies.remote.remote_parameters import RemoteParameters
from vla_ros.policies.remote.remote_policy import RemoteSystem1, RemoteSystem2
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.time import NS_PER_S

ROBOT = Robot(urdf(), JOINT_NAMES, cameras=("front", "wrist"))
RATE_HZ = 20.0
STATE = JointState(NS_PER_S, HOME.copy(), np.zeros(8))
INSTRUCTION = Instruction(1, "pick up the cube")
VELOCITY = 0.2  # rad/s: of the ramp that the server answers


def frames(stamp_ns: int = NS_PER_S) -> Frames:
    image = np.full((32, 32, 3), 100, np.uint8)
    return Frames(stamp_ns, {"front": CameraView(image), "wrist": CameraView(image)})


def options(port: int, **changes: Any) -> dict[str, Any]:
    binding = {"cameras": ["observation/image=front"], "rate_hz": RATE_HZ}
    return {"url": f"ws://127.0.0.1:{port}", "binding": binding, "timeout_s": 0.5, **changes}


def parameters(port: int, **changes: Any) -> RemoteParameters:
    return from_mapping(RemoteParameters, options(port, **changes), "remote.")


@contextmanager
def planner(port: int, **changes: Any) -> Iterator[RemoteSystem2]:
    made = RemoteSystem2(ROBOT, parameters(port, **changes))
    try:
        yield made
    finally:
        made.model.close()


def ramp(given: dict[Any, Any]) -> dict[str, Any]:
    """An answer that begins where the arm is and turns the first joint."""
    rows = np.repeat(np.asarray(given["observation/state"])[None], 30, axis=0)
    rows[:, 0] += VELOCITY * np.arange(30) / RATE_HZ
    return {"actions": rows.astype(np.float32)}


def until(make: Callable[[], Plan], true: Callable[[Plan], bool], seconds: float = 15.0) -> Plan:
    end_s = time.monotonic() + seconds
    while not true(plan := make()):
        assert time.monotonic() < end_s, plan
        time.sleep(0.02)
    return plan


def active(plan: Plan) -> bool:
    return plan.state is PlanState.ACTIVE


def test_a_chunk_becomes_rows_from_the_moment_of_the_frames() -> None:
    with openpi_server(ramp) as server, planner(server.port) as system:
        plan = until(lambda: system.plan(frames(), INSTRUCTION, STATE), active)
    assert (plan.kind, plan.frame_stamp_ns) == ("actions", NS_PER_S)
    assert plan.data.shape == (73, 8)  # 29 steps of 50 ms in steps of 20 ms
    assert np.allclose(plan.data[50, 0] - HOME[0], VELOCITY * 1.0, atol=1e-4)
    assert len(plan.path) > 3


def test_without_a_server_the_arm_holds_at_once_and_the_plan_says_why() -> None:
    with planner(9) as system:
        plan = until(lambda: system.plan(frames(), INSTRUCTION, STATE), lambda plan: "refuses" in plan.reasoning)
        assert system.plan(frames(), INSTRUCTION, STATE).state is PlanState.HOLD
    assert plan.state is PlanState.HOLD
    assert plan.reasoning == ("openpi server ws://127.0.0.1:9 refuses the connection; start it, or correct remote.url")


def test_a_server_that_dies_and_comes_back_is_used_again() -> None:
    with openpi_server(ramp) as server, planner(server.port) as system:
        until(lambda: system.plan(frames(), INSTRUCTION, STATE), active)
        server.stop()
        held = until(lambda: system.plan(frames(), INSTRUCTION, STATE), lambda plan: not active(plan))
        assert held.state is PlanState.HOLD and f"ws://127.0.0.1:{server.port}" in held.reasoning
        with openpi_server(ramp, port=server.port):
            until(lambda: system.plan(frames(), INSTRUCTION, STATE), active)


@pytest.mark.parametrize(
    "answer",
    [
        "KeyError: 'state'",
        b"nonsense",
        {"actions": np.full((10, 8), np.nan)},
        {"actions": np.zeros((10, 7))},
        {},
    ],
)
def test_nonsense_holds_the_arm_and_a_good_answer_moves_it_again(answer: Any) -> None:
    replies: list[Any] = []
    with (
        openpi_server(lambda given: replies.pop() if replies else ramp(given)) as server,
        planner(server.port) as system,
    ):
        until(lambda: system.plan(frames(), INSTRUCTION, STATE), active)
        replies.append(answer)
        plan = system.plan(frames(), INSTRUCTION, STATE)
        assert plan.state is PlanState.HOLD and plan.reasoning and not plan.data.size
        until(lambda: system.plan(frames(), INSTRUCTION, STATE), active)


def test_a_server_that_hangs_delays_the_planner_once_by_its_time_out() -> None:
    slow: list[float] = []

    async def reply(given: dict[Any, Any]) -> Any:
        await asyncio.sleep(slow[0] if slow else 0.0)
        return ramp(given)

    with openpi_server(reply) as server, planner(server.port) as system:
        until(lambda: system.plan(frames(), INSTRUCTION, STATE), active)
        slow.append(60.0)
        times = []
        for _ in range(4):
            began_s = time.monotonic()
            plan = system.plan(frames(), INSTRUCTION, STATE)
            times.append(time.monotonic() - began_s)
            assert plan.state is PlanState.HOLD
        assert max(times) < 20.0  # and not the server's 60 s
        assert "has not answered for" in plan.reasoning


def test_an_answer_that_suddenly_takes_800_ms_makes_no_jump() -> None:
    """The rows are placed by the frames' stamp: what was to be done meanwhile is left out, smoothly."""
    delays = [0.0]

    async def reply(given: dict[Any, Any]) -> Any:
        await asyncio.sleep(delays[0])
        return ramp(given)

    with openpi_server(reply) as server, planner(server.port, timeout_s=2.0) as system:
        made = RemoteSystem1(ROBOT, parameters(server.port, timeout_s=2.0))
        assert made.checkpoint == system.checkpoint
        plan = until(lambda: system.plan(frames(), INSTRUCTION, STATE), active)
        start_ns = NS_PER_S + 100_000_000
        first = made.chunk(plan, STATE, Chunk.rest(STATE.q, start_ns), MOTION_ROWS, start_ns)
        delays[0] = 0.8
        stamp_ns = start_ns + 200_000_000
        here = JointState(stamp_ns, first.positions[10], np.zeros(8))
        began_s = time.monotonic()
        late = system.plan(frames(stamp_ns), INSTRUCTION, here)
        assert time.monotonic() - began_s >= 0.8 and late.state is PlanState.ACTIVE
        assert late.frame_stamp_ns == stamp_ns
        # It arrives 0.8 s later; the chunk that plays still has 15 rows then.
        now_ns = stamp_ns + 800_000_000
        held = JointState(now_ns, first.positions[-1], np.zeros(8))
        second = made.chunk(late, held, Chunk.rest(first.positions[-1], now_ns), MOTION_ROWS, now_ns)
    joined = np.vstack([np.repeat(first.positions[-1:], 3, axis=0), second.positions])
    speed = np.abs(np.diff(joined[:, 0])) / second.dt_s
    jerk = np.abs(np.diff(joined[:, 0], 3)) / second.dt_s**3
    assert speed.max() < 1.5 and speed[:4].max() < 0.05
    assert jerk.max() <= MotionParameters().jerk_rad_s3[0] * 1.03
    expected = here.q[0] + VELOCITY * (0.8 + (len(second.positions) - 1) * second.dt_s)
    assert second.positions[-1, 0] == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("late_s", [0.1, 0.3, 0.5, 0.8, 1.5])
def test_whatever_a_plan_costs_the_setpoints_never_jump(late_s: float) -> None:
    """System 1 and its player on one clock. Plans say a sine by their frames' stamps; one of them comes late."""
    system1 = RemoteSystem1(ROBOT, parameters(9))
    expert = ActionExpert("real_time", 0.15, 0.08, np.arange(8) < 7)
    tick_ns, plan_ns, began_ns = 10_000_000, 100_000_000, NS_PER_S

    def sine(stamp_ns: int) -> np.ndarray:
        return HOME + np.eye(8)[0] * 0.3 * (1 - math.cos((stamp_ns - began_ns) / NS_PER_S * 1.5))

    arriving: list[tuple[int, Plan]] = []
    for number in range(40):
        stamp_ns = began_ns + number * plan_ns
        rows = np.stack([sine(stamp_ns + row * 20_000_000) for row in range(50)])
        latency_s = late_s if number == 15 else 0.1
        plan = Plan(stamp_ns, INSTRUCTION, PlanState.ACTIVE, kind="actions", data=rows, plan_id=number + 1)
        ready_ns = max([stamp_ns + round(latency_s * NS_PER_S), *(at for at, _ in arriving)])
        arriving.append((ready_ns, plan))
    newest: Plan | None = None
    said, q = [], HOME.copy()
    for tick in range(440):
        now_ns = began_ns + tick * tick_ns
        while arriving and arriving[0][0] <= now_ns:
            newest = arriving.pop(0)[1]
        valid = newest is not None and now_ns - newest.frame_stamp_ns <= 0.6 * NS_PER_S
        expert.follow(newest if valid else None)
        setpoint = expert.setpoint(now_ns)
        q = q if setpoint is None else setpoint
        said.append(q)
        if expert.due(now_ns, True):
            request = expert.request(JointState(now_ns, q, np.zeros(8)), q, now_ns, now_ns, now_ns)
            expert.accept(system1.chunk(*request), now_ns, now_ns)
    way = np.stack(said)[:, 0]
    assert np.abs(np.diff(way)).max() < 0.02  # rad in 10 ms; the sine's own speed is 0.45 rad/s
    assert np.abs(np.diff(way, 2)).max() < 1.6e-3  # 16 rad/s²: comes to rest along its path, and starts again
    followed = np.array([sine(began_ns + tick * tick_ns)[0] for tick in range(440)])
    assert np.abs(way - followed)[420:].max() < 0.005  # all is made up for


def test_the_plan_of_a_server_of_this_project_is_told_and_ends_here_too() -> None:
    report: dict[str, Any] = {"state": "ACTIVE", "subtask": "reach the cube", "reasoning": "", "progress": 0.5}

    def reply(given: dict[Any, Any]) -> Any:
        return {**ramp(given), REPORT_KEY: dict(report)}

    ours = {"joint_names": list(JOINT_NAMES), "rate_hz": RATE_HZ}
    with openpi_server(reply, {SERVER_KEY: ours}) as server, planner(server.port) as system:
        plan = until(lambda: system.plan(frames(), INSTRUCTION, STATE), active)
        assert (plan.subtask, plan.progress) == ("reach the cube", 0.5)
        report |= {"state": "FAILED", "reasoning": "the cube fell"}
        plan = system.plan(frames(), INSTRUCTION, STATE)
        assert (plan.state, plan.reasoning, plan.data.size) == (PlanState.FAILED, "the cube fell", 0)
        report |= {"state": "NONSENSE", "reasoning": 7, "progress": "much", "subtask": None}
        plan = system.plan(frames(), INSTRUCTION, STATE)
        assert plan.state is PlanState.ACTIVE and np.isnan(plan.progress)


def test_an_unhealthy_camera_holds_and_is_not_sent() -> None:
    seen: list[Any] = []
    with openpi_server(lambda given: seen.append(given) or chunk()) as server, planner(server.port) as system:
        until(lambda: system.plan(frames(), INSTRUCTION, STATE), active)
        count = len(seen)
        view = CameraView(np.zeros((8, 8, 3), np.uint8), CameraHealth.STALE)
        plan = system.plan(Frames(NS_PER_S, {"front": view, "wrist": view}), INSTRUCTION, STATE)
    assert plan.state is PlanState.HOLD and "front is stale" in plan.reasoning and len(seen) == count


def test_an_action_in_degrees_is_refused_as_a_unit_error() -> None:
    limits = Kinematics(ROBOT.urdf, ROBOT.joint_names, ROBOT.tool_frame)
    training = {"action_min": limits.lower.tolist(), "action_max": limits.upper.tolist()}
    with openpi_server(lambda _: chunk(10, 8, 200.0)) as server, planner(server.port, **training) as system:
        plan = until(lambda: system.plan(frames(), INSTRUCTION, STATE), lambda plan: plan.state is not PlanState.HOLD)
    assert plan.state is PlanState.FAILED and "unit error" in plan.reasoning


def test_an_empty_instruction_holds_and_asks_nobody() -> None:
    with planner(9) as system:
        plan = system.plan(frames(), Instruction(2, ""), STATE)
    assert (plan.state, plan.reasoning) == (PlanState.HOLD, "")


def test_the_registry_makes_both_halves() -> None:
    made2 = system2("remote", ROBOT, options(9))
    made1 = system1("remote", ROBOT, options(9))
    assert made1.checkpoint == made2.checkpoint
    made2.model.close()  # type: ignore[attr-defined]


def test_an_image_input_without_a_camera_is_refused_before_anything_moves() -> None:
    with pytest.raises(ParameterError, match="observation/left_image"):
        RemoteSystem2(ROBOT, parameters(9, image_keys=["observation/image", "observation/left_image"]))
