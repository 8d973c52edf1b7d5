"""Images of a scene, drawn in a process of its own so that physics keeps its pace.

EGL, then OSMesa, then rays without any OpenGL: each is tried in the drawing process itself, which ends when it fails.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.connection import Connection

import mujoco
import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array, Image
from vla_ros.end_signals import ended_by_parent
from vla_ros.scheduling import raise_priority
from vla_ros.sim.model import CAMERAS

Geoms = NDArray[np.int32]
BACKENDS = ("egl", "osmesa", "ray")
START_S = 30.0
FAR_M = 50.0  # that rays go


class CameraRenderer:
    """Draws with MuJoCo's renderer (OpenGL), or with rays. Call `render` with the MjData to draw."""

    def __init__(self, model: mujoco.MjModel, size: int, backend: str) -> None:
        self._model = model
        self._size = size
        self._renderer = None
        if backend != "ray":
            self._renderer = mujoco.Renderer(model, size, size)

    def render(self, data: mujoco.MjData, camera: str) -> Image:
        """Return (size, size, 3) rgb."""
        if self._renderer is None:
            return render_by_rays(self._model, data, camera, self._size)
        self._renderer.update_scene(data, camera)
        image: Image = self._renderer.render()
        return image

    def close(self) -> None:
        """Free the renderer."""
        if self._renderer is not None:
            self._renderer.close()


def render_by_rays(model: mujoco.MjModel, data: mujoco.MjData, camera: str, size: int) -> Image:
    """Draw without OpenGL: one ray per pixel, matte shading with the scene's lights."""
    at = model.camera(camera).id
    half = math.tan(math.radians(model.cam_fovy[at]) / 2)
    grid = (np.arange(size) + 0.5) / size * 2 - 1
    x, y = np.meshgrid(grid * half, -grid * half)
    rays = np.stack([x, y, -np.ones_like(x)], -1).reshape(-1, 3)
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    rays = rays @ data.cam_xmat[at].reshape(3, 3).T
    geoms, normals = first_hits(model, data, camera, rays)
    hit = geoms >= 0
    colours = model.geom_rgba[:, :3].copy()
    for geom in np.flatnonzero(model.geom_matid >= 0):
        textures = model.mat_texid[model.geom_matid[geom]]
        for texture in textures[textures >= 0][:1]:
            # Not its pattern: its mean colour.
            count = model.tex_height[texture] * model.tex_width[texture] * model.tex_nchannel[texture]
            pixels = model.tex_data[model.tex_adr[texture] : model.tex_adr[texture] + count]
            colours[geom] = pixels.reshape(-1, model.tex_nchannel[texture]).mean(0)[:3] / 255.0
    light = model.vis.headlight.ambient + model.vis.headlight.diffuse * np.clip(-(normals * rays).sum(1), 0, 1)[:, None]
    for lamp in range(model.nlight):
        light = light + model.light_diffuse[lamp] * np.clip(-normals @ data.light_xdir[lamp], 0, 1)[:, None]
    image = np.where(hit[:, None], colours[geoms] * np.clip(light, 0, 1.2), 0.0)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8).reshape(size, size, 3)


def first_hits(model: mujoco.MjModel, data: mujoco.MjData, camera: str, rays: Array) -> tuple[Geoms, Array]:
    """Return which geom each ray from a camera meets, -1 for none, and its normal there (n, 3).

    What is nearer than the near plane is not seen, as in OpenGL: the rim of the wrist camera's own housing.

    Args:
        rays: (n, 3) unit vectors in the base frame.
    """
    at = model.camera(camera).id
    origin, count = data.cam_xpos[at], len(rays)
    geoms, distances, normals = np.full(count, -1, np.int32), np.zeros(count), np.zeros((count, 3))
    mujoco.mj_multiRay(
        model, data, origin, rays.reshape(-1), None, True, -1, geoms, distances, normals.reshape(-1), count, FAR_M
    )
    forward = -data.cam_xmat[at].reshape(3, 3)[:, 2]
    first = model.vis.map.znear * model.stat.extent / np.maximum(rays @ forward, 1e-3)
    found = np.zeros(1, np.int32)
    for row in np.flatnonzero((geoms >= 0) & (distances < first)):
        start = origin + first[row] * rays[row]
        mujoco.mj_ray(model, data, start, rays[row], None, True, -1, found, normals[row])
        geoms[row] = found[0]
    return geoms, normals


