"""The model of a scene: every object is in it, and the cameras see what their matrices say."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from vla_ros.sim.model import CAMERAS, FIELD_OF_VIEW_DEG, body_name, intrinsics, xml
from vla_ros.sim.scene import SceneObject
from vla_ros.sim.variation import TRAINING, sample_varied


@pytest.fixture(scope="module")
def scene() -> tuple[mujoco.MjModel, tuple[SceneObject, ...]]:
    varied, _ = sample_varied(1_000_003, "place", TRAINING)
    return mujoco.MjModel.from_xml_string(xml(varied)), varied.objects


def test_every_object_stands_on_the_table_where_the_scene_puts_it(scene) -> None:
    model, objects = scene
    for item in objects:
        x, y, z = model.body(body_name(item)).pos
        assert (x, y) == pytest.approx((item.x, item.y)) and z == pytest.approx(item.height / 2 + 0.0005)


def test_an_object_is_as_wide_as_its_radius_says(scene) -> None:
    model, objects = scene
    for item in objects:
        if item.shape in ("cylinder", "ball", "plate"):
            (geom,) = np.flatnonzero(model.geom_bodyid == model.body(body_name(item)).id)
            assert model.geom_size[geom, 0] == pytest.approx(item.radius)


def test_the_cameras_have_the_field_of_view_of_their_matrices(scene) -> None:
    model, _ = scene
    for camera in CAMERAS:
        assert model.camera(camera).fovy[0] == FIELD_OF_VIEW_DEG[camera]
        k = intrinsics(camera, 128, 128)
        assert np.degrees(2 * np.arctan(64 / k[0, 0])) == pytest.approx(FIELD_OF_VIEW_DEG[camera])


def test_pictures_for_people_differ_from_those_of_policies_in_quality_only() -> None:
    plain, _ = sample_varied(1_000_003, "place", TRAINING)
    beautiful = mujoco.MjModel.from_xml_string(xml(plain, beautiful=True))
    assert beautiful.vis.quality.offsamples == 8 and beautiful.nbody == mujoco.MjModel.from_xml_string(xml(plain)).nbody
