"""A calibration is read as ROS writes it, and what gives no matrix is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from vla_ros.parameters import ParameterError
from vla_ros.perception.calibration_file import read_calibration

FILE = {
    "image_width": 640,
    "image_height": 480,
    "distortion_model": "plumb_bob",
    "camera_matrix": {"rows": 3, "cols": 3, "data": [500.0, 0, 320, 0, 500, 240, 0, 0, 1]},
    "distortion_coefficients": {"rows": 1, "cols": 5, "data": [-0.3, 0.1, 0, 0, 0]},
    "projection_matrix": {"rows": 3, "cols": 4, "data": [400.0, 0, 310, 0, 0, 400, 250, 0, 0, 0, 1, 0]},
}


def written(folder: Path, **changes: Any) -> str:
    file = folder / "front.yaml"
    file.write_text(yaml.safe_dump({**FILE, **changes}))
    return str(file)


def test_the_matrix_is_that_of_the_undistorted_image_at_any_size(tmp_path: Path) -> None:
    calibration = read_calibration(written(tmp_path), "front")
    whole, half = calibration.geometry(480, 640), calibration.geometry(240, 320)
    assert whole.k[[0, 1, 0, 1], [0, 1, 2, 2]] == pytest.approx([400, 400, 310, 250])
    assert half.k[[0, 1, 0, 1], [0, 1, 2, 2]] == pytest.approx([200, 200, 154.75, 124.75])
    assert half.maps is not None and half.maps[0].shape[:2] == (240, 320)


def test_distortion_and_projection_may_be_absent(tmp_path: Path) -> None:
    file = tmp_path / "k.yaml"
    file.write_text(yaml.safe_dump({key: FILE[key] for key in ("image_width", "image_height", "camera_matrix")}))
    geometry = read_calibration(str(file), "front").geometry(480, 640)
    assert geometry.maps is None and geometry.k[0, 0] == 500.0


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"image_width": 0}, "front: image_width and image_height must be positive"),
        ({"camera_matrix": 3}, "front: expected image_width, image_height and camera_matrix.data"),
        ({"distortion_model": "kannala"}, "front: distortion model 'kannala'"),
        ({"camera_matrix": {"data": [0.0, 0, 1, 0, 5, 1, 0, 0, 1]}}, "front: K has a focal length fx of 0 pixels"),
    ],
)
def test_what_gives_no_matrix_is_named(tmp_path: Path, changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ParameterError) as error:
        read_calibration(written(tmp_path, **changes), "front")
    assert str(error.value).startswith(text)
