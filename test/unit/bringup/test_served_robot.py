"""What a policy server knows of its robot: from the robot's file, a calibration, and the client."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from vla_ros.bringup.served_robot import BadObservation, ServedRobot, read_camera_info
from vla_ros.parameters import ParameterError
from vla_ros.perception.frames import CameraHealth
from vla_ros.robot.link_poses import LinkPoses
from vla_ros.sim.arm_description import HOME, JOINT_NAMES, urdf
from vla_ros.sim.model import intrinsics
from vla_ros.time import NS_PER_S

IMAGE = np.full((128, 128, 3), 90, np.uint8)
CALIBRATION = {
    "image_width": 640,
    "image_height": 480,
    "camera_matrix": {"rows": 3, "cols": 3, "data": [600.0, 0, 320, 0, 600, 240, 0, 0, 1]},
}


@pytest.fixture(scope="module")
def simulated() -> ServedRobot:
    return ServedRobot("sim", "scripted")


def test_the_simulated_arm_is_known(simulated: ServedRobot) -> None:
    assert simulated.robot.joint_names == JOINT_NAMES and simulated.robot.cameras == ("front", "wrist")
    frames = simulated.frames({"observation/image": IMAGE}, 5)
    front = frames.views["front"]
    assert front.k is not None and np.allclose(front.k, intrinsics("front", 128, 128))
    assert front.T_base_camera is not None and front.health is CameraHealth.OK
    assert frames.views["wrist"].health is CameraHealth.MISSING and frames.stamp_ns == 5


def test_a_camera_on_the_hand_is_where_the_clients_joints_have_it(tmp_path: Path) -> None:
    (tmp_path / "hand.yaml").write_text(
        "planner:\n  ros__parameters: {cameras: [wrist], camera_links: [hand], camera_poses: [0, 0, 0.1, 0, 0, 0, 1]}\n"
    )
    robot = ServedRobot("sim", "scripted", config=str(tmp_path / "hand.yaml"))
    sent = {"observation/image": IMAGE, "observation/wrist_image": IMAGE, "observation/state": HOME + 0.1}
    wrist = robot.frames(sent, 5).views["wrist"]
    hand = LinkPoses(urdf(), JOINT_NAMES).pose("hand", HOME + 0.1)
    assert hand is not None and wrist.T_base_camera is not None
    assert wrist.T_base_camera[:3, 3] == pytest.approx((hand @ [0, 0, 0.1, 1])[:3])
    unplaced = robot.frames({"observation/image": IMAGE, "observation/wrist_image": IMAGE}, 5).views["wrist"]
    assert unplaced.pose_fault == "its pose is not known: no joint states of its image's moment"


def test_a_black_image_is_dark(simulated: ServedRobot) -> None:
    frames = simulated.frames({"observation/image": IMAGE * 0}, 5)
    assert frames.views["front"].health is CameraHealth.DARK


def test_the_first_camera_has_two_names(simulated: ServedRobot) -> None:
    other = IMAGE + 1
    both = simulated.frames({"observation/image": IMAGE, "observation/front_image": other}, 5)
    assert both.views["front"].image[0, 0, 0] == 90
    assert simulated.frames({"observation/front_image": other}, 5).views["front"].image[0, 0, 0] == 91


def test_what_the_client_says_of_its_camera_counts(simulated: ServedRobot) -> None:
    k = np.array([[100.0, 0, 64], [0, 100, 64], [0, 0, 1]])
    view = simulated.frames({"observation/image": IMAGE, "observation/front_k": k.ravel()}, 5).views["front"]
    assert view.k is not None and np.array_equal(view.k, k)


def test_velocities_are_differences_of_what_was_sent(simulated: ServedRobot) -> None:
    first = simulated.joint_state({"observation/state": HOME}, NS_PER_S, None)
    assert not first.dq.any()
    second = simulated.joint_state({"observation/state": HOME + 0.01}, NS_PER_S + 100_000_000, first)
    assert np.allclose(second.dq, 0.1)
    late = simulated.joint_state({"observation/state": HOME + 0.01}, 9 * NS_PER_S, first)
    assert not late.dq.any()


@pytest.mark.parametrize("state", [None, [], ["a"] * 8, [[1.0] * 8] * 2, {"a": 1}])
def test_a_state_that_is_none_is_named_with_the_joints(simulated: ServedRobot, state: object) -> None:
    with pytest.raises(BadObservation, match="expected 8 finite numbers, rad or m, of joint1, joint2"):
        simulated.joint_state({"observation/state": state}, 1, None)


def test_a_calibration_is_scaled_to_the_image(tmp_path: Path) -> None:
    (tmp_path / "front.yaml").write_text(yaml.safe_dump(CALIBRATION))
    info = read_camera_info([f"front={tmp_path / 'front.yaml'}"])
    robot = ServedRobot("sim", "scripted", camera_info=info)
    view = robot.frames({"observation/image": np.full((240, 320, 3), 90, np.uint8)}, 5).views["front"]
    assert view.k is not None and np.allclose(view.k[0], [300.0, 0.0, 159.75])


def test_a_distorted_image_is_undistorted_at_the_size_that_the_client_sends(tmp_path: Path) -> None:
    d = {"distortion_model": "plumb_bob", "distortion_coefficients": {"data": [-0.3, 0.1, 0.0, 0.0, 0.0]}}
    (tmp_path / "front.yaml").write_text(yaml.safe_dump({**CALIBRATION, **d}))
    robot = ServedRobot("sim", "scripted", camera_info=read_camera_info([f"front={tmp_path / 'front.yaml'}"]))
    sent = np.random.default_rng(0).integers(50, 200, (240, 320, 3), dtype=np.uint8)
    view = robot.frames({"observation/image": sent}, 5).views["front"]
    assert view.k is not None and np.allclose(view.k[0], [300.0, 0.0, 159.75])
    assert (view.image != sent).mean() > 0.5 and view.image.shape == sent.shape
    own = robot.frames({"observation/image": sent, "observation/front_k": np.eye(3)}, 5).views["front"]
    assert (own.image == sent).all(), "who states the matrix of an image has taken its distortion out"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("front", "must be camera=FILE"),
        ("front=/nowhere.yaml", "--camera-info: /nowhere.yaml: No such file"),
        ("front={file}", "expected image_width, image_height and camera_matrix.data"),
    ],
)
def test_a_calibration_that_is_none_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "k.yaml").write_text("image_width: 3\n")
    with pytest.raises(ParameterError) as caught:
        read_camera_info([text.format(file=tmp_path / "k.yaml")])
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [{"image_width": 0}, {"camera_matrix": {"data": [1.0] * 8}}, {"camera_matrix": {"data": [float("nan")] * 9}}],
)
def test_numbers_of_a_calibration_are_checked(tmp_path: Path, change: dict[str, object]) -> None:
    (tmp_path / "k.yaml").write_text(yaml.safe_dump({**CALIBRATION, **change}))
    with pytest.raises(ParameterError, match="--camera-info"):
        read_camera_info([f"front={tmp_path / 'k.yaml'}"])


def test_a_calibration_of_no_camera_is_named(tmp_path: Path) -> None:
    (tmp_path / "k.yaml").write_text(yaml.safe_dump(CALIBRATION))
    with pytest.raises(ParameterError, match="the robot has no camera 'left'; it has front, wrist"):
        ServedRobot("sim", "scripted", camera_info=read_camera_info([f"left={tmp_path / 'k.yaml'}"]))


def test_another_robot_needs_its_urdf(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="--urdf: required"):
        ServedRobot("franka", "scripted")
    with pytest.raises(ParameterError, match="--urdf: /nowhere.urdf: No such file"):
        ServedRobot("franka", "scripted", urdf="/nowhere.urdf")
    (tmp_path / "arm.urdf").write_text(urdf())
    robot = ServedRobot("sim", "scripted", urdf=str(tmp_path / "arm.urdf"))
    assert robot.session(50.0).checkpoint == ServedRobot("sim", "scripted").session(50.0).checkpoint
