"""The 3D view, served by viser: the arm, the proposed arm, waypoints, and what others publish as markers."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array
from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.observations import MarkerShape
from vla_ros.parameters import ParameterError

PROPOSED_COLOUR = (64, 196, 255)
WAYPOINT_COLOUR = (255, 196, 0)
PROPOSED_OPACITY = 0.28
NO_SEGMENTS = np.zeros((0, 2, 3), np.float32)
ARM, PROPOSED_ARM = "/arm", "/proposed_arm"


class Scene3D:
    """Serves the view on a port of its own on localhost; `websocket_proxy.py` passes it on to browsers.

    Only changes are sent, and a slow browser gets the newest state of a thing, never a backlog: viser keeps one message for
    each thing and property.

    Args:
        arm: whose shapes are drawn.

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
        with contextlib.redirect_stdout(io.StringIO()):  # people open the dashboard's address, not viser's
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
        self._bodies = {ARM: self._add_arm(ARM, None), PROPOSED_ARM: self._add_arm(PROPOSED_ARM, PROPOSED_OPACITY)}
        self._drawn_q: dict[str, tuple[float, ...]] = {}
        self._proposed = self._bodies[PROPOSED_ARM][0]
        self._proposed.visible = False
        self._tool_path = self._scene.add_line_segments(
            "/tool_path", NO_SEGMENTS, PROPOSED_COLOUR, thickness=3.0, thickness_units="screen"
        )
        self._plan_path = self._scene.add_line_segments(
            "/plan_path", NO_SEGMENTS, WAYPOINT_COLOUR, thickness=2.0, thickness_units="screen"
        )
        self._points = self._scene.add_point_cloud(
            "/waypoints",
            np.zeros((1, 3), np.float32),
            WAYPOINT_COLOUR,
            point_size=0.014,
            point_shape="circle",
            visible=False,
        )
        self._drawn_points: dict[str, bytes] = {}
        self._shapes: dict[str, tuple[MarkerShape, Any]] = {}

    @property
    def port(self) -> int:
        """Port on localhost."""
        return self._server.get_port()

    def stop(self) -> None:
        """End serving."""
        with contextlib.redirect_stdout(io.StringIO()):
            self._server.stop()

    def draw(
        self,
        q: Sequence[float] | None,
        proposed: Sequence[float] | None,
        tool_path: Array,
        waypoints: Array,
        shapes: Iterable[MarkerShape],
    ) -> None:
        """Draw the present state.

        Args:
            q: measured joints, rad or m, in the arm's order; None: unknown, the arm stays as it is.
            proposed: joints at the end of the action chunk; None: nothing is proposed, the proposed arm is hidden.
            tool_path: (n, 3) m, base, of the tool along the chunk.
            waypoints: (m, 3) m, base, of the plan, nearest first.
            shapes: all markers; those drawn before that are not among them are removed.
        """
        waypoints = waypoints[np.isfinite(waypoints).all(axis=1)]
        with self._server.atomic():
            if q is not None:
                self._move(ARM, q)
            if proposed is not None:
                self._move(PROPOSED_ARM, proposed)
            if self._proposed.visible != (proposed is not None):
                self._proposed.visible = proposed is not None
            self._draw_polyline("tool_path", self._tool_path, tool_path if proposed is not None else tool_path[:0])
            self._draw_polyline("plan_path", self._plan_path, waypoints)
            if self._changed("waypoints", waypoints):
                self._points.visible = len(waypoints) > 0
                if len(waypoints):
                    self._points.points = waypoints.astype(np.float32)
            self._draw_markers({shape.key: shape for shape in shapes})

    def _add_arm(self, root: str, opacity: float | None) -> list[Any]:
        """Add the frames of all joints, each below its parent, with their meshes. opacity: None: opaque."""
        paths: list[str] = []
        frames = []
        for joint, (parent, name) in enumerate(self._arm.joints):
            paths.append(f"{paths[parent]}/{name}" if joint else root)
            frames.append(self._scene.add_frame(paths[-1], show_axes=False))
        for i, mesh in enumerate(self._arm.meshes()):
            red, green, blue = PROPOSED_COLOUR if opacity else (round(255 * part) for part in mesh.colour)
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
        if self._drawn_q.get(root) == rounded:
            return
        self._drawn_q[root] = rounded
        self._arm.set_joints(q)
        for joint, frame in enumerate(self._bodies[root][1:], 1):
            frame.position, frame.wxyz = self._arm.joint_pose(joint)

    def _changed(self, name: str, points: Array) -> bool:
        rounded = points.round(3).tobytes()
        changed = self._drawn_points.get(name) != rounded
        self._drawn_points[name] = rounded
        return changed

    def _draw_polyline(self, name: str, handle: Any, points: Array) -> None:
        if self._changed(name, points):
            segments = np.stack([points[:-1], points[1:]], 1) if len(points) > 1 else NO_SEGMENTS
            handle.points = segments.astype(np.float32)

    def _draw_markers(self, wanted: dict[str, MarkerShape]) -> None:
        for key in [key for key in self._shapes if key not in wanted]:
            self._shapes.pop(key)[1].remove()
        for key, newest in wanted.items():
            shape = replace(newest, until_ns=0)
            before, handle = self._shapes.get(key, (None, None))
            if before == shape:
                continue
            movable = before is not None and _appearance(before) == _appearance(shape)
            self._shapes[key] = shape, self._move_marker(handle, shape) if movable else self._add_marker(shape)

    def _move_marker(self, handle: Any, shape: MarkerShape) -> Any:
        """Change pose, points or text of a marker that is drawn already."""
        x, y, z, w = shape.quaternion
        handle.position, handle.wxyz = shape.position, (w, x, y, z)
        if shape.kind in ("lines", "path"):
            handle.points = _segments(shape)
        elif shape.kind == "arrow":
            handle.points = _arrow(shape)
        elif shape.kind == "text":
            handle.text = shape.text
        return handle

    def _add_marker(self, shape: MarkerShape) -> Any:
        x, y, z, w = shape.quaternion
        name = f"/markers/{shape.key}"
        pose: dict[str, Any] = {"position": shape.position, "wxyz": (w, x, y, z)}
        red, green, blue, alpha = (min(1.0, max(0.0, part)) for part in shape.colour)
        colour = round(255 * red), round(255 * green), round(255 * blue)
        solid: dict[str, Any] = {
            "color": colour,
            "opacity": alpha if alpha < 1 else None,
            "cast_shadow": False,
            **pose,
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
                name, _arrow(shape), colour, shaft_radius=shaft, head_radius=2 * shaft, head_length=4 * shaft, **pose
            )
        if shape.kind == "text":
            return self._scene.add_label(name, shape.text, font_screen_scale=0.8, anchor="bottom-center", **pose)
        return self._scene.add_line_segments(
            name, _segments(shape), colour, thickness=2.0, thickness_units="screen", **pose
        )


def _appearance(shape: MarkerShape) -> tuple[object, ...]:
    """Return what cannot change on a marker that is drawn already."""
    return shape.kind, shape.size, shape.colour


def _segments(shape: MarkerShape) -> NDArray[np.float32]:
    """Return (n, 2, 3) m, base, of a list of lines (two points each) or of a path."""
    points = np.reshape(np.array(shape.points, np.float32), (-1, 3))
    if shape.kind == "lines":
        return points[: len(points) // 2 * 2].reshape(-1, 2, 3)
    return np.stack([points[:-1], points[1:]], 1) if len(points) > 1 else NO_SEGMENTS


def _arrow(shape: MarkerShape) -> NDArray[np.float32]:
    """Return (1, 2, 3) m: from the first point to the second, or size[0] along x."""
    if len(shape.points) > 1:
        return np.array([shape.points[:2]], np.float32)
    return np.array([[(0.0, 0.0, 0.0), (shape.size[0], 0.0, 0.0)]], np.float32)
