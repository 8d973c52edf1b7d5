"""The graph in one thread and on one clock: the same cores, in the same order, with the same rules as the nodes."""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vla_ros.bringup.node_parameters import ActionExpertParameters, PlannerParameters
from vla_ros.control.action_expert import ActionExpert
from vla_ros.lab.evaluation.chunk_discontinuities import Seams
from vla_ros.lab.evaluation.episode_monitor import Witness
from vla_ros.lab.evaluation.interventions import Interventions
from vla_ros.lab.evaluation.suites import Case, Nudge
from vla_ros.policies.contract import Chunk, Frames, Instruction, JointState, Plan, PlanState, System1, System2
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.states import LATCHED, State
from vla_ros.sim.arm_description import FINGER_JOINT, JOINT_NAMES
from vla_ros.sim.simulation import Simulation
from vla_ros.time import NS_PER_S

STEP_NS = 2_000_000  # of the shared clock: setpoints come every 5, filter and controller tick every 2
SETPOINT_STEPS = 5
FILTER_STEPS = 2
WITNESS_STEPS = 20
ARM = np.array([name != FINGER_JOINT for name in JOINT_NAMES])
AFTER_S = 1.0  # that the scene is given to come to rest before the judge looks


@dataclass(frozen=True)
class Conditions:
    """How often things happen and how long they take, s; on a grid of 2 ms. The rest is as the nodes' parameters say.

    A plan is used `plan_latency_s` after System 2 got its frames, a chunk `chunk_latency_s` after its request.
    """

    plan_period_s: float = 0.1
    plan_latency_s: float = 0.1
    valid_for_s: float = PlannerParameters.valid_for_s
    chunk_period_s: float = ActionExpertParameters.chunk_period_s
    chunk_latency_s: float = 0.02
    anchor_rad: float = ActionExpertParameters.anchor_distance
    splicing: str = ActionExpertParameters.splicing

    @classmethod
    def of(cls, planner: PlannerParameters, expert: ActionExpertParameters) -> Conditions:
        """Those of nodes that are configured like this."""
        return cls(
            plan_period_s=1 / planner.rate_hz,
            valid_for_s=planner.valid_for_s,
            chunk_period_s=expert.chunk_period_s,
            anchor_rad=expert.anchor_distance,
            splicing=expert.splicing,
        )


