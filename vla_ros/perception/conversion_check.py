"""Does the library that converts images work here? Two that were built for different numpys are imported, and fail later."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np

from vla_ros.perception.bridge import conversions
from vla_ros.perception.encodings import COLOUR_ENCODINGS, decode_colour
from vla_ros.perception.wrong_encoding import WrongEncoding


def check_conversions() -> str:
    """Convert an image of each encoding, and return what converts images.

    E.g. "OpenCV 4.13.0 with numpy 2.2.6", or "cv_bridge for bgr8, mono8, else OpenCV 4.13.0 with numpy 2.2.6".

    Raises:
        WrongEncoding: a conversion fails.
    """
    library = f"OpenCV {cv2.__version__} with numpy {np.__version__}"
    for encoding in COLOUR_ENCODINGS:
        image = SimpleNamespace(encoding=encoding, height=2, width=2, step=16, is_bigendian=0, data=bytes(128))
        try:
            shape = decode_colour(image).shape
        except Exception as error:  # whatever a library does that does not fit another
            raise WrongEncoding(f"{library} does not convert {encoding}: {error}; install versions that fit") from None
        if shape != (2, 2, 3):
            raise WrongEncoding(f"{library} converts {encoding} to {shape}; install versions that fit each other")
    bridged = ", ".join(conversions())
    return f"cv_bridge for {bridged}, else {library}" if bridged else library
