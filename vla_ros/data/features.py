"""The columns of a demonstration: one table of name, dtype, shape, unit. The writer, the checker and the reader share it.

Frames come at FPS, as fast as the cameras and the planner of the running graph. Row i is taken at i / FPS s after the
start: images, state and labels are of that moment. The arm is commanded at PATH_HZ: `action.path` of a row is what it is
told in the PATH_STEPS steps that follow, `action` the last of them, so that the paths of the rows of an episode, one after
another, are the whole motion.
"""

from __future__ import annotations

from dataclasses import dataclass

from vla_ros.sim.arm_description import JOINT_NAMES

FPS = 10
PATH_HZ = 50
PATH_STEPS = PATH_HZ // FPS
SIZE = 128  # rows and columns of the images
CAMERAS = ("front", "wrist")
IMAGE_KEYS = tuple(f"observation.images.{camera}" for camera in CAMERAS)
THINGS = 12  # rows of `label.things`: things on the table, in the order of the episode's `things`
WAYPOINTS = 4
GOAL = ("x", "y", "z", "yaw", "gripper", "speed")
POSE = ("x", "y", "z", "qx", "qy", "qz", "qw")
KINDS_OF_RECOVERY = ("none", "odd start", "slip", "drop", "moved", "wrong object", "kick")


@dataclass(frozen=True)
class Feature:
    """One column. names: of its values, or of its last axis."""

    dtype: str
    shape: tuple[int, ...]
    names: tuple[str, ...]
    text: str


FEATURES: dict[str, Feature] = {
    "observation.state": Feature("float32", (8,), JOINT_NAMES, "measured joint positions, rad (m for the finger)"),
    "observation.velocity": Feature("float32", (8,), JOINT_NAMES, "measured joint velocities, per s"),
    "action": Feature("float32", (8,), JOINT_NAMES, "joint positions commanded for one frame later"),
    "action.path": Feature(
        "float32",
        (PATH_STEPS * len(JOINT_NAMES),),
        tuple(f"{name}_{i}" for i in range(PATH_STEPS) for name in JOINT_NAMES),
        "joint positions commanded for 0.02, 0.04 ... 0.10 s later",
    ),
    "label.tool": Feature("float32", (4,), ("x", "y", "z", "yaw"), "measured tool in the base frame, m and rad"),
    "label.waypoints": Feature(
        "float32",
        (WAYPOINTS * len(GOAL),),
        tuple(f"{name}_{i}" for i in range(WAYPOINTS) for name in GOAL),
        "the next goals of the tool in the base frame, nearest first, the last one repeated; gripper and speed to get there",
    ),
    "label.things": Feature(
        "float32",
        (THINGS * 4,),
        tuple(f"{name}_{i}" for i in range(THINGS) for name in ("x", "y", "z", "yaw")),
        "centre (m) and heading (rad) of each thing in the base frame; NaN-free: 0 where there is none",
    ),
    "label.pixels": Feature(
        "float32",
        (len(CAMERAS) * THINGS * 3,),
        tuple(f"{camera}_{name}_{i}" for camera in CAMERAS for i in range(THINGS) for name in ("u", "v", "seen")),
        "of each thing's centre in each camera: column, row (pixel centres are whole numbers), visible share 0..1",
    ),
    "label.camera_front": Feature("float32", (7,), POSE, "pose of the front camera's optical frame in the base frame"),
    "label.camera_wrist": Feature("float32", (7,), POSE, "the same of the wrist camera"),
    "label.start": Feature("float32", (3,), ("x", "y", "z"), "where x was when the step began, base frame, m"),
    "label.progress": Feature("float32", (1,), ("progress",), "0..1 of the whole instruction"),
    "label.phase": Feature("int64", (1,), ("phase",), "index into vla_ros.sim.phases.PHASES"),
    "label.step": Feature("int64", (1,), ("step",), "index of the instruction's step that is served"),
    "label.x": Feature("int64", (1,), ("x",), "row of label.things of what the subtask moves"),
    "label.y": Feature("int64", (1,), ("y",), "row of label.things of the target, -1: none, -2: left, -3: right"),
    "label.holding": Feature("int64", (1,), ("holding",), "row of label.things of what is in the hand, -1: nothing"),
    "label.done": Feature("int64", (1,), ("done",), "1 when the whole instruction is done"),
    "label.valid": Feature(
        "int64",
        (1,),
        ("valid",),
        "0 where the arm makes a mistake on purpose: action is not to be learned, labels are right",
    ),
    "subtask_index": Feature("int64", (1,), ("subtask_index",), "row of meta/subtasks.parquet: the phase in words"),
}
LEFT, RIGHT, NOTHING = -2, -3, -1
