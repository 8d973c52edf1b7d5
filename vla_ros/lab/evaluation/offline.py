"""One episode of a policy in the simulator, without ROS and faster than real time.

The cores are those of the graph: the planner with guard, prompt and monitors, System 2, System 1, the chunk player, the
safety filter with all that is configured, the arm's controller, the physics. They share one simulated clock, so that an
episode with the same arguments is the same to the bit. Latencies are stated, not measured: see `Conditions`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from vla_ros.bringup.graph import parameters_of
from vla_ros.bringup.node_parameters import parameters_with_policy
from vla_ros.control.planner import PlannerCore
from vla_ros.control.planner_parameters import PlannerParameters
from vla_ros.guard import AS_SAID, Guard, Prompt, load_prompt, load_rules
from vla_ros.lab.evaluation.honest import scores
from vla_ros.lab.evaluation.honest.goals import is_reached
from vla_ros.lab.evaluation.honest.sentence import ANSWER, Sentence
from vla_ros.lab.evaluation.loop import Conditions, Loop
from vla_ros.lab.evaluation.report import Outcome
from vla_ros.lab.evaluation.suites import EvaluationCase
from vla_ros.lab.evaluation.unknown_instructions import unknown_instruction
from vla_ros.language.reader import InstructionReader
from vla_ros.monitors import Monitors
from vla_ros.parameters import from_mapping, nested
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.perception.jpeg import encode
from vla_ros.policies.contract import Instruction, Plan, PlanState, System2
from vla_ros.policies.registry import Robot, system1, system2
from vla_ros.policies.registry import policy as registered
from vla_ros.policies.stepwise import interpreter_of, stepwise
from vla_ros.policies.vlm.asking import DirectAsker
from vla_ros.policies.vlm.motion_player import system1_beneath_vlm
from vla_ros.policies.vlm.system2 import VlmSystem2, make_model
from vla_ros.policies.vlm.vlm_parameters import VlmParameters
from vla_ros.safety.filter import SafetyFilter
from vla_ros.safety.safety_parameters import SafetyFilterParameters
from vla_ros.sim.arm_description import JOINT_NAMES, origin_of, urdf
from vla_ros.sim.model import CAMERAS, intrinsics
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation
from vla_ros.time import NS_PER_S

CAMERA_SIZE = 256  # rows and columns
FIXED_CAMERAS = ("front",)
DRAWN_S = 30.0  # that drawing may take at most, on any renderer
LIMIT_S = 60.0
STEP_LIMIT_S = 45.0  # of each step of a sequence
UNKNOWN_LIMIT_S = 15.0  # to say that words make no sense
QUALITY = 90  # of the JPEGs of a film


def run_episode(
    policy: str,
    kind: str,
    seed: int,
    safety: SafetyFilterParameters,
    *,
    options: Mapping[str, Any] | None = None,
    instruction: str = "",
    case: EvaluationCase | None = None,
    planner: PlannerParameters | None = None,
    conditions: Conditions | None = None,
    cameras: RenderProcess,
    watch: Callable[[Simulation, Plan], None] | None = None,
    limit_s: float | None = None,
    film: bool = False,
    vlm: VlmParameters | None = None,
) -> Outcome:
    """Run one episode.

    Args:
        policy, options: of `vla_ros.policies.registry`.
        kind, seed: of the scene and its task.
        safety: the filter's configuration for the simulated arm.
        instruction: words instead of the task's own.
        case: which scenes, and what is wrong with the world; None: plain scenes, nothing is.
        planner: the planner's configuration; None: as config/sim.yaml gives it.
        conditions: periods and latencies; they go before the planner's own.
        cameras: draws the images.
        watch: called with every plan that takes effect.
        limit_s: simulated time that the planner is given; None: 60 s, 45 s for each step of a sequence, 15 s for words
            that make no sense.
        film: keep the images.
        vlm: of a vision-language model in front of the policy, whose answers take no simulated time; None: there is none.
    """
    robot = Robot(urdf(), JOINT_NAMES, cameras=CAMERAS)
    case = case or EvaluationCase("nominal")
    simulation = case.simulation(kind, seed)
    task = simulation.task
    words = instruction or task.instruction
    if case.unknown and not instruction:
        words = unknown_instruction(case.unknown, simulation.scene, task.steps[0], np.random.default_rng([seed, 5]))
    if case.sentence is not None:
        words = instruction or case.sentence.words(simulation.scene, task)
    cameras.scene(simulation.xml)
    shots: list[tuple[float, str, bytes]] = []
    views = SimulatedCameras(simulation, cameras, case, seed)
    conditions = conditions or Conditions()
    planner = planner or _configured(policy)
    prompt, language = load_prompt(planner.prompt), planner.language
    plans = stepwise(
        system2(policy, robot, options), InstructionReader.of(language), language.for_every_policy, prompt.render
    )
    if vlm is not None:
        guard = Guard(load_rules(planner.guard.rules))
        chosen = from_mapping(registered(policy).parameters, options or {}, f"{policy}.")
        render = prompt.render if interpreter_of(plans) is None else str
        plans = VlmSystem2(plans, robot, chosen, vlm, guard.refusal, render, DirectAsker(make_model(vlm)))
        prompt = AS_SAID
    try:
        loop = Loop(
            simulation,
            views.look,
            planner_core(planner, conditions, plans, prompt),
            plans,
            (system1 if vlm is None else system1_beneath_vlm)(policy, robot, options),
            SafetyFilter.from_urdf(safety.without_monitor(), robot.urdf),
            Instruction(1, words),
            conditions,
            case,
            watch,
            np.random.default_rng([seed, 4]),
        )
        if film:
            views.seen = lambda stamp_ns, image: shots.append(
                (stamp_ns / NS_PER_S, _subtask(loop.plan), encode(image, QUALITY))
            )
        limit = STEP_LIMIT_S * len(task.steps) if kind == "sequence" else LIMIT_S
        if case.sentence is not None:
            limit = max(LIMIT_S, STEP_LIMIT_S * len(case.sentence.goal.split(";")))
        loop.run(limit_s or (UNKNOWN_LIMIT_S if case.unknown else limit))
    finally:
        simulation.controller.close()
        if isinstance(plans, VlmSystem2):
            plans.close()
    success, measures = simulation.evaluate_task()
    state = loop.plan.state if loop.plan else PlanState.HOLD
    said = loop.plan.reasoning if loop.plan else ""
    if case.sentence is not None:
        success, reason = _scored(case.sentence, loop, state, said)
    elif case.unknown:
        success = loop.episode_monitor.is_untouched() and state is not PlanState.DONE and bool(said)
        reason = "" if success else "acted on it"
    else:
        reason = "" if success else loop.episode_monitor.failure_reason(measures, state, loop.latched)
    return Outcome(
        kind,
        seed,
        words,
        success,
        said,
        round(loop.ended_ns / NS_PER_S, 2),
        tuple(measures),
        case=case.name,
        interventions=loop.interventions.ticks,
        begun=loop.interventions.begun,
        reason=reason,
        confidence=loop.episode_monitor.confidence,
        meant=loop.episode_monitor.meant,
        roughness=loop.discontinuities.statistics(),
        disturbed=loop.mid_task_move.moved if loop.mid_task_move is not None else case.disturbs,
        unknown=bool(case.unknown) or (case.sentence is not None and not case.sentence.possible),
        state=state,
        subtasks=tuple(loop.subtasks),
        checkpoint=plans.checkpoint,
        film=tuple(shots),
    )


def _scored(sentence: Sentence, loop: Loop, state: PlanState, said: str) -> tuple[bool, str]:
    """Return whether a sentence ended well, and how."""
    reached = sentence.goal not in ("", ANSWER) and is_reached(sentence.goal, loop.simulation)
    score = scores.score(sentence, reached, loop.episode_monitor.is_untouched(), state, said)
    return score in scores.GOOD, score


def _configured(policy: str) -> PlannerParameters:
    """Return the planner's parameters as config/sim.yaml gives them."""
    parameters: PlannerParameters = from_mapping(
        parameters_with_policy(policy)["planner"], nested(parameters_of("planner", policy=policy))
    )
    return parameters


