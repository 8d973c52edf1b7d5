"""The camera images of the page, and what is drawn into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vla_ros.arrays import Array
from vla_ros.dashboard.arm import Arm
from vla_ros.dashboard.observations import CameraImage
from vla_ros.dashboard.overlay import project
from vla_ros.perception import jpeg
from vla_ros.time import NS_PER_S

JPEG_QUALITY = 82


class CameraPanel:
    """Holds the newest set of images as JPEGs.

    Args:
        arm: knows the poses of cameras that are links of the URDF.
        poses: T_base_camera (4, 4) of cameras with a fixed pose, or the pose on a link.
        links: camera → that link; absent or empty: the base frame.

    Attributes:
        images: the JPEGs, one after the other. number: of the set.
    """

    def __init__(self, arm: Arm, poses: Mapping[str, Array], links: Mapping[str, str]) -> None:
        self._arm, self._poses, self._links = arm, poses, links
        self._entries: list[dict[str, object]] = []
        self._taken_ns: list[int] = []
        self.images = b""
        self.number = 0

    def update(
        self, now_ns: int, ros_ns: int, images: Sequence[CameraImage], waypoints: Array, path: Array, placed: bool
    ) -> None:
        """Take a new set of images; where one cannot be encoded, the set before stays.

        Args:
            now_ns: monotonic. ros_ns: now, on the clock of the images' stamps.
            images: one per camera.
            waypoints: (n, 3) m, base, of the plan. path: (m, 3) m, base, of the tool.
            placed: the arm's joints are known, and `arm` stands where they were when the images were taken.
        """
        jpegs = [jpeg.encode(image.image, JPEG_QUALITY) for image in images]
        self._entries = [
            {
                "name": image.name,
                "health": image.health,
                "bytes": len(encoded),
                **(self._overlay(image, waypoints, path) if placed else {}),
            }
            for image, encoded in zip(images, jpegs, strict=True)
        ]
        self.images = b"".join(jpegs)
        # On the monotonic clock, so that images grow old also when the clock of their stamps stands still.
        self._taken_ns = [now_ns - max(0, ros_ns - (image.stamp_ns or ros_ns)) for image in images]
        self.number += 1

    def content(self, now_ns: int) -> list[dict[str, object]]:
        """Return one entry per camera for the document."""
        return [
            {**entry, "age_s": round((now_ns - taken_ns) / NS_PER_S, 1)}
            for entry, taken_ns in zip(self._entries, self._taken_ns, strict=True)
        ]

    def _overlay(self, image: CameraImage, waypoints: Array, path: Array) -> dict[str, object]:
        """Waypoints and path in fractions of the image's width and height; empty where the camera's pose is not known."""
        pose, link = self._poses.get(image.name), self._links.get(image.name, "")
        if pose is None or link:
            mount = self._arm.link_pose(link or image.frame_id)
            pose = mount if mount is None or pose is None else mount @ pose
        if pose is None or image.k is None:
            return {}
        height, width = image.image.shape[:2]
        return {
            name: [
                None if pixel is None else [round(pixel[0] / width, 4), round(pixel[1] / height, 4)]
                for pixel in project(points, image.k, pose)
            ]
            for name, points in (("waypoints", waypoints), ("path", path))
        }
