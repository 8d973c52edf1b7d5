"""What is evaluated: suites of cases. A case says which scenes and words, and what is wrong with the world.

Seeds below 1 000 000 belong here; training begins there. Nothing that a case disturbs is told to the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

import cv2
import numpy as np
from numpy.typing import NDArray

from vla_ros.data.disturbances import shift
from vla_ros.lab.evaluation.unknown import UNKNOWNS
from vla_ros.parameters import ParameterError
from vla_ros.sim.scene import DISTRACTORS
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.tasks import KINDS
from vla_ros.sim.variation import Variation, sample_varied
from vla_ros.tasks.seeds import TRAINING

Image = NDArray[np.uint8]

SINGLE = ("pick", "place", "push", "stack")
NUDGE_S = (1.0, 4.0)  # when a nudge comes
NEXT = 1000  # seeds on is the scene that stands for one that lacks what its case is about


@dataclass(frozen=True)
class Disturbance:
    """What is wrong with the world.

    noise: standard deviation of the pixels. blur: of a Gaussian, pixels. late_s: that every image comes later. dropped:
    share of the frames that get lost. joints_rad: standard deviation of measured joints. nudge: x is moved once.
    """

    noise: float = 0.0
    blur: float = 0.0
    late_s: float = 0.0
    dropped: float = 0.0
    joints_rad: float = 0.0
    nudge: bool = False

    def image(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image as the policy gets it."""
        if self.blur:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), self.blur), np.uint8)
        if self.noise:
            image = np.clip(image + rng.normal(0, self.noise, image.shape), 0, 255).astype(np.uint8)
        return image


@dataclass(frozen=True)
class Case:
    """name: of the case. kinds: of task, in turn. variation: of scenes and words; None: the plain ones.

    unknown: of UNKNOWNS, what is asked for instead of the task: then success is to ask back and to touch nothing.
    """

    name: str
    kinds: tuple[str, ...] = KINDS
    variation: Variation | None = None
    disturbance: Disturbance = field(default_factory=Disturbance)
    unknown: str = ""

    @property
    def disturbs(self) -> bool:
        """Whether scene or world differ from the plain ones; a nudge does so only where it comes off."""
        varied = self.variation or Variation()
        return self.disturbance != Disturbance() or varied.looks or varied.cameras or varied.distractors > 0

    def simulation(self, kind: str, seed: int) -> Simulation:
        """Return the world of an episode: one that holds what the case is about."""
        if self.variation is not None:
            seeds = (number % TRAINING for number in count(seed, NEXT))
            seed = next(number for number in seeds if _holds(number, kind, self.variation))
        return Simulation(seed, kind, variation=self.variation)


class Nudge:
    """Moves the thing that an episode is about to where there is room, once, unless it is held.

    Args: rng: when and where to. Attributes: moved: whether it has.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        self._at_s, self._rng = float(rng.uniform(*NUDGE_S)), rng
        self._over = self.moved = False

    def tick(self, simulation: Simulation) -> None:
        """Call with every step of the simulation."""
        if self._over or simulation.time_s < self._at_s:
            return
        self._over = True
        name = simulation.task.steps[0].x
        if not simulation.truth()[name].held:
            before = simulation.thing_pose(name)[:2, 3].copy()
            shift(simulation, name, self._rng)
            self.moved = bool((simulation.thing_pose(name)[:2, 3] != before).any())


def _holds(seed: int, kind: str, variation: Variation) -> bool:
    """Return whether a scene came out with distractors, or a thing to move that is named by its shape, if it is to."""
    scene, task = sample_varied(seed, kind, variation)
    shapes = [thing.shape for thing in scene.things]
    return not (
        (variation.distractors and not set(shapes) & set(DISTRACTORS))
        or (variation.bare == 1.0 and shapes.count(scene.thing(task.steps[0].x).shape) > 1)
    )


SUITES: Mapping[str, tuple[Case, ...]] = {
    "nominal": (Case("nominal"),),
    "phrasing": (Case("phrasing", KINDS, Variation(phrasing="held-out")),),
    "pairs": (Case("pairs", SINGLE, Variation(pairs="held-out")),),
    "long": (
        Case("two steps", ("sequence",), Variation(phrasing="training")),
        Case("three steps", ("sequence",), Variation((4, 5), phrasing="training", steps=3)),
    ),
    "robust": (
        Case("light", SINGLE, Variation(looks=True)),
        Case("camera", SINGLE, Variation(cameras=True)),
        Case("noise", SINGLE, None, Disturbance(noise=10.0)),
        Case("blur", SINGLE, None, Disturbance(blur=1.2)),
        Case("late 100 ms", SINGLE, None, Disturbance(late_s=0.1)),
        Case("late 400 ms", SINGLE, None, Disturbance(late_s=0.4)),
        Case("dropped", SINGLE, None, Disturbance(dropped=0.3)),
        Case("distractors", SINGLE, Variation((4, 6), 3)),
        Case("nudge", SINGLE, None, Disturbance(nudge=True)),
        Case("joints", SINGLE, None, Disturbance(joints_rad=0.003)),
    ),
    "shapes": (Case("shapes", SINGLE, Variation(phrasing="training", bare=1.0)),),
    "push_to": (Case("push to", ("push",), Variation(push_to=True)),),
    "unknown": tuple(Case(name, SINGLE, unknown=name) for name in UNKNOWNS),
}


def suite(name: str) -> tuple[Case, ...]:
    """Return the cases of a suite.

    Raises:
        ParameterError: there is no such suite.
    """
    if name not in SUITES:
        raise ParameterError(f"--suite: there is no {name!r}; there are {', '.join(SUITES)}")
    return SUITES[name]
