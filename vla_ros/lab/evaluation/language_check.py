"""Does a policy heed its instruction? The same picture, two instructions: the motions must differ.

Fine-tuned vision-language-action models are known to read the task off the picture and to ignore what they are told. Where
an episode holds one thing to do, success does not show it. This check does, without moving anything: it compares how far
the motion changes with the instruction to how far it changes with the scene.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import replace as replaced
from itertools import pairwise

import numpy as np

from vla_ros.arrays import Array
from vla_ros.lab.evaluation.offline import CAMERA_SIZE, SimulatedCameras
from vla_ros.lab.evaluation.suites import EvaluationCase
from vla_ros.perception.frames import Frames
from vla_ros.policies.contract import MOTION_ROWS, Chunk, Instruction, JointState, Plan, PlanState, System1, System2
from vla_ros.sim.rendering import RenderProcess
from vla_ros.sim.simulation import Simulation
from vla_ros.time import NS_PER_S

IGNORED_SHARE = 0.1
"""An instruction that changes the motion by a smaller share of what another scene changes is ignored."""
PLANS = 30
"""So many plans may pass until a policy moves: it may want to see a thing more than once."""
PLAN_PERIOD_NS = NS_PER_S // 10


@dataclass(frozen=True)
class Asked:
    """One scene and two instructions that make sense in it.

    Attributes:
        frames: what the cameras see.
        joint_state: the arm, at rest.
        instruction, swapped: words.
    """

    frames: Frames
    joint_state: JointState
    instruction: str
    swapped: str


@dataclass(frozen=True)
class LanguageEffect:
    """What changes the motion, and how far; mean over scenes of the largest difference of any joint, rad or m.

    Attributes:
        of_instruction: the same scene, the other instruction.
        of_scene: another scene, with an instruction of its own.
        refused: scenes in which the policy did not move for one of its instructions; they do not count above.
        scenes: that count.
    """

    of_instruction: float
    of_scene: float
    refused: int
    scenes: int

    @property
    def share(self) -> float:
        """Effect of the instruction as a share of that of the scene; infinite where the scene has none."""
        return self.of_instruction / self.of_scene if self.of_scene > 0 else np.inf if self.of_instruction > 0 else 0.0

    @property
    def ignored(self) -> bool:
        """Whether the instruction hardly matters."""
        return self.share < IGNORED_SHARE

    def text(self) -> str:
        """Say it in one line."""
        if self.scenes < 2:
            scenes = self.scenes + self.refused
            return f"language: not told, the policy moves in {self.scenes} of {scenes} scenes; two are needed"
        verdict = "is IGNORED" if self.ignored else "matters"
        return (
            f"language: the instruction {verdict}: swapping it changes the motion by {self.of_instruction:.3f} rad, another "
            f"scene by {self.of_scene:.3f} rad ({self.share:.0%}; {self.scenes} scenes, {self.refused} refused)"
        )


def language_effect(system2: System2, system1: System1, asked: Iterable[Asked]) -> LanguageEffect:
    """Measure what the instruction changes.

    Args:
        system2, system1: the policy.
        asked: scenes; at least two in which the policy moves.
    """
    number, swaps, motions, refused = 0, [], [], 0
    for scene in asked:
        found = []
        for words in (scene.instruction, scene.swapped):
            number += 1
            found.append(_motion(system2, system1, scene, Instruction(number, words)))
        if found[0] is None or found[1] is None:
            refused += 1
            continue
        swaps.append(_distance(found[0], found[1]))
        motions.append(found[0])
    others = [_distance(before, after) for before, after in pairwise(motions)]
    return LanguageEffect(float(np.mean(swaps or [0.0])), float(np.mean(others or [0.0])), refused, len(swaps))


def asked_in_simulation(seeds: Iterable[int]) -> Iterator[Asked]:
    """Yield plain scenes; the instructions ask for one object of the scene, then for another."""
    case = EvaluationCase("nominal")
    cameras = None
    try:
        for seed in seeds:
            simulation = Simulation(seed, "pick")
            if cameras is None:
                cameras = RenderProcess(simulation.xml, CAMERA_SIZE)
            else:
                cameras.scene(simulation.xml)
            frames = SimulatedCameras(simulation, cameras, case, seed).look(NS_PER_S)
            picked = simulation.task.steps[0].x
            other = next(item.name for item in simulation.scene.objects[2:] if item.name != picked)
            state = JointState(NS_PER_S, simulation.q.copy(), np.zeros_like(simulation.q))
            yield Asked(Frames(NS_PER_S, dict(frames.views)), state, f"pick up the {picked}", f"pick up the {other}")
            simulation.controller.close()
    finally:
        if cameras is not None:
            cameras.close()


def _motion(system2: System2, system1: System1, scene: Asked, instruction: Instruction) -> Array | None:
    """Return (T, n) how far the next chunk goes from the present joints; None: the policy does not move."""
    plan = _plan(system2, scene, instruction)
    if plan is None:
        return None
    start_ns = plan.frame_stamp_ns
    state = replaced(scene.joint_state, stamp_ns=start_ns)
    chunk = system1.chunk(plan, state, Chunk.rest(state.q, start_ns), MOTION_ROWS, start_ns)
    motion: Array = chunk.positions - state.q
    return motion


def _plan(system2: System2, scene: Asked, instruction: Instruction) -> Plan | None:
    """Return the first plan that moves the arm."""
    for number in range(PLANS):
        stamp_ns = scene.frames.stamp_ns + number * PLAN_PERIOD_NS
        frames, state = replaced(scene.frames, stamp_ns=stamp_ns), replaced(scene.joint_state, stamp_ns=stamp_ns)
        plan = system2.plan(frames, instruction, state)
        if plan.state is PlanState.ACTIVE:
            return plan
        if plan.state is not PlanState.HOLD:
            return None
    return None


def _distance(a: Array, b: Array) -> float:
    rows = min(len(a), len(b))
    return float(np.abs(a[:rows] - b[:rows]).max())
