"""Episodes as the recorder would leave them, without a simulator."""

from __future__ import annotations

import numpy as np

from vla_ros.data.demonstrations import QUALITY, RecordedEpisode
from vla_ros.data.features import CAMERAS, FEATURES, SIZE
from vla_ros.perception.jpeg import encode
from vla_ros.sim.arm_description import HOME
from vla_ros.sim.model import intrinsics
from vla_ros.sim.variation import TRAINING, sample_varied
from vla_ros.transforms import matrix

LENGTH = 24
FRONT = np.array([1.25, 0.0, 0.8, 0.650693, 0.650693, -0.276749, -0.276749])


def episode(seed: int) -> RecordedEpisode:
    """An episode that nothing is wrong with, of an arm that swings to and fro; no simulator."""
    scene, task = sample_varied(seed, "pick", TRAINING)
    rng = np.random.default_rng(seed)
    columns = {key: np.zeros((LENGTH, *feature.shape), feature.dtype) for key, feature in FEATURES.items()}
    columns.pop("subtask_index")
    fine = np.arange(LENGTH * 5 + 1) / 5
    way = np.array([0.2] * 7 + [-0.01])
    swing = HOME - (0, 0, 0, 0, 0, 0, 0, 0.02) + np.sin(0.3 * fine)[:, None] * way
    columns["observation.state"] = swing[:-1:5].astype(np.float32)
    columns["action.path"] = swing[1:].reshape(LENGTH, -1).astype(np.float32)
    columns["action"] = columns["action.path"][:, -8:]
    columns["label.waypoints"][:] = np.tile([0.5, 0.0, 0.1, 0.0, 0.04, 0.3], 4)
    columns["label.camera_front"][:] = columns["label.camera_wrist"][:] = FRONT
    things, pixels = np.zeros((12, 4)), np.zeros((2, 12, 3))
    T = matrix(FRONT[:3], FRONT[3:])
    for row, thing in enumerate(scene.objects):
        things[row, :3] = thing.x, thing.y, thing.height / 2
        for index, camera in enumerate(CAMERAS):
            ray = intrinsics(camera, SIZE, SIZE) @ ((things[row, :3] - T[:3, 3]) @ T[:3, :3])
            pixels[index, row] = *(ray[:2] / ray[2]), 1.0
    columns["label.things"][:], columns["label.pixels"][:] = things.reshape(-1), pixels.reshape(-1)
    columns["label.x"][:] = [thing.name for thing in scene.objects].index(task.steps[0].x)
    columns["label.y"][:] = -1
    columns["label.done"][-3:] = 1
    columns["label.progress"][:] = np.linspace(0, 1, LENGTH)[:, None]
    noise = rng.integers(60, 200, (LENGTH, SIZE // 8, SIZE // 8, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    about = {
        "seed": seed,
        "kind": "pick",
        "instruction": task.instruction,
        "steps": [{"kind": step.kind, "x": step.x, "y": step.y} for step in task.steps],
        "things": [{"name": t.name, "shape": t.shape, "colour": t.colour} for t in scene.objects],
        "recovery": "none" if seed % 2 else "moved",
    }
    images = {camera: [encode(image, QUALITY) for image in noise] for camera in CAMERAS}
    return RecordedEpisode(columns, images, ["reach for it"] * (LENGTH - 3) + ["done"] * 3, about)
