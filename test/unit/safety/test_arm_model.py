"""The arm as bodies in space."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pinocchio as pin

sys.path.insert(0, str(Path(__file__).parent))

from simulated_arm import URDF

from vla_ros.robot.description import JOINT_NAMES
from vla_ros.safety.arm_model import ArmModel
from vla_ros.safety.parameters import Payload, Tool


def test_reach_bounds_the_motion_of_every_body() -> None:
    """Random pairs of configurations: no point of a body moves by more than reach times the joints' motion."""
    model = ArmModel(URDF, JOINT_NAMES, Tool(), Payload())
    data, draw = model.model.createData(), np.random.default_rng(0)
    lower, upper = model.model.lowerPositionLimit[:8], model.model.upperPositionLimit[:8]
    largest = 0.0
    for _ in range(300):
        a = draw.uniform(lower, upper)
        b = np.clip(a + draw.normal(0, draw.choice([1e-3, 0.1, 1.0]), 8), lower, upper)
        places = []
        for q in (a, b):
            pin.forwardKinematics(model.model, data, np.append(q, q[7]))
            places.append(
                [
                    body.points @ data.oMi[body.joint].rotation.T + data.oMi[body.joint].translation
                    for body in model.bodies
                ]
            )
        for i, (before, after) in enumerate(zip(*places, strict=True)):
            moved = np.linalg.norm(after - before, axis=1).max()
            bound = float(np.array(model.reach(i)) @ np.abs(b - a))
            assert moved <= bound + 1e-12
            largest = max(largest, moved / bound if bound else 0.0)
    assert largest > 0.5, "the bound is far from what happens"


def test_bodies_inside_others_are_left_out_and_boxes_stay_boxes() -> None:
    model = ArmModel(URDF, JOINT_NAMES, Tool(), Payload())
    assert {len(body.points) for body in model.bodies if "finger" in body.link} == {8}
    assert len(model.bodies) < 30
    assert {body.link for body in model.bodies} >= {"base", "link1", "link7", "hand", "left_finger", "right_finger"}
