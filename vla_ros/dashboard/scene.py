"""The 3D view: the arm, the ghost of what is proposed, waypoints and what others publish as markers. viser carries it."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.sightings import Shape
from vla_ros.parameters import ParameterError

Array = NDArray[np.float64]

GHOST = (64, 196, 255)
PATH = (64, 196, 255)
WAYPOINT = (255, 196, 0)
NOTHING = np.zeros((0, 2, 3), np.float32)


class Scene:
    """Serves the view on a port of its own of this machine; `server.py` passes it on to browsers.

    Only what has changed is sent, and each browser gets the newest state of a thing, never a backlog: viser keeps one
    message for each thing and property.

    Args: arm: whose shapes are drawn.

    Raises:
        ParameterError: viser is not installed.
    """

    def __init__(self, arm: Arm) -> None:
        try:
            import viser
        except ImportError:
            raise ParameterError(
                "viser, which draws the 3D view, is not installed: pip install viser, or start without the dashboard"
            ) from None
        with contextlib.redirect_stdout(io.StringIO()):  # people are to open the dashboard's address, not viser's
            self._server = viser.ViserServer(host="127.0.0.1", port=0, verbose=False)
        # viser lets any viewer ask for a public address, for which it opens a tunnel to a server of its makers.
        self._server.request_share_url = lambda verbose=True: None  # type: ignore[method-assign]
        self._arm = arm
        self._scene = self._server.scene
        self._server.gui.configure_theme(dark_mode=True, show_logo=False, show_share_button=False)
        self._server.initial_camera.position = (1.95, -1.45, 1.15)
        self._server.initial_camera.look_at = (0.22, 0.0, 0.36)
        self._server.initial_camera.fov = 0.7
        self._scene.set_up_direction("+z")
        self._scene.add_grid(
            "/grid",
            width=2.4,
            height=2.4,
            cell_size=0.1,
            section_size=0.5,
            cell_color=(44, 52, 64),
            section_color=(70, 82, 100),
            plane_color=(22, 27, 35),
            plane_opacity=1.0,
            position=(0.3, 0.0, -0.001),
        )
        self._bodies = {"/arm": self._body("/arm", None), "/ghost": self._body("/ghost", 0.28)}
        self._placed: dict[str, tuple[float, ...]] = {}
        self._ghost = self._bodies["/ghost"][0]
        self._ghost.visible = False
        self._path = self._scene.add_line_segments("/path", NOTHING, PATH, thickness=3.0, thickness_units="screen")
        self._way = self._scene.add_line_segments("/way", NOTHING, WAYPOINT, thickness=2.0, thickness_units="screen")
        self._points = self._scene.add_point_cloud(
            "/waypoints", np.zeros((1, 3), np.float32), WAYPOINT, point_size=0.014, point_shape="circle", visible=False
        )
        self._lines: dict[str, bytes] = {}
        self._shapes: dict[str, tuple[Shape, Any]] = {}

    @property
    def port(self) -> int:
        """Where it listens on localhost."""
        return self._server.get_port()

    def stop(self) -> None:
        """End serving."""
        with contextlib.redirect_stdout(io.StringIO()):
            self._server.stop()

    def draw(
        self,
        q: Sequence[float] | None,
        proposed: Sequence[float] | None,
        path: Array,
        waypoints: Array,
        shapes: Iterable[Shape],
    ) -> None:
        """Show the present.

        Args:
            q: measured joints, rad or m, in the arm's order; None: unknown, the arm stays as it is.
            proposed: joints at the end of what System 1 intends; None: nothing is proposed, no ghost.
            path: (n, 3) m, the tool on the way there. waypoints: (m, 3) m, of the planner, nearest first.
            shapes: all that others want drawn; what is not among them any more goes.
        """
        waypoints = waypoints[np.isfinite(waypoints).all(axis=1)]
        with self._server.atomic():
            if q is not None:
                self._move("/arm", q)
            if proposed is not None:
                self._move("/ghost", proposed)
            if self._ghost.visible != (proposed is not None):
                self._ghost.visible = proposed is not None
            self._polyline("path", self._path, path if proposed is not None else path[:0])
            self._polyline("way", self._way, waypoints)
            if self._changed("waypoints", waypoints):
                self._points.visible = len(waypoints) > 0
                if len(waypoints):
                    self._points.points = waypoints.astype(np.float32)
            self._markers({shape.key: shape for shape in shapes})

    def _body(self, root: str, opacity: float | None) -> list[Any]:
        """Frames of all joints, each below its parent, with the meshes that they carry."""
        paths: list[str] = []
        frames = []
        for joint, (parent, name) in enumerate(self._arm.joints):
            paths.append(f"{paths[parent]}/{name}" if joint else root)
            frames.append(self._scene.add_frame(paths[-1], show_axes=False))
        for i, mesh in enumerate(self._arm.meshes()):
            red, green, blue = GHOST if opacity else (round(255 * part) for part in mesh.colour)
            self._scene.add_mesh_simple(
                f"{paths[mesh.joint]}/mesh{i}",
                mesh.vertices,
                mesh.faces,
                color=(red, green, blue),
                opacity=opacity,
                cast_shadow=opacity is None,
                receive_shadow=opacity is None,
            )
        return frames

    def _move(self, root: str, q: Sequence[float]) -> None:
        rounded = tuple(round(value, 4) for value in q)
        if self._placed.get(root) == rounded:
            return
        self._placed[root] = rounded
        self._arm.place(q)
        for joint, frame in enumerate(self._bodies[root][1:], 1):
            frame.position, frame.wxyz = self._arm.joint_pose(joint)

    def _changed(self, name: str, points: Array) -> bool:
        seen = points.round(3).tobytes()
        changed = self._lines.get(name) != seen
        self._lines[name] = seen
        return changed

    def _polyline(self, name: str, handle: Any, points: Array) -> None:
        if self._changed(name, points):
            segments = np.stack([points[:-1], points[1:]], 1) if len(points) > 1 else NOTHING
            handle.points = segments.astype(np.float32)

    def _markers(self, wanted: dict[str, Shape]) -> None:
        for key in [key for key in self._shapes if key not in wanted]:
            self._shapes.pop(key)[1].remove()
        for key, newest in wanted.items():
            shape = replace(newest, until_ns=0)
            before, handle = self._shapes.get(key, (None, None))
            if before == shape:
                continue
            alike = before is not None and _look(before) == _look(shape)
            self._shapes[key] = shape, self._moved(handle, shape) if alike else self._added(shape)

    def _moved(self, handle: Any, shape: Shape) -> Any:
        """The same thing elsewhere."""
        x, y, z, w = shape.quaternion
        handle.position, handle.wxyz = shape.position, (w, x, y, z)
        if shape.kind in ("lines", "path"):
            handle.points = _segments(shape)
        elif shape.kind == "arrow":
            handle.points = _arrow(shape)
        elif shape.kind == "text":
            handle.text = shape.text
        return handle

    def _added(self, shape: Shape) -> Any:
        x, y, z, w = shape.quaternion
        name = f"/markers/{shape.key}"
        place: dict[str, Any] = {"position": shape.position, "wxyz": (w, x, y, z)}
        red, green, blue, alpha = (min(1.0, max(0.0, part)) for part in shape.colour)
        colour = round(255 * red), round(255 * green), round(255 * blue)
        solid: dict[str, Any] = {
            "color": colour,
            "opacity": alpha if alpha < 1 else None,
            "cast_shadow": False,
            **place,
        }
        if shape.kind == "box":
            return self._scene.add_box(name, dimensions=shape.size, **solid)
        if shape.kind == "sphere":
            return self._scene.add_icosphere(name, radius=0.5, scale=shape.size, **solid)
        if shape.kind == "cylinder":
            return self._scene.add_cylinder(name, radius=0.5, height=1.0, scale=shape.size, **solid)
        if shape.kind == "arrow":
            shaft = shape.size[1] / 2
            return self._scene.add_arrows(
                name, _arrow(shape), colour, shaft_radius=shaft, head_radius=2 * shaft, head_length=4 * shaft, **place
            )
        if shape.kind == "text":
            return self._scene.add_label(name, shape.text, font_screen_scale=0.8, anchor="bottom-center", **place)
        return self._scene.add_line_segments(
            name, _segments(shape), colour, thickness=2.0, thickness_units="screen", **place
        )


def _look(shape: Shape) -> tuple[object, ...]:
    """What cannot change on a thing that is drawn already."""
    return shape.kind, shape.size, shape.colour


def _segments(shape: Shape) -> NDArray[np.float32]:
    """(n, 2, 3) of a list of lines (two points each) or of a path."""
    points = np.reshape(np.array(shape.points, np.float32), (-1, 3))
    if shape.kind == "lines":
        return points[: len(points) // 2 * 2].reshape(-1, 2, 3)
    return np.stack([points[:-1], points[1:]], 1) if len(points) > 1 else NOTHING


def _arrow(shape: Shape) -> NDArray[np.float32]:
    """(1, 2, 3): from its first point to its second, or size[0] along x."""
    if len(shape.points) > 1:
        return np.array([shape.points[:2]], np.float32)
    return np.array([[(0.0, 0.0, 0.0), (shape.size[0], 0.0, 0.0)]], np.float32)
