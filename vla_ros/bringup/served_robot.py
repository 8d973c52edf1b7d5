"""What a policy server knows of the robot that it serves: from the same file that starts the robot's graph."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vla_ros.arrays import Array, Image
from vla_ros.bringup.binding_check import checkpoint_overrides
from vla_ros.bringup.graph import parameters_of
from vla_ros.bringup.node_parameters import parameters_with_policy
from vla_ros.control.policy_session import PolicySession, arm_mask
from vla_ros.guard import Guard, load_prompt, load_rules
from vla_ros.parameters import ParameterError, from_mapping, nested
from vla_ros.perception.calibration_file import CameraCalibration, read_calibration
from vla_ros.perception.camera_geometry import CameraGeometry
from vla_ros.perception.camera_mounts import CameraMounts
from vla_ros.perception.frames import CameraHealth, CameraView, Frames
from vla_ros.policies.contract import JointState
from vla_ros.policies.registry import Robot, system1, system2
from vla_ros.robot.base_frame import camera_poses_in_root
from vla_ros.robot.link_poses import LinkPoses
from vla_ros.robot.urdf import read_urdf
from vla_ros.time import NS_PER_S

LARGEST_SIDE = 4096
DARK_LEVEL = 4.0


class BadObservation(ValueError):
    """What a client has sent cannot be used. One line, with the key."""


class ServedRobot:
    """The robot of a file, and what its clients send.

    Args:
        robot: as `vla_ros.bringup.graph.bringup` takes it. policy, config: likewise.
        urdf: file of the robot description; empty: the one that the robot's file names, or the simulated arm's.
        camera_info: camera → its calibration.
        checkpoint: of the policy, where it has one; empty: the configuration's.

    Attributes:
        policy: its name.
        robot: as the policy needs it.
        cameras: names, in the order of the robot's file.

    Raises:
        ParameterError: the robot's file, a calibration or an option is wrong, or there is no URDF.
    """

    def __init__(
        self,
        robot: str,
        policy: str,
        config: str = "",
        urdf: str = "",
        camera_info: Mapping[str, CameraCalibration] | None = None,
        checkpoint: str = "",
    ) -> None:
        overrides = checkpoint_overrides(policy, checkpoint)
        options: dict[str, Any] = {"robot": robot, "policy": policy, "config": config, "overrides": overrides}
        planner, camera = parameters_of("planner", **options), parameters_of("camera", **options)
        self._planner: Any = from_mapping(parameters_with_policy(policy)["planner"], nested(planner), "planner.")
        self.policy, self.cameras = policy, tuple(camera["cameras"])
        self._simulated = robot == "sim"
        text = self._urdf(urdf or self._planner.urdf)
        self.robot = robot_of(text, self._planner, self.cameras)
        p: Any = self._planner
        poses = camera_poses_in_root(text, p.base_frame, p.cameras, p.camera_poses, "planner.base_frame")
        links = LinkPoses(text, p.joint_names)
        self._mounts = CameraMounts.of_arm(poses, p.mounted_cameras, links)
        self._calibrations = dict(camera_info or {})
        if unknown := sorted(set(self._calibrations) - set(self.cameras)):
            raise ParameterError(
                f"--camera-info: the robot has no camera {unknown[0]!r}; it has {', '.join(self.cameras)}"
            )

    def session(self, rate_hz: float, anchor_distance: float = 0.08) -> PolicySession:
        """Make both halves for one client; this loads the model.

        Raises:
            ParameterError: the policy does not fit.
        """
        options = nested_options(self._planner, self.policy)
        gripper = self._planner.classical.gripper_joint
        return PolicySession(
            system2(self.policy, self.robot, options),
            system1(self.policy, self.robot, options),
            Guard(load_rules(self._planner.guard.rules)),
            load_prompt(self._planner.prompt),
            arm_mask(self.robot.joint_names, gripper),
            rate_hz,
            anchor_distance,
        )

    def image_keys(self) -> dict[str, str]:
        """Return the keys under which images are read → camera."""
        named = {f"observation/{camera}_image": camera for camera in self.cameras}
        return {"observation/image": self.cameras[0], **named} if self.cameras else named

    def frames(self, observation: Mapping[Any, Any], stamp_ns: int) -> Frames:
        """Return the images that a client has sent. A camera of which it sent none is MISSING.

        Raises:
            BadObservation: an image is none.
        """
        views = {}
        for key, camera in self.image_keys().items():
            if camera in views or key not in observation:
                continue
            image = _image(key, observation[key])
            dark = float(image[::4, ::4].mean()) < DARK_LEVEL
            geometry = self._geometry(camera, observation, *image.shape[:2])
            views[camera] = CameraView(
                image if geometry is None else geometry.undistorted(image),
                CameraHealth.DARK if dark else CameraHealth.OK,
                None if geometry is None else geometry.k,
            )
        absent = np.zeros((8, 8, 3), np.uint8)
        missing = {camera: CameraView(absent, CameraHealth.MISSING) for camera in self.cameras if camera not in views}
        for camera in self._planner.required_cameras:
            if camera in missing:
                keys = " or ".join(key for key, name in self.image_keys().items() if name == camera)
                raise BadObservation(f"no image of camera {camera}: send it as {keys}, (H, W, 3) uint8 rgb")
        q = self._positions(observation)
        return self._mounts.placed(Frames(stamp_ns, {**views, **missing}), lambda _: q)

    def joint_state(self, observation: Mapping[Any, Any], stamp_ns: int, before: JointState | None) -> JointState:
        """Return the joints that a client has sent; their velocities are differences.

        Args:
            before: of its request before; None: it is the first.

        Raises:
            BadObservation: the state is absent or none of this robot.
        """
        names, q = self.robot.joint_names, self._positions(observation)
        if q is None:
            raise BadObservation(
                f"observation/state: expected {len(names)} finite numbers, rad or m, of {', '.join(names)}"
            )
        elapsed_s = 0.0 if before is None else (stamp_ns - before.stamp_ns) / NS_PER_S
        moving = before is not None and 0.01 <= elapsed_s <= 1.0
        dq = (q - before.q) / elapsed_s if moving and before is not None else np.zeros(len(names))
        return JointState(stamp_ns, q, dq)

    def _positions(self, observation: Mapping[Any, Any]) -> Array | None:
        """Return the joint positions (n,) that a client has sent, rad or m; None: they are none of this robot."""
        try:
            q = np.asarray(observation.get("observation/state"), np.float64).reshape(-1)
        except (TypeError, ValueError):
            return None
        return q if q.shape == (len(self.robot.joint_names),) and np.isfinite(q).all() else None

    def _geometry(self, camera: str, observation: Mapping[Any, Any], height: int, width: int) -> CameraGeometry | None:
        """Return that of an image: as the client says, else of the calibration, else of the simulated camera."""
        key = f"observation/{camera}_k"
        if key in observation:
            k = np.asarray(observation[key])
            if k.shape not in ((3, 3), (9,)) or k.dtype.kind not in "fiu" or not np.isfinite(k).all():
                raise BadObservation(f"{key}: expected 9 finite numbers, the pinhole matrix of the image in pixels")
            k = k.reshape(3, 3).astype(np.float64)
            if not min(k[0, 0], k[1, 1]) > 0:
                raise BadObservation(f"{key}: a focal length is not above 0")
            return CameraGeometry(k)
        if (calibration := self._calibrations.get(camera)) is not None:
            return calibration.geometry(height, width)
        if self._simulated:
            from vla_ros.sim.model import intrinsics

            return CameraGeometry(intrinsics(camera, height, width))
        return None

    def _urdf(self, file: str) -> str:
        if file:
            try:
                return read_urdf(file)
            except ParameterError as error:
                raise ParameterError(f"--{error}") from None
        if self._simulated:
            from vla_ros.sim.arm_description import urdf

            return urdf()
        raise ParameterError(
            "--urdf: required: no graph publishes robot_description here, and the robot's file names none"
        )


def robot_of(urdf: str, planner: Any, cameras: Sequence[str]) -> Robot:
    """Return the robot of a planner's parameters."""
    return Robot(urdf, tuple(planner.joint_names), planner.tool_frame, tuple(cameras))


