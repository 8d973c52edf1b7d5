"""What the tests of the compact policy share: sizes of a tiny network, frames and joint states."""

import numpy as np

from vla_ros.lab.training import instructions
from vla_ros.perception.frames import CameraHealth, CameraView
from vla_ros.policies.compact.model_config import Sizes
from vla_ros.policies.compact.vocabulary import Vocabulary
from vla_ros.policies.contract import Chunk, Frames, JointState
from vla_ros.policies.registry import Robot
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, origin_of, urdf
from vla_ros.sim.model import intrinsics

ROBOT = Robot(urdf(), JOINT_NAMES)
VOCABULARY = Vocabulary.of(instructions.corpus())
SIZES = Sizes(
    image=32,
    channels=(8, 8, 16),
    key=8,
    dim=32,
    heads=2,
    language_layers=1,
    fusion_layers=1,
    flow_layers=1,
    vocabulary=len(VOCABULARY),
)


def frames(stamp_ns=0, health=CameraHealth.OK):
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    pose = origin_of("front_camera_optical")
    return Frames(stamp_ns, {"front": CameraView(image, health, intrinsics("front", 64, 64), T_base_camera=pose)})


AT_HOME = Chunk.rest(HOME, 20_000_000)


def state(stamp_ns=0, may_move=True):
    return JointState(stamp_ns, HOME.copy(), np.zeros(8), may_move)
