"""Stills: pictures of random situations with everything that the network is to learn from them, in one array on disk.

Thousands a minute, because nothing is simulated: arm and things are put where a situation says, and drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from vla_ros.lab.training import teacher
from vla_ros.lab.training.sentences import NOTHING
from vla_ros.lab.training.situations import Asked, draw
from vla_ros.policies.compact import projection
from vla_ros.policies.compact.features import pointing_down, yaw_of
from vla_ros.policies.compact.model_config import COLOURS, SHAPES, WAYPOINT, Sizes
from vla_ros.policies.compact.projection import Pinhole, scaled, to_cells
from vla_ros.robot.kinematics import Kinematics
from vla_ros.sim.arm_description import (
    FINGER_JOINT,
    HOME,
    JOINT_NAMES,
    MIMIC_JOINT,
    POSITION_LOWER,
    POSITION_UPPER,
    urdf,
)
from vla_ros.sim.model import intrinsics, xml
from vla_ros.sim.variation import TRAINING, sample_varied
from vla_ros.tasks import seeds
from vla_ros.tasks.objects import COLOUR_RGB as RGB

Array = NDArray[np.float64]
Record = NDArray[np.void]

DRAWN = 256  # rows and columns, as the camera node hands them on
MOST_GEOMS = 400
MOST_NAMED = 8  # things of a scene that have a name
PATCH = 48  # rows and columns around each thing that are kept of the sharp picture
SHIFTED = 0.4  # share of scenes whose cameras are not where they should be
ROUGH = 0.1  # rad, of the joints from which an arm pose is searched,
PULLS = (0.1, 0.0)  # by steps that pull so much to the middle of the joint ranges,
NEAR = 0.004  # until it is so near, m and parts of a rotation matrix


def layout(sizes: Sizes) -> np.dtype:
    """Return the fields of a still.

    cells: places in the picture, u, v, whether they are in it. objects: x and y: p, yaw4, whether there is one. named:
    everything that has a name: colour and shape as in configuration, both 0 where there is nothing; p, yaw4. tool_cell:
    as cells. patches: cut out of the sharp picture around x, y, the tool and everything named, of which centres says
    where, pixels.
    """
    return np.dtype(
        [
            ("images", "u1", (len(sizes.cameras), sizes.image, sizes.image, 3)),
            ("text", "U160"),
            ("wishes", "i1", (sizes.steps, 6)),
            ("step", "i1"),
            ("q", "f4", (8,)),
            ("finger_speed", "f4"),
            ("p_tool", "f4", (3,)),
            ("yaw", "f4"),
            ("cells", "f4", (len(sizes.cameras), 2, 3)),
            ("objects", "f4", (2, 6)),
            ("named", "f4", (MOST_NAMED, 7)),
            ("named_cells", "f4", (len(sizes.cameras), MOST_NAMED, 3)),
            ("tool_cell", "f4", (len(sizes.cameras), 3)),
            ("patches", "u1", (len(sizes.cameras), 3 + MOST_NAMED, PATCH, PATCH, 3)),
            ("centres", "i2", (len(sizes.cameras), 3 + MOST_NAMED, 2)),
            ("start", "f4", (3,)),
            ("T_base_camera", "f4", (len(sizes.cameras), 4, 4)),
            ("k", "f4", (len(sizes.cameras), 3, 3)),
            ("subtask", "i1"),
            ("waypoints", "f4", (sizes.waypoints, WAYPOINT)),
            ("anchors", "i1", (sizes.waypoints,)),
            ("progress", "f4"),
        ]
    )


class _Painter:
    """Draws pictures of several sizes with one OpenGL context, which is kept from scene to scene."""

    _window: mujoco.GLContext | None = None

    def __init__(self, model: mujoco.MjModel) -> None:
        if _Painter._window is None:
            _Painter._window = mujoco.GLContext(DRAWN, DRAWN)
        _Painter._window.make_current()
        self._model = model
        self._scene = mujoco.MjvScene(model, MOST_GEOMS)
        self._option, self._camera = mujoco.MjvOption(), mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)

    def paint(self, data: mujoco.MjData, camera: str, size: int) -> NDArray[np.uint8]:
        """Return (size, size, 3) rgb."""
        self._camera.fixedcamid = self._model.camera(camera).id
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, data, self._option, None, self._camera, everything, self._scene)
        rectangle = mujoco.MjrRect(0, 0, size, size)
        image = np.empty((size, size, 3), np.uint8)
        mujoco.mjr_render(rectangle, self._scene, self._context)
        mujoco.mjr_readPixels(image, None, rectangle, self._context)
        return image[::-1]


class Studio:
    """Draws stills of one scene after the other. Args: sizes: of the network. seed: >= seeds.TRAINING."""

    def __init__(self, sizes: Sizes, seed: int) -> None:
        if seed < seeds.TRAINING:
            raise ValueError(f"seed {seed} is one of evaluation; training begins at {seeds.TRAINING}")
        self._sizes, self._seed = sizes, seed
        self._kinematics = Kinematics(urdf(), JOINT_NAMES)
        self._layout = layout(sizes)

    def stills(self, scene_index: int, count: int) -> Iterator[Record]:
        """Yield `count` stills of one scene's surfaces, light and shapes."""
        seed = self._seed + scene_index
        rng = np.random.default_rng([seed, 7])
        variation = replace(TRAINING, cameras=bool(rng.random() < SHIFTED))
        scene, _ = sample_varied(seed, "", variation)
        model = mujoco.MjModel.from_xml_string(xml(scene))
        data = mujoco.MjData(model)
        painter = _Painter(model)
        made = 0
        while made < count:
            asked = draw(rng, scene.objects)
            if self._pose(model, data, asked, rng):
                made += 1
                yield self._record(model, data, painter, asked)

    def _pose(self, model: mujoco.MjModel, data: mujoco.MjData, asked: Asked, rng: np.random.Generator) -> bool:
        """Put arm and things where they are to be; False where the arm cannot get there."""
        T_base_tool = np.eye(4)
        T_base_tool[:3, :3] = pointing_down(np.array(asked.yaw))
        T_base_tool[:3, 3] = asked.p_tool
        q = np.clip(HOME + rng.normal(0, ROUGH, 8), POSITION_LOWER, POSITION_UPPER)
        for pull in PULLS:
            q = self._kinematics.follow(T_base_tool, q, pull)
        away = np.abs(self._kinematics.forward(q) - T_base_tool).max()
        if away > NEAR or (q < POSITION_LOWER).any() or (q[:7] > POSITION_UPPER[:7]).any():
            return False
        q[-1] = np.clip(asked.finger, 0.0, 0.04)
        for name, value in zip(JOINT_NAMES, q, strict=True):
            data.qpos[model.joint(name).qposadr[0]] = value
        data.qpos[model.joint(MIMIC_JOINT).qposadr[0]] = q[JOINT_NAMES.index(FINGER_JOINT)]
        self._q = q
        for thing, p, yaw, drawn in zip(
            asked.things, asked.p_things, asked.yaws, self._bodies(model, asked), strict=True
        ):
            address = model.jnt_qposadr[model.body_jntadr[drawn]]
            data.qpos[address : address + 3] = p
            data.qpos[address + 3 : address + 7] = np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)
            if thing.colour in RGB:
                tint = np.clip(np.array(thing.rgb) * rng.uniform(0.85, 1.1) + rng.normal(0, 0.02, 3), 0.0, 1.0)
                first = model.body_geomadr[drawn]
                model.geom_rgba[first : first + model.body_geomnum[drawn], :3] = tint
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        return True

    def _bodies(self, model: mujoco.MjModel, asked: Asked) -> list[int]:
        """Bodies of the things, which stand in the model in the order of the scene."""
        first = model.nbody - len(asked.things)
        return list(range(first, model.nbody))

    def _record(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        painter: _Painter,
        asked: Asked,
    ) -> Record:
        sizes = self._sizes
        still = np.zeros((), self._layout)
        cameras, sharp = {}, []
        size = sizes.image
        for index, camera in enumerate(sizes.cameras):
            sharp.append(projection.reduced(painter.paint(data, camera, DRAWN), projection.SHARP * size))
            still["images"][index] = projection.reduced(sharp[index], size)
            at = model.camera(camera).id
            pose = np.eye(4)
            pose[:3, :3] = data.cam_xmat[at].reshape(3, 3) @ np.diag([1.0, -1.0, -1.0])
            pose[:3, 3] = data.cam_xpos[at]
            k = scaled(intrinsics(camera, DRAWN, DRAWN), DRAWN, DRAWN, size)
            cameras[camera] = Pinhole(k, pose)
            still["T_base_camera"][index], still["k"][index] = pose, k
        wishes = [*asked.wishes, *[NOTHING] * sizes.steps][: sizes.steps]
        still["text"] = asked.text
        still["wishes"] = [wish.indices() for wish in wishes]
        still["step"] = asked.step
        still["q"], still["finger_speed"] = self._q, asked.finger_speed
        T_base_tool = self._kinematics.forward(self._q)
        still["p_tool"], still["yaw"] = T_base_tool[:3, 3], yaw_of(T_base_tool[:3, :3])
        name(still, asked, [cameras[camera] for camera in sizes.cameras], size)
        for index, camera in enumerate(sizes.cameras):
            still["tool_cell"][index] = cell(cameras[camera], T_base_tool[:3, 3], size)
        self._understand(still, asked, [cameras[camera] for camera in sizes.cameras])
        for index, picture in enumerate(sharp):
            cells = np.concatenate(
                [still["cells"][index], still["tool_cell"][index][None], still["named_cells"][index]]
            ).astype(np.float64)
            centres = np.rint(projection.sharper(projection.to_pixels(cells[:, :2]))).astype(np.int16)
            still["centres"][index] = centres
            for slot in np.flatnonzero(cells[:, 2]):
                still["patches"][index, slot] = projection.patch(picture, centres[slot], PATCH)
        return still

    def _understand(self, still: Record, asked: Asked, cameras: Sequence[Pinhole]) -> None:
        """Note what is right to do, if x is there."""
        if asked.now is None:
            still["subtask"] = -1
            return
        now = asked.now
        still["start"] = now.start
        for role, thing in enumerate((now.x, now.y)):
            if thing is None:
                continue
            still["objects"][role] = *thing.p, *thing.yaw4, 1.0
            for index, camera in enumerate(cameras):
                still["cells"][index, role] = cell(camera, thing.p, self._sizes.image)
        answer = teacher.answer(now)
        still["subtask"], still["waypoints"] = answer.subtask, answer.waypoints
        still["anchors"], still["progress"] = answer.anchors, answer.progress


