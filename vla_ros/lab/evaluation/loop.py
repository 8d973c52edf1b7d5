"""The graph in one thread and on one clock: the same cores, in the same order, with the same rules as the nodes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vla_ros.arrays import Array
from vla_ros.control.action_expert import ActionExpert
from vla_ros.control.action_expert_parameters import ActionExpertParameters
from vla_ros.control.planner import PlannerCore, PlanOutput
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.lab.evaluation.chunk_discontinuities import DiscontinuityMeter
from vla_ros.lab.evaluation.episode_monitor import EpisodeMonitor
from vla_ros.lab.evaluation.interventions import InterventionCounter
from vla_ros.lab.evaluation.suites import EvaluationCase, MidTaskMove
from vla_ros.perception.frames import Frames
from vla_ros.policies.contract import Chunk, Instruction, JointState, Plan, PlanState, System1, System2
from vla_ros.safety.command.setpoint import Setpoint
from vla_ros.safety.decision import Decision
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.states import LATCHED, State
from vla_ros.sim.arm_description import FINGER_JOINT, JOINT_NAMES
from vla_ros.sim.filtered_motion import FilteredMotion
from vla_ros.sim.simulation import Simulation
from vla_ros.time import NS_PER_S

SETTLE_NS = 300_000_000
"""The arm is measured for so long before it is armed."""
STEP_NS = 2_000_000  # of the shared clock: setpoints come every 5, filter and controller tick every 2
SETPOINT_STEPS = 5
FILTER_STEPS = 2
MONITOR_STEPS = 20
STATUS_STEPS = 20  # the filter speaks 25 times a second
PLANNER_TICK_NS = 200_000_000
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
    lead_s: float = 0.024  # as config/sim.yaml says; its filter counts on it
    chunk_transition: str = ActionExpertParameters.chunk_transition

    @classmethod
    def of(cls, planner: PlannerParameters, expert: ActionExpertParameters) -> Conditions:
        """Those of nodes that are configured like this."""
        return cls(
            plan_period_s=1 / planner.rate_hz,
            valid_for_s=planner.valid_for_s,
            chunk_period_s=expert.chunk_period_s,
            anchor_rad=expert.anchor_distance,
            lead_s=expert.lead_s,
            chunk_transition=expert.chunk_transition,
        )


class Loop:
    """One episode.

    A policy that raises ends the evaluation, where the planner node would end the instruction: a success rate must not
    hide that.

    Args:
        simulation: arm and things.
        look: returns what the cameras see now.
        planner: the planner's core, with rates and validity of `conditions`; active.
        system2, system1: the policy.
        safety: the filter's core.
        instruction: what is asked for.
        conditions: periods and latencies.
        case: what is wrong with the world.
        watch: called with every plan that takes effect.
        rng: what is random in the world.

    Attributes:
        plan: the one that is in effect; None: none yet.
        ended_ns: when the planner ended, on the episode's clock.
    """

    def __init__(
        self,
        simulation: Simulation,
        look: Callable[[int], Frames],
        planner: PlannerCore,
        system2: System2,
        system1: System1,
        safety: SafetyFilter,
        instruction: Instruction,
        conditions: Conditions,
        case: EvaluationCase,
        watch: Callable[[Simulation, Plan], None] | None,
        rng: np.random.Generator,
    ) -> None:
        self.simulation, self.look, self.planner, self.safety = simulation, look, planner, safety
        self.system2, self.system1 = system2, system1
        self._motion = FilteredMotion(safety, simulation)
        self.instruction, self.conditions, self.watch = instruction, conditions, watch
        self.wrong, self.rng = case.disturbance, rng
        self.mid_task_move = MidTaskMove(rng) if self.wrong.moves_object else None
        self.expert = ActionExpert(conditions.chunk_transition, conditions.chunk_period_s, conditions.anchor_rad, ARM)
        self._lead_ns = round(conditions.lead_s * NS_PER_S)
        self.episode_monitor = EpisodeMonitor(simulation)
        self.discontinuities = DiscontinuityMeter(SETPOINT_STEPS * STEP_NS, ARM)
        self.interventions = InterventionCounter()
        self.subtasks: list[str] = []
        self.plan: Plan | None = None
        self.ended_ns = 0
        self._seq = self._due_ns = 0
        self._tick_ns = PLANNER_TICK_NS
        self._commanded: Array | None = None
        self._coming: deque[tuple[int, Frames]] = deque()  # and when they arrive
        self._newest: Frames | None = None  # not yet handed to the planner, which is busy
        self._statuses: list[tuple[int, Decision]] = []  # likewise
        self._planned: tuple[int, Plan] | None = None  # due when
        self._chunked: tuple[int, Chunk] | None = None

    def run(self, limit_s: float) -> None:
        """Go on until the planner says that it has ended, then let everything come to rest."""
        steps = round(limit_s * NS_PER_S / STEP_NS)
        for before_ns in range(-SETTLE_NS, STEP_NS, STEP_NS):
            self._measure(before_ns)
        armed, reason = self.safety.arm(0)
        if not armed:
            raise RuntimeError(f"safety filter: {reason}")
        self.planner.on_safety_status(0, self.safety.state, "", (), ())
        self.planner.on_instruction(self.instruction.id, self.instruction.text)
        after = round(AFTER_S * NS_PER_S / STEP_NS)
        step = 0
        while step < steps and after:
            now_ns = step * STEP_NS
            if self.going:
                self.ended_ns = now_ns
                self._plan_step(now_ns)
            else:
                after -= 1
            if step % SETPOINT_STEPS == 0:
                self._act(now_ns)
            if step % FILTER_STEPS == 0:
                self._gate(now_ns)
            if step % MONITOR_STEPS == 0:
                self.episode_monitor.observe()
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

    def _plan_step(self, now_ns: int) -> None:
        """What the planner node does in this moment: nothing while the policy works, as it has one thread."""
        if self._planned is not None and now_ns >= self._planned[0]:
            self.planner.on_plan(self._planned[1], now_ns)
            self._planned = None
        if self._planned is None and now_ns >= self._tick_ns:
            while now_ns >= self._tick_ns:
                self._tick_ns += PLANNER_TICK_NS
            self._tick_planner(now_ns)
        self._take_outputs()
        if not self.going:
            return
        self._see(now_ns)
        if self._planned is None and self._newest is not None:
            self.planner.on_frames(self._newest, now_ns)
            self._newest = None
            request = self.planner.request(now_ns) if self.planner.due(now_ns) else None
            if request is not None:
                plan = self.system2.plan(*request)
                self._planned = now_ns + round(self.conditions.plan_latency_s * NS_PER_S) - STEP_NS, plan
            self._take_outputs()

    def _see(self, now_ns: int) -> None:
        """Take a set of frames when it is time, and let those arrive that were under way."""
        if now_ns >= self._due_ns:
            self._due_ns += round(self.conditions.plan_period_s * NS_PER_S)
            if self.rng.random() >= self.wrong.dropped:
                arrives_ns = now_ns + round(self.wrong.late_s * NS_PER_S)
                self._coming.append((arrives_ns, self.look(now_ns)))
                self.planner.on_joint_state(now_ns, self._state(now_ns))
        while self._coming and now_ns >= self._coming[0][0]:
            self._newest = self._coming.popleft()[1]

    def _tick_planner(self, now_ns: int) -> None:
        for stamp_ns, decision in self._statuses:
            self.planner.on_safety_status(
                stamp_ns, decision.state, decision.source, JOINT_NAMES, decision.positions or ()
            )
        self._statuses.clear()
        self.planner.tick(now_ns)

    def _take_outputs(self) -> None:
        """Let the planner's plans take effect; nobody is there to answer its questions."""
        for output in self.planner.take_outputs():
            if isinstance(output, PlanOutput):
                self._take(output.plan)

    def _take(self, plan: Plan) -> None:
        self.plan = plan
        if plan.subtask and plan.subtask not in self.subtasks[-1:]:
            self.subtasks.append(plan.subtask)
        self.episode_monitor.on_plan(plan)
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
        play_ns = now_ns + self._lead_ns
        setpoint = self.expert.setpoint(play_ns)
        if setpoint is not None:
            self._send(now_ns, setpoint)
        if self._chunked is None and self.expert.due(now_ns, self.safety.state is State.HOLDING):
            request = self.expert.request(self._state(now_ns), self._commanded, now_ns, play_ns, play_ns)
            due_ns = now_ns + round(self.conditions.chunk_latency_s * NS_PER_S)
            self._chunked = due_ns, self.system1.chunk(*request)

    def _accept(self, chunk: Chunk, now_ns: int) -> None:
        play_ns = now_ns + self._lead_ns
        played, before = self.expert.accept(chunk, now_ns, play_ns) or (chunk, None)
        if before is None:
            return
        self.discontinuities.add_transition(max(played.prefix_end_ns, play_ns))
        if self.conditions.chunk_transition == "ensemble":
            self.discontinuities.add_transition(played.end_ns)  # where it leaves the mean

    def _send(self, now_ns: int, setpoint: Array) -> None:
        self._seq += 1
        lead_ns = self._lead_ns
        self.discontinuities.add_setpoint(now_ns + lead_ns, setpoint)
        stamp_ns, q = now_ns + lead_ns, setpoint.tolist()
        refused = self.safety.command(
            Setpoint("policy", "policy", self._seq, stamp_ns, -lead_ns, now_ns, JOINT_NAMES, q)
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
        if now_ns % (STATUS_STEPS * STEP_NS) == 0:
            self._statuses.append((now_ns, decision))
        if decision.state is State.LIMITING or decision.state in LATCHED:
            rule = decision.verdict.rule if decision.verdict else decision.state.name.lower()
            self._acted(rule, now_ns)
        if decision.positions is not None:
            self._commanded = np.array(decision.positions)
        self._motion.tick(decision, now_ns)
        if self.mid_task_move is not None:
            self.mid_task_move.tick(self.simulation)

    def _acted(self, rule: str, now_ns: int) -> None:
        if self.going:  # what comes after is no part of the time that interventions are told by
            self.interventions.add(rule, now_ns)
