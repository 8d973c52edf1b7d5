"""What is evaluated: suites of cases. A case says which scenes and words, and what is wrong with the world.

Seeds below 1 000 000 belong here; training begins there. Nothing that a case disturbs is told to the policy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from vla_ros.evaluation.unknown import UNKNOWNS
from vla_ros.parameters import ParameterError
from vla_ros.sim.simulation import Simulation
from vla_ros.sim.tasks import KINDS
from vla_ros.sim.variation import Variation

Image = NDArray[np.uint8]

SINGLE = ("pick", "place", "push", "stack")
PUSHED_M = (0.02, 0.05)  # that a nudge moves a thing
NUDGE_S = (1.0, 4.0)  # when


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


class Nudge:
    """Moves the thing that an episode is about, once, unless it is held. Args: rng: when and where to."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._at_s = float(rng.uniform(*NUDGE_S))
        angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(*PUSHED_M)
        self._way = length * np.array([np.cos(angle), np.sin(angle), 0.0])
        self._over = False

    def tick(self, simulation: Simulation) -> None:
        """Call with every step of the simulation."""
        if self._over or simulation.time_s < self._at_s:
            return
        self._over = True
        name = simulation.task.steps[0].x
        if not simulation.truth()[name].held:
            simulation.move_thing(name, simulation.thing_pose(name)[:3, 3] + self._way)


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
