"""What a CameraInfo says of the images that come with it: their pinhole matrix, and how their distortion is taken out.

K and the distortion d belong to the raw image, P to the rectified one. A camera's images get one matrix:

- a rectified image has P's already (K's where there is no P);
- a raw image without distortion has K's;
- a raw image with distortion is undistorted, and has P's then (K's where there is no P).

Both are those of the full sensor: region of interest and binning scale them to the image. R is not applied: the image
stays that of the camera's own frame.

Source: sensor_msgs/msg/CameraInfo; image_geometry's rectification.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from vla_ros.arrays import Array, Depth, Image
from vla_ros.perception.intrinsics import cropped, resized

FISHEYE = ("equidistant", "fisheye")
COEFFICIENTS = {
    "plumb_bob": (4, 5),
    "rational_polynomial": (8, 12, 14),
    "": (4, 5, 8, 12, 14),
    **dict.fromkeys(FISHEYE, (4,)),
}
"""Distortion model → numbers of coefficients that it may have; "": not named, as many drivers leave it."""


class WrongCameraInfo(ValueError):
    """No matrix of the image follows from the CameraInfo; the text says why."""


class WrongImageSize(WrongCameraInfo):
    """The image has another size than the CameraInfo announces."""


@dataclass(frozen=True)
class CameraGeometry:
    """Of the images of one size.

    Attributes:
        k: (3, 3) pinhole matrix of the image that `undistorted` returns, pixel.
        maps: OpenCV's, from that image to the camera's; None: they are the same.
    """

    k: Array
    maps: tuple[Any, Any] | None = None

    def undistorted(self, image: Image) -> Image:
        """Return the image (H, W, 3) as a pinhole camera would have taken it; black where the camera saw nothing."""
        if self.maps is None:
            return image
        return np.asarray(cv2.remap(image, *self.maps, cv2.INTER_LINEAR), np.uint8)

    def undistorted_depth(self, depth: Depth) -> Depth:
        """Return depth (H, W), m, of the camera's pixels likewise; one of another size is returned as it is."""
        if self.maps is None or self.maps[0].shape[:2] != depth.shape:
            return depth
        # Nearest: interpolation over an edge would make surfaces that do not exist.
        remapped = cv2.remap(depth, *self.maps, cv2.INTER_NEAREST, borderValue=math.nan)
        return np.asarray(remapped, np.float32)


def geometry_key(info: Any, size: tuple[int, int], rectified: bool) -> tuple[object, ...]:
    """Return what the geometry depends on: equal keys, equal geometries."""
    roi = getattr(info, "roi", None)
    region = () if roi is None else (roi.x_offset, roi.y_offset, roi.width, roi.height)
    binning = (getattr(info, "binning_x", 0), getattr(info, "binning_y", 0))
    values = (*info.k, *getattr(info, "p", ()), *getattr(info, "d", ()))
    model = getattr(info, "distortion_model", "")
    return (size, rectified, info.width, info.height, region, binning, model, *(float(each).hex() for each in values))


def camera_geometry(info: Any, size: tuple[int, int], rectified: bool) -> CameraGeometry:
    """Return the geometry of a camera's images.

    Args:
        info: sensor_msgs/CameraInfo.
        size: columns and rows of the image.
        rectified: the image is rectified; else it is so only where the CameraInfo has no K.

    Raises:
        WrongImageSize: the image is not as large as announced.
        WrongCameraInfo: a focal length is no positive number, or the distortion cannot be taken out.
    """
    to_image, d = _to_image(info, size), np.array(getattr(info, "d", ()), np.float64)
    p = _matrix("P", getattr(info, "p", ()), 4)
    if rectified and p is not None:
        return CameraGeometry(to_image(p))
    k = _matrix("K", info.k, 3)
    if k is None:
        if p is None:
            raise WrongCameraInfo("K and P are zero: the camera is not calibrated")
        return CameraGeometry(to_image(p))
    if rectified and d.any():
        raise WrongCameraInfo("P is zero, and K is that of the raw image, which is distorted")
    if not d.any():
        return CameraGeometry(to_image(k))
    target = to_image(k if p is None else p)
    return CameraGeometry(target, _undistortion(info, to_image(k), d, target, size))


def _matrix(name: str, values: ArrayLike, columns: int) -> Array | None:
    """Return K or the left part of P, (3, 3); None: it is not given.

    Raises:
        WrongCameraInfo: it is none of a camera.
    """
    k = np.array(values, np.float64)
    if not k.any():
        return None
    if k.size != 3 * columns:
        raise WrongCameraInfo(f"{name} has {k.size} numbers, it must have {3 * columns}")
    k = k.reshape(3, columns)[:, :3]
    if not np.isfinite(k).all():
        raise WrongCameraInfo(f"{name} holds a value that is no finite number")
    for axis, focal in (("x", k[0, 0]), ("y", k[1, 1])):
        if not focal > 0:
            raise WrongCameraInfo(f"{name} has a focal length f{axis} of {focal:g} pixels; it must be above 0")
    return k


def _to_image(info: Any, size: tuple[int, int]) -> Callable[[Array], Array]:
    """Return the function from a matrix (3, 3) of the full sensor to that of the image.

    Raises:
        WrongImageSize: the image has none of the sizes that the CameraInfo allows.
    """
    roi = getattr(info, "roi", None)
    x, y, width, height = (roi.x_offset, roi.y_offset, roi.width, roi.height) if roi is not None else (0, 0, 0, 0)
    region = width or info.width, height or info.height
    bins = max(1, getattr(info, "binning_x", 1)), max(1, getattr(info, "binning_y", 1))
    binned = region[0] // bins[0], region[1] // bins[1]
    # Drivers round up or down.
    if all(math.ceil(whole / n) >= pixels >= whole // n for whole, n, pixels in zip(region, bins, size, strict=True)):
        return lambda k: resized(cropped(k, (x, y)), (bins[0], bins[1]), (1, 1))
    # Some state width and height after binning, with the matrix of that size.
    if size == (info.width, info.height) or not info.width:
        return np.array
    announced = f"{info.width}x{info.height}"
    if binned != (info.width, info.height):
        announced += f", of which its region and binning leave {binned[0]}x{binned[1]}"
    raise WrongImageSize(f"{size[0]}x{size[1]}, its CameraInfo says {announced}")


def _undistortion(info: Any, k: Array, d: Array, target: Array, size: tuple[int, int]) -> tuple[Any, Any]:
    model = getattr(info, "distortion_model", "").lower()
    if model not in COEFFICIENTS:
        known = ", ".join(name for name in COEFFICIENTS if name)
        raise WrongCameraInfo(f"distortion model {info.distortion_model!r}; {known} are undistorted")
    if not np.isfinite(d).all():
        raise WrongCameraInfo("d holds a value that is no finite number")
    if len(d) not in COEFFICIENTS[model]:
        allowed = " or ".join(map(str, COEFFICIENTS[model]))
        raise WrongCameraInfo(f"{len(d)} distortion coefficients; {model or 'a model without a name'} has {allowed}")
    initialise = cv2.fisheye.initUndistortRectifyMap if model in FISHEYE else cv2.initUndistortRectifyMap
    first, second = initialise(k, d, np.eye(3), target, size, cv2.CV_16SC2)
    return first, second
