"""A camera is where it was when it took its image."""

from __future__ import annotations

import numpy as np
import pytest

from vla_ros.arrays import Array
from vla_ros.parameters import ParameterError
from vla_ros.perception.camera_mounts import CameraMounts
from vla_ros.perception.frames import CameraView, Frames
from vla_ros.robot.link_poses import LinkPoses
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, origin_of, urdf
from vla_ros.transforms import matrix

IMAGE, K = np.full((4, 4, 3), 90, np.uint8), np.eye(3)
ARM = LinkPoses(urdf(), JOINT_NAMES)
FIXED = matrix([1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 1.0])
LATER = HOME + 0.2


def joints_at(stamp_ns: int) -> Array | None:
    return {100: HOME, 200: LATER}.get(stamp_ns)


def view_of(mounts: CameraMounts, stamp_ns: int = 100, frame_id: str = "") -> CameraView:
    view = CameraView(IMAGE, k=K, stamp_ns=stamp_ns, frame_id=frame_id)
    return mounts.placed(Frames(50, {"wrist": view}), joints_at).views["wrist"]


def test_a_fixed_camera_stays() -> None:
    assert view_of(CameraMounts({"wrist": FIXED}, {}, ARM), frame_id="wrist_camera_optical").T_base_camera is FIXED
    assert view_of(CameraMounts({"wrist": FIXED}, {"wrist": ""})).pose_fault == ""


def test_a_camera_whose_frame_is_a_link_is_where_the_link_was_at_its_own_image() -> None:
    mounts = CameraMounts({}, {}, ARM)
    for stamp_ns, q in ((100, HOME), (200, LATER)):
        seen = view_of(mounts, stamp_ns, "wrist_camera_optical")
        assert seen.T_base_camera == pytest.approx(ARM.pose("wrist_camera_optical", q)) and seen.pose_fault == ""


def test_a_calibrated_camera_moves_with_its_link() -> None:
    in_hand = np.linalg.inv(ARM.pose("hand", HOME)) @ ARM.pose("wrist_camera_optical", HOME)
    mounts = CameraMounts({"wrist": in_hand}, {"wrist": "hand"}, ARM)
    assert view_of(mounts, 200, "any").T_base_camera == pytest.approx(ARM.pose("wrist_camera_optical", LATER), abs=1e-9)


def test_a_frame_that_the_urdf_lacks_is_looked_up() -> None:
    asked = []

    def transform_at(frame: str, stamp_ns: int) -> Array | None:
        asked.append((frame, stamp_ns))
        return origin_of("front_camera_optical") if frame == "gantry" else None

    mounts = CameraMounts({}, {}, ARM, transform_at)
    assert view_of(mounts, 300, "gantry").T_base_camera == pytest.approx(origin_of("front_camera_optical"))
    assert "and /tf does not have it" in view_of(mounts, 300, "nowhere").pose_fault
    assert asked == [("gantry", 300), ("nowhere", 300)]


def test_parameters_make_mounts_and_a_link_that_nobody_knows_is_refused() -> None:
    mounts = CameraMounts.of_arm({"wrist": FIXED}, {"wrist": ("hand", np.eye(4))}, ARM)
    assert view_of(mounts).T_base_camera == pytest.approx(ARM.pose("hand", HOME))
    with pytest.raises(ParameterError, match=r"^planner\.camera_links: camera wrist: the URDF has no link 'fist'$"):
        CameraMounts.of_arm({}, {"wrist": ("fist", FIXED)}, ARM)
    assert CameraMounts.of_arm({}, {"wrist": ("fist", FIXED)}, ARM, lambda *_: FIXED)


@pytest.mark.parametrize(
    ("mounts", "stamp_ns", "frame_id", "problem"),
    [
        (CameraMounts({}, {}, ARM), 100, "", "its images name no frame_id"),
        (CameraMounts({}, {}, ARM), 100, "gantry", "its frame 'gantry' is no link of the URDF"),
        (CameraMounts({}, {}), 100, "hand", "its frame 'hand' is no link of the URDF"),
        (CameraMounts({}, {}, ARM), 150, "hand", "no joint states of its image's moment"),
        (
            CameraMounts({}, {}, LinkPoses(urdf(), JOINT_NAMES[1:])),
            100,
            "hand",
            "joint1 moves it and is not in joint_names",
        ),
    ],
)
def test_why_a_pose_is_not_known_is_said(mounts: CameraMounts, stamp_ns: int, frame_id: str, problem: str) -> None:
    seen = view_of(mounts, stamp_ns, frame_id)
    assert seen.T_base_camera is None and seen.pose_fault == f"its pose is not known: {problem}"