def name(still: Record, asked: Asked, cameras: Sequence[Pinhole], size: int) -> None:
    """Note all things that have a name, and where they are in the pictures."""
    row = 0
    for thing, p, yaw in zip(asked.things, asked.p_things, asked.yaws, strict=True):
        if thing.shape not in SHAPES:
            continue
        turn = teacher.Object(p, float(yaw), thing.shape, thing.height, thing.radius).yaw4
        still["named"][row] = COLOURS.index(thing.colour or "none"), SHAPES.index(thing.shape), *p, *turn
        for index, camera in enumerate(cameras):
            still["named_cells"][index, row] = cell(camera, p, size)
        row += 1


def cell(camera: Pinhole, p: Array, size: int) -> tuple[float, float, float]:
    """Return the place (u, v) of a point in the grid of a picture of `size` pixels, and 1; zeros where it is not in it."""
    u, v, depth = camera.project(p)
    if depth < 0.03 or not (0 <= u <= size - 1 and 0 <= v <= size - 1):
        return 0.0, 0.0, 0.0
    u, v = to_cells(np.array([u, v]))
    return float(u), float(v), 1.0


def make(path: Path, sizes: Sizes, scenes: int, per_scene: int, seed: int, tell: Callable[[int], None]) -> None:
    """Write `scenes` x `per_scene` stills to the .npy file `path`; goes on where it was interrupted.

    Args:
        tell: called with the number of stills that are there, after each scene.
    """
    done_file = path.with_suffix(".done")
    done = int(done_file.read_text()) if done_file.is_file() and path.is_file() else 0
    shape = (scenes * per_scene,)
    array = open_memmap(path, "r+" if done else "w+", layout(sizes), None if done else shape)
    studio = Studio(sizes, seed)
    for scene in range(done, scenes):
        for row, still in enumerate(studio.stills(scene, per_scene)):
            array[scene * per_scene + row] = still
        array.flush()
        done_file.write_text(str(scene + 1))
        tell((scene + 1) * per_scene)


def count(path: Path) -> int:
    """Return of how many scenes the stills of `path` are ready."""
    done_file = path.with_suffix(".done")
    return int(done_file.read_text()) if done_file.is_file() else 0


def observations(stills: NDArray[np.void], cameras: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Return the statistics of what stills show, in the form of a LeRobotDataset's stats.json, for the monitor of drift.

    Args:
        cameras: names of the images of a still, in their order.
    """
    images = stills["images"].astype(np.float32) / 255.0
    found = {}
    for index, camera in enumerate(cameras):
        pixels = images[:, index].reshape(-1, 3)
        found[f"observation.images.{camera}"] = {"mean": _rounded(pixels.mean(0)), "std": _rounded(pixels.std(0))}
    low, high = np.quantile(stills["q"], (0.01, 0.99), axis=0)
    found["observation.state"] = {"q01": _rounded(low), "q99": _rounded(high)}
    return found


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return [round(float(value), 4) for value in values]
