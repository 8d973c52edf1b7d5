"""Sizes of the network, as `config.json` of a checkpoint holds them, and what its inputs and outputs stand for.

Without torch: the running policy reads the same file.
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
ROLES = ("x", "y")  # the object that is moved, and the one it is moved to; some tasks have no y
VERBS = ("none", *STEP_KINDS)
SIDES = ("none", *vocabulary.SIDES)
COLOURS = ("none", *vocabulary.COLOURS)
SHAPES = ("none", *vocabulary.SHAPES)
SUBTASKS = subtasks.SUBTASKS
STEP_FIELDS = (
    ("verb", VERBS),
    ("side", SIDES),
    ("x_colour", COLOURS),
    ("x_shape", SHAPES),
    ("y_colour", COLOURS),
    ("y_shape", SHAPES),
)
"""What a step of an instruction says, and the values of each field. A parsed step maps field to value."""
OBJECT_FEATURES = 20  # about one object, see `features.object_features`
STATE_FEATURES = 25  # about the arm, see `features.state_features`
WAYPOINT_FEATURES = 10  # about one waypoint, see `features.waypoint_features`
MOTION_FEATURES = 18  # about the motion of the hand, see `features.motion_features`
# Offset x, y from the anchor (dm), height over the table (dm), cosine and sine of fold * yaw, gripper, speed. In a push,
# offset and yaw are relative to the direction of the push, else to the x axis of the base.
WAYPOINT_DIM = 7
ANCHORS = ("x", "y", "start of x", "tool")  # points that the offset of a waypoint is relative to, seen from above
ACTION_DIM = 7  # tool translation (3, m) and rotation vector (3, rad) from row 0 in base axes, finger joint (m)
MAX_PREFIX_ROWS = 5  # committed rows at the start of a chunk, in training at most
IS_PUSH = tuple("behind" in subtask or "push" in subtask or "there" in subtask for subtask in SUBTASKS)
# The gripper is the same after a turn by 2 pi / fold: it can grasp a cube in four ways, and push in two.
FOLDS = tuple(2 if push else 4 for push in IS_PUSH)


@dataclass(frozen=True)
class Sizes:
    """Sizes of the network.

    Attributes:
        cameras: names; each camera has a known pose.
        image: rows and columns of the square images.
        crop: rows and columns of the crops that the refiner is given, from images of twice the resolution.
        patches: rows and columns of the image tokens.
        channels: of the three levels of the image pyramid.
        key: length of the vectors by which a query is compared with positions in an image.
        words: maximum number of tokens of an instruction.
        steps: maximum number of steps of an instruction.
        dim, heads: width and attention heads of every transformer.
        language_layers, fusion_layers, flow_layers: numbers of layers.
        latents: latent tokens of a plan.
        latent: length of a latent token.
        waypoints: number of waypoints that System 2 predicts.
        rows: actions of a chunk.
        dt_s: time between two rows.
        vocabulary: number of token indices.
    """

    cameras: tuple[str, ...] = ("front",)
    image: int = 128
    crop: int = 32
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
        if self.image % 16 or self.crop % 8 or self.dim % self.heads:
            raise ParameterError(
                f"config.json: image {self.image} must be a multiple of 16, fovea {self.crop} of 8 and dim {self.dim} "
                f"of heads {self.heads}"
            )


STORED_KEYS = {"crop": "fovea"}
"""Fields of Sizes whose key in `config.json` is another one."""


def sizes_of(config: Mapping[str, Any]) -> Sizes:
    """Return the sizes in the mapping of a `config.json`; other keys (of transformers) are ignored."""
    keys = {field.name: STORED_KEYS.get(field.name, field.name) for field in fields(Sizes)}
    return Sizes(**{name: config[key] for name, key in keys.items() if key in config})


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
    """Return the sizes as `config.json` holds them; the inverse of `sizes_of`."""
    return {STORED_KEYS.get(name, name): value for name, value in asdict(sizes).items()}
