"""One episode of a policy in the simulator, without ROS and faster than real time.

The cores are those of the graph: System 2, System 1, the chunk player, the safety filter, the arm's controller, the
physics. They share one simulated clock, so that an episode with the same arguments is the same to the bit. Latencies are
stated, not measured: a plan is used `plan_latency_s` after its frames, a chunk `chunk_latency_s` after its request.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.control.playback import ChunkPlayer
from vla_ros.evaluation.suites import Case, Nudge
from vla_ros.policies.contract import (
    CameraView,
    Chunk,
    Frames,
    Instruction,
    JointState,
    Plan,
    PlanState,
    System1,
    System2,
)
from vla_ros.policies.registry import Robot, system1, system2
from vla_ros.robot.description import FINGER_JOINT, JOINT_NAMES, origin_of, urdf
from vla_ros.safety.command import Command
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.limits import joint_limits
from vla_ros.safety.parameters import SafetyFilterParameters
from vla_ros.safety.states import LATCHED, State
from vla_ros.sim.model import intrinsics
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation
from vla_ros.timing import NS_PER_S

STEP_NS = 2_000_000  # of the shared clock: setpoints come every 5, filter and controller tick every 2
SETPOINT_STEPS = 5
FILTER_STEPS = 2
LEAD_NS = 10_000_000  # of the first point of a chunk from rest
CAMERA_SIZE = 256  # rows and columns
FIXED_CAMERAS = ("front",)
ARM = np.array([name != FINGER_JOINT for name in JOINT_NAMES])
DRAWN_S = 30.0  # that drawing may take at most, on any renderer
AFTER_S = 1.0  # that the scene is given to come to rest before the judge looks
LIMITS_S = {"sequence": 90.0}
LIMIT_S = 60.0


@dataclass(frozen=True)
class Latency:
    """When things happen. All in s, multiples of 2 ms."""

    plan_period_s: float = 0.1
    plan_latency_s: float = 0.1
    chunk_period_s: float = 0.1
    chunk_latency_s: float = 0.02


@dataclass(frozen=True)
class Episode:
    """What came of it.

    success: the judge's word. state, said: the planner's last. seconds: of simulated time until the planner ended.
    measures: of the judge, per step. interventions: rule of the filter -> ticks in which it acted. subtasks: in order.
    """

    kind: str
    seed: int
    instruction: str
    success: bool
    state: PlanState
    said: str
    seconds: float
    measures: tuple[Mapping[str, object], ...]
    interventions: Mapping[str, int]
    subtasks: tuple[str, ...]


def run_episode(
    policy: str,
    kind: str,
    seed: int,
    safety: SafetyFilterParameters,
    *,
    options: Mapping[str, Any] | None = None,
    instruction: str = "",
    case: Case | None = None,
    latency: Latency | None = None,
    cameras: RenderProcess | None = None,
    watch: Callable[[Simulation, Plan], None] | None = None,
    limit_s: float | None = None,
) -> Episode:
    """Run one episode.

    Args:
        policy, options: of `vla_ros.policies.registry`.
        kind, seed: of the scene and its task.
        safety: the filter's configuration for the simulated arm.
        instruction: words instead of the task's own.
        case: which scenes, and what is wrong with the world; None: plain scenes, nothing is.
        latency: of plans and chunks.
        cameras: draws the images; kept by the caller, who saves its start; None: one is started for this episode.
        watch: called with every plan that takes effect.
        limit_s: simulated time that the planner is given; None: 60 s, and 90 s for a sequence.
    """
    robot = Robot(urdf(), JOINT_NAMES)
    case = case or Case("nominal")
    simulation = Simulation(seed, kind, variation=case.variation)
    own = None
    if cameras is None:
        cameras = own = RenderProcess(simulation.xml, CAMERA_SIZE)
    else:
        cameras.scene(simulation.xml)
    try:
        loop = _Loop(
            simulation,
            partial(_frames, simulation, cameras, case, np.random.default_rng([seed, 3])),
            system2(policy, robot, options),
            system1(policy, robot, options),
            SafetyFilter(safety, joint_limits(robot.urdf, safety)),
            Instruction(1, instruction or simulation.task.instruction),
            latency or Latency(),
            watch,
            case,
            np.random.default_rng([seed, 4]),
        )
        loop.run(limit_s or LIMITS_S.get(kind, LIMIT_S))
    finally:
        if own is not None:
            own.close()
        simulation.controller.close()
    success, measures = simulation.judged()
    return Episode(
        kind,
        seed,
        loop.instruction.text,
        success,
        loop.plan.state if loop.plan else PlanState.HOLD,
        loop.plan.reasoning if loop.plan else "",
        loop.ended_ns / NS_PER_S,
        tuple(measures),
        loop.interventions,
        tuple(loop.subtasks),
    )


def _frames(simulation: Simulation, cameras: RenderProcess, case: Case, rng: np.random.Generator) -> Frames:
    stamp_ns = round(simulation.time_s * NS_PER_S)
    cameras.request(stamp_ns, simulation.data.qpos)
    drawn = cameras.poll(DRAWN_S)
    if drawn is None:
        raise RuntimeError(f"the renderer ({cameras.backend}) has not answered for {DRAWN_S:.0f} s")
    views = {}
    for name, drawing in drawn[1].items():
        # Where a camera is said to be: in a case that moves it, it is somewhere else.
        pose = origin_of(f"{name}_camera_optical") if name in FIXED_CAMERAS else None
        image = case.disturbance.image(drawing, rng)
        views[name] = CameraView(image, k=intrinsics(name, *image.shape[:2]), T_base_camera=pose)
    return Frames(stamp_ns, views)


class _Loop:
    """The graph in one thread: the same order of things, on one clock."""

    def __init__(
        self,
        simulation: Simulation,
        look: Callable[[], Frames],
        planner: System2,
        expert: System1,
        safety: SafetyFilter,
        instruction: Instruction,
        latency: Latency,
        watch: Callable[[Simulation, Plan], None] | None,
        case: Case,
        rng: np.random.Generator,
    ) -> None:
        self.simulation, self.look, self.planner, self.expert, self.safety = simulation, look, planner, expert, safety
        self.instruction, self.latency, self.watch = instruction, latency, watch
        self.wrong, self.rng = case.disturbance, rng
        self.nudge = Nudge(rng) if self.wrong.nudge else None
        self.player = ChunkPlayer()
        self.plan: Plan | None = None
        self.plans = 0
        self.planned: tuple[int, Plan] | None = None  # due when
        self.chunked: tuple[int, Chunk] | None = None
        self.asked_ns = 0
        self.seq = 0
        self.ended_ns = 0
        self.interventions: Counter[str] = Counter()
        self.subtasks: list[str] = []

    def run(self, limit_s: float) -> None:
        """Go on until the planner says that it has ended, then let everything come to rest."""
        steps = round(limit_s * NS_PER_S / STEP_NS)
        self._measure(0)
        armed, reason = self.safety.arm(0)
        if not armed:
            raise RuntimeError(f"safety filter: {reason}")
        after = round(AFTER_S * NS_PER_S / STEP_NS)
        step = 0
        while step < steps and after:
            now_ns = step * STEP_NS
            if self.plan is None or self.plan.state in (PlanState.HOLD, PlanState.ACTIVE):
                self.ended_ns = now_ns
                self._think(now_ns)
            else:
                after -= 1
            if step % SETPOINT_STEPS == 0:
                self._act(now_ns)
            if step % FILTER_STEPS == 0:
                self._gate(now_ns)
            step += 1

    def _state(self, now_ns: int) -> JointState:
        q = self.simulation.q + self.rng.normal(0, self.wrong.joints_rad, len(JOINT_NAMES)) * ARM
        return JointState(now_ns, q, self.simulation.dq.copy())

    def _think(self, now_ns: int) -> None:
        if self.planned is not None and now_ns >= self.planned[0]:
            self.plan, self.planned = self.planned[1], None
            if self.plan.subtask and self.plan.subtask not in self.subtasks[-1:]:
                self.subtasks.append(self.plan.subtask)
            if self.watch is not None:
                self.watch(self.simulation, self.plan)
            if self.plan.state is not PlanState.ACTIVE:
                self.player.clear()
                self.chunked = None
                return
        due = now_ns % round(self.latency.plan_period_s * NS_PER_S) == 0
        if self.planned is None and due and self.rng.random() >= self.wrong.dropped:
            plan = self.planner.plan(self.look(), self.instruction, self._state(now_ns))
            self.plans += 1
            plan = dataclasses.replace(plan, plan_id=self.plans, checkpoint=self.planner.checkpoint)
            late_s = self.latency.plan_latency_s + self.wrong.late_s
            self.planned = now_ns + round(late_s * NS_PER_S) - STEP_NS, plan

    def _act(self, now_ns: int) -> None:
        if self.chunked is not None and now_ns >= self.chunked[0]:
            self.player.accept(self.chunked[1], self.latency.chunk_latency_s)
            self.chunked = None
        if self.plan is None or self.plan.state is not PlanState.ACTIVE:
            return
        setpoint = self.player.setpoint(now_ns)
        if setpoint is not None and self.player.chunk is not None and now_ns >= self.player.chunk.start_ns:
            self._send(now_ns, setpoint)
        due = self.player.chunk is None or now_ns - self.asked_ns >= round(self.latency.chunk_period_s * NS_PER_S)
        if self.chunked is None and due:
            previous = self.player.remainder(now_ns)
            delay = min(self.player.delay(self.expert.dt_s), len(previous.positions) - 1) if previous else 0
            start_ns = previous.start_ns if previous else now_ns + LEAD_NS
            chunk = self.expert.chunk(self.plan, self._state(now_ns), previous, delay, start_ns)
            self.asked_ns = now_ns
            self.chunked = now_ns + round(self.latency.chunk_latency_s * NS_PER_S), chunk

    def _send(self, now_ns: int, setpoint: NDArray[np.float64]) -> None:
        self.seq += 1
        refused = self.safety.command(
            Command("policy", "policy", self.seq, now_ns, 0, now_ns, JOINT_NAMES, setpoint.tolist())
        )
        if refused is not None:
            self.interventions[refused.rule] += 1

    def _measure(self, now_ns: int) -> None:
        self.safety.joint_state(now_ns, JOINT_NAMES, self.simulation.q.tolist(), self.simulation.dq.tolist())

    def _gate(self, now_ns: int) -> None:
        self._measure(now_ns)
        decision = self.safety.tick(now_ns)
        if decision.state is State.LIMITING or decision.state in LATCHED:
            self.interventions[decision.verdict.rule if decision.verdict else decision.state.name.lower()] += 1
        if decision.positions is not None:
            self.simulation.controller.command(decision.positions)
        self.simulation.tick()
        if self.nudge is not None:
            self.nudge.tick(self.simulation)
