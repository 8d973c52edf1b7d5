"""Images without a simulator: outlines of objects, filled with their colours."""

from __future__ import annotations

import cv2
import numpy as np

from vla_ros.arrays import Image
from vla_ros.perception.intrinsics import pinhole_matrix
from vla_ros.perception.pinhole import PinholeCamera
from vla_ros.policies.classical.shape_fitting import FittedShape
from vla_ros.sim.arm_description import origin_of
from vla_ros.tasks.objects import rgb_of

CAMERA = PinholeCamera(pinhole_matrix(256, 256, np.radians(45.0)), origin_of("front_camera_optical"))
RED_CUBE = FittedShape("cube", np.array([0.5, 0.1, 0.0]), 0.3, 0.044, 0.044)
BLUE_CYLINDER = FittedShape("cylinder", np.array([0.55, -0.1, 0.0]), 0.0, 0.044, 0.055)
RED_BALL = FittedShape("ball", np.array([0.45, -0.05, 0.0]), 0.0, 0.044, 0.044)


def draw(*objects: tuple[str, FittedShape]) -> Image:
    """Return what the camera sees of these objects (colour, shape) on a grey table."""
    image = np.full((256, 256, 3), 120, np.uint8)
    for colour, shape in objects:
        hull = cv2.convexHull(np.round(shape.outline(CAMERA) * 16).astype(np.int32))
        cv2.fillConvexPoly(image, hull, [round(255 * part) for part in rgb_of(shape.shape, colour)], shift=4)
    return image
