"""Keep-out boxes: where they stand, and that the arm stays outside."""

from __future__ import annotations

import coal
import numpy as np
import pinocchio as pin
import pytest

from test.unit.safety.simulated_arm import OFF, URDF, Arm, forward, parameters
from vla_ros.parameters import ParameterError
from vla_ros.safety.geometry.arm_model import ArmModel
from vla_ros.safety.geometry.keep_out import KeepOut
from vla_ros.safety.geometry_parameters import PayloadParameters, ToolParameters
from vla_ros.sim.arm_description import HOME, JOINT_NAMES


def test_a_box_stands_where_it_is_configured_turned_about_fixed_axes() -> None:
    """A box of 2 m x 0.2 m x 0.2 m along x, turned to y: it ends 1 m along y and 0.1 m along x."""
    arm = ArmModel(URDF, JOINT_NAMES, ToolParameters(), PayloadParameters())
    boxes = [0.0, 0.0, 5.0, 2.0, 0.2, 0.2, 0.0, 0.0, np.pi / 2]
    pairs = list(KeepOut(parameters(**{"keep_out.boxes": boxes}), ()).distance_pairs(arm))
    assert len(pairs) == len(list(arm.moving_bodies())) > 0
    box = arm.geometry.collisionPairs[pairs[0].index].second
    for centre, gap in (((2.0, 0.0, 5.0), 1.8), ((0.0, 2.0, 5.0), 0.9)):
        ball = arm.add_fixed_shape(f"ball {gap}", coal.Sphere(0.1), pin.SE3(np.eye(3), np.array(centre)))
        index = arm.add_pair(ball, box)
        arm.finish_pairs()
        arm.place(HOME)
        assert arm.distance(index) == pytest.approx(gap, abs=1e-5)


def test_a_box_without_extent_is_refused() -> None:
    arm = ArmModel(URDF, JOINT_NAMES, ToolParameters(), PayloadParameters())
    with pytest.raises(ParameterError, match=r"keep_out.boxes: box 2 has size \[1.0, 0.0, 1.0\]"):
        boxes = [*[0.0] * 3, *[1.0] * 3, *[0.0] * 3, *[0.0] * 3, 1.0, 0.0, 1.0, *[0.0] * 3]
        list(KeepOut(parameters(**{"keep_out.boxes": boxes}), ()).distance_pairs(arm))


def test_a_keep_out_box_is_kept_out_of() -> None:
    arm = Arm(
        **{**OFF, "keep_out.boxes": [0.75, 0.0, 0.3, 0.1, 0.1, 0.6, 0.0, 0.0, 0.785], "keep_out.margin_m": 0.02}
    ).armed()
    assert "keep_out" in arm.towards(forward(HOME, 1.5), 700)
    nearest = arm.filter.nearest()
    assert nearest is not None
    assert 0.021 <= nearest.distance_m < 0.026
