"""Sizes of the network and the words that its outputs stand for: what `config.json` of a checkpoint holds.

No torch here: the running policy reads the same file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from vla_ros.parameters import ParameterError
from vla_ros.tasks import subtasks, vocabulary
from vla_ros.tasks.task import STEP_KINDS

MODEL_TYPE = "vla_ros_compact"
ROLES = ("x", "y")  # what is moved, and where to; y is empty for some tasks
VERBS = ("none", *STEP_KINDS)
SIDES = ("none", *vocabulary.SIDES)
COLOURS = ("none", *vocabulary.COLOURS)
SHAPES = ("none", *vocabulary.SHAPES)
SUBTASKS = subtasks.SUBTASKS
WORDING = (
    ("verb", VERBS),
    ("side", SIDES),
    ("x_colour", COLOURS),
    ("x_shape", SHAPES),
    ("y_colour", COLOURS),
    ("y_shape", SHAPES),
)
OBJECT = 20  # numbers about one thing, see `features.object_features`
STATE = 25  # numbers about the arm, see `features.state_features`
# Offset x, y from its anchor (dm), height over the table (dm), cosine and sine of fold * yaw, gripper, speed. Of a push,
# offset and yaw are counted from the way that the thing is to go, else from the base's x axis.
WAYPOINT = 7
ANCHORS = ("x", "y", "start of x", "tool")  # places that a waypoint's offset is measured from, seen from above
AHEAD = 10  # numbers about one waypoint, see `features.ahead_features`
MOVING = 18  # numbers about a moving arm, see `features.moving_features`
MOST_COMMITTED = 5  # actions of a chunk that training takes over from the one before
ACTION = 7  # tool translation (3, m) and rotation vector (3, rad) from row 0 in base axes, finger joint (m)
PUSHES = tuple("behind" in subtask or "push" in subtask or "there" in subtask for subtask in SUBTASKS)
# The hand looks the same after a turn by 2 pi / fold: four ways to grasp, two to push with.
FOLDS = tuple(2 if push else 4 for push in PUSHES)


@dataclass(frozen=True)
class Sizes:
    """Sizes of the network.

    cameras: whose pictures are looked at; each has a pose that is known. image: rows and columns of the square
    pictures. fovea: rows and columns of what is cut out of pictures twice as sharp and looked at again. patches: rows and
    columns of the picture tokens. channels: of the three levels of the image pyramid.
    key: length of the vector by which words find a place in a picture. words: most words of an instruction.
    steps: most steps of an instruction. dim, heads: of every transformer. *_layers: how many. latents: latent tokens of a
    plan; latent: their length. waypoints: that System 2 looks ahead. rows: actions of a chunk, dt_s apart.
    vocabulary: number of word indices.
    """

    cameras: tuple[str, ...] = ("front",)
    image: int = 128
    fovea: int = 32
    patches: int = 4
    channels: tuple[int, int, int] = (16, 32, 64)
    key: int = 32
    words: int = 56
    steps: int = 3
    dim: int = 128
    heads: int = 4
    language_layers: int = 2
    fusion_layers: int = 3
    flow_layers: int = 4
    latents: int = 8
    latent: int = 32
    waypoints: int = 2
    rows: int = 16
    dt_s: float = 0.04
    vocabulary: int = 512

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        object.__setattr__(self, "cameras", tuple(self.cameras))
        if self.image % 16 or self.fovea % 8 or self.dim % self.heads:
            raise ParameterError(
                f"config.json: image {self.image} must be a multiple of 16, fovea {self.fovea} of 8 and dim {self.dim} "
                f"of heads {self.heads}"
            )


def sizes_of(config: Mapping[str, Any]) -> Sizes:
    """Return the sizes in the mapping of a `config.json`; other keys (of transformers) are left alone."""
    return Sizes(**{field.name: config[field.name] for field in fields(Sizes) if field.name in config})


def read(folder: Path) -> Sizes:
    """Return the sizes of the checkpoint in `folder`.

    Raises:
        ParameterError: there is no checkpoint of this model.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ParameterError(f"compact.checkpoint: {path}: {error}; train one with vla-ros train") from None
    if config.get("model_type") != MODEL_TYPE:
        raise ParameterError(f"compact.checkpoint: {path} is of {config.get('model_type')!r}, not {MODEL_TYPE!r}")
    return sizes_of(config)


def as_mapping(sizes: Sizes) -> dict[str, Any]:
    """Return what `config.json` says of the sizes."""
    return asdict(sizes)