def nested_options(planner: Any, policy: str) -> dict[str, Any]:
    """Return the options of the chosen policy out of a planner's parameters."""
    return dataclasses.asdict(getattr(planner, policy))


def read_camera_info(texts: Sequence[str]) -> dict[str, CameraCalibration]:
    """Read "camera=file" of each calibration, files as ROS's camera_calibration writes them.

    Raises:
        ParameterError: a file cannot be read, or is no calibration.
    """
    found = {}
    for text in texts:
        camera, equals, file = text.partition("=")
        if not camera or not equals:
            raise ParameterError(f"--camera-info: {text!r} must be camera=FILE")
        found[camera] = read_calibration(file, f"--camera-info: {file}")
    return found


def _image(key: str, value: object) -> Image:
    image: NDArray[Any] = value if isinstance(value, np.ndarray) else np.zeros(0)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise BadObservation(f"{key}: expected (H, W, 3) uint8 rgb, got {type(value).__name__} {_shape(value)}")
    if not all(8 <= side <= LARGEST_SIDE for side in image.shape[:2]):
        raise BadObservation(f"{key}: {image.shape[1]}x{image.shape[0]} pixels; 8 to {LARGEST_SIDE} each are read")
    return image


def _shape(value: object) -> str:
    return f"of shape {value.shape} and dtype {value.dtype}" if isinstance(value, np.ndarray) else "instead"
