"""Scene images: seeds, and files that are continued."""

import numpy as np
import pytest

from test.unit.lab.training.tiny import TINY
from vla_ros.lab.training import scene_images


def test_a_seed_of_evaluation_is_refused() -> None:
    with pytest.raises(ValueError, match="evaluation"):
        scene_images.SceneImageGenerator(TINY, 999_999)


def test_the_statistics_are_of_images_and_joints() -> None:
    records = np.zeros(4, scene_images.layout(TINY))
    records["images"][..., 0] = 255
    records["q"][:, 2] = (0.0, 1.0, 2.0, 3.0)
    found = scene_images.observations(records, TINY.cameras)
    assert found["observation.images.front"] == {"mean": [1.0, 0.0, 0.0], "std": [0.0, 0.0, 0.0]}
    assert found["observation.state"]["q01"][2] == pytest.approx(0.03) and found["observation.state"]["q99"][2] > 2.9


def test_the_number_of_scenes_that_are_complete_is_zero_without_a_file(tmp_path) -> None:
    assert scene_images.count(tmp_path / "scene_images.npy") == 0
    (tmp_path / "scene_images.done").write_text("7")
    assert scene_images.count(tmp_path / "scene_images.npy") == 7
