"""A sentence of the suite, and the scene in which it is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

from vla_ros.sim.scene import Scene
from vla_ros.sim.task_sampler import sample_task
from vla_ros.tasks.seeds import TRAINING
from vla_ros.tasks.task import Task
from vla_ros.tasks.vocabulary import COLOURS, MOVABLE_SHAPES, STABLE_SHAPES

NEXT = 1000  # seeds on is the scene that stands for one that a sentence does not fit
ANSWER = "answer"
"""Goal of a question: nothing moves, and something is said."""
WORDS, EYES = "words", "eyes"
"""What tells that a sentence cannot be done: its words alone, or the scene."""


@dataclass(frozen=True)
class Sentence:
    """One sentence.

    Attributes:
        text: with the objects of the scene in braces: see `roles`.
        goal: see `goals`; empty: it cannot be done as it is said, and is to be refused; ANSWER: a question.
        kind: of the task whose scene it is said in, of `task.KINDS`.
        needs: "alone": no other object has the shape of x; "pair": exactly one has; "stable": x does not roll.
        told_by: of what cannot be done: WORDS or EYES.
    """

    text: str
    goal: str = ""
    kind: str = "pick"
    needs: str = ""
    told_by: str = WORDS

    @property
    def possible(self) -> bool:
        """Whether it is to be done, or answered."""
        return bool(self.goal)

    def sample(self, seed: int) -> tuple[Scene, Task]:
        """Return the scene and the task that a seed gives: one that fits the sentence."""
        for number in count(seed, NEXT):
            scene, task = sample_task(number % TRAINING, self.kind)
            if _fits(scene, task, self.needs):
                return scene, task
        raise AssertionError("count ends")

    def words(self, scene: Scene, task: Task) -> str:
        """Return the text with names."""
        return self.text.format_map(roles(scene, task))


def roles(scene: Scene, task: Task) -> Mapping[str, str]:
    """Return role → words.

    - x: what the task moves first; xc, xs: its colour and shape. b, c: two others; bc, bs, cc: likewise.
    - y: where the task moves it; side: of a push, "left" or "right"; other_side.
    - leftmost, rightmost, nearest, farthest: of the objects with the shape of x, as the robot sees them. twin: another one.
    - absent_colour: that no object has. absent: an object that is not there, of a colour that is.
    """
    movable = [item for item in scene.objects if item.shape in MOVABLE_SHAPES]
    x = scene.find(task.steps[0].x)
    b, c = [item for item in movable if item is not x][:2]
    like = [item for item in movable if item.shape == x.shape]
    twins = [item for item in like if item is not x]
    side = task.steps[0].y if task.steps[0].y in ("left", "right") else "left"
    names = {item.name for item in movable}
    return {
        "x": x.name,
        "xc": x.colour,
        "xs": x.shape,
        "b": b.name,
        "bc": b.colour,
        "bs": b.shape,
        "c": c.name,
        "cc": c.colour,
        "y": task.steps[0].y,
        "side": side,
        "other_side": "left" if side == "right" else "right",
        "leftmost": max(like, key=lambda item: item.y).name,
        "rightmost": min(like, key=lambda item: item.y).name,
        "nearest": min(like, key=lambda item: item.x**2 + item.y**2).name,
        "farthest": max(like, key=lambda item: item.x**2 + item.y**2).name,
        "twin": twins[0].name if twins else "",
        "absent_colour": next(colour for colour in COLOURS if colour not in {item.colour for item in movable}),
        "absent": next(f"{x.colour} {shape}" for shape in MOVABLE_SHAPES if f"{x.colour} {shape}" not in names),
    }


def _fits(scene: Scene, task: Task, needs: str) -> bool:
    shapes = Counter(item.shape for item in scene.objects)
    shape = scene.find(task.steps[0].x).shape
    if needs == "stable":
        return shape in STABLE_SHAPES
    return not needs or shapes[shape] == {"alone": 1, "pair": 2}[needs]