def planner_core(
    parameters: PlannerParameters, conditions: Conditions, plans: System2, prompt: Prompt | None = None
) -> PlannerCore:
    """Return the core of an active planner.

    Args:
        parameters: the planner's configuration.
        conditions: whose plan rate and validity go before those of `parameters`.
        plans: the policy's System 2.
        prompt: writes instructions for it; None: that of `parameters`.
    """
    parameters = replace(parameters, rate_hz=1 / conditions.plan_period_s, valid_for_s=conditions.valid_for_s)
    monitors = Monitors.for_policy(parameters.monitors, JOINT_NAMES, getattr(plans, "statistics", None))
    prompt = prompt or load_prompt(parameters.prompt)
    core = PlannerCore(parameters, Guard(load_rules(parameters.guard.rules)), prompt, monitors)
    core.checkpoint, core.interpreter = plans.checkpoint, interpreter_of(plans)
    core.on_activate()
    return core


class SimulatedCameras:
    """Looks at the simulation through cameras that draw when an image is asked for, and only then.

    Attributes: seen: called with stamp and image of the fixed camera when it has been drawn.
    """

    def __init__(self, simulation: Simulation, cameras: RenderProcess, case: EvaluationCase, seed: int) -> None:
        self._simulation, self._cameras, self._wrong = simulation, cameras, case.disturbance
        self._rng = {camera: np.random.default_rng([seed, 3, index]) for index, camera in enumerate(CAMERAS)}
        self.seen: Callable[[int, np.ndarray], None] = lambda stamp_ns, image: None

    def look(self, stamp_ns: int) -> Frames:
        """Return what there is to be seen now."""
        return Frames(stamp_ns, _Views(self, stamp_ns, self._simulation.data.qpos.copy()))

    def draw(self, camera: str, stamp_ns: int, qpos: np.ndarray) -> CameraView:
        """Return the view of one camera."""
        self._cameras.request(stamp_ns, qpos, (camera,))
        drawn = self._cameras.poll(DRAWN_S)
        if drawn is None:
            raise RuntimeError(f"the renderer ({self._cameras.backend}) has not answered for {DRAWN_S:.0f} s")
        image = self._wrong.image(drawn[1][camera], self._rng[camera])
        fixed = camera in FIXED_CAMERAS
        if fixed:
            self.seen(stamp_ns, image)
        # Where a camera is said to be: in a case that moves it, it is somewhere else.
        pose = origin_of(f"{camera}_camera_optical") if fixed else None
        return CameraView(image, k=intrinsics(camera, *image.shape[:2]), T_base_camera=pose)


class _Views(Mapping[str, CameraView]):
    """Views of one moment by camera, each drawn when it is first asked for."""

    def __init__(self, cameras: SimulatedCameras, stamp_ns: int, qpos: np.ndarray) -> None:
        self._cameras, self._stamp_ns, self._qpos = cameras, stamp_ns, qpos
        self._drawn: dict[str, CameraView] = {}

    def __getitem__(self, camera: str) -> CameraView:
        if camera not in CAMERAS:
            raise KeyError(camera)
        if camera not in self._drawn:
            self._drawn[camera] = self._cameras.draw(camera, self._stamp_ns, self._qpos)
        return self._drawn[camera]

    def __iter__(self) -> Iterator[str]:
        return iter(CAMERAS)

    def __len__(self) -> int:
        return len(CAMERAS)


def _subtask(plan: Plan | None) -> str:
    return plan.subtask or plan.reasoning if plan is not None else ""