class RenderProcess:
    """Args: xml: of the scene. size: rows and columns. backend: one of BACKENDS or "auto". live: time does not wait for it.

    Attributes: backend: what draws.

    Raises:
        RuntimeError: nothing can draw here; later, from any method: what did has ended.
    """

    def __init__(self, xml: str, size: int, backend: str = "auto", live: bool = False) -> None:
        self._live = live
        self._context = multiprocessing.get_context("spawn")
        tried = []
        for candidate in BACKENDS if backend == "auto" else (backend,):
            self._start(xml, size, candidate)
            try:
                answer = self._connection.recv() if self._connection.poll(START_S) else "no answer"
            except EOFError:
                answer = "it ended"
            if answer is None:
                self.backend = candidate
                self.waiting = False
                return
            tried.append(f"{candidate}: {answer}")
            self.close()
        raise RuntimeError(f"no renderer works ({'; '.join(tried)}); on Debian: apt-get install libegl1 libgl1")

    def _start(self, xml: str, size: int, backend: str) -> None:
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=_serve, args=(theirs, xml, size, backend, self._live), daemon=True, name="cameras"
        )
        drawing = {
            "MUJOCO_GL": "disable" if backend == "ray" else backend,
            # OpenGL without a graphics processor: its threads wait for each other, and so for two free cores.
            "LP_NUM_THREADS": os.environ.get("LP_NUM_THREADS", "0"),
        }
        kept = {name: os.environ.get(name) for name in drawing}
        os.environ.update(drawing)
        try:
            self._process.start()
        finally:
            for name, value in kept.items():
                del os.environ[name]
                if value is not None:
                    os.environ[name] = value
        theirs.close()

    def scene(self, xml: str) -> None:
        """Draw another scene from now on."""
        self.finish()
        with self._alive():
            self._connection.send(xml)

    def request(self, stamp_ns: int, qpos: Array, cameras: tuple[str, ...] = CAMERAS) -> bool:
        """Ask for images of a state; False while the last ones are still being drawn."""
        if self.waiting:
            return False
        with self._alive():
            self._connection.send((stamp_ns, qpos.copy(), cameras))
        self.waiting = True
        return True

    def poll(self, timeout_s: float = 0.0) -> tuple[int, dict[str, Image]] | None:
        """Return (stamp_ns, images by camera) when they are ready."""
        with self._alive():
            if not self.waiting or not self._connection.poll(timeout_s):
                return None
            stamp_ns, images = self._connection.recv()
        self.waiting = False
        return stamp_ns, images

    def finish(self) -> None:
        """Let what is being drawn be done, and drop it."""
        if self.waiting:
            with self._alive():
                self._connection.recv()
            self.waiting = False

    @contextlib.contextmanager
    def _alive(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError):
            raise RuntimeError(f"the process that draws ({self.backend}) has ended; start again") from None

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.join(0.5)
        if self._process.is_alive():
            self._process.kill()
            self._process.join(1.0)


def add_sensor_noise(image: Image, stamp_ns: int) -> None:
    """Change the last bit of some pixels, as every sensor does: the picture of a scene at rest is not a frozen one."""
    some = image[::16, ::16]
    some ^= np.random.default_rng(stamp_ns).integers(0, 2, some.shape, np.uint8)


def _serve(connection: Connection, xml: str, size: int, backend: str, live: bool) -> None:
    ended_by_parent()
    if live:
        raise_priority()
    with contextlib.suppress(EOFError, OSError, BrokenPipeError):
        try:
            model = mujoco.MjModel.from_xml_string(xml)
            data = mujoco.MjData(model)
            renderer = CameraRenderer(model, size, backend)
            mujoco.mj_forward(model, data)
            renderer.render(data, CAMERAS[0])
        except Exception as error:
            connection.send(f"{type(error).__name__}: {error}")
            return
        connection.send(None)
        while True:
            message = connection.recv()
            if isinstance(message, str):
                renderer.close()
                model = mujoco.MjModel.from_xml_string(message)
                data = mujoco.MjData(model)
                renderer = CameraRenderer(model, size, backend)
                continue
            stamp_ns, data.qpos[:], cameras = message
            mujoco.mj_kinematics(model, data)
            mujoco.mj_camlight(model, data)
            connection.send((stamp_ns, {camera: renderer.render(data, camera) for camera in cameras}))
