"""A camera's calibration from a file, as ROS's camera_calibration writes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError, yaml_of
from vla_ros.perception.camera_geometry import CameraGeometry, WrongCameraInfo, camera_geometry
from vla_ros.perception.intrinsics import resized


@dataclass(frozen=True)
class CameraCalibration:
    """What a sensor_msgs/CameraInfo says, of raw images.

    Attributes:
        height, width: of the images that were calibrated, pixel.
        k: (3, 3) of the raw image. p: (3, 4) of the rectified one; zero: none.
        d: distortion coefficients. distortion_model: as in CameraInfo.
    """

    height: int
    width: int
    k: Array
    p: Array
    d: Array
    distortion_model: str

    def geometry(self, height: int, width: int) -> CameraGeometry:
        """Return the geometry of raw images that were resized to this many rows and columns.

        Raises:
            WrongCameraInfo: none follows from the calibration.
        """
        before, size = (self.width, self.height), (width, height)
        k, p = resized(self.k, before, size), self.p
        if p.any():
            p = np.hstack([resized(p[:, :3], before, size), p[:, 3:]])
        scaled = CameraCalibration(height, width, k.ravel(), p.ravel(), self.d, self.distortion_model)
        return camera_geometry(scaled, size, rectified=False)


def read_calibration(file: str, where: str) -> CameraCalibration:
    """Read a file. where: how errors begin.

    Raises:
        ParameterError: it cannot be read, or gives no matrix of images.
    """
    tree = yaml_of(Path(file).expanduser(), where)
    try:
        calibration = CameraCalibration(
            int(tree["image_height"]),
            int(tree["image_width"]),
            np.array(tree["camera_matrix"]["data"], np.float64).reshape(3, 3),
            _numbers(tree, "projection_matrix", [0.0] * 12).reshape(3, 4),
            _numbers(tree, "distortion_coefficients", []),
            str(tree.get("distortion_model") or ""),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ParameterError(f"{where}: expected image_width, image_height and camera_matrix.data") from None
    if min(calibration.height, calibration.width) < 1:
        raise ParameterError(f"{where}: image_width and image_height must be positive")
    try:
        calibration.geometry(calibration.height, calibration.width)
    except WrongCameraInfo as error:
        raise ParameterError(f"{where}: {error}") from None
    return calibration


def _numbers(tree: Any, key: str, default: list[float]) -> Array:
    return np.array(tree.get(key, {}).get("data", default), np.float64)