class Loop:
    """One episode.

    Args:
        simulation: arm and things. look: what the cameras see now. planner, system1: the policy. safety: the filter's core.
        instruction: words. conditions: periods and latencies. case: what is wrong with the world. watch: called with
            every plan that takes effect. rng: what is random in the world.
    """

    def __init__(
        self,
        simulation: Simulation,
        look: Callable[[int], Frames],
        planner: System2,
        system1: System1,
        safety: SafetyFilter,
        instruction: Instruction,
        conditions: Conditions,
        case: Case,
        watch: Callable[[Simulation, Plan], None] | None,
        rng: np.random.Generator,
    ) -> None:
        self.simulation, self.look, self.planner, self.system1, self.safety = simulation, look, planner, system1, safety
        self.instruction, self.conditions, self.watch = instruction, conditions, watch
        self.wrong, self.rng = case.disturbance, rng
        self.nudge = Nudge(rng) if self.wrong.nudge else None
        self.expert = ActionExpert(conditions.splicing, conditions.chunk_period_s, conditions.anchor_rad, ARM)
        self.witness = Witness(simulation)
        self.seams = Seams(SETPOINT_STEPS * STEP_NS, ARM)
        self.interventions = Interventions()
        self.subtasks: list[str] = []
        self.plan: Plan | None = None
        self.ended_ns = 0
        self._plans = self._seq = self._due_ns = 0
        self._commanded: NDArray[np.float64] | None = None
        self._coming: deque[tuple[int, Frames, JointState]] = deque()  # frames and joints, and when they arrive
        self._newest: tuple[Frames, JointState] | None = None
        self._planned: tuple[int, Plan] | None = None  # due when
        self._chunked: tuple[int, Chunk] | None = None

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
            if self.going:
                self.ended_ns = now_ns
                self._think(now_ns)
            else:
                after -= 1
            if step % SETPOINT_STEPS == 0:
                self._act(now_ns)
            if step % FILTER_STEPS == 0:
                self._gate(now_ns)
            if step % WITNESS_STEPS == 0:
                self.witness.look()
            step += 1

    @property
    def going(self) -> bool:
        """Whether the planner has not ended."""
        return self.plan is None or self.plan.state in (PlanState.HOLD, PlanState.ACTIVE)

    @property
    def latched(self) -> bool:
        """Whether the filter has stopped the arm for good."""
        return self.safety.state in LATCHED

    def _state(self, now_ns: int) -> JointState:
        q = self.simulation.q + self.rng.normal(0, self.wrong.joints_rad, len(JOINT_NAMES)) * ARM
        return JointState(now_ns, q, self.simulation.dq.copy())

    # System 2.

    def _think(self, now_ns: int) -> None:
        if self._planned is not None and now_ns >= self._planned[0]:
            plan, self._planned = self._planned[1], None
            self._take(plan)
            if not self.going:
                return
        if now_ns >= self._due_ns:
            self._due_ns += round(self.conditions.plan_period_s * NS_PER_S)
            if self.rng.random() >= self.wrong.dropped:
                arrives_ns = now_ns + round(self.wrong.late_s * NS_PER_S)
                self._coming.append((arrives_ns, self.look(now_ns), self._state(now_ns)))
        while self._coming and now_ns >= self._coming[0][0]:
            self._newest = self._coming.popleft()[1:]
        if self._planned is None and self._newest is not None:
            frames, joint_state = self._newest
            plan = self.planner.plan(frames, self.instruction, joint_state)
            self._newest = None
            self._plans += 1
            checkpoint, valid_for_s = self.planner.checkpoint, self.conditions.valid_for_s
            plan = dataclasses.replace(plan, plan_id=self._plans, checkpoint=checkpoint, valid_for_s=valid_for_s)
            self._planned = now_ns + round(self.conditions.plan_latency_s * NS_PER_S) - STEP_NS, plan

    def _take(self, plan: Plan) -> None:
        self.plan = plan
        if plan.subtask and plan.subtask not in self.subtasks[-1:]:
            self.subtasks.append(plan.subtask)
        self.witness.hear(plan)
        if self.watch is not None:
            self.watch(self.simulation, plan)

    # System 1.

    def _act(self, now_ns: int) -> None:
        chunk = None
        if self._chunked is not None and now_ns >= self._chunked[0]:
            chunk, self._chunked = self._chunked[1], None
        if self.latched:
            self.expert.clear()
            return
        plan = self.plan
        if plan is not None:
            fresh = now_ns - plan.frame_stamp_ns <= plan.valid_for_s * NS_PER_S
            self.expert.follow(plan if fresh and plan.state is PlanState.ACTIVE else None)
        if chunk is not None:
            self._accept(chunk, now_ns)
        setpoint = self.expert.setpoint(now_ns)
        if setpoint is not None:
            self._send(now_ns, setpoint)
        if self._chunked is None and self.expert.due(now_ns, self.safety.state is State.HOLDING):
            request = self.expert.request(self._state(now_ns), self._commanded, now_ns, now_ns, now_ns)
            due_ns = now_ns + round(self.conditions.chunk_latency_s * NS_PER_S)
            self._chunked = due_ns, self.system1.chunk(*request)

    def _accept(self, chunk: Chunk, now_ns: int) -> None:
        played, before = self.expert.accept(chunk, now_ns, now_ns) or (chunk, None)
        if before is None:
            return
        self.seams.part(max(played.committed_ns, now_ns))
        if self.conditions.splicing == "ensemble":
            self.seams.part(played.end_ns)  # where it leaves the mean

    def _send(self, now_ns: int, setpoint: NDArray[np.float64]) -> None:
        self._seq += 1
        self.seams.play(now_ns, setpoint)
        refused = self.safety.command(
            Setpoint("policy", "policy", self._seq, now_ns, 0, now_ns, JOINT_NAMES, setpoint.tolist())
        )
        if refused is not None:
            self._acted(refused.rule, now_ns)

    # The filter, the arm.

    def _measure(self, now_ns: int) -> None:
        simulation = self.simulation
        q, dq, effort = simulation.q.tolist(), simulation.dq.tolist(), simulation.effort.tolist()
        self.safety.joint_state(now_ns, JOINT_NAMES, q, dq, effort)

    def _gate(self, now_ns: int) -> None:
        self._measure(now_ns)
        decision = self.safety.tick(now_ns)
        if decision.state is State.LIMITING or decision.state in LATCHED:
            rule = decision.verdict.rule if decision.verdict else decision.state.name.lower()
            self._acted(rule, now_ns)
        if decision.positions is not None:
            self._commanded = np.array(decision.positions)
            self.simulation.controller.command(decision.positions)
        self.simulation.tick()
        if self.nudge is not None:
            self.nudge.tick(self.simulation)

    def _acted(self, rule: str, now_ns: int) -> None:
        if self.going:  # what comes after is no part of the time that interventions are told by
            self.interventions.add(rule, now_ns)
