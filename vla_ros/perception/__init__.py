"""Cameras: images of any encoding to arrays, the health of a camera, pinhole geometry.

`CameraCheck` takes in the messages of one camera and tells whether its image may be used. `Frames` is what a policy is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vla_ros.lazy_names import lazy_names

if TYPE_CHECKING:
    from vla_ros.perception.camera_check import CameraCheck, CheckedImage
    from vla_ros.perception.encodings import ColourDecoder, decode_colour, decode_depth
    from vla_ros.perception.frames import CameraHealth, CameraView, Frames
    from vla_ros.perception.intrinsics import pinhole_matrix, resized
    from vla_ros.perception.pinhole import PinholeCamera
    from vla_ros.perception.stream_timing import StreamTiming
    from vla_ros.perception.wrong_encoding import WrongEncoding

__all__ = [
    "CameraCheck",
    "CameraHealth",
    "CameraView",
    "CheckedImage",
    "ColourDecoder",
    "Frames",
    "PinholeCamera",
    "StreamTiming",
    "WrongEncoding",
    "decode_colour",
    "decode_depth",
    "pinhole_matrix",
    "resized",
]
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "camera_check": (
            "CameraCheck",
            "CheckedImage",
        ),
        "encodings": (
            "ColourDecoder",
            "decode_colour",
            "decode_depth",
        ),
        "frames": (
            "CameraHealth",
            "CameraView",
            "Frames",
        ),
        "intrinsics": (
            "pinhole_matrix",
            "resized",
        ),
        "pinhole": ("PinholeCamera",),
        "stream_timing": ("StreamTiming",),
        "wrong_encoding": ("WrongEncoding",),
    },
)
