"""Scene images: images of random situations with their labels, in one array on disk.

Nothing is simulated, so that thousands are made a minute: arm and objects are placed as a situation says, and rendered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import mujoco
import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.lab.training import teacher
from vla_ros.lab.training.instructions import EMPTY_STEP
from vla_ros.lab.training.situations import ImageSpec, sample
from vla_ros.policies.compact import projection
from vla_ros.policies.compact.features import pointing_down, yaw_of
from vla_ros.policies.compact.model_config import COLOURS, SHAPES, WAYPOINT_DIM, Sizes
from vla_ros.policies.compact.projection import Pinhole, scaled_intrinsics, to_cells
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

Record = NDArray[np.void]

RENDER_SIZE = 256  # rows and columns, as the camera node publishes them
MAX_GEOMS = 400
MAX_NAMED = 8  # named objects of a scene
STORED_CROP = 48  # rows and columns of the crops that are stored of the refiner's image; more than it is given
SHIFTED_SHARE = 0.4  # share of scenes with cameras off their nominal pose
START_NOISE_RAD = 0.1  # of the joints at which inverse kinematics starts,
PULLS = (0.1, 0.0)  # in passes with so much pull to the middle of the joint ranges,
POSE_TOLERANCE = 0.004  # largest error of the result, m and elements of the rotation matrix


def layout(sizes: Sizes) -> np.dtype:
    """Return the fields of a record.

    cells: of x and y: u, v, and 1 if it is in the image. objects: x and y: p, yaw4, and 1 if there is one. named_objects:
    colour and shape (indices as in model_config, both 0 where there is none), p, yaw4. named_cells, tool_cell: as cells.
    crops: of the refiner's image around x, y, the tool and the named objects. crop_centres: their centres, pixels.
    """
    return np.dtype(
        [
            ("images", "u1", (len(sizes.cameras), sizes.image, sizes.image, 3)),
            ("text", "U160"),
            ("parsed_steps", "i1", (sizes.steps, 6)),
            ("step", "i1"),
            ("q", "f4", (8,)),
            ("finger_velocity", "f4"),
            ("p_tool", "f4", (3,)),
            ("yaw", "f4"),
            ("cells", "f4", (len(sizes.cameras), 2, 3)),
            ("objects", "f4", (2, 6)),
            ("named_objects", "f4", (MAX_NAMED, 7)),
            ("named_cells", "f4", (len(sizes.cameras), MAX_NAMED, 3)),
            ("tool_cell", "f4", (len(sizes.cameras), 3)),
            ("crops", "u1", (len(sizes.cameras), 3 + MAX_NAMED, STORED_CROP, STORED_CROP, 3)),
            ("crop_centres", "i2", (len(sizes.cameras), 3 + MAX_NAMED, 2)),
            ("start", "f4", (3,)),
            ("T_base_camera", "f4", (len(sizes.cameras), 4, 4)),
            ("k", "f4", (len(sizes.cameras), 3, 3)),
            ("subtask", "i1"),
            ("waypoints", "f4", (sizes.waypoints, WAYPOINT_DIM)),
            ("anchors", "i1", (sizes.waypoints,)),
            ("progress", "f4"),
        ]
    )


class _SceneRenderer:
    """Renders images of several sizes with one OpenGL context, which is kept from scene to scene."""

    _window: mujoco.GLContext | None = None

    def __init__(self, model: mujoco.MjModel) -> None:
        if _SceneRenderer._window is None:
            _SceneRenderer._window = mujoco.GLContext(RENDER_SIZE, RENDER_SIZE)
        _SceneRenderer._window.make_current()
        self._model = model
        self._scene = mujoco.MjvScene(model, MAX_GEOMS)
        self._option, self._camera = mujoco.MjvOption(), mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)

    def render(self, data: mujoco.MjData, camera: str, size: int) -> NDArray[np.uint8]:
        """Return (size, size, 3) rgb."""
        self._camera.fixedcamid = self._model.camera(camera).id
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, data, self._option, None, self._camera, everything, self._scene)
        rectangle = mujoco.MjrRect(0, 0, size, size)
        image = np.empty((size, size, 3), np.uint8)
        mujoco.mjr_render(rectangle, self._scene, self._context)
        mujoco.mjr_readPixels(image, None, rectangle, self._context)
        return image[::-1]


class SceneImageGenerator:
    """Renders images of one scene after the other.

    Args:
        sizes: of the network.
        seed: of the first scene, >= seeds.TRAINING.

    Raises:
        ValueError: the seed is one of evaluation.
    """

    def __init__(self, sizes: Sizes, seed: int) -> None:
        if seed < seeds.TRAINING:
            raise ValueError(f"seed {seed} is one of evaluation; training begins at {seeds.TRAINING}")
        self._sizes, self._seed = sizes, seed
        self._kinematics = Kinematics(urdf(), JOINT_NAMES)
        self._layout = layout(sizes)

    def images(self, scene_index: int, count: int) -> Iterator[Record]:
        """Yield `count` records with the surfaces, light and shapes of one scene."""
        seed = self._seed + scene_index
        rng = np.random.default_rng([seed, 7])
        variation = replace(TRAINING, cameras=bool(rng.random() < SHIFTED_SHARE))
        scene, _ = sample_varied(seed, "", variation)
        model = mujoco.MjModel.from_xml_string(xml(scene))
        data = mujoco.MjData(model)
        renderer = _SceneRenderer(model)
        made = 0
        while made < count:
            spec = sample(rng, scene.objects)
            if self._place(model, data, spec, rng):
                made += 1
                yield self._record(model, data, renderer, spec)

    def _place(self, model: mujoco.MjModel, data: mujoco.MjData, spec: ImageSpec, rng: np.random.Generator) -> bool:
        """Place arm and objects; return False where the arm cannot reach its pose."""
        T_base_tool = np.eye(4)
        T_base_tool[:3, :3] = pointing_down(np.array(spec.yaw))
        T_base_tool[:3, 3] = spec.p_tool
        q = np.clip(HOME + rng.normal(0, START_NOISE_RAD, 8), POSITION_LOWER, POSITION_UPPER)
        for pull in PULLS:
            q = self._kinematics.follow(T_base_tool, q, pull)
        away = np.abs(self._kinematics.forward(q) - T_base_tool).max()
        if away > POSE_TOLERANCE or (q < POSITION_LOWER).any() or (q[:7] > POSITION_UPPER[:7]).any():
            return False
        q[-1] = np.clip(spec.finger, 0.0, 0.04)
        for name, value in zip(JOINT_NAMES, q, strict=True):
            data.qpos[model.joint(name).qposadr[0]] = value
        data.qpos[model.joint(MIMIC_JOINT).qposadr[0]] = q[JOINT_NAMES.index(FINGER_JOINT)]
        self._q = q
        poses = zip(spec.objects, spec.p_objects, spec.yaws, self._bodies(model, spec), strict=True)
        for scene_object, p, yaw, drawn in poses:
            address = model.jnt_qposadr[model.body_jntadr[drawn]]
            data.qpos[address : address + 3] = p
            data.qpos[address + 3 : address + 7] = np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)
            if scene_object.colour in RGB:
                tint = np.clip(np.array(scene_object.rgb) * rng.uniform(0.85, 1.1) + rng.normal(0, 0.02, 3), 0.0, 1.0)
                first = model.body_geomadr[drawn]
                model.geom_rgba[first : first + model.body_geomnum[drawn], :3] = tint
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        return True

    def _bodies(self, model: mujoco.MjModel, spec: ImageSpec) -> list[int]:
        """Return the bodies of the objects, which are in the model in the order of the scene."""
        first = model.nbody - len(spec.objects)
        return list(range(first, model.nbody))

    def _record(
        self,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        renderer: _SceneRenderer,
        spec: ImageSpec,
    ) -> Record:
        sizes = self._sizes
        record = np.zeros((), self._layout)
        cameras, images = {}, []
        size = sizes.image
        for index, camera in enumerate(sizes.cameras):
            images.append(projection.resized(renderer.render(data, camera, RENDER_SIZE), projection.UPSCALE * size))
            record["images"][index] = projection.resized(images[index], size)
            at = model.camera(camera).id
            pose = np.eye(4)
            pose[:3, :3] = data.cam_xmat[at].reshape(3, 3) @ np.diag([1.0, -1.0, -1.0])
            pose[:3, 3] = data.cam_xpos[at]
            k = scaled_intrinsics(intrinsics(camera, RENDER_SIZE, RENDER_SIZE), RENDER_SIZE, RENDER_SIZE, size)
            cameras[camera] = Pinhole(k, pose)
            record["T_base_camera"][index], record["k"][index] = pose, k
        parsed_steps = [*spec.parsed_steps, *[EMPTY_STEP] * sizes.steps][: sizes.steps]
        record["text"] = spec.text
        record["parsed_steps"] = [parsed_step.indices() for parsed_step in parsed_steps]
        record["step"] = spec.step
        record["q"], record["finger_velocity"] = self._q, spec.finger_velocity
        T_base_tool = self._kinematics.forward(self._q)
        record["p_tool"], record["yaw"] = T_base_tool[:3, 3], yaw_of(T_base_tool[:3, :3])
        record_named(record, spec, [cameras[camera] for camera in sizes.cameras], size)
        for index, camera in enumerate(sizes.cameras):
            record["tool_cell"][index] = grid_cell(cameras[camera], T_base_tool[:3, 3], size)
        self._label(record, spec, [cameras[camera] for camera in sizes.cameras])
        for index, picture in enumerate(images):
            cells = np.concatenate(
                [record["cells"][index], record["tool_cell"][index][None], record["named_cells"][index]]
            ).astype(np.float64)
            centres = np.rint(projection.upscale(projection.to_pixels(cells[:, :2]))).astype(np.int16)
            record["crop_centres"][index] = centres
            for slot in np.flatnonzero(cells[:, 2]):
                record["crops"][index, slot] = projection.crop(picture, centres[slot], STORED_CROP)
        return record

    def _label(self, record: Record, spec: ImageSpec, cameras: Sequence[Pinhole]) -> None:
        """Store the labels of the teacher; subtask -1 where x is absent."""
        if spec.now is None:
            record["subtask"] = -1
            return
        now = spec.now
        record["start"] = now.start
        for role, scene_object in enumerate((now.x, now.y)):
            if scene_object is None:
                continue
            record["objects"][role] = *scene_object.p, *scene_object.yaw4, 1.0
            for index, camera in enumerate(cameras):
                record["cells"][index, role] = grid_cell(camera, scene_object.p, self._sizes.image)
        label = teacher.label(now)
        record["subtask"], record["waypoints"] = label.subtask, label.waypoints
        record["anchors"], record["progress"] = label.anchors, label.progress


def record_named(record: Record, spec: ImageSpec, cameras: Sequence[Pinhole], size: int) -> None:
    """Store all named objects, and where they are in the images."""
    row = 0
    for scene_object, p, yaw in zip(spec.objects, spec.p_objects, spec.yaws, strict=True):
        if scene_object.shape not in SHAPES:
            continue
        turn = teacher.TeacherObject(p, float(yaw), scene_object.shape, scene_object.height, scene_object.radius).yaw4
        record["named_objects"][row] = (
            COLOURS.index(scene_object.colour or "none"),
            SHAPES.index(scene_object.shape),
            *p,
            *turn,
        )
        for index, camera in enumerate(cameras):
            record["named_cells"][index, row] = grid_cell(camera, p, size)
        row += 1


def grid_cell(camera: Pinhole, p: Array, size: int) -> tuple[float, float, float]:
    """Return the position (u, v) of a point on the grid of an image of `size` pixels, and 1; zeros where it is outside."""
    u, v, depth = camera.project(p)
    if depth < 0.03 or not (0 <= u <= size - 1 and 0 <= v <= size - 1):
        return 0.0, 0.0, 0.0
    u, v = to_cells(np.array([u, v]))
    return float(u), float(v), 1.0


def make(path: Path, sizes: Sizes, scenes: int, per_scene: int, seed: int, report: Callable[[int], None]) -> None:
    """Write `scenes` x `per_scene` records to the .npy file `path`; continues where it was interrupted.

    Args:
        path: of the file.
        sizes: of the network.
        scenes, per_scene: how many.
        seed: of the first scene.
        report: called after each scene with the number of records in the file.
    """
    done_file = path.with_suffix(".done")
    done = int(done_file.read_text()) if done_file.is_file() and path.is_file() else 0
    shape = (scenes * per_scene,)
    array = open_memmap(path, "r+" if done else "w+", layout(sizes), None if done else shape)
    generator = SceneImageGenerator(sizes, seed)
    for scene in range(done, scenes):
        for row, record in enumerate(generator.images(scene, per_scene)):
            array[scene * per_scene + row] = record
        array.flush()
        done_file.write_text(str(scene + 1))
        report((scene + 1) * per_scene)


def count(path: Path) -> int:
    """Return of how many scenes the records in `path` are complete."""
    done_file = path.with_suffix(".done")
    return int(done_file.read_text()) if done_file.is_file() else 0


def observations(records: NDArray[np.void], cameras: Sequence[str]) -> dict[str, dict[str, list[float]]]:
    """Return the statistics of images and joints, in the form of a LeRobotDataset's stats.json, for the drift monitor.

    Args:
        records: see `layout`.
        cameras: names of the images of a record, in order.
    """
    images = records["images"].astype(np.float32) / 255.0
    found = {}
    for index, camera in enumerate(cameras):
        pixels = images[:, index].reshape(-1, 3)
        found[f"observation.images.{camera}"] = {"mean": _rounded(pixels.mean(0)), "std": _rounded(pixels.std(0))}
    low, high = np.quantile(records["q"], (0.01, 0.99), axis=0)
    found["observation.state"] = {"q01": _rounded(low), "q99": _rounded(high)}
    return found


def _rounded(values: NDArray[np.floating]) -> list[float]:
    return [round(float(value), 4) for value in values]
