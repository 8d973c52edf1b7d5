"""What is evaluated: suites of cases. A case says which scenes and words, and what is wrong with the world.

Seeds below 1 000 000 belong here; training begins there. Nothing that a case disturbs is told to the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

import cv2
import numpy as np

from vla_ros.arrays import Image
from vla_ros.data.disturbances import move_to_free_place
from vla_ros.lab.evaluation.honest.rewriting import rewritten
from vla_ros.lab.evaluation.honest.sentence import Sentence
from vla_ros.lab.evaluation.honest.sentences import GROUPS
from vla_ros.lab.evaluation.unknown_instructions import UNKNOWNS
from vla_ros.parameters import ParameterError
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.variation import Variation, sample_varied
from vla_ros.tasks.objects import DISTRACTOR_HALF_SIZES_M
from vla_ros.tasks.seeds import TRAINING
from vla_ros.tasks.task import KINDS, STEP_KINDS

MOVE_S = (1.0, 4.0)  # when an object is moved
NEXT = 1000  # seeds on is the scene that stands for one that lacks what its case is about


@dataclass(frozen=True)
class WorldDisturbance:
    """What is wrong with the world.

    noise: standard deviation of the pixels. blur: of a Gaussian, pixels. late_s: that every image comes later. dropped:
    share of the frames that get lost. joints_rad: standard deviation of measured joints. moves_object: x is moved once.
    """

    noise: float = 0.0
    blur: float = 0.0
    late_s: float = 0.0
    dropped: float = 0.0
    joints_rad: float = 0.0
    moves_object: bool = False

    def image(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image as the policy gets it."""
        if self.blur:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), self.blur), np.uint8)
        if self.noise:
            image = np.clip(image + rng.normal(0, self.noise, image.shape), 0, 255).astype(np.uint8)
        return image


@dataclass(frozen=True)
class EvaluationCase:
    """name: of the case. kinds: of task, in turn. variation: of scenes and words; None: the plain ones.

    unknown: of UNKNOWNS, what is asked for instead of the task: then success is to ask back and to touch nothing.
    sentence: that is said instead, in a scene that it chooses; `honest.scores` says what success is.
    """

    name: str
    kinds: tuple[str, ...] = KINDS
    variation: Variation | None = None
    disturbance: WorldDisturbance = field(default_factory=WorldDisturbance)
    unknown: str = ""
    sentence: Sentence | None = None

    @property
    def disturbs(self) -> bool:
        """Whether scene or world differ from the plain ones; a move in mid-task does so only where it comes off."""
        varied = self.variation or Variation()
        return self.disturbance != WorldDisturbance() or varied.surfaces or varied.cameras or varied.distractors > 0

    def simulation(self, kind: str, seed: int) -> Simulation:
        """Return the world of an episode: one that holds what the case is about."""
        if self.sentence is not None:
            return Simulation.of(*self.sentence.sample(seed))
        if self.variation is not None:
            seeds = (number % TRAINING for number in count(seed, NEXT))
            seed = next(number for number in seeds if _holds(number, kind, self.variation))
        return Simulation(seed, kind, variation=self.variation)


