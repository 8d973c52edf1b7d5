"""A topic's name may tell that its images are rectified."""

from __future__ import annotations

import pytest

from vla_ros.perception.camera_traits import is_rectified


@pytest.mark.parametrize(
    ("topic", "rectified"),
    [
        ("/front_camera/image_raw", False),
        ("/camera/color/image_rect_color", True),
        ("/camera/image_rect", True),
        ("/zed/rgb/image_rect_color/compressed", True),
        ("/directory/image_raw", False),
        ("/direct_camera/image", False),
        ("/zed/rgb/image_unrect", False),
        ("/camera/rect/image", True),
    ],
)
def test_the_name_of_a_topic_tells_rectified_images(topic: str, rectified: bool) -> None:
    assert is_rectified(topic) is rectified