class MidTaskMove:
    """Moves the object that an episode is about to where there is space, once, unless it is held.

    Args: rng: when and where to. Attributes: moved: whether it has.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._at_s, self._rng = float(rng.uniform(*MOVE_S)), rng
        self._over = self.moved = False

    def tick(self, simulation: Simulation) -> None:
        """Call with every step of the simulation."""
        if self._over or simulation.time_s < self._at_s:
            return
        self._over = True
        name = simulation.task.steps[0].x
        if not simulation.truth()[name].held:
            before = simulation.object_pose(name)[:2, 3].copy()
            move_to_free_place(simulation, name, self._rng)
            self.moved = bool((simulation.object_pose(name)[:2, 3] != before).any())


def _holds(seed: int, kind: str, variation: Variation) -> bool:
    """Return whether a scene came out with distractors, or an object to move that is named by its shape, if it is to."""
    scene, task = sample_varied(seed, kind, variation)
    shapes = [item.shape for item in scene.objects]
    return not (
        (variation.distractors and not set(shapes) & set(DISTRACTOR_HALF_SIZES_M))
        or (variation.shape_only_share == 1.0 and shapes.count(scene.find(task.steps[0].x).shape) > 1)
    )


SUITES: Mapping[str, tuple[EvaluationCase, ...]] = {
    "nominal": (EvaluationCase("nominal"),),
    "phrasing": (EvaluationCase("phrasing", KINDS, Variation(phrasing="held-out")),),
    "pairs": (EvaluationCase("pairs", STEP_KINDS, Variation(pairs="held-out")),),
    "long": (
        EvaluationCase("two steps", ("sequence",), Variation(phrasing="training")),
        EvaluationCase("three steps", ("sequence",), Variation((4, 5), phrasing="training", steps=3)),
    ),
    "robust": (
        EvaluationCase("light", STEP_KINDS, Variation(surfaces=True)),
        EvaluationCase("camera", STEP_KINDS, Variation(cameras=True)),
        EvaluationCase("noise", STEP_KINDS, None, WorldDisturbance(noise=10.0)),
        EvaluationCase("blur", STEP_KINDS, None, WorldDisturbance(blur=1.2)),
        EvaluationCase("late 100 ms", STEP_KINDS, None, WorldDisturbance(late_s=0.1)),
        EvaluationCase("late 400 ms", STEP_KINDS, None, WorldDisturbance(late_s=0.4)),
        EvaluationCase("dropped", STEP_KINDS, None, WorldDisturbance(dropped=0.3)),
        EvaluationCase("distractors", STEP_KINDS, Variation((4, 6), 3)),
        EvaluationCase("nudge", STEP_KINDS, None, WorldDisturbance(moves_object=True)),
        EvaluationCase("joints", STEP_KINDS, None, WorldDisturbance(joints_rad=0.003)),
    ),
    "shapes": (EvaluationCase("shapes", STEP_KINDS, Variation(phrasing="training", shape_only_share=1.0)),),
    "push_to": (EvaluationCase("push to", ("push",), Variation(push_to=True)),),
    "unknown": tuple(EvaluationCase(name, STEP_KINDS, unknown=name) for name in UNKNOWNS),
}


HONEST, REWRITTEN = "honest", "rewritten"
SCENES = 3  # in which each sentence is said


def sentence_episodes(name: str, seed: int, most: int = 0) -> list[tuple[EvaluationCase, str, int]]:
    """Return the episodes of a suite of sentences: case, kind of task and seed, each sentence in SCENES scenes.

    Args:
        name: HONEST, the sentences that were written; REWRITTEN, those that rules and `seed` make of them.
        seed: of the first scene.
        most: sentences of each group, drawn evenly; 0: all.
    """
    groups = GROUPS if name == HONEST else rewritten(GROUPS, seed)
    chosen = [
        EvaluationCase(group, (sentence.kind,), sentence=sentence)
        for group, sentences in groups.items()
        for sentence in (sentences[:: max(1, len(sentences) // most)][:most] if most else sentences)
    ]
    return [
        (case, case.kinds[0], (seed + SCENES * number + scene) % TRAINING)
        for number, case in enumerate(chosen)
        for scene in range(SCENES)
    ]


def suite(name: str) -> tuple[EvaluationCase, ...]:
    """Return the cases of a suite.

    Raises:
        ParameterError: there is no such suite.
    """
    if name in (HONEST, REWRITTEN):
        return tuple(EvaluationCase(group) for group in (GROUPS if name == HONEST else rewritten(GROUPS, 0)))
    if name not in SUITES:
        raise ParameterError(f"--suite: there is no {name!r}; there are {', '.join((*SUITES, HONEST, REWRITTEN))}")
    return SUITES[name]
